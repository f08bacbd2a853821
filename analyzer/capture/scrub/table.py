"""``NAME``: what stands for what, in a table that loops look things up in and Python fills.

A loop that meets something without a name leaves it in its state and stops; ``Names`` gives it one, and the loop goes
on. The table is of bounded size: when it is full it begins anew, since a name can always be found again.

This module must not know what names are of.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import loop, records

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Numbers, Rows

NAME: Final = np.dtype(
    [
        ("kind", np.int64),  # what has the name, 0 for an empty slot
        ("hi", np.int64),
        ("lo", np.int64),
        ("to_hi", np.int64),
        ("to_lo", np.int64),
    ],
    align=True,
)
FEWEST: Final = 1 << 10
MOST: Final = 1 << 20
"""Slots; half of them may be filled."""

# Positions in a state.
MISSED_KIND: Final = 0
MISSED_HI: Final = 1
MISSED_LO: Final = 2
SEED: Final = 3  # four numbers that hashes are made with, so that nobody can choose what collides
COUNTERS: Final = 7  # behind it are the loop's own

HALF_WORD: Final = 0x3FFFFFFF


@loop
def slot_of(names: Rows, state: Numbers, kind: int, hi: int, lo: int) -> int:
    """Return the slot of a thing, or of the empty place where it would be."""
    mixed = (lo & HALF_WORD) * state[SEED] ^ ((lo >> 30) & HALF_WORD) * state[SEED + 1]
    mixed ^= (hi & HALF_WORD) * state[SEED + 2] ^ ((hi >> 30) & HALF_WORD) * state[SEED + 3]
    slot = ((mixed >> 21) + kind) & (len(names) - 1)
    while names[slot]["kind"] != 0:
        name = names[slot]
        if name["kind"] == kind and name["hi"] == hi and name["lo"] == lo:
            break
        slot = (slot + 1) & (len(names) - 1)
    return slot


@loop
def find_name(names: Rows, state: Numbers, kind: int, hi: int, lo: int) -> int:
    """Return the slot of a thing that has a name; -1, and what it is in ``state``, if it has none."""
    slot = slot_of(names, state, kind, hi, lo)
    if names[slot]["kind"] != 0:
        return slot
    state[MISSED_KIND] = kind
    state[MISSED_HI] = hi
    state[MISSED_LO] = lo
    return -1


@loop
def enter(names: Rows, state: Numbers, kind: int, hi: int, lo: int, to_hi: int, to_lo: int) -> None:
    """Enter a name into a table that has room."""
    name = names[slot_of(names, state, kind, hi, lo)]
    name["kind"] = kind
    name["hi"] = hi
    name["lo"] = lo
    name["to_hi"] = to_hi
    name["to_lo"] = to_lo


@loop
def move(names: Rows, state: Numbers, into: Rows) -> None:
    """Enter all names of a table into another."""
    for slot in range(len(names)):
        name = names[slot]
        if name["kind"] != 0:
            enter(into, state, name["kind"], name["hi"], name["lo"], name["to_hi"], name["to_lo"])


@loop
def enter_all(names: Rows, state: Numbers, kind: int, los: Numbers, to_los: Numbers) -> None:
    """Enter names of things whose upper half is 0, as their names' is."""
    for at in range(len(los)):
        enter(names, state, kind, 0, los[at], 0, to_los[at])


class Names:
    """The table, and the state of the loops that look into it."""

    def __init__(self, counters: int, *, jit: bool, most: int = MOST) -> None:
        """Begin empty; loops have so many counters of their own."""
        self.jit = jit
        self._most = most
        self.state: Any = np.zeros(COUNTERS + counters, dtype=np.int64) if jit else [0] * (COUNTERS + counters)
        for at in range(4):
            self.state[SEED + at] = int.from_bytes(os.urandom(4), "big") >> 2 | 1
        self.rows: Any = records(NAME, FEWEST, jit=jit)
        self._filled = 0

    @property
    def missed(self) -> tuple[int, int, int]:
        """Kind and halves of what has no name."""
        return int(self.state[MISSED_KIND]), int(self.state[MISSED_HI]), int(self.state[MISSED_LO])

    def give(self, to_hi: int, to_lo: int) -> None:
        """Give what was missed a name."""
        if self._filled * 2 >= len(self.rows):
            self._renew()
        self._filled += 1
        enter.choose(jit=self.jit)(self.rows, self.state, *self.missed, to_hi, to_lo)

    def room_for(self, count: int) -> int:
        """Return how many of so many names find room, in a table that may grow but not begin anew."""
        while len(self.rows) < self._most and (self._filled + count) * 2 > len(self.rows):
            self._renew()
        return min(count, len(self.rows) // 2 - self._filled)

    def give_all(self, kind: int, los: NDArray[np.int64], to_los: NDArray[np.int64]) -> None:
        """Give things of a kind names, which have ``room_for`` all of them; the upper halves are 0."""
        self._filled += len(los)
        lists = (los, to_los) if self.jit else (los.tolist(), to_los.tolist())
        enter_all.choose(jit=self.jit)(self.rows, self.state, kind, *lists)

    def _renew(self) -> None:
        """Have twice the slots; or, where that are too many, begin anew."""
        more = len(self.rows) < self._most
        rows = records(NAME, 2 * len(self.rows) if more else FEWEST, jit=self.jit)
        if more:
            move.choose(jit=self.jit)(self.rows, self.state, rows)
        self._filled *= more
        self.rows = rows
