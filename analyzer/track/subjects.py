"""Bounded tables of records by key, in which loops look for a record, and enter one.

A key is two words and a tag; ``slots`` lead from its hash to the index of its record. Where a table is full, half of
its records are forgotten: those that were heard longest ago, and first of all those that are not favoured.

It must not know what a record is of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import loop
from analyzer.loops.pool import Pool
from analyzer.track.flow import FREE, INDEX, WORD, halves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Foreign, Numbers, Rows

KEY: Final = [
    ("hi", np.int64),
    ("lo", np.int64),
    ("tag", np.int64),  # of the VLAN or tunnel, or below 0 what else the record is of
    ("last_ns", np.int64),
]
"""What a record begins with: its key, and when it was last heard."""


@loop
def digest_of(hi: int, lo: int, tag: int, keys: Numbers) -> int:
    """Return a 31-bit hash of a key, never zero; ``keys`` are five multipliers from ``flow.keys_of``."""
    word = (halves(lo, keys[0], keys[1]) + halves(hi, keys[2], keys[3]) + halves(tag, keys[4], keys[0])) & WORD
    return ((((word ^ (word >> 29)) * keys[0]) & WORD) >> 32) | 0x40000000


@loop
def sought(slots: Numbers, table: Rows, digest: int, hi: int, lo: int, tag: int) -> int:
    """Return the index of a record, or -1 minus the slot where it would be entered."""
    mask = len(slots) - 1
    at = digest & mask
    while True:
        word = slots[at]
        if word == FREE:
            return -1 - at
        if (word >> 32) == digest:
            index = (word & INDEX) - 1
            record = table[index]
            if record["lo"] == lo and record["hi"] == hi and record["tag"] == tag:
                return index
        at = (at + 1) & mask


@loop
def entered(slots: Numbers, table: Rows, used: Numbers, which: int, digest: int, hi: int, lo: int, tag: int) -> int:
    """Return the index of a record, or -1 minus its index if it is new: only its key is set then."""
    index = sought(slots, table, digest, hi, lo, tag)
    if index >= 0:
        return index
    slot = -1 - index
    index = used[which]
    used[which] = index + 1
    slots[slot] = (digest << 32) | (index + 1)
    record = table[index]
    record["hi"] = hi
    record["lo"] = lo
    record["tag"] = tag
    record["digest"] = digest
    return -1 - index


class Subjects:
    """A bounded table of records by key; loops find them by ``slots`` and enter new ones."""

    def __init__(self, dtype: Foreign, most: int, *, jit: bool) -> None:
        """Start empty."""
        self._pool = Pool(dtype, jit=jit, sparse=True)
        self._most = most
        self._jit = jit
        self.slots: Any = self._no_slots(64)

    @property
    def records(self) -> Foreign:
        """What loops take; another one after ``make_room``."""
        return self._pool.records

    @property
    def size(self) -> int:
        """How many records there is room for."""
        return len(self._pool)

    def front(self, used: int) -> Rows:
        """Return the first ``used`` records."""
        return self.records[:used] if self._jit else self.records.front(used)

    def fill(self, rows: NDArray[np.void], room: int) -> None:
        """Take these records, with exactly so much room."""
        self._pool.fill(rows, room)

    def _no_slots(self, size: int) -> Numbers:
        return np.zeros(size, dtype=np.int64) if self._jit else [0] * size

    def room(self, used: int) -> int:
        """Return how many more records can be entered, as it stands."""
        return min(len(self._pool), len(self.slots) // 2) - used

    def is_full(self, used: int) -> bool:
        """Say whether half of the records must be forgotten; how many more would be new nobody knows beforehand."""
        return used > self._most

    def make_room(self, used: int, more: int) -> None:
        """Make sure that ``more`` records can be entered."""
        self._pool.make_room(used + more)
        size = len(self.slots)
        while size < 2 * (used + more):
            size *= 2
        if size > len(self.slots):
            self._refill(used, size)

    def rehearse(self) -> None:
        """Call the loops that only a table takes that grows or forgets."""
        if self._jit:
            squeeze.compiled(self.records, np.zeros(0, dtype=np.bool_))
        self._refill(0, len(self.slots))

    def _refill(self, used: int, size: int) -> None:
        self.slots = self._no_slots(size)
        fill.choose(jit=self._jit)(self.slots, self.records, used)

    def column(self, name: str, used: int) -> NDArray[np.int64]:
        """Return a field of the first ``used`` records."""
        records = self.records
        if self._jit:
            return np.asarray(records[name][:used], dtype=np.int64)
        return np.array([records[at][name] for at in range(used)], dtype=np.int64)

    def forget(self, used: int, favoured: NDArray[np.bool_] | None = None) -> int:
        """Keep half: those ``favoured``, then those that were heard last; return how many these are."""
        keep = used // 2
        records = self.records
        kept = _latest(self.column("last_ns", used), keep, favoured)
        if self._jit:
            stays = np.zeros(used, dtype=np.bool_)
            stays[kept] = True
            squeeze.compiled(records, stays)
        else:
            for to, at in enumerate(np.sort(kept).tolist()):
                records[to].update(records[at])
        self._refill(keep, len(self.slots))
        return keep

    def compile(self, used: int) -> None:
        """Change from plain records to compiled ones."""
        self._jit = True
        self._pool.compile()
        self._refill(used, len(self.slots))


def _latest(heard_ns: NDArray[np.int64], count: int, favoured: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Return the indices of ``count`` records: those ``favoured`` first, then those that were heard last."""
    if favoured is not None:
        first, others = np.flatnonzero(favoured), np.flatnonzero(~favoured)
        if len(first) >= count:
            return first[_latest(heard_ns[first], count)]
        return np.concatenate((first, others[_latest(heard_ns[others], count - len(first))]))
    # only apart, not in order: that takes time in proportion to their number
    return np.argpartition(heard_ns, len(heard_ns) - count)[len(heard_ns) - count :]


@loop
def squeeze(table: Rows, stays: Numbers) -> None:
    """Move the records that stay to the front, in order; compiled, for plain records are moved by what they hold."""
    to = 0
    for at in range(len(stays)):
        if stays[at]:
            if to < at:
                table[to] = table[at]
            to += 1


@loop
def fill(slots: Numbers, table: Rows, count: int) -> None:
    """Enter the first records of a table into empty slots."""
    mask = len(slots) - 1
    for index in range(count):
        at = table[index]["digest"] & mask
        while slots[at] != FREE:
            at = (at + 1) & mask
        slots[at] = (table[index]["digest"] << 32) | (index + 1)
