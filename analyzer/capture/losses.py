"""Where a capture has not all packets: between two looks at a drop counter that grew meanwhile.

In a file a look is a statistics block, between two frames. Live it is an instant, and frames of before it may still
wait to be read; so there it is placed among the frames by their times. A stretch is told with the frame behind it.

This module must not know what is in a frame, or where counters come from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import LOSS, SEGMENT, SegmentBatch
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.untyped import Rows

MOST_WAITING: Final = 256
"""Live, so many stretches wait for the frame behind them; the counter's growth since is told with the last."""
DOWN: Final = -1
"""In place of how many packets were dropped: the interface was down."""


class Losses:
    """Stretches in which packets were dropped, each by how many frames there were at its two looks."""

    def __init__(self) -> None:
        """Begin without any."""
        self.taken = 0
        """How many there were."""
        self._waiting: list[tuple[int, int, int, int]] = []

    def add(self, before: int, before_ns: int, until: int, packets: int) -> None:
        """Note that ``packets`` were dropped behind frame ``before``, of that time, and before the one after ``until``.

        Frames are counted from 1; 0 is the capture's beginning.
        """
        self._waiting.append((max(before, 1), before_ns, until + 1, packets))
        self.taken += 1

    def found(self, batch: SegmentBatch, frames: Rows, before: int) -> SegmentBatch:
        """Return a batch, of the rows ``frames``, with the stretches that end at one of them.

        ``before`` frames were in other batches.
        """
        if not self._waiting:
            return batch
        last = before + batch.frames
        ended = [
            (from_ns, int(frames[to_frame - before - 1]["ts_ns"]), from_frame, to_frame, packets, 0)
            for from_frame, from_ns, to_frame, packets in self._waiting
            if before < to_frame <= last
        ]
        self._waiting = [loss for loss in self._waiting if loss[2] > last]
        return replace(batch, losses=np.array(ended, dtype=LOSS)) if ended else batch

    def rest(self, frames: int, last_ns: int) -> SegmentBatch | None:
        """Return a batch without frames that has the stretches that go on to the end of a capture, or None.

        It has so many frames, the last one of that time.
        """
        waiting, self._waiting = self._waiting, []
        left = [(from_ns, last_ns, from_frame, frames + 1, packets, 1) for from_frame, from_ns, _, packets in waiting]
        return _only(left) if left else None


@dataclass(slots=True)
class _Look:
    """A look at the counter: when, and once a frame of a later time came, how many came before that."""

    at_ns: int
    frames: int = -1
    before_ns: int = -1
    """Time of the last frame before it; of the look itself, if there is none."""
    behind_ns: int = -1
    """Time of the first frame behind it."""


class TimedLosses:
    """Stretches in which packets were dropped, by the instants of two looks at a counter."""

    def __init__(self, at_ns: int) -> None:
        """Begin without any; the counter is 0, and counts from now on."""
        self._counted = 0
        self._last = _Look(at_ns)
        self._waiting: list[tuple[_Look, _Look, int]] = []
        self._frames = 0
        self._last_ns = -1

    def look(self, at_ns: int, counted: int) -> None:
        """Note what the counter said at an instant."""
        look = _Look(at_ns)
        grown, self._counted = counted - self._counted, counted
        if grown > 0:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append((self._last, look, grown))
            else:
                first, _, packets = self._waiting[-1]
                self._waiting[-1] = (first, look, packets + grown)
        self._last = look

    def went_down(self, at_ns: int) -> None:
        """Note that at an instant the interface was down: from the frame before it to the one behind nothing passed."""
        if len(self._waiting) < MOST_WAITING:
            look = _Look(at_ns)
            self._waiting.append((look, look, DOWN))

    def found(self, batch: SegmentBatch, ts_ns: NDArray[np.int64]) -> SegmentBatch:
        """Return a batch, its frames of these times, with the stretches that end at one of them or before."""
        for first, second, _ in self._waiting:
            self._place(first, ts_ns)
            self._place(second, ts_ns)
        self._place(self._last, ts_ns)
        self._frames += len(ts_ns)
        self._last_ns = int(ts_ns[-1]) if len(ts_ns) else self._last_ns
        ended = [
            (first.before_ns, second.behind_ns, max(first.frames, 1), second.frames + 1, packets, 0)
            for first, second, packets in self._waiting
            if second.frames >= 0
        ]
        self._waiting = [loss for loss in self._waiting if loss[1].frames < 0]
        return replace(batch, losses=np.array(ended, dtype=LOSS)) if ended else batch

    def _place(self, look: _Look, ts_ns: NDArray[np.int64]) -> None:
        """Place a look before the first of the next frames, of these times, that is later, unless it has its place."""
        later = np.flatnonzero(ts_ns > look.at_ns)
        if look.frames >= 0 or not len(later):
            return
        at = int(later[0])
        before_ns = int(ts_ns[at - 1]) if at else self._last_ns
        look.frames = self._frames + at
        look.before_ns = before_ns if before_ns >= 0 else look.at_ns
        look.behind_ns = int(ts_ns[at])

    def rest(self) -> SegmentBatch | None:
        """Return a batch without frames that has the stretches that go on to the end of the capture, or None."""
        waiting, self._waiting = self._waiting, []
        left: list[tuple[int, ...]] = []
        for first, _, packets in waiting:
            known = first.frames >= 0
            from_frame, from_ns = (first.frames, first.before_ns) if known else (self._frames, self._last_ns)
            left.append((from_ns, self._last_ns, max(from_frame, 1), self._frames + 1, packets, 1))
        return _only(left) if left and self._frames else None


def _only(losses: Sequence[tuple[int, ...]]) -> SegmentBatch:
    """Return a batch that has nothing else."""
    return SegmentBatch(np.empty(0, dtype=SEGMENT), 0, losses=np.array(losses, dtype=LOSS))
