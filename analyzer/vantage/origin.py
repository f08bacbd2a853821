"""Whether a packet is its sender's own: by its TTL, its IP ID and timestamp, and by what the sender sends behind it.

It must not know captures, or what the receiver did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.label.distance import INITIAL_TTLS
from analyzer.segment import ABSENT, RST
from analyzer.seqnum import HALF, SPACE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.vantage.packets import Packets

NEAR_IDS: Final = 64
"""IP IDs of a sender's packets that follow each other are no farther apart."""
BOTH_NS: Final = 1_000_000_000
"""What resets both ends of a connection does it at once."""
STAMPED: Final = 2
"""So many packets with timestamps show that their sender stamps all."""


def unlike(p: Packets, row: int, point: int, seen_at: int | None = None) -> bool:
    """Say whether a packet's TTL, at the point or where it was seen, is none that its sender's packets have there."""
    usual = p.usual_ttl[int(p.side[row]), point]
    ttl = int(p.ttl[row, point if seen_at is None else seen_at])
    return bool(usual) and ttl != ABSENT and ttl not in usual


def unstamped(p: Packets, row: int, point: int) -> bool:
    """Say whether a packet bears no timestamp at a point, although all others of its sender that passed there do.

    Once both agreed on them, all segments but RSTs bear one (RFC 7323 3.2).
    """
    if p.flags[row] & RST or p.tsval[row, point] != ABSENT:
        return False
    own = (p.side == p.side[row]) & (p.flags & RST == 0) & p.has[:, point] & (p.has.sum(axis=1) > 1)
    own[row] = False
    return int(own.sum()) >= STAMPED and bool((p.tsval[own, point] != ABSENT).all())


def too_near(p: Packets, row: int, point: int, missing: int) -> bool:
    """Say whether a packet passed fewer routers than there are between the two points, whoever counts from what."""
    both = (p.side == p.side[row]) & p.has[:, point] & p.has[:, missing]
    if not both.any():
        return False
    hops = int((p.ttl[both, missing] - p.ttl[both, point]).min())
    ttl = int(p.ttl[row, point])
    passed = next((initial - ttl for initial in INITIAL_TTLS if initial >= ttl), 0)
    return passed < hops


def fits(p: Packets, row: int, point: int) -> bool:
    """Say whether IP ID or timestamp stand between those of the sender's packets around it."""
    own = np.flatnonzero((p.side == p.side[row]) & p.has[:, point] & (p.has.sum(axis=1) > 1) & (p.flags & RST == 0))
    before, behind = own[own < row], own[own > row]
    if p.jitter_ns:  # nearer ones tell no order
        before, behind = own[p.ts_ns[own] < p.ts_ns[row] - p.jitter_ns], own[p.ts_ns[own] > p.ts_ns[row] + p.jitter_ns]
    if not len(before):
        return False
    last = int(before[-1])
    fits = False
    ip_id = int(p.ip_id[row, point])
    if ip_id > 0 and p.ip_id[last, point] > 0:
        fits = 0 < (ip_id - int(p.ip_id[last, point])) % 65536 <= NEAR_IDS
        if fits and len(behind):
            fits = 0 < (int(p.ip_id[behind[0], point]) - ip_id) % 65536 <= NEAR_IDS
    if fits or p.tsval[row, point] == ABSENT or p.tsval[last, point] == ABSENT:
        return fits
    ahead = (int(p.tsval[row, point]) - int(p.tsval[last, point])) % SPACE
    passed_ms = (int(p.ts_ns[row]) - int(p.ts_ns[last])) // 1_000_000
    return ahead < HALF and ahead <= 2 * passed_ms + 1000


def goes_on(p: Packets, row: int, point: int) -> bool:
    """Say whether its sender, later and seen at the point, counts the packet's bytes among what it sent."""
    takes = int(p.end[row] - p.seq[row]) % SPACE
    if takes == 0:
        return False
    later = (p.side == p.side[row]) & (p.flags & RST == 0) & p.has[:, point]
    later &= (p.ts_ns > p.ts_ns[row]) & ((p.seq - p.end[row]) % SPACE < HALF) & (p.sent_in == p.sent_in[row])
    return bool(later.any())


def own_of(p: Packets, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return those of the packets that no point beyond has, but that fit their sender: it made them, beyond."""
    own: NDArray[np.bool_] = rows & p.known_once("own", _fitting)
    return own


def made_before(p: Packets, point: int) -> NDArray[np.bool_]:
    """Return the RSTs that something made before a point, which lacks them: they passed fewer routers than are between.

    Their TTL is none of their sender's.
    """
    made = (p.flags & RST > 0) & ~p.has[:, point]
    for at in np.flatnonzero(made).tolist():
        seen_at = p.seen_first(at)
        made[at] = unlike(p, at, seen_at) and too_near(p, at, seen_at, point)
    return made


def outlived(p: Packets, row: int) -> bool:
    """Say whether the end in whose name a RST came sent on behind it, no RST: a host that resets does not."""
    behind = (p.side == p.side[row]) & (p.flags & RST == 0) & (p.sent_in == p.sent_in[row])
    return bool((p.ts_ns[behind] > p.ts_ns[row] + BOTH_NS).any())


def resets_both(p: Packets, row: int) -> bool:
    """Say whether a RST has a counterpart in the other end's name: neither passed the point nearest to its own end.

    Each did pass the point that lacks the other. No host answers a RST (RFC 9293, 3.10.7.1), so a RST of its own had
    passed before the other one came, which its capture has.
    """
    if not p.flags[row] & RST or not p.order:
        return False
    near, far = p.way_of(row)[0], p.way_of(row)[-1]
    counterparts = (p.flags & RST > 0) & (p.side != p.side[row]) & p.has[:, near] & ~p.has[:, far]
    counterparts &= np.abs(p.ts_ns - p.ts_ns[row]) <= BOTH_NS
    return near != far and bool(p.has[row, far] and not p.has[row, near] and counterparts.any())


def _fitting(p: Packets) -> NDArray[np.bool_]:
    """Say which packets that are not at all points fit their sender."""
    fitting = np.zeros(len(p.side), dtype=np.bool_)
    for at in np.flatnonzero(~p.everywhere).tolist():
        sight = p.seen_first(at)
        other = unlike(p, at, sight) or unstamped(p, at, sight)
        fitting[at] = not other and (fits(p, at, sight) or is_nameless(p, at, sight))
    return fitting


def is_nameless(p: Packets, row: int, point: int) -> bool:
    """Say whether nothing but the TTL, which is its sender's, tells who made a packet: no IP ID, no timestamp."""
    usual = p.usual_ttl[int(p.side[row]), point]
    known = bool(usual) and int(p.ttl[row, point]) in usual and not unstamped(p, row, point)
    return known and int(p.ip_id[row, point]) <= 0 and int(p.tsval[row, point]) == ABSENT


def side_is_guessed(p: Packets, row: int) -> bool:
    """Say whether nothing but the TTL tells on which side of the host that captured both a RST was.

    A RST that the host made has as many hops left as one that came in. The link that it was on tells, if the packets
    of its end came by it on one side alone.
    """
    point = p.seen_first(row)
    sides = [each for each in p.own_points if p.points[each].capture == p.points[point].capture]
    if len(sides) == 1 or not p.flags[row] & RST or p.has[row, sides].all() or not p.is_one_flow(sides):
        return False
    if all(unlike(p, row, each, point) for each in sides):
        return False  # it has the hops of neither side
    own = (p.side == p.side[row]) & (p.flags & RST == 0)
    on = [each for each in sides if (own & (p.link[:, each] == p.link[row, point])).any()]
    return on != [point]
