"""Sightings of two points by key, and which of their flows are one connection.

It must not know clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.segment import ABSENT, SYN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from analyzer.vantage.sighting import Columns

    Ints = NDArray[np.int64]


class Groups:
    """Sightings of both points by key."""

    def __init__(self, there: Ints, here: Ints) -> None:
        """Take the keys of both."""
        self.order_there, self.order_here = np.argsort(there, kind="stable"), np.argsort(here, kind="stable")
        keys_there, start_there, count_there = np.unique(there[self.order_there], return_index=True, return_counts=True)
        keys_here, start_here, count_here = np.unique(here[self.order_here], return_index=True, return_counts=True)
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
    taken_there: set[int] = set()
    taken_here: set[int] = set()
    order = np.lexsort((count, strong))[::-1]
    for at in order[~alone[order]].tolist():
        one, other = int(first[at]), int(second[at])
        if one in taken_there or other in taken_here:
            continue
        if strong[at] == 0 and not may_be_one(one, other):
            continue
        taken_there.add(one)
        taken_here.add(other)
        found.append((one, other, bool(flipped[at])))
    return sorted(found)


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
