"""Packets that nothing but time tells apart, at two points: each is the first that can be it, in the order they passed.

It must not know how clocks stand to each other, or which flows are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT
from analyzer.values import dataclass
from analyzer.vantage.sighting import mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.vantage.pairing import Partner
    from analyzer.vantage.sighting import Columns

    Ints = NDArray[np.int64]

NOTHING: Final = np.zeros(0, dtype=np.int64)
AT_ONCE_NS: Final = 50_000_000
"""What waits in one place is let go within so much, in the order in which it came."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of two points: columns with an entry for each pair of flows, and times here by the clock there."""

    partner: Partner
    ways: Ints
    """As of ``matching.Pairing``."""
    keeps_id: Ints
    keeps_tsval: Ints
    """1 if it passes unchanged."""
    told_ns: Ints
    """When each sighting here was, by the clock there."""


def in_turn(
    there: Columns, here: Columns, rows: tuple[Ints, Ints], known: Known, limits: tuple[int, int]
) -> tuple[Ints, Ints]:
    """Match ``rows``, indices of sightings there and here, that took neither less nor more than ``limits``.

    Only those that are alike can be one packet: numbers, flows and sender, and IP ID and timestamp where these pass
    unchanged. Of packets whose way is not known the time between counts, whichever way.
    """
    ends = _ends(there, here, rows, known)
    kinds = _kinds(there, rows[0], ends[0], known), _kinds(here, rows[1], ends[1], known)
    times = there["ts_ns"][rows[0]], known.told_ns[rows[1]]
    orders = []
    for kind, end, ts_ns in zip(kinds, ends, times, strict=True):
        order = np.lexsort((ts_ns, kind))
        orders.append(order[end[order] >= 0])
    ordered = [each[order].tolist() for each, order in zip((*kinds, *times), (*orders, *orders), strict=True)]
    end = ends[0][orders[0]]
    way = np.where(end & 1, -1, 1) * known.ways[end >> 1]
    least, most = limits
    low = np.where(way > 0, least, -most).tolist()
    high = np.where(way < 0, -least, most).tolist()
    found = _merge((ordered[0], ordered[1]), (ordered[2], ordered[3]), low, high)
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return rows[0][orders[0][pairs[:, 0]]], rows[1][orders[1][pairs[:, 1]]]


def _merge(
    kinds: tuple[list[int], list[int]], times: tuple[list[int], list[int]], low: list[int], high: list[int]
) -> list[tuple[int, int]]:
    """Go through both points, each in order of kind and time, and pair what lies within the limits of those there."""
    found = []
    i = j = 0
    while i < len(kinds[0]) and j < len(kinds[1]):
        if kinds[0][i] != kinds[1][j]:
            if kinds[0][i] < kinds[1][j]:
                i += 1
            else:
                j += 1
            continue
        apart_ns = times[1][j] - times[0][i]
        if apart_ns < low[i]:
            j += 1
        elif apart_ns > high[i]:
            i += 1
        else:
            found.append((i, j))
            i += 1
            j += 1
    return found


def astray(
    there: Columns, here: Columns, left: tuple[Ints, Ints], told_ns: Ints, partner: Partner, latest_ns: int
) -> tuple[Ints, Ints]:
    """Match what is ``left`` at both points in flows that are not one connection, and passed within ``latest_ns``.

    Where one point saw only the end of a connection, or its ports were used again, what is left over of it may be in
    other flows there than here.
    """
    rows = [own[seen["seq"][own] != 0] for seen, own in zip((there, here), left, strict=True)]
    kinds = [
        mixed(seen["key"][own].astype(np.uint64), seen["tsval"][own].astype(np.uint64))
        for seen, own in zip((there, here), rows, strict=True)
    ]
    both = np.intersect1d(kinds[0], kinds[1])
    lists: list[tuple[list[int], list[int]]] = []
    for at, (kind, times_ns) in enumerate(zip(kinds, (there["ts_ns"], told_ns), strict=True)):
        known = np.isin(kind, both)
        order = np.lexsort((times_ns[rows[at][known]], kind[known]))
        rows[at] = rows[at][known][order]
        lists.append((kind[known][order].tolist(), times_ns[rows[at]].tolist()))
    limits = [-latest_ns] * len(rows[0]), [latest_ns] * len(rows[0])
    found = _merge((lists[0][0], lists[1][0]), (lists[0][1], lists[1][1]), *limits)
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    one, other = rows[0][pairs[:, 0]], rows[1][pairs[:, 1]]
    apart = ~partner.fits(there[one], here[other])
    return one[apart], other[apart]


def have_others(
    there: Columns, pairs: tuple[Ints, Ints], paired: tuple[Ints, Ints], known: Known, elsewhere: tuple[Ints, Ints]
) -> NDArray[np.bool_]:
    """Say which ``pairs`` that took long, and that nothing names, may be of a packet and its repetition.

    They are if something that was sent later came before, if the capture at which it passed first had ended when the
    other has it, so that it lacks the repetition, or if either is one packet with another, of those ``elsewhere``.
    """
    one = there[pairs[0]]
    ways = np.where(one["side"] == 0, 1, -1) * known.ways[known.partner.index_there(one["flow"])]
    others: NDArray[np.bool_] = (ways > 0) & (known.told_ns[pairs[1]] > there["ts_ns"].max())
    others |= (ways < 0) & (one["ts_ns"] > known.told_ns.max())
    others |= ~_in_order(there, paired, pairs, known)
    for own, known_elsewhere in zip(pairs, elsewhere, strict=True):
        others |= np.isin(own, known_elsewhere)
    return others


