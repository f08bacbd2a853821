"""Sightings of all points woven together: the clocks, which flows are one connection, and every packet as one row.

It must not know what became of a packet.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.values import dataclass
from analyzer.vantage.clock import THE_REFERENCE, Clock, clock_of
from analyzer.vantage.joint import Crossings
from analyzer.vantage.matching import Matched, match

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analyzer.vantage.matching import Pairing
    from analyzer.vantage.sighting import Columns

    Ints = NDArray[np.int64]


PLACES: Final = 2
"""Points are in order if they are at so many places at least."""


@dataclass(frozen=True, slots=True)
class WovenFlow:
    """One connection: its flows at the points, in the order of these."""

    parts: tuple[tuple[int, int, bool], ...]
    """Point, number of the flow there, and whether its ``a`` is the joint flow's ``b``."""
    way: tuple[int, ...]
    """Points from ``a`` to ``b``, empty if nothing tells."""
    way_by: str
    tied: tuple[tuple[int, int], ...] = ()
    """Neighbours on the way of which nothing tells which is nearer to ``a``."""
    ways: tuple[tuple[int, int, int], ...] = ()
    """Of more than two points: one, another, and 1 if ``a`` is nearer to the one, -1 if to the other, 0 if unknown."""

    def order(self, one: int, other: int) -> int:
        """Say which of two points is nearer to ``a``, by what both share: 1 the one, -1 the other, 0 if unknown."""
        for first, second, way in self.ways:
            if (first, second) in {(one, other), (other, one)}:
                return way if first == one else -way
        return 0


@dataclass(frozen=True, slots=True)
class Woven:
    """What all points show."""

    clocks: tuple[Clock | None, ...]
    """None for a point that shares nothing with the others."""
    flows: tuple[WovenFlow, ...]
    crossings: Crossings
    """Packets of these flows, in order of time."""
    contradiction_ns: int | None
    """By how much the clocks of three points contradict each other, if they do."""
    guessed: bool
    """Whether at two points only the rhythm of repeated packets says which is which."""
    guesses: tuple[tuple[int, int], ...] = ()
    """At which."""


def weave(
    seen: Sequence[Columns],
    may_be_one: Callable[[int, int, int, int], bool],
    captures: Sequence[int] | None = None,
    *,
    sent: tuple[Ints, Ints, Ints] | None = None,
) -> Woven:
    """Weave the SIGHTING records of two or more points, of which those in one capture have one clock.

    ``sent`` is when packets that are not among the records were at the first points of the first two captures, and
    which way they went.

    ``may_be_one`` is asked of (point, flow, point, flow) whether the two have an address or port in common.
    """
    matched: dict[tuple[int, int], Matched] = {}
    second = next((at for at, capture in enumerate(captures or range(len(seen))) if capture == 1), 0)
    for one, other in combinations(range(len(seen)), 2):

        def related(there: int, here: int, one: int = one, other: int = other) -> bool:
            return may_be_one(one, there, other, here)

        own = captures is not None and captures[one] == captures[other]
        more = sent if one == 0 and other == second else None
        matched[one, other] = match(seen[one], seen[other], related, one_clock=own, sent=more)
    clocks = _clocks(seen, matched, captures or range(len(seen)))
    flows = _flows(matched) if len(matched) > 1 else _flows_of_two(matched)
    crossings = _crossings(seen, matched, clocks, flows)
    guesses = tuple(pair for pair, found in matched.items() if found.guessed)
    return Woven(clocks, flows, crossings, _contradiction(seen, matched, clocks), bool(guesses), guesses)


def _clocks(
    seen: Sequence[Columns], matched: dict[tuple[int, int], Matched], captures: Sequence[int]
) -> tuple[Clock | None, ...]:
    """Return each point's clock against the first's, by way of others where two points share nothing."""
    clocks: list[Clock | None] = [THE_REFERENCE, *([None] * (len(seen) - 1))]
    for _ in range(len(seen)):
        for point, capture in enumerate(captures):  # what is in one capture has one clock
            known = next((clocks[at] for at, other in enumerate(captures) if other == capture and clocks[at]), None)
            clocks[point] = clocks[point] or known
        for (one, other), found in matched.items():
            if not len(found.there) and found.clock is None:
                continue
            ends = ((one, other, found.there, found.here), (other, one, found.here, found.there))
            for start, asked, at_start, at_asked in ends:
                clock = clocks[start]
                if clock is None or clocks[asked] is not None:
                    continue
                if start == 0 and found.clock is not None:
                    clocks[asked] = replace(found.clock, by_rhythm=found.guessed)
                    continue
                if not len(found.there):
                    continue
                there_ns = clock.reference_ns(seen[start]["ts_ns"][at_start])
                way = _ways(seen[one], found)
                known = clock_of(there_ns, seen[asked]["ts_ns"][at_asked], way if start == one else -way)
                clocks[asked] = replace(known, by_rhythm=found.guessed or clock.by_rhythm)
    return tuple(clocks)


