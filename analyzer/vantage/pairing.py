"""Sightings of two points by key, and which of their flows are one connection.

It must not know clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT, SYN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from analyzer.vantage.sighting import Columns

    Ints = NDArray[np.int64]

WAITED_NS: Final = 3_000_000_000
"""What passes both points takes no longer, whatever clocks drift meanwhile."""


class Groups:
    """Sightings of both points by key."""

    def __init__(self, there: Ints, here: Ints, rows: tuple[Ints, Ints] | None = None) -> None:
        """Take the keys of both, or of these ``rows`` of them."""
        orders, keys = [], []
        for side, own in enumerate((there, here)):
            picked = own if rows is None else own[rows[side]]
            order = np.argsort(picked, kind="stable")
            orders.append(order if rows is None else rows[side][order])
            keys.append(np.unique(picked[order], return_index=True, return_counts=True))
        self.order_there, self.order_here = orders
        (keys_there, start_there, count_there), (keys_here, start_here, count_here) = keys
        _, at_there, at_here = np.intersect1d(keys_there, keys_here, assume_unique=True, return_indices=True)
        self.start_there, self.count_there = start_there[at_there], count_there[at_there]
        self.start_here, self.count_here = start_here[at_here], count_here[at_here]

    def single(self) -> tuple[Ints, Ints]:
        """Return the pairs of what was seen once at both points."""
        once = (self.count_there == 1) & (self.count_here == 1)
        return self.order_there[self.start_there[once]], self.order_here[self.start_here[once]]

    def each(self) -> Iterator[tuple[Ints, Ints]]:
        """Yield, key by key, all sightings at both points, in order of time."""
        starts = (self.start_there, self.count_there, self.start_here, self.count_here)
        for at_there, many_there, at_here, many_here in zip(*(column.tolist() for column in starts), strict=True):
            yield self.order_there[at_there : at_there + many_there], self.order_here[at_here : at_here + many_here]

    def first(self) -> tuple[Ints, Ints]:
        """Return the first of each group at both points."""
        return self.order_there[self.start_there], self.order_here[self.start_here]


def same_flows(
    there: Columns, here: Columns, groups: Groups, may_be_one: Callable[[int, int], bool]
) -> list[tuple[int, int, bool]]:
    """Return which flows are one connection, by how many keys they share: flows there and here, and whether flipped."""
    ours, theirs = groups.first()
    if not len(ours):
        return []
    most = 2 * (int(here["flow"].max()) + 1)
    votes = there["flow"][ours] * most + 2 * here["flow"][theirs] + (there["side"][ours] ^ here["side"][theirs])
    # two whole numbers are never alike by chance; one (SYN, some RSTs) may be, among very many
    sure = (there["seq"][ours] != 0) & (there["ack"][ours] != 0)
    sure |= (there["flags"][ours] & SYN > 0) & (there["tsval"][ours] != ABSENT)
    pairs, which, count = np.unique(votes, return_inverse=True, return_counts=True)
    strong = np.bincount(which, weights=sure.astype(np.float64), minlength=len(pairs))
    first, second, flipped = pairs // most, pairs % most // 2, pairs % 2
    alone = (strong > 0) & _is_once(first) & _is_once(second)  # nearly all: no other pair has either of these flows
    found = list(zip(*(each[alone].tolist() for each in (first, second, flipped > 0)), strict=True))
    order = np.lexsort((count, strong))[::-1]
    found += _best(
        (
            (int(first[at]), int(second[at]), bool(flipped[at]), bool(strong[at]))
            for at in order[~alone[order]].tolist()
        ),
        may_be_one,
    )
    found += _with_numbers_of_others(there, here, found, may_be_one)
    return sorted(found)


def _best(
    claims: Iterable[tuple[int, int, bool, bool]], may_be_one: Callable[[int, int], bool]
) -> list[tuple[int, int, bool]]:
    """Return of claims that two flows are one, the best first, those whose flows no better one has.

    Each is a flow there, one here, whether flipped, and whether that is sure.
    """
    taken_there: set[int] = set()
    taken_here: set[int] = set()
    found = []
    for one, other, flipped, sure in claims:
        if one in taken_there or other in taken_here or not (sure or may_be_one(one, other)):
            continue
        taken_there.add(one)
        taken_here.add(other)
        found.append((one, other, flipped))
    return found


def _with_numbers_of_others(
    there: Columns, here: Columns, found: list[tuple[int, int, bool]], may_be_one: Callable[[int, int], bool]
) -> list[tuple[int, int, bool]]:
    """Return which more flows are one, of those whose packets all have the numbers of packets of others before them.

    These are leftovers: an end that still has a connection repeats what it said before, and is refused again. Which are
    one the time tells, after what the others' packets were apart.
    """
    if not found:
        return []
    known = np.array([each[:2] for each in found], dtype=np.int64)
    rest = [
        np.flatnonzero(~np.isin(seen["flow"], known[:, side]) & (seen["copy"] == 0))
        for side, seen in enumerate((there, here))
    ]
    if not (len(rest[0]) and len(rest[1])):
        return []
    one, other = there[rest[0]], here[rest[1]]
    apart_ns = _apart_ns(there, here, found)
    keys, rank = np.unique(other["key"], return_inverse=True)
    own = np.minimum(np.searchsorted(keys, one["key"]), len(keys) - 1)
    at = np.flatnonzero(keys[own] == one["key"])
    if not len(at):
        return []
    order = np.lexsort((other["ts_ns"], rank))
    starts = np.searchsorted(rank[order], np.arange(len(keys) + 1))
    claims: dict[tuple[int, int, bool], int] = {}
    for row, key, sent_ns in zip(at.tolist(), own[at].tolist(), (one["ts_ns"][at] + apart_ns).tolist(), strict=True):
        group = order[starts[key] : starts[key + 1]]
        behind = int(np.searchsorted(other["ts_ns"][group], sent_ns))
        near = min(
            group[max(behind - 1, 0) : behind + 1].tolist(), key=lambda each: abs(int(other["ts_ns"][each]) - sent_ns)
        )
        if abs(int(other["ts_ns"][near]) - sent_ns) <= WAITED_NS:
            flipped = bool(one["side"][row] ^ other["side"][near])
            claim = int(one["flow"][row]), int(other["flow"][near]), flipped
            claims[claim] = claims.get(claim, 0) + 1
    best = sorted(claims, key=lambda claim: (-claims[claim], claim))
    return _best(((*claim, False) for claim in best), may_be_one)


def _apart_ns(there: Columns, here: Columns, found: list[tuple[int, int, bool]]) -> int:
    """Return how far apart, by their clocks, two points have the first packets of flows that are one, mostly."""
    began = []
    for side, seen in enumerate((there, here)):
        flows, first = np.unique(seen["flow"], return_index=True)
        began.append(seen["ts_ns"][first[np.searchsorted(flows, np.array([each[side] for each in found]))]])
    return int(np.median(began[1] - began[0]))


def _is_once(values: Ints) -> NDArray[np.bool_]:
    """Say of each value whether no other is the same."""
    once: NDArray[np.bool_] = np.bincount(values)[values] == 1
    return once


class Partner:
    """Finds the flow here that a flow there is."""

    def __init__(self, flows: list[tuple[int, int, bool]]) -> None:
        """Take which flows are one: the number there, the number here, and whether ``a`` there is ``b`` here."""
        self.flows = flows = sorted(flows)
        self.there = np.array([flow[0] for flow in flows], dtype=np.int64)
        order = np.argsort(self.there)
        self.there = self.there[order]
        self.here = np.array([flow[1] for flow in flows], dtype=np.int64)[order]
        self.flipped = np.array([flow[2] for flow in flows], dtype=np.int64)[order]
        self._by_here = np.argsort(self.here)

    def index_there(self, flow: Ints) -> Ints:
        """Return the index of each flow there among the pairs, -1 for none."""
        at = np.minimum(np.searchsorted(self.there, flow), len(self.there) - 1)
        found: Ints = np.where(self.there[at] == flow, at, -1)
        return found

    def index_here(self, flow: Ints) -> Ints:
        """Return the index of each flow here among the pairs, -1 for none."""
        here = self.here[self._by_here]
        at = np.minimum(np.searchsorted(here, flow), len(here) - 1)
        found: Ints = np.where(here[at] == flow, self._by_here[at], -1)
        return found

    def fits(self, there: Columns, here: Columns) -> NDArray[np.bool_]:
        """Say of pairs of sightings whether their flows, and senders, are the same."""
        at = self.index_there(there["flow"])
        fits: NDArray[np.bool_] = (at >= 0) & (self.here[at] == here["flow"])
        fits &= (there["side"] ^ here["side"]) == self.flipped[at]
        return fits
