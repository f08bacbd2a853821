"""Leaps of a capture's time while its segments pass: which were holes, and what was dropped meanwhile.

``awake`` judges a leap by what came behind it; here is when it is asked. It must not know of flows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.track import observe
from analyzer.track.awake import COUNTS, WATCHED, Hole, why_hole
from analyzer.track.held import CHUNK, CHUNK_PLAIN, Held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.segment import SegmentBatch

MOST_HOLES: Final = 64
"""More are not told apart: frames of a capture whose time leaps so often are in no order."""


class Leaps(Held):
    """A tracker's knowledge of when its capture was not awake."""

    def _parts(self, batch: SegmentBatch) -> Iterator[NDArray[np.void]]:
        """Yield the rows in parts of at most CHUNK, each leap of the capture's time between two parts."""
        low, most = 0, CHUNK if self.jit else CHUNK_PLAIN
        for leap in batch.leaps:
            if len(self._holes) >= MOST_HOLES:
                break  # no more are told apart, so nothing is asked of those who come behind it
            high = int(np.searchsorted(batch.rows["frame"], leap["to_frame"]))
            for at in range(low, high, most):
                yield batch.rows[at : min(at + most, high)]
            low = high
            self._leapt(leap)
        for at in range(low, len(batch.rows), most):
            yield batch.rows[at : at + most]

    def _leapt(self, leap: np.void) -> None:
        """Begin to ask what a leap was; what the one before it was is settled."""
        self._holes = self._silences
        self._leap = leap
        self._registers[observe.WATCHING] = WATCHED
        self._registers[observe.LEAP_FRAME] = int(leap["to_frame"])
        for count in range(COUNTS):
            self._registers[observe.TESTIMONY + count] = 0

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The holes so far, in order; of the last leap, as far as segments behind it have come."""
        return tuple(sorted((*self._silences, *self._losses), key=lambda hole: hole.from_frame))

    @property
    def _silences(self) -> tuple[Hole, ...]:
        """The holes that show in the capture's time."""
        leap = self._leap
        if leap is None or len(self._holes) >= MOST_HOLES:
            return self._holes
        low = observe.TESTIMONY
        why = why_hole(int(leap["to_ns"]) - int(leap["from_ns"]), self._registers[low : low + COUNTS])
        if why is None:
            return self._holes
        from_ns, to_ns, from_frame, to_frame = leap.tolist()
        return (*self._holes, Hole(from_ns, to_ns, from_frame, to_frame, why))

    @property
    def _undated(self) -> int:
        """How many packets were dropped of which no counter says when."""
        return max(self.lost - sum(loss.packets for loss in self._losses), 0)
