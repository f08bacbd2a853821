"""Several vantages in one capture: a NAT host, a load balancer or the interface any has a packet before and behind.

Two flows of one capture that share whole numbers are one connection under two pairs of addresses (or VLANs, or
tunnels). The first stays where it is; the others become *legs*, which are points of their own with the same clock. So
do second captures of packets that have fewer hops left: a router passed them on.

It must not know other captures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import RST
from analyzer.tolerances import COPY_SAME_ID_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.vantage.sighting import Columns

LEAST: Final = 2
"""This many packets with a number of their own two flows must share."""
SHARE: Final = 0.25
"""And such a part of the packets of the one that has fewer."""
BOTH: Final = 2
"""Legs of a connection that was captured on either side of one host."""
MOMENT_NS: Final = 1_000_000_000
"""A host passes a packet on in less."""


def legs_of(seen: Columns) -> NDArray[np.int64]:
    """Return the leg of each sighting, 0 for most; -1 for a second capture of a packet that a router did not make."""
    leg = np.where(seen["copy"] == 1, -1, 0).astype(np.int64)
    later = _later_flows(seen[seen["copy"] == 0])
    if later:
        first = np.array([later.get(flow, 0) for flow in seen["flow"].tolist()], dtype=np.int64)
        leg = np.where(leg < 0, leg, first)
    return _routed(seen, leg) if (leg < 0).any() else leg


def _routed(seen: Columns, leg: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tell apart what a router has on either side of it: of one packet it has both, with one hop more and less.

    What ``a`` sent has more hops left where it came in, what ``b`` sent has fewer there.
    """
    ttl = seen["ttl"].astype(np.int64)
    ends, which = np.unique(2 * seen["flow"] + seen["side"], return_inverse=True)
    highest, lowest = np.full(len(ends), -1, dtype=np.int64), np.full(len(ends), 1 << 16, dtype=np.int64)
    own = seen["flags"] & RST == 0  # a RST may be the router's
    np.maximum.at(highest, which[own], ttl[own])
    np.minimum.at(lowest, which[own], ttl[own])
    copied = np.bincount(which, weights=leg < 0, minlength=len(ends)) > 0
    odd = own & (ttl != highest[which]) & (ttl != lowest[which])
    between = np.bincount(which, weights=odd, minlength=len(ends)) > 0
    routed = copied & (highest > lowest) & ~between & (lowest > 0)
    both = routed & np.isin(ends ^ 1, ends[routed])
    mine = both[which]
    far = (ttl == lowest[which]) ^ (seen["side"] == 1)
    placed = _by_link(seen, which, mine, np.where(mine, far.astype(np.int64), leg))
    order = np.lexsort((seen["ts_ns"], placed, seen["key"], seen["flow"]))
    last = seen[order]
    same = (last["flow"][1:] == last["flow"][:-1]) & (last["key"][1:] == last["key"][:-1])
    same &= (placed[order][1:] == placed[order][:-1]) & (last["ip_id"][1:] == last["ip_id"][:-1])
    same &= (last["tsval"][1:] == last["tsval"][:-1]) & (last["ts_ns"][1:] - last["ts_ns"][:-1] <= COPY_SAME_ID_NS)
    same &= mine[order][1:] & ((last["copy"][1:] | last["copy"][:-1]) == 1)
    placed[order[1:][same]] = -1
    return placed


