"""Which captures hold the same connections: then they are several points of one traffic, and can be joined.

A connection is known by the initial sequence numbers of both ends, whatever translates its addresses; by addresses and
ports where its handshake was not captured, and then only of captures that ran at the same time. Of many flows those
with the lowest hashes stand for all, the same ones in every capture.

It must not look at a SEEN row, or hold a word for the user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.distinct import distinct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.survey.overview import CaptureSummary
    from analyzer.track.batch import FlowBatch

KEPT: Final = 1024
"""How many flows stand for those of a capture."""
MULTIPLIERS: Final = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)


class SharedFlows:
    """A sample of the connections of each capture."""

    def __init__(self) -> None:
        """Start with none."""
        self._numbers: dict[int, NDArray[np.uint64]] = {}
        self._addresses: dict[int, NDArray[np.uint64]] = {}

    def add(self, capture: int, batch: FlowBatch) -> None:
        """Take the flows of a batch."""
        flow = batch.flow
        first, second = batch.a["iss"].astype(np.int64), batch.b["iss"].astype(np.int64)
        known = (first >= 0) & (second >= 0)
        low, high = np.minimum(first, second) & 0xFFFFFFFF, np.maximum(first, second) & 0xFFFFFFFF
        numbers = _hashed(low.astype(np.uint64)[known], high.astype(np.uint64)[known])
        others = np.flatnonzero(~known)  # hardly any
        ends = [
            _hashed(
                flow[f"{side}_lo"][others].view(np.uint64) ^ flow[f"{side}_hi"][others].view(np.uint64),
                flow[f"{side}_port"][others].astype(np.uint64),
            )
            for side in ("a", "b")
        ]
        addresses = _hashed(np.minimum(*ends), np.maximum(*ends))
        for kept, new in ((self._numbers, numbers), (self._addresses, addresses)):
            before = kept.get(capture, new[:0])
            if len(before) == KEPT:
                new = new[new < before[-1]]  # noqa: PLW2901 - of many flows hardly any is left
            if len(new):
                kept[capture] = distinct(np.concatenate((before, new)))[:KEPT]

    def merge(self, other: SharedFlows, at: int) -> None:
        """Take over the samples of other captures, of which the first is number ``at``."""
        for ours, theirs in ((self._numbers, other._numbers), (self._addresses, other._addresses)):
            ours.update({at + capture: kept for capture, kept in theirs.items()})

    def captures(self, summaries: Sequence[CaptureSummary]) -> list[int]:
        """Return the captures that share connections with another one, in order."""
        found = set()
        for one in range(len(summaries)):
            for other in range(one):
                if _is_copy(summaries[one], summaries[other]):
                    continue
                same = self._shared(self._numbers, one, other)
                if same or (_overlap(summaries[one], summaries[other]) and self._shared(self._addresses, one, other)):
                    found |= {one, other}
        return sorted(found)

    @staticmethod
    def _shared(kept: dict[int, NDArray[np.uint64]], one: int, other: int) -> bool:
        return one in kept and other in kept and len(np.intersect1d(kept[one], kept[other])) > 0


def _hashed(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        mixed = one * MULTIPLIERS[0] + other * MULTIPLIERS[1]
        mixed = (mixed ^ (mixed >> np.uint64(29))) * MULTIPLIERS[2]
        hashed: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(32))
    return hashed


def _is_copy(one: CaptureSummary, other: CaptureSummary) -> bool:
    """Say whether two captures are one file twice, by their first and last instant and how many frames they have."""
    return (one.start_ns, one.end_ns, one.frames) == (other.start_ns, other.end_ns, other.frames)


def _overlap(one: CaptureSummary, other: CaptureSummary) -> bool:
    """Say whether two captures ran at the same time, by their clocks."""
    if one.start_ns is None or other.start_ns is None or one.end_ns is None or other.end_ns is None:
        return False
    return one.start_ns < other.end_ns and other.start_ns < one.end_ns
