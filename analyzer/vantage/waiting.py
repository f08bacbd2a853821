"""Sightings of a point of which it is not known yet whether they stay, one behind the other in one table.

The table is used over and over: what is new has to be fetched from the system page by page. Keys and flows, which loops
ask for again and again, lie apart. It must not know what is decided of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import pick
from analyzer.vantage.sighting import SIGHTING, WHOLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

BEFORE: Final = 1 << 12
"""Room for so many that come back and were there before."""


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
        """Their keys."""
        return self._keys[self._first : self._end]

    @property
    def flows(self) -> Ints:
        """Their flows."""
        return self._flows[self._first : self._end]

    def add(self, seen: NDArray[np.void], flows: Ints) -> None:
        """Take more sightings, of these ``flows``, which stand in place of those that they have."""
        self._make_room(0, len(seen))
        self._put(self._end, seen, flows)
        self._end += len(seen)

    def put_before(self, seen: NDArray[np.void]) -> None:
        """Take sightings that were there before all others."""
        self._make_room(len(seen), 0)
        self._first -= len(seen)
        self._put(self._first, seen, seen["flow"])

    def keep(self, indices: Ints) -> None:
        """Let go of all but these."""
        rows, flows = pick(self.rows, indices), self.flows[indices]
        self._first = self._end = self._start
        self.add(rows, flows)

    def _put(self, at: int, seen: NDArray[np.void], flows: Ints) -> None:
        end = at + len(seen)
        self._rows[at:end] = seen.view(WHOLE)
        rows = self._rows[at:end].view(SIGHTING)
        rows["flow"] = self._flows[at:end] = flows
        self._keys[at:end] = rows["key"]

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
