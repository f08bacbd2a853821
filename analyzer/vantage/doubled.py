"""Whether a packet that one point alone has may be another packet there, captured a second time.

The tracker takes two equal segments for one packet only where nothing can have made their sender send it again
(``track.copies``). A SYN,ACK, a RST or an ACK that is there twice within moments, and that neither IP ID nor timestamp
tells apart, may be either; where another point has it once, a second capture is as likely as a loss. And where another
point has both long before each other, a router may have held the first until it sent the second, or the first was lost
and the second captured twice.

It must not know what became of a packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT
from analyzer.tolerances import COPY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.vantage.packets import Packets

PAIR: Final = 2


def held(p: Packets) -> tuple[NDArray[np.bool_], dict[int, tuple[int, int]]]:
    """Return which packets that all points have may have been lost; by row, point and frame of what was captured twice.

    One point has it within moments of an equal one, and another long before that: it waited, or was lost.
    """
    doubtful = np.zeros(len(p.side), dtype=np.bool_)
    found: dict[int, tuple[int, int]] = {}
    points = list(p.own_points)
    rows = np.flatnonzero(p.everywhere & (p.ip_id[:, points].max(axis=1) <= 0) & (p.last_tsval == ABSENT))
    if len(rows) < PAIR or len(points) < PAIR:
        return doubtful, found
    for point in points:
        names = [p.side, p.seq, p.ack, p.payload_len, p.flags, p.ttl[:, point], p.window[:, point]]
        at = rows[np.lexsort((p.at_ns[rows, point], *(name[rows] for name in names)))]
        one, other = at[:-1], at[1:]
        near = p.at_ns[other, point] - p.at_ns[one, point] <= COPY_NS
        for name in names:
            near &= name[one] == name[other]
        for first, second in zip(one[near].tolist(), other[near].tolist(), strict=True):
            apart_ns = np.abs(p.at_ns[first] - p.at_ns[second])
            apart_ns[~p.has[first]] = 0
            if apart_ns.max() <= COPY_NS:
                continue
            elsewhere = int(apart_ns.argmax())
            waited_ns = [abs(int(p.at_ns[row, point] - p.at_ns[row, elsewhere])) for row in (first, second)]
            row, twin = (first, second) if waited_ns[0] > waited_ns[1] else (second, first)
            doubtful[row] = True
            found[row] = point, int(p.frame[twin, point])
    return doubtful, found


def unsettled(p: Packets, row: int) -> bool:
    """Say whether a packet equals one that ``held`` doubts: then which of both another point has is not known."""
    equal = p.doubtful & (p.side == p.side[row])
    for column in (p.seq, p.ack, p.payload_len, p.flags):
        equal &= column == column[row]
    return bool(equal.any())


def like(p: Packets, row: int) -> tuple[int, int] | None:
    """Return point and frame of the packet that one may be a second capture of: None if there is none.

    That one passed within moments at the one point that has both, other points have it, and nothing but the time tells
    both apart. What two points have was there twice.
    """
    at = np.flatnonzero(p.has[row])
    if len(at) != 1:
        return None
    point = int(at[0])
    equal = p.has[:, point] & (p.has.sum(axis=1) > 1) & (p.side == p.side[row])
    equal &= np.abs(p.at_ns[:, point] - p.at_ns[row, point]) <= COPY_NS
    for column in (p.seq, p.ack, p.payload_len, p.flags):
        equal &= column == column[row]
    for seen in (p.ip_id, p.tsval, p.tsecr, p.ttl, p.window, p.header_len):
        equal &= seen[:, point] == seen[row, point]
    rows = np.flatnonzero(equal)
    if not len(rows):
        return None
    nearest = rows[np.abs(p.at_ns[rows, point] - p.at_ns[row, point]).argmin()]
    return point, int(p.frame[nearest, point])