def _ends(there: Columns, here: Columns, rows: tuple[Ints, Ints], known: Known) -> tuple[Ints, Ints]:
    """Return who sent each, as twice the pair of flows, and 1 more for ``b`` there; below 0 for other flows."""
    partner = known.partner
    pairs = partner.index_there(there["flow"][rows[0]]), partner.index_here(here["flow"][rows[1]])
    side_here = here["side"][rows[1]] ^ partner.flipped[pairs[1]]
    sides = there["side"][rows[0]].astype(np.int64), side_here.astype(np.int64)
    first, second = (np.where(pair < 0, -1, 2 * pair + side) for pair, side in zip(pairs, sides, strict=True))
    return first, second


def _kinds(seen: Columns, rows: Ints, ends: Ints, known: Known) -> Ints:
    """Return of each a word that is the same for all that may be one packet."""
    pair = np.maximum(ends, 0) >> 1
    ids = np.where(known.keeps_id[pair] > 0, seen["ip_id"][rows], ABSENT).astype(np.int64)
    stamps = np.where(known.keeps_tsval[pair] > 0, seen["tsval"][rows], ABSENT)
    names = ((ids & 0xFFFFFFFF) << 32) | (stamps & 0xFFFFFFFF)
    return mixed(
        mixed(seen["key"][rows].astype(np.uint64), names.astype(np.uint64)).astype(np.uint64), ends.astype(np.uint64)
    )


def waited(
    there: Columns,
    here: Columns,
    left: tuple[Ints, Ints],
    paired: tuple[Ints, Ints],
    known: Known,
    limits: tuple[int, int],
) -> tuple[Ints, Ints]:
    """Match what is ``left`` at both points and waited on the way, as a router holds it until it knows a neighbour.

    Only what has neither IP ID nor timestamp: of other packets these say which they are. What waited may be there twice
    within moments, like a packet that was captured twice: such second captures, of which nothing was ``paired``, are
    packets if the other point has them apart. A router lets go in order: nothing sent later came before.
    """
    rows = _nameless(there, left[0]), _nameless(here, left[1])
    spare = _nameless(there, np.flatnonzero(there["copy"] == 1)), _nameless(here, np.flatnonzero(here["copy"] == 1))
    found = in_turn(there, here, (rows[0], np.concatenate([rows[1], spare[1]])), known, limits)
    rest = np.setdiff1d(rows[1], found[1])
    more = in_turn(there, here, (spare[0], rest), known, limits)
    pairs = np.concatenate([found[0], more[0]]), np.concatenate([found[1], more[1]])
    keep = _in_order(there, paired, pairs, known)
    pairs = pairs[0][keep], pairs[1][keep]
    keep = ~(_doubles(there, pairs[0]) | _doubles(here, pairs[1]))
    return pairs[0][keep], pairs[1][keep]


def _nameless(seen: Columns, rows: Ints) -> Ints:
    """Return those of the sightings that have neither IP ID nor timestamp."""
    nameless: Ints = rows[(seen["ip_id"][rows] <= 0) & (seen["tsval"][rows] == ABSENT)]
    return nameless


def _in_order(there: Columns, paired: tuple[Ints, Ints], pairs: tuple[Ints, Ints], known: Known) -> NDArray[np.bool_]:
    """Say of which pairs none of the same end, also of those that were ``paired``, overtook them on the way."""
    if not len(pairs[0]):
        return np.zeros(0, dtype=np.bool_)
    rows, others = np.concatenate([paired[0], pairs[0]]), np.concatenate([paired[1], pairs[1]])
    at_ns = there["ts_ns"][rows], known.told_ns[others]
    pair, side = known.partner.index_there(there["flow"][rows]), there["side"][rows].astype(np.int64)
    way = np.where(side == 0, 1, -1) * known.ways[pair]
    sent_ns, came_ns = np.where(way > 0, at_ns[0], at_ns[1]), np.where(way > 0, at_ns[1], at_ns[0])
    order = np.lexsort((sent_ns, 2 * pair + side))
    base_ns, end = int(came_ns.min()), (2 * pair + side)[order]
    _, rank = np.unique(end, return_inverse=True)
    span_ns = int(came_ns.max()) - base_ns + 1
    if int(rank[-1] + 1) * span_ns >= 1 << 62:  # years of very many flows: time does not fit
        return np.zeros(len(pairs[0]), dtype=np.bool_)
    # the earliest arrival of what its end sent behind it: a running minimum from the last on, end by end
    line = rank * span_ns + (came_ns[order] - base_ns)
    earliest = np.minimum.accumulate(line[::-1])[::-1]
    fits = np.zeros(len(order), dtype=np.bool_)
    fits[order] = line <= earliest + AT_ONCE_NS
    told: NDArray[np.bool_] = (fits & (way != 0))[len(paired[0]) :]
    return told


def _doubles(seen: Columns, rows: Ints) -> NDArray[np.bool_]:
    """Say which of the sightings are second captures in a flow that has more of these: it is captured twice."""
    flows, which = np.unique(seen["flow"], return_inverse=True)
    second = seen["copy"] == 1
    all_of, told = (
        np.bincount(which, weights=second),
        np.bincount(which[rows], weights=second[rows], minlength=len(flows)),
    )
    doubled: NDArray[np.bool_] = second[rows] & (2 * told < all_of)[which[rows]]
    return doubled
