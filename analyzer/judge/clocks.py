"""Where an end's timestamp clock stood still while its peer's ran on: its host slept, or was paused.

How fast a clock counts is known from the flow itself, where two stretches agree. The peer's clock must have run on over
the same stretch: else it may be the capture's that leapt. It must not say what a standstill means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from analyzer.segment import NOTE_TCP, RST, SYN
from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Column = NDArray[Any]

LEAST_NS: Final = 5 * NS_PER_S
"""A clock that lacks less has not stood still: it may be read late, or drift."""
LEAST_PART: Final = 10
"""It lacks at least such a part of what passed."""
PACED_NS: Final = NS_PER_S
"""Over so long a stretch its pace can be read,"""
PACED_TICKS: Final = 20
"""from so many ticks."""
AGREEING: Final = 2
"""This many stretches must agree on it,"""
AGREE: Final = 0.98
"""to such a part."""


class Standing(NamedTuple):
    """Rows behind which it shows that the sender's clock stood still."""

    at: Column
    """Which rows they are."""
    before: Column
    """The sender's row before each."""
    passed_ns: Column
    """Since the sender's segment before, by the capture's clock."""
    counted_ns: Column
    """The same by the sender's."""


def standing(column: Callable[[str], Column], owner: Column) -> Standing:
    """Return where clocks stood still, of SEEN rows flow by flow, each row's flow given."""
    end = 2 * owner + column("side")
    flags, passed = column("flags"), column("ts_ns") - column("own_last_ns")
    ticks = (column("tsval") - column("own_tsval")) & 0xFFFFFFFF
    known = (column("tsval") >= 0) & (column("own_tsval") >= 0) & (column("own_last_ns") >= 0) & (passed > 0)
    known &= (column("is_copy") == 0) & (column("note") == NOTE_TCP) & (flags & (SYN | RST) == 0) & (ticks < 1 << 31)
    pace = np.where(known, ticks, 0) / np.maximum(passed, 1)
    paced = known & (passed >= PACED_NS) & (ticks >= PACED_TICKS)
    count = int(end.max()) + 1 if len(end) else 0
    fastest = np.zeros(count)
    np.maximum.at(fastest, end[paced], pace[paced])
    agree = np.bincount(end[paced & (pace >= AGREE * fastest[end])], minlength=count)
    known &= (agree >= AGREEING)[end]
    counted = np.zeros(len(end), dtype=np.int64)
    counted[known] = (ticks[known] / fastest[end[known]]).astype(np.int64)
    lacks = np.where(known, passed - counted, 0)
    stood = known & (lacks >= LEAST_NS) & (lacks * LEAST_PART >= passed)
    at = np.flatnonzero(stood)
    if not len(at):
        return Standing(at, at, passed[at], counted[at])
    before = _before(end, at)
    at, before = at[before >= 0], before[before >= 0]
    ran_on = _counted_by_peer(column("side"), owner, counted, before, at) * 2 >= lacks[at]
    return Standing(at[ran_on], before[ran_on], passed[at[ran_on]], counted[at[ran_on]])


def _before(end: Column, at: Column) -> Column:
    """Return the row before each of some rows that the same end sent; -1 where there is none."""
    order = np.argsort(end, kind="stable")
    before = np.full(len(end), -1, dtype=np.int64)
    same = end[order][1:] == end[order][:-1]
    before[order[1:][same]] = order[:-1][same]
    found: Column = before[at]
    return found


def _counted_by_peer(side: Column, owner: Column, counted: Column, before: Column, at: Column) -> Column:
    """Return how much the other end's clock counted between two rows of one end, or in its answer to the second."""
    sums = [np.concatenate(([0], np.cumsum(np.where(side == end, counted, 0)))) for end in range(2)]
    behind = np.minimum(at + 1, len(side) - 1)
    until = np.where(owner[behind] == owner[at], behind + 1, at + 1) if len(at) else at
    peers = 1 - side[at]
    each: Column = np.where(peers == 0, sums[0][until] - sums[0][before], sums[1][until] - sums[1][before])
    return each
