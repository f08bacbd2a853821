"""Holes of captures that no counter shows: nothing was captured around a packet that is known to have passed.

Until the capture has its next packet, of whatever connection, it may lack others as well: what it lacks there is no
loss. It must not know how a fate is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.vantage.coverage import EDGE_NS, END_NS, width_ns
from analyzer.vantage.joint import Fate, Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.vantage.joint import JointFlow, Point
    from analyzer.vantage.sighting import Columns

MOST: Final = 256
"""So many connections are asked at most."""
OUTSIDE: Final = (Why.ENDED, Why.NOT_BEGUN, Why.HOLE)
"""Why a capture lacks a packet without having a hole that is not known."""


def unseen_gaps(
    flows: Iterable[JointFlow], seen: Sequence[Columns], points: Sequence[Point]
) -> list[tuple[tuple[int, int], ...]]:
    """Return, point by point, from when to when (by the reference) its capture has nothing although something passed.

    ``seen`` are all packets that the points have.
    """
    passed: list[list[int]] = [[] for _ in points]
    for flow in flows:
        for each in flow.notable:
            if each.fate is Fate.NOT_CAPTURED and each.why not in OUTSIDE:
                for point in each.missed_at:
                    passed[point].append(each.first.ts_ns)
    return [_around(times, seen[at], points[at]) for at, times in enumerate(passed)]


def _around(times_ns: list[int], seen: Columns, point: Point) -> tuple[tuple[int, int], ...]:
    """Return the stretches without a packet, within a capture, that have one of these instants."""
    if not times_ns or point.clock is None or not len(seen):
        return ()
    had_ns = np.sort(point.clock.reference_ns(seen["ts_ns"]))
    passed_ns, off_ns = np.array(times_ns, dtype=np.int64), EDGE_NS + width_ns(point.clock)
    # so near to its ends the capture need not have run
    ran = (passed_ns > point.first_ns + off_ns) & (passed_ns < point.last_ns - off_ns - END_NS)
    behind = np.searchsorted(had_ns, passed_ns[ran])
    inside = np.unique(behind[(behind > 0) & (behind < len(had_ns))])
    return tuple(zip(had_ns[inside - 1].tolist(), had_ns[inside].tolist(), strict=True))
