"""Sightings of a point of which it is not known yet whether they stay, one behind the other in one table.

The table is used over and over: what is new has to be fetched from the system page by page. Keys and flows, which loops
ask for again and again, lie apart, the keys as numbers that scatter. Compiled loops write all of that
in one go, where it waits. It must not know what is decided of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop, pick
from analyzer.segment import NOTE_TCP
from analyzer.track.observe import TOLD_FLOW
from analyzer.vantage.places import given
from analyzer.vantage.sighting import SECRET_WORD, SIGHTING, WHOLE, Unwritten, hashed, scattered, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Numbers, Rows
    from analyzer.vantage.places import Places

    Ints = NDArray[np.int64]

BEFORE: Final = 1 << 12
"""Room for so many that come back and were there before."""
NONE: Final = np.zeros(0, dtype=np.int64)


@loop
def write_in(  # noqa: PLR0913, PLR0917 - loops take positional arguments
    segments: Rows,
    contents: Rows,
    told: Numbers,
    start: int,
    of: Numbers,
    numbers: Numbers,
    free: Numbers,
    registers: Numbers,
    fresh: Numbers,
    rows: Rows,
    keys: Numbers,
    flows: Numbers,
    end: int,
    secret: int,
) -> tuple[int, int]:
    """Write sightings of segments from ``start`` on behind ``end``; return where they end, and how far it came.

    It comes to the end of the segments, or to a flow for whose number ``of`` has no room. ``of`` is empty where flows
    have no places. ``fresh`` gets where the sightings of new flows are.
    """
    for i in range(start, len(segments)):
        if told[i] < 0 or segments[i]["note"] != NOTE_TCP:
            continue
        at = told[i] // TOLD_FLOW
        if len(of) > 0:
            flow = at
            if flow >= len(of):
                return end, i
            at = of[flow]
            if at < 0:
                at = given(flow, end, of, numbers, free, registers, fresh)
        write(segments[i], contents[i], told[i], rows[end])
        rows[end]["flow"] = at
        flows[end] = at
        keys[end] = hashed(0, rows[end]["key"], secret)
        end += 1
    return end, len(segments)


@loop
def close_up(rows: Rows, keys: Numbers, flows: Numbers, indices: Numbers, first: int, to: int) -> None:
    """Move the sightings at these indices behind ``first``, which rise, one behind the other, to ``to``: not behind."""
    for i in range(len(indices)):
        rows[to + i] = rows[first + indices[i]]
        keys[to + i] = keys[first + indices[i]]
        flows[to + i] = flows[first + indices[i]]


@loop
def mark(numbers: Numbers, count: int, marks: Numbers) -> None:
    """Mark these numbers."""
    for i in range(count):
        marks[numbers[i]] = 1


class Waiting:
    """The sightings of a point that wait, in order of time."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows = np.zeros(0, dtype=WHOLE)
        self._keys = self._flows = np.zeros(0, dtype=np.int64)
        self._first = self._end = self._start = BEFORE

    def __len__(self) -> int:
        return self._end - self._first

    @property
    def rows(self) -> NDArray[np.void]:
        """SIGHTING records, until more are added."""
        return self._rows[self._first : self._end].view(SIGHTING)

    @property
    def keys(self) -> Ints:
        """Their keys, scattered."""
        return self._keys[self._first : self._end]

    @property
    def flows(self) -> Ints:
        """Their flows."""
        return self._flows[self._first : self._end]

    def present(self, count: int, *, jit: bool) -> NDArray[np.bool_]:
        """Say of so many flows which of them wait."""
        if not jit:
            flags = np.zeros(count, dtype=np.bool_)
            flags[self.flows] = True
            return flags
        marks = np.zeros(count, dtype=np.int8)
        mark.compiled(self.flows, len(self), marks)
        return marks.view(np.bool_)

    def add(self, seen: NDArray[np.void] | Unwritten, places: Places | None, *, jit: bool) -> Ints:
        """Take more sightings, with their flows' places instead of the flows.

        Return the indices among those that wait of those that are of flows without a place before.
        """
        self._make_room(0, len(seen))
        had = len(self)
        if isinstance(seen, Unwritten):
            return self._write(seen, places) - self._first
        flows, new = np.ascontiguousarray(seen["flow"]), NONE
        if places is not None:
            flows, new = places.take(flows, jit=jit)
        self._put(self._end, seen, flows)
        self._end += len(seen)
        return had + new

    def _write(self, seen: Unwritten, places: Places | None) -> Ints:
        into = self._rows.view(SIGHTING), self._keys, self._flows
        if places is None:
            none = NONE, NONE, NONE, NONE, NONE
            self._end, _ = write_in.compiled(*seen.made_of, 0, *none, *into, self._end, SECRET_WORD)
            return NONE
        fresh, done = places.begin(len(seen)), 0
        while True:
            tables = *places.tables, fresh
            self._end, done = write_in.compiled(*seen.made_of, done, *tables, *into, self._end, SECRET_WORD)
            if done == len(seen):
                return places.new(fresh)
            places.reach(seen.highest)

    def put_before(self, seen: NDArray[np.void]) -> None:
        """Take sightings that were there before all others."""
        self._make_room(len(seen), 0)
        self._first -= len(seen)
        self._put(self._first, seen, seen["flow"])

    def keep(self, indices: Ints, *, jit: bool) -> None:
        """Let go of all but these, in their order."""
        count = len(indices)
        if jit and count and self._first + int(indices[0]) >= self._start:
            close_up.compiled(self._rows.view(SIGHTING), self._keys, self._flows, indices, self._first, self._start)
        else:  # some may come to lie behind where they were
            rows, flows = pick(self.rows, indices), self.flows[indices]
            self._first = self._end = self._start
            self._make_room(0, count)
            self._put(self._start, rows, flows)
        self._first, self._end = self._start, self._start + count

    def _put(self, at: int, seen: NDArray[np.void], flows: Ints) -> None:
        end = at + len(seen)
        self._rows[at:end] = seen.view(WHOLE)
        rows = self._rows[at:end].view(SIGHTING)
        rows["flow"] = self._flows[at:end] = flows
        self._keys[at:end] = scattered(np.ascontiguousarray(rows["key"]))

    def _make_room(self, before: int, behind: int) -> None:
        """Have room for so many more before the first and behind the last; the whole grows by half at least."""
        if before <= self._first and self._end + behind <= len(self._rows):
            return
        first = self._start = max(self._start, 2 * before)
        end = first + len(self)
        room = end + behind + (end + behind) // 2
        rows, keys, flows = self._rows, self._keys, self._flows
        self._rows = np.zeros(room, dtype=WHOLE)
        self._keys, self._flows = np.zeros(room, dtype=np.int64), np.zeros(room, dtype=np.int64)
        for new, old in ((self._rows, rows), (self._keys, keys), (self._flows, flows)):
            new[first:end] = old[self._first : self._end]
        self._first, self._end = first, end
