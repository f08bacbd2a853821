"""Which packets of a connection one point has in one of other ends: a translator used a port again, or another one.

What a box forgot it may give to another: then the packets of both are one connection where that is held still. Or it
translates what comes next anew: then the packets of one are two connections behind it.

It must not know fates, or words.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.judge.judged import JudgedFlow
    from analyzer.track.flow import Endpoint, Side
    from analyzer.vantage.joint import Lone, Part
    from analyzer.vantage.packets import Packets
    from analyzer.vantage.sighting import Columns
    from analyzer.vantage.weaving import Woven


class Elsewhere(NamedTuple):
    """In which connection a point has a packet."""

    point: int
    flow: int
    sender: Endpoint
    receiver: Endpoint
    side: Side
    """The end of the joint flow that is another there."""
    anew: bool


def strays_of(
    parts: Sequence[Part], packets: Packets, seen: Sequence[Columns], judged: Callable[[int, int], JudgedFlow]
) -> dict[int, Elsewhere]:
    """Return, by row, the packets that a point has in a flow of which one end is another than in its part.

    Where nothing tells which point is nearer to which end, none is told.
    """
    found: dict[int, Elsewhere] = {}
    for part in parts if packets.order else ():
        rows = np.flatnonzero(packets.has[:, part.point])
        sightings = seen[part.point][packets.table[rows, part.point]]
        other = np.flatnonzero(sightings["flow"] != part.flow)
        own: dict[Side, Endpoint] = {side: part.judged.record.endpoint(part.side(side)) for side in SIDES}
        for row, flow, side in zip(
            rows[other].tolist(), sightings["flow"][other].tolist(), sightings["side"][other].tolist(), strict=True
        ):
            try:
                record = judged(part.point, flow).record
            except KeyError:  # of a long capture, and was let go
                continue
            sender, receiver = (record.b, record.a) if side else (record.a, record.b)
            differ = [each for each in SIDES if own[each] not in (sender, receiver)]
            if len(differ) == 1:
                nearest = packets.order[0 if differ[0] == "a" else -1]
                found[row] = Elsewhere(part.point, flow, sender, receiver, differ[0], nearest != part.point)
    return found


def met_elsewhere(lone: Sequence[Lone], woven: Woven, seen: Sequence[Columns], home: Sequence[int]) -> list[Lone]:
    """Return flows that one point alone has, with those of other points in which their packets are: no part of these.

    ``home`` is the capture of each point.
    """
    asked = {(home[each.point], each.number) for each in lone if each.why == "absent"}
    table, met = woven.crossings.seen, dict[tuple[int, int], tuple[int, int]]()
    for point in range(len(seen)) if asked else ():
        own = np.array([flow for capture, flow in asked if capture == home[point]], dtype=np.int64)
        rows = np.flatnonzero((table[:, point] >= 0) & ((table >= 0).sum(axis=1) > 1))
        rows = rows[np.isin(seen[point]["flow"][table[rows, point]], own)]
        for row in rows.tolist():
            flow = int(seen[point]["flow"][table[row, point]])
            for other in np.flatnonzero(table[row] >= 0).tolist():
                if home[other] != home[point]:
                    met.setdefault((home[point], flow), (other, int(seen[other]["flow"][table[row, other]])))
    return [
        replace(each, why="elsewhere", other_point=where[0], other=where[1])
        if (where := met.get((home[each.point], each.number))) is not None and each.why == "absent"
        else each
        for each in lone
    ]
