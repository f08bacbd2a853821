"""Leaps of a capture's time while its segments pass: which were holes, and what was dropped meanwhile.

``awake`` judges a leap by what came behind it; here is when it is asked. It must not know of flows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.track import tally
from analyzer.track.awake import (
    COUNTS,
    DOUBT,
    DOUBT_HOST,
    DOUBT_NS,
    DOUBT_TO_NS,
    FROM_NS,
    STOOD_HOST,
    TO_NS,
    WATCHED,
    Hole,
    is_doubtful,
    why_hole,
)
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
        registers, low = self._registers, tally.TESTIMONY
        last, counts = self._leap, registers[low : low + COUNTS]
        doubtful = last is not None and is_doubtful(counts) and self._why(last) is None
        self._holes = self._silences
        if registers[low + DOUBT] == 2:
            registers[low + DOUBT] = 0
        if last is not None and doubtful:
            self._doubt = last
            registers[low + DOUBT] = 1
            registers[low + DOUBT_HOST] = counts[STOOD_HOST]
            registers[low + DOUBT_NS], registers[low + DOUBT_TO_NS] = int(last["from_ns"]), int(last["to_ns"])
        registers[low + FROM_NS], registers[low + TO_NS] = int(leap["from_ns"]), int(leap["to_ns"])
        self._leap = leap
        self._registers[tally.WATCHING] = WATCHED
        self._registers[tally.LEAP_FRAME] = int(leap["to_frame"])
        for count in range(COUNTS):
            self._registers[tally.TESTIMONY + count] = 0

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The holes so far, in order; of the last leap, as far as segments behind it have come."""
        return tuple(sorted((*self._silences, *self._losses), key=lambda hole: hole.from_frame))

    @property
    def _silences(self) -> tuple[Hole, ...]:
        """The holes that show in the capture's time."""
        found = self._holes
        if self._doubt is not None and self._registers[tally.TESTIMONY + DOUBT] == 2 and len(found) < MOST_HOLES:
            found = (*found, _hole(self._doubt, "clock"))
        leap = self._leap
        why = None if leap is None or len(found) >= MOST_HOLES else self._why(leap)
        return found if leap is None or why is None else (*found, _hole(leap, why))

    def _why(self, leap: np.void) -> str | None:
        """Return why a leap, the last one, is a hole, or None."""
        low = tally.TESTIMONY
        return why_hole(int(leap["to_ns"]) - int(leap["from_ns"]), self._registers[low : low + COUNTS])

    @property
    def _undated(self) -> int:
        """How many packets were dropped of which no counter says when."""
        return max(self.lost - sum(loss.packets for loss in self._losses), 0)


def _hole(leap: np.void, why: str) -> Hole:
    """Return the hole that a leap is."""
    from_ns, to_ns, from_frame, to_frame = leap.tolist()
    return Hole(from_ns, to_ns, from_frame, to_frame, why)
