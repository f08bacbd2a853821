"""Whether a point's capture ran when a packet had to pass it, as far as clocks and the ends of captures leave open.

It must not know which packets are lacking, or why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import FIN, RST, SYN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.vantage.clock import Clock
    from analyzer.vantage.joint import Point
    from analyzer.vantage.packets import Packets

EDGE_NS: Final = 1_000_000
END_NS: Final = 10_000_000
"""What passed so long before a capture's last frame it would have: who writes it may lose the last packets when it is
stopped, and processors do not hand theirs over in order."""
ANSWER_NS: Final = 1_000_000_000
"""An answer takes no longer, but on ways that nobody captures at both ends."""
SENT_AGAIN_NS: Final = 100_000_000
"""What got no answer is sent again no sooner (Linux TCP_RTO_MIN is twice as long), and most answers take less."""
ONE_WAY_NS: Final = 1_000_000_000
"""How far a clock may be off of which packets of one direction only tell."""


def bound_ns(p: Packets, row: int, point: int) -> int:
    """Return how far the clocks may be off, of the point and of where a packet was seen first."""
    clocks = (p.points[each].clock for each in {point, p.seen_first(row)})
    return EDGE_NS + sum(width_ns(clock) for clock in clocks if clock is not None)


def goes_on_there(p: Packets, row: int, point: int) -> bool:
    """Say whether the point's capture has anything behind the instant at which a packet had to pass it.

    That is what its sender sent behind it, or anything later than clocks and ends of captures leave open.
    """
    seen_at = p.seen_first(row)
    behind = (p.side == p.side[row]) & p.has[:, point] & p.has[:, seen_at]
    behind &= p.at_ns[:, seen_at] > p.at_ns[row, seen_at] + p.jitter_ns
    late_ns = int(p.at_ns[row, seen_at]) + bound_ns(p, row, point) + END_NS
    return bool(behind.any()) or p.points[point].last_ns > late_ns


def begun_there(p: Packets, row: int, point: int) -> bool:
    """Say whether the point's capture has anything before the instant at which a packet had to pass it.

    That is what its sender sent before it, or what came the other way to where it was seen, before it was.
    """
    seen_at = p.seen_first(row)
    before = p.has[:, point] & p.has[:, seen_at]
    before &= p.at_ns[:, seen_at] < p.at_ns[row, seen_at] - p.jitter_ns
    early_ns = int(p.at_ns[row, seen_at]) - bound_ns(p, row, point)
    return bool(before.any()) or p.points[point].first_ns < early_ns


def ran_there(p: Packets, row: int, point: int) -> bool:
    """Say whether the point's capture surely ran when a packet had to pass it."""
    return goes_on_there(p, row, point) and begun_there(p, row, point)


def passed_outside(p: Packets, row: int, point: int, *, later: bool) -> int | None:
    """Return when the first packet of the receiver, no RST, passed with the point's capture over, or not begun."""
    where = p.points[point]
    theirs = (p.side != p.side[row]) & (p.flags & RST == 0) & ~p.has[:, point]
    theirs &= p.ts_ns > where.last_ns + EDGE_NS if later else p.ts_ns < where.first_ns - EDGE_NS
    for at in np.flatnonzero(theirs).tolist():
        sight = next(each for each in p.own_points if p.has[at, each])
        usual = p.usual_ttl[int(p.side[at]), sight]
        if not usual or int(p.ttl[at, sight]) in usual:
            return int(p.ts_ns[at])
    return None


def asked_in_vain(p: Packets, row: int, point: int) -> bool:
    """Say whether a point's capture ends just where answers ceased: with a packet, or one before it, that asks for one.

    That is data, a SYN, a FIN or a probe, with nothing of the receiver behind it at either point, a RST aside, and a
    capture that went on for long enough where it was seen. If the point has one that got no answer, its capture ended
    at another time, which tells nothing. A RST or an ACK asks for nothing: of these the packet before tells. Where
    something of the receiver is at the point and never came to where the packet was seen, answers are lost on their way
    back: that none came tells nothing.
    """
    mine, seen_at = p.side == p.side[row], p.seen_first(row)
    theirs = np.flatnonzero(~mine & (p.flags & RST == 0) & (p.has[:, seen_at] | p.has[:, point]))
    since = int(theirs[-1]) + 1 if len(theirs) else 0
    ran = theirs[p.ts_ns[theirs] >= p.points[seen_at].first_ns]
    if since > row or not p.has[ran, seen_at].all():
        return False
    asking = [at for at in range(since, row + 1) if mine[at] and p.has[at, seen_at] and asks(p, at)]
    if not asking or p.has[asking, point].any():
        return False
    return p.points[seen_at].last_ns - int(p.ts_ns[asking[0]]) >= ANSWER_NS


def began_with_an_answer(p: Packets, row: int, point: int) -> bool:
    """Say whether a packet asked for an answer, and none came for long before the point's capture begins.

    Then that began just with what was sent again, as if by chance.
    """
    return asks(p, row) and p.points[point].first_ns - int(p.ts_ns[row]) >= SENT_AGAIN_NS


def asks(p: Packets, row: int) -> bool:
    """Say whether a packet has to be answered: data, a SYN, a FIN, or a probe (RFC 9293 3.8.4: one below SND.NXT)."""
    return bool(all_asking(p)[row])


def all_asking(p: Packets) -> NDArray[np.bool_]:
    """Say which packets have to be answered."""
    return p.known_once("asking", _asking)


def _asking(p: Packets) -> NDArray[np.bool_]:
    asking: NDArray[np.bool_] = (p.payload_len > 0) | (p.flags & (SYN | FIN) > 0)
    for side in (0, 1):
        own = np.flatnonzero(p.side == side)
        if not len(own):
            continue
        ends, first = np.unique(p.end[own], return_index=True)
        wanted = (p.seq[own] + 1) & 0xFFFFFFFF
        at = np.minimum(np.searchsorted(ends, wanted), len(ends) - 1)
        probes = (ends[at] == wanted) & (own[first[at]] < own) & (p.flags[own] & RST == 0)
        asking[own[probes]] = True
    return asking


def amid(points: Sequence[Point], point: int, ts_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of instants at other points whether a point's capture surely ran then: they are not too near to its ends."""
    where, clocks = points[point], [each.clock for each in points if each.clock is not None]
    if where.clock is None:
        return np.zeros(len(ts_ns), dtype=np.bool_)
    off_ns = EDGE_NS + width_ns(where.clock) + max(map(width_ns, clocks))
    inside: NDArray[np.bool_] = (ts_ns > where.first_ns + off_ns) & (ts_ns < where.last_ns - off_ns - END_NS)
    return inside


def width_ns(clock: Clock) -> int:
    """Return how far a clock may be off."""
    one_way = any(piece.samples and None in (piece.low_ns, piece.high_ns) for piece in clock.pieces)
    return ONE_WAY_NS if one_way else clock.width_ns