def _by_link(
    seen: Columns, which: NDArray[np.int64], mine: NDArray[np.bool_], leg: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the legs with each RST on that of the link on which alone its end's other packets came.

    Its TTL does not tell: a RST that the router made has hops left like one that it has not passed on yet.
    """
    resets = np.flatnonzero(mine & (seen["flags"] & RST > 0))
    others = np.flatnonzero(mine & (seen["flags"] & RST == 0))
    if not len(resets):
        return leg
    known: dict[tuple[int, int], set[int]] = {}
    asked = set(which[resets].tolist())
    others = others[np.isin(which[others], list(asked))]
    for end, link, own in zip(which[others].tolist(), seen["link"][others].tolist(), leg[others].tolist(), strict=True):
        known.setdefault((end, link), set()).add(own)
    placed = leg.copy()
    for at, end, link in zip(resets.tolist(), which[resets].tolist(), seen["link"][resets].tolist(), strict=True):
        if len(own := known.get((end, link), set())) == 1:
            placed[at] = next(iter(own))
    return placed


def _later_flows(seen: Columns) -> dict[int, int]:
    """Return, by number, the leg of each flow that is a later one of its connection: 1 or more."""
    order = np.lexsort((seen["ts_ns"], seen["key"]))
    keys, flows, times = seen["key"][order], seen["flow"][order], seen["ts_ns"][order]
    numbers = (seen["seq"] != 0) & (seen["ack"] != 0) & (seen["flags"] & RST == 0)
    again = (keys[1:] == keys[:-1]) & (flows[1:] != flows[:-1]) & (times[1:] - times[:-1] <= MOMENT_NS)
    at = np.flatnonzero(again & numbers[order][1:])
    if not len(at):
        return {}
    pairs = np.stack([np.minimum(flows[at], flows[at + 1]), np.maximum(flows[at], flows[at + 1])], axis=1)
    both, which = np.unique(pairs, axis=0, return_inverse=True)
    each = np.unique(np.stack([which.ravel(), keys[at]], axis=1), axis=0)
    shared = np.bincount(each[:, 0], minlength=len(both))
    sizes = dict(zip(*(column.tolist() for column in np.unique(flows, return_counts=True)), strict=True))
    began: dict[int, int] = {}
    for flow, ts_ns in zip(seen["flow"].tolist(), seen["ts_ns"].tolist(), strict=True):
        began.setdefault(flow, ts_ns)
    home: dict[int, list[int]] = {}
    for pair, count in zip(both.tolist(), shared.tolist(), strict=True):
        if count < LEAST or count < SHARE * min(sizes[pair[0]], sizes[pair[1]]) * 0.5:
            continue
        one, other = home.get(pair[0], [pair[0]]), home.get(pair[1], [pair[1]])
        if one is not other:
            one = sorted([*one, *other], key=lambda flow: (began[flow], flow))
        for flow in one:
            home[flow] = one
    found = {flow: legs.index(flow) for flow, legs in home.items() if legs.index(flow) > 0}
    return found | _translated_anew(seen, home)


def _translated_anew(seen: Columns, home: dict[int, list[int]]) -> dict[int, int]:
    """Return the leg of each flow that is no connection of its own: all it has is another's, which has two legs.

    A NAT that forgot a connection gives what comes next another port: so much is behind it under that.
    """
    if not home:
        return {}
    order = np.lexsort((seen["ts_ns"], seen["key"]))
    keys, flows, times, told = (seen[name][order] for name in ("key", "flow", "ts_ns", "seq"))
    again = (
        (keys[1:] == keys[:-1]) & (flows[1:] != flows[:-1]) & (times[1:] - times[:-1] <= MOMENT_NS) & (told[1:] != 0)
    )
    at = np.flatnonzero(again)
    pairs = np.unique(np.stack([np.r_[flows[at], flows[at + 1]], np.r_[flows[at + 1], flows[at]]], axis=1), axis=0)
    shared, how_many = np.unique(flows[np.unique(np.r_[at, at + 1])], return_counts=True)
    size = dict(zip(*(column.tolist() for column in np.unique(flows, return_counts=True)), strict=True))
    whole = {flow for flow, count in zip(shared.tolist(), how_many.tolist(), strict=True) if count == size[flow]}
    partners: dict[int, list[int]] = {}
    for flow, other in pairs.tolist():
        partners.setdefault(flow, []).append(other)
    found: dict[int, int] = {}
    for flow, others in partners.items():
        legs = home.get(others[0], [])
        if flow in whole and flow not in home and len(others) == 1 and len(legs) == BOTH and legs[0] == others[0]:
            found[flow] = 1
    return found
