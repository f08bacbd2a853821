"""Flows of two points that are not one connection, but carry the same: before and behind a proxy, or renumbered.

A proxy ends a connection and begins another, so no packet is the same; what passed through it is. It must not know the
packets that were matched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analyzer.judge.record import FlowRecord
    from analyzer.vantage.sighting import Columns

LEAST_OCTETS: Final = 16
"""How much data must be the same, some of it each way: less is the same by chance."""
LASTS_AS_LONG_NS: Final = 2_000_000_000
"""Both last as long, but for so much, or a part of their time."""


@dataclass(frozen=True, slots=True)
class Relative:
    """A flow here that carries what a flow there does."""

    there: int
    here: int
    why: str
    """``proxy``, or ``renumbered`` if the addresses and ports are the same too."""


def relatives(
    there: Columns,
    here: Columns,
    lone_there: Iterable[int],
    lone_here: Iterable[int],
    record: tuple[Callable[[int], FlowRecord], Callable[[int], FlowRecord]],
) -> list[Relative]:
    """Return pairs of flows, of those that only one point has, that carry the same data both ways.

    ``record`` returns the record of a flow there and here. Where several carry the same, none is told.
    """
    known: dict[tuple[tuple[int, int], ...], list[int]] = {}
    lone_there, lone_here = _both_ways(there, lone_there), _both_ways(here, lone_here)
    signs = _signs(here)
    for flow in sorted(lone_here, key=lambda flow: record[1](flow).first_ns):
        if (sign := _sign(signs, flow, record[1](flow))) is not None:
            known.setdefault(sign, []).append(flow)
    found = []
    signs = _signs(there)
    ours: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for flow in sorted(lone_there, key=lambda flow: record[0](flow).first_ns):
        if (sign := _sign(signs, flow, record[0](flow))) is not None:
            ours.setdefault(sign, []).append(flow)
    for sign, flows in ours.items():
        for flow in flows:
            one = record[0](flow)
            alike = [other for other in known.get(sign, ()) if _last_alike(one, record[1](other))]
            same = [other for other in alike if {one.a, one.b} == {record[1](other).a, record[1](other).b}]
            if len(same) == 1:
                found.append(Relative(flow, same[0], "renumbered"))
            elif len(alike) == len(flows) == 1:
                found.append(Relative(flow, alike[0], "proxy"))
    return found


def _both_ways(seen: Columns, flows: Iterable[int]) -> list[int]:
    """Return those of the flows in which both ends sent data."""
    data = seen["payload_len"] > 0
    ends = set(np.unique(2 * seen["flow"][data] + seen["side"][data]).tolist())
    return [flow for flow in flows if 2 * flow in ends and 2 * flow + 1 in ends]


def _last_alike(one: FlowRecord, other: FlowRecord) -> bool:
    """Say whether two flows last about as long, whatever their clocks."""
    lasts = one.last_ns - one.first_ns, other.last_ns - other.first_ns
    return abs(lasts[0] - lasts[1]) <= max(LASTS_AS_LONG_NS, max(lasts) // 10)


def _signs(seen: Columns) -> dict[tuple[int, int], int]:
    """Return, by flow and side, the digest of the beginning of its first data."""
    data = seen[(seen["payload_len"] > 0) & (seen["head"] != 0)]
    order = np.lexsort((data["ts_ns"], data["side"], data["flow"]))
    data = data[order]
    first = np.flatnonzero((np.diff(data["flow"], prepend=-1) != 0) | (np.diff(data["side"], prepend=-1) != 0))
    return {
        (flow, side): head
        for flow, side, head in zip(*(data[name][first].tolist() for name in ("flow", "side", "head")), strict=True)
    }


def _sign(signs: dict[tuple[int, int], int], flow: int, record: FlowRecord) -> tuple[tuple[int, int], ...] | None:
    """Return what a flow carried: octets each way with the digest of their beginning, the initiator's first."""
    octets = record.facts_a.payload_bytes, record.facts_b.payload_bytes
    if record.initiator is None or min(octets) == 0 or sum(octets) < LEAST_OCTETS:
        return None
    ways = ((octets[0], signs.get((flow, 0), 0)), (octets[1], signs.get((flow, 1), 0)))
    return ways if record.initiator == "a" else ways[::-1]