def _ways(seen: Columns, found: Matched) -> NDArray[np.int8]:
    way = {pairing.there: pairing.way for pairing in found.pairings}
    flows, which = np.unique(seen["flow"][found.there], return_inverse=True)
    each = np.array([way.get(flow, 0) for flow in flows.tolist()], dtype=np.int8)[which]
    went: NDArray[np.int8] = np.where(seen["side"][found.there] == 0, each, -each).astype(np.int8)
    return went


def _contradiction(
    seen: Sequence[Columns], matched: dict[tuple[int, int], Matched], clocks: tuple[Clock | None, ...]
) -> int | None:
    """Return by how much a pair of points says otherwise than both do against the first; None if none does."""
    worst = 0
    for (one, other), found in matched.items():
        first, second = clocks[one], clocks[other]
        if one == 0 or found.clock is None or first is None or second is None or not len(found.there):
            continue
        apart_ns = second.reference_ns(seen[other]["ts_ns"][found.here]) - first.reference_ns(
            seen[one]["ts_ns"][found.there]
        )
        way = _ways(seen[one], found)
        took_ns = np.where(way == 0, 0, apart_ns * way)
        early = int(-took_ns.min()) if len(took_ns) else 0
        allowed = first.width_ns + second.width_ns + 10_000
        if early > allowed:
            worst = max(worst, early)
    return worst or None


def _flows(matched: dict[tuple[int, int], Matched]) -> tuple[WovenFlow, ...]:
    """Return which flows are one connection at all points."""
    home: dict[tuple[int, int], int] = {}
    parts: dict[int, dict[int, tuple[int, bool]]] = {}
    pairings: list[tuple[int, int, Pairing]] = []
    new = 0
    for (one, other), found in sorted(matched.items()):
        for pairing in found.pairings:
            left, right = (one, pairing.there), (other, pairing.here)
            a, b = home.get(left), home.get(right)
            if a is None and b is None:
                new += 1
                parts[new] = {one: (pairing.there, False), other: (pairing.here, pairing.flipped)}
                home[left] = home[right] = new
            elif b is None and a is not None:
                if other in parts[a]:
                    continue
                parts[a][other] = (pairing.here, parts[a][one][1] ^ pairing.flipped)
                home[right] = a
            elif a is None and b is not None:
                if one in parts[b]:
                    continue
                parts[b][one] = (pairing.there, parts[b][other][1] ^ pairing.flipped)
                home[left] = b
            elif a != b and a is not None and b is not None:
                if parts[a].keys() & parts[b].keys():
                    continue
                turned = parts[a][one][1] ^ pairing.flipped ^ parts[b][other][1]
                for point, (flow, flipped) in parts.pop(b).items():
                    parts[a][point] = (flow, flipped ^ turned)
                    home[point, flow] = a
            pairings.append((one, other, pairing))
    after: dict[int, dict[tuple[int, int], tuple[int, str]]] = {}
    for one, other, pairing in pairings:
        joint = home[one, pairing.there]
        flipped = parts[joint][one][1]
        after.setdefault(joint, {})[one, other] = (-pairing.way if flipped else pairing.way, pairing.by)
    made = []
    for joint, own in parts.items():
        order = sorted(own)
        if own[order[0]][1]:  # ``a`` is that of the first point
            own = {point: (flow, not flipped) for point, (flow, flipped) in own.items()}  # noqa: PLW2901
            ways = {pair: (-way, by) for pair, (way, by) in after.get(joint, {}).items()}
        else:
            ways = after.get(joint, {})
        way, by, tied = _order(order, ways)
        known = tuple((one, other, way) for (one, other), (way, _) in ways.items())
        made.append(WovenFlow(tuple((point, *own[point]) for point in order), way, by, tied, known))
    return tuple(made)


def _flows_of_two(matched: dict[tuple[int, int], Matched]) -> tuple[WovenFlow, ...]:
    """Return the same of at most two points: a flow of one is at most one of the other's."""
    return tuple(
        WovenFlow(
            ((one, pairing.there, False), (other, pairing.here, pairing.flipped)),
            (one, other)[:: pairing.way] if pairing.way else (),
            pairing.by if pairing.way else "",
        )
        for (one, other), found in matched.items()
        for pairing in found.pairings
    )


