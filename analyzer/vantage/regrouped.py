"""Data that is at both points, but in other pieces: cut by segmentation offload, or put together.

It must not know which packets are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.seqnum import HALF, SPACE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.vantage.clock import Clock
    from analyzer.vantage.pairing import Partner
    from analyzer.vantage.sighting import Columns

    Ints = NDArray[np.int64]

NOTHING: Final = np.zeros(0, dtype=np.int64)
APART_NS: Final = 300_000_000
"""Pieces of one packet pass within this time."""


def regrouped(
    there: Columns,
    here: Columns,
    left_there: Ints,
    left_here: Ints,
    partner: Partner,
    clock: Clock | None,
) -> tuple[Ints, Ints]:
    """Return what is left at each point whose data is left at the other, cut or put together otherwise."""
    with_data_there = left_there[there["payload_len"][left_there] > 0]
    with_data_here = left_here[here["payload_len"][left_here] > 0]
    if clock is None or not len(with_data_there) or not len(with_data_here):
        return NOTHING, NOTHING
    at_there, at_here = (
        partner.index_there(there["flow"][with_data_there]),
        partner.index_here(here["flow"][with_data_here]),
    )
    side_here = here["side"][with_data_here] ^ partner.flipped[at_here]
    told_ns = clock.reference_ns(here["ts_ns"][with_data_here])
    found: tuple[list[int], list[int]] = ([], [])
    ends_there = 2 * at_there + there["side"][with_data_there]
    ends_here = np.where(at_here < 0, -1, 2 * at_here + side_here)
    told_there_ns = there["ts_ns"][with_data_there]
    near = _near(ends_there, told_there_ns, ends_here, told_ns), _near(ends_here, told_ns, ends_there, told_there_ns)
    order_there, order_here = np.argsort(ends_there, kind="stable"), np.argsort(ends_here, kind="stable")
    order_there = order_there[near[0][order_there]]
    order_here = order_here[near[1][order_here]]
    sorted_there, sorted_here = ends_there[order_there], ends_here[order_here]
    both = np.intersect1d(sorted_there[sorted_there >= 0], sorted_here[sorted_here >= 0])
    bounds = [np.searchsorted(each, (both, both + 1)).T.tolist() for each in (sorted_there, sorted_here)]
    for (low, high), (first, last) in zip(*bounds, strict=True):
        picked = order_here[first:last]
        one, other = with_data_there[order_there[low:high]], with_data_here[picked]
        ranges = [_range(there[one], there["ts_ns"][one]), _range(here[other], told_ns[picked])]
        base = int(ranges[0][0][0])
        for which, own in enumerate((one, other)):
            covered = _covered(*ranges[which], *ranges[1 - which], base)
            found[which].extend(own[covered].tolist())
    return np.array(found[0], dtype=np.int64), np.array(found[1], dtype=np.int64)


def _near(ends: Ints, ts_ns: Ints, other_ends: Ints, other_ns: Ints) -> NDArray[np.bool_]:
    """Say which packets have one of the same end, by its number, at the other point at about the same time."""
    order = np.lexsort((other_ns, other_ends))
    base_ns = min(int(ts_ns.min()), int(other_ns.min())) - 2 * APART_NS
    span_ns = max(int(ts_ns.max()), int(other_ns.max())) - base_ns + 2 * APART_NS
    # by rank of the end, so that one number holds both
    known, rank = np.unique(other_ends, return_inverse=True)
    own = np.minimum(np.searchsorted(known, ends), len(known) - 1)
    has: NDArray[np.bool_] = (known[own] == ends) & (ends >= 0)
    if len(known) * span_ns >= 1 << 62:  # years of very many flows: time does not fit
        return has
    line = rank[order] * span_ns + (other_ns[order] - base_ns)
    at = own * span_ns + (ts_ns - base_ns)
    has &= np.searchsorted(line, at + APART_NS, side="right") > np.searchsorted(line, at - APART_NS)
    return has


def _range(seen: Columns, ts_ns: Ints) -> tuple[Ints, Ints, Ints]:
    return seen["seq"].astype(np.int64), seen["payload_len"].astype(np.int64), ts_ns.astype(np.int64)


def _covered(
    seq: Ints, length: Ints, ts_ns: Ints, other_seq: Ints, other_length: Ints, other_ns: Ints, base: int
) -> NDArray[np.bool_]:
    """Say which ranges are wholly in others that were seen at about the same time."""
    start = (seq - base + HALF) % SPACE - HALF
    other_start = (other_seq - base + HALF) % SPACE - HALF
    covered = np.zeros(len(seq), dtype=np.bool_)
    for at in range(len(seq)):
        near = np.abs(other_ns - ts_ns[at]) <= APART_NS
        near &= (other_start < start[at] + length[at]) & (other_start + other_length > start[at])
        reached = int(start[at])
        for begin, size in sorted(zip(other_start[near].tolist(), other_length[near].tolist(), strict=True)):
            if begin > reached:
                break
            reached = max(reached, begin + size)
        covered[at] = reached >= start[at] + length[at]
    return covered
