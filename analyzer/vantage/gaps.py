"""Holes of captures that no counter shows: nothing was captured around a packet that is known to have passed.

Until the capture has its next packet, of whatever connection, it may lack others as well: what it lacks there is no
loss. It must not know how a fate is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import RST
from analyzer.vantage import coverage
from analyzer.vantage.joint import Fate, Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.track.flow import Side
    from analyzer.vantage.joint import JointFlow, Point
    from analyzer.vantage.sighting import Columns

MOST: Final = 256
"""So many connections are asked at most."""
FEW: Final = 10
"""And so many of long captures, of which about as many are told."""
OUTSIDE: Final = (Why.ENDED, Why.NOT_BEGUN, Why.HOLE)
"""Why a capture lacks a packet without having a hole that is not known."""


def unseen_gaps(
    flows: Iterable[JointFlow], seen: Sequence[Columns], points: Sequence[Point]
) -> list[tuple[tuple[int, int], ...]]:
    """Return, point by point, from when to when (by the reference) its capture has nothing although something passed.

    ``seen`` are all packets that the points have. A point that has nothing of an end sees one direction only, and a RST
    may be made to look like its sender's: these show no hole.
    """
    passed: list[list[int]] = [[] for _ in points]
    for flow in flows:
        for each in flow.notable:
            if each.fate is Fate.NOT_CAPTURED and each.why not in OUTSIDE and not each.flags & RST:
                for point in each.missed_at:
                    if _sees(flow, point, each.sender):
                        passed[point].append(each.first.ts_ns)
    return [_around(times, seen[at], points, at) for at, times in enumerate(passed)]


def _sees(flow: JointFlow, point: int, side: Side) -> bool:
    """Say whether a point has packets of an end."""
    part = flow.part_at(point)
    return part is not None and part.judged.record.facts(part.side(side)).segments > 0


def _around(times_ns: list[int], seen: Columns, points: Sequence[Point], point: int) -> tuple[tuple[int, int], ...]:
    """Return the stretches without a packet, within a capture, that have one of these instants."""
    clock, passed_ns = points[point].clock, np.array(times_ns, dtype=np.int64)
    if not times_ns or clock is None or not len(seen):
        return ()
    had_ns = np.sort(clock.reference_ns(seen["ts_ns"]))
    behind = np.searchsorted(had_ns, passed_ns[coverage.amid(points, point, passed_ns)])
    inside = np.unique(behind[(behind > 0) & (behind < len(had_ns))])
    return tuple(zip(had_ns[inside - 1].tolist(), had_ns[inside].tolist(), strict=True))