def _order(
    points: list[int], ways: dict[tuple[int, int], tuple[int, str]]
) -> tuple[tuple[int, ...], str, tuple[tuple[int, int], ...]]:
    """Return the points from ``a`` to ``b`` by what pairs of them say, and neighbours whose order nothing tells.

    Nothing if the others do not order them.
    """
    behind = dict.fromkeys(points, 0)
    by = ""
    for (one, other), (way, what) in ways.items():
        if way == 0:
            continue
        behind[other if way > 0 else one] += 1
        by = what if by in ("", what) else "ttl"
    order = sorted(points, key=behind.__getitem__)
    tied = tuple(pair for pair in pairwise(order) if behind[pair[0]] == behind[pair[1]])
    unknown = all(ways.get((min(pair), max(pair)), (0, ""))[0] == 0 for pair in tied)
    placed = all(
        behind[point] == place or (place and behind[point] == behind[order[place - 1]] == place - 1)
        for place, point in enumerate(order)
    )
    if not placed or not unknown or len(order) - len(tied) < PLACES:
        return (), "", ()
    return tuple(order), by, tied


def _crossings(
    seen: Sequence[Columns],
    matched: dict[tuple[int, int], Matched],
    clocks: tuple[Clock | None, ...],
    flows: tuple[WovenFlow, ...],
) -> Crossings:
    points = len(seen)
    rows: list[Ints] = [np.arange(len(seen[0]), dtype=np.int64)]
    table = np.full((len(seen[0]), points), -1, dtype=np.int64)
    table[:, 0] = rows[0]
    for other in range(1, points):
        row = np.full(len(seen[other]), -1, dtype=np.int64)
        for one in range(other):
            found = matched[one, other]
            target = rows[one][found.there]
            free = (row[found.here] < 0) & (table[target, other] < 0)
            row[found.here[free]] = target[free]
            table[target[free], other] = found.here[free]
            # what two points that do not know each other both share with this one
            apart = np.flatnonzero(~free & (row[found.here] != target))
            for which in apart.tolist():
                keep, drop = int(row[found.here[which]]), int(rows[one][found.there[which]])
                moved = np.flatnonzero(table[drop] >= 0)
                if keep < 0 or (table[keep, moved] >= 0).any():
                    continue
                table[keep, moved] = table[drop, moved]
                table[drop] = -1
                for point in moved.tolist():
                    rows[point][table[keep, point]] = keep
        new = np.flatnonzero(row < 0)
        row[new] = len(table) + np.arange(len(new))
        added = np.full((len(new), points), -1, dtype=np.int64)
        added[:, other] = new
        table = np.concatenate([table, added])
        rows.append(row)
    flow = np.full(len(table), -1, dtype=np.int64)
    side = np.zeros(len(table), dtype=np.int8)
    ts_ns = np.full(len(table), np.iinfo(np.int64).max, dtype=np.int64)
    regrouped = np.zeros(len(table), dtype=np.bool_)
    for point in range(points):
        clock = clocks[point]
        at: Ints = np.flatnonzero(table[:, point] >= 0)
        own = sorted(
            (number, joint, turned)
            for joint, woven in enumerate(flows)
            for where, number, turned in woven.parts
            if where == point
        )
        if clock is None or not own or not len(at):
            continue
        sightings = seen[point][table[at, point]]
        columns = np.array(own, dtype=np.int64)
        found_at: Ints = np.minimum(np.searchsorted(columns[:, 0], sightings["flow"]), len(columns) - 1)
        known = columns[found_at, 0] == sightings["flow"]
        at, sightings, found_at = at[known], sightings[known], found_at[known]
        flow[at] = columns[found_at, 1]
        side[at] = sightings["side"] ^ columns[found_at, 2]
        ts_ns[at] = np.minimum(ts_ns[at], clock.reference_ns(sightings["ts_ns"]))
    for (one, other), found in matched.items():
        regrouped[rows[one][found.regrouped_there]] = True
        regrouped[rows[other][found.regrouped_here]] = True
    # what was captured twice at one point and once at the others is one packet
    alone = np.flatnonzero((table >= 0).sum(axis=1) == 1)
    for point in range(points):
        own = alone[table[alone, point] >= 0]
        flow[own[seen[point]["copy"][table[own, point]] == 1]] = -1
    kept = np.flatnonzero(flow >= 0)
    kept = kept[np.argsort(ts_ns[kept], kind="stable")]
    return Crossings(table[kept], flow[kept], side[kept], ts_ns[kept], regrouped[kept])
