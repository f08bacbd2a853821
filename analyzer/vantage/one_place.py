"""Whether two points that share no packet are most likely one: captures of one after the other, beside those of others.

It must not know when captures ran.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.segment import RST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.vantage.sighting import Columns
    from analyzer.vantage.weaving import Woven, WovenFlow


def at_one_place(woven: Woven, seen: Sequence[Columns], one: int, other: int) -> bool:
    """Say whether all connections that two points have passed both with the same hops, and on one side of any third."""
    shared = [flow for flow in woven.flows if {one, other} <= {part[0] for part in flow.parts}]
    return bool(shared) and all(
        _same_hops(flow, seen, one, other) and _same_side(flow, one, other, len(seen)) for flow in shared
    )


def _same_hops(flow: WovenFlow, seen: Sequence[Columns], one: int, other: int) -> bool:
    """Say whether what either end sent has the same TTLs at both points, as far as both have some of it."""
    parts = {point: (number, flipped) for point, number, flipped in flow.parts}
    for side in (0, 1):
        ttls = []
        for point in (one, other):
            number, flipped = parts[point]
            sent = seen[point]["side"] ^ flipped == side
            own = (seen[point]["flow"] == number) & sent & (seen[point]["flags"] & RST == 0)
            ttls.append(set(np.unique(seen[point]["ttl"][own]).tolist()))
        if ttls[0] and ttls[1] and not ttls[0] & ttls[1]:
            return False
    return True


def _same_side(flow: WovenFlow, one: int, other: int, points: int) -> bool:
    """Say whether no third point is between both, as far as its order to each is known."""
    orders = [
        (flow.order(one, third), flow.order(other, third)) for third in range(points) if third not in (one, other)
    ]
    return all(first == second or 0 in (first, second) for first, second in orders)
