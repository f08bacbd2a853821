"""What the matched packets of two flows show of the pair: which point they pass first, and what passes unchanged.

It must not match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.vantage.delays import SHORTEST_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.vantage.sighting import Columns

    Ints = NDArray[np.int64]

AGREE: Final = 0.75
"""A field passes unchanged if it is the same in so many of the packets that are told apart without it."""
UNCLEAR: Final = 0.3
"""If times speak so little more for one order of two points than for the other, they do not tell."""
BY: Final = ("", "ttl", "time")
"""What tells which point a flow passes first."""


def keeps(one: NDArray[np.int64], other: NDArray[np.int64], at: Ints, flows: int) -> Ints:
    """Say of each pair of flows whether a field passes unchanged: 1 or 0, -1 where either point lacks it."""
    both = (one > 0) & (other > 0)
    known = np.bincount(at[both], minlength=flows)
    same = np.bincount(at[both & (one == other)], minlength=flows)
    kept: Ints = np.where(known == 0, -1, same >= AGREE * known).astype(np.int64)
    return kept


def ways_of(one: Columns, other: Columns, at: Ints, flows: int, *, one_clock: bool) -> tuple[Ints, Ints]:
    """Say of each pair of flows which point is nearer to ``a`` (there): by hops, else by times.

    1 if it is *there*, -1 if it is *here*, 0 if nothing tells; and what tells it, an index of BY.
    """
    forth = np.where(one["side"] == 0, 1, -1)
    hops = forth * (one["ttl"].astype(np.int64) - other["ttl"])
    hops[(one["ttl"] <= 0) | (other["ttl"] <= 0)] = 0
    told = np.bincount(at[hops != 0], minlength=flows)
    score = np.bincount(at, weights=np.sign(hops), minlength=flows)
    by_hops = np.where((told > 0) & (np.abs(score) > AGREE * told), np.sign(score), 0).astype(np.int64)
    rest = np.flatnonzero(by_hops[at] == 0)
    by_time = _by_times(one[rest], other[rest], at[rest], flows, one_clock=one_clock)
    ways: Ints = np.where(by_hops != 0, by_hops, by_time)
    by: Ints = np.where(by_hops != 0, BY.index("ttl"), np.where(ways != 0, BY.index("time"), 0))
    return ways, by


def _by_times(one: Columns, other: Columns, at: Ints, flows: int, *, one_clock: bool) -> Ints:
    """Say the same by times alone: what passes *there* first is there earlier, whatever the clocks differ by."""
    forth = np.where(one["side"] == 0, 1, -1)
    apart_ns = other["ts_ns"] - one["ts_ns"]
    if one_clock:
        sooner: Ints = np.sign(np.bincount(at, weights=np.sign(forth * apart_ns), minlength=flows)).astype(np.int64)
        return sooner
    order = np.lexsort((one["ts_ns"], at))
    pair, forth, apart_ns, times = at[order], forth[order], apart_ns[order], one["ts_ns"][order]
    # packets of both directions close to each other: what their clocks differ by is the same for both
    turns = np.flatnonzero((forth[1:] != forth[:-1]) & (pair[1:] == pair[:-1]))
    differ = np.sign(forth[turns] * (apart_ns[turns] - apart_ns[turns + 1]))
    near = (times[turns + 1] - times[turns]) <= SHORTEST_NS
    has_near = np.bincount(pair[turns][near], minlength=flows) > 0
    used = near | ~has_near[pair[turns]]
    count = np.bincount(pair[turns][used], minlength=flows)
    score = np.bincount(pair[turns][used], weights=differ[used], minlength=flows)
    clear = (np.abs(score) >= UNCLEAR * count) | (count <= 2)
    told: Ints = np.where(clear, np.sign(score), 0).astype(np.int64)
    return told
