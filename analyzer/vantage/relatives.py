"""Flows that are not one connection, but carry the same: before and behind a proxy, or renumbered.

A proxy ends a connection and begins another, so no packet is the same; what passed through it is. Data cannot leave a
proxy before it came to it, so what both carry also bounds how two clocks stand to each other, as packets do that pass.
It must not know the packets that were matched.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side
    from analyzer.vantage.sighting import Columns

    Ints = NDArray[np.int64]
    Record = Callable[[int], FlowRecord]

LEAST_OCTETS: Final = 16
"""How much data must be the same, some of it each way: less is the same by chance."""
LASTS_AS_LONG_NS: Final = 2_000_000_000
"""Of several that carry the same those are one that last as long, but for so much, or a part of their time."""
MOST_PIECES: Final = 256
"""So many packets with data of either end are compared."""
AT_ONCE_NS: Final = 1_000_000_000
"""Within one capture a proxy passes on within so much what came to it."""


@dataclass(frozen=True, slots=True)
class Relative:
    """A flow here that carries what a flow there does."""

    there: int
    here: int
    why: str
    """``proxy``, or ``renumbered`` if the addresses and ports are the same too."""
    way: int
    """1 if the one there is the half nearer to who began both, -1 if it is the one here, 0 if nothing tells."""
    there_ns: Ints
    """When the same data was at both points, each by its own clock."""
    here_ns: Ints
    ways: NDArray[np.int8]
    """1 for data that came from there, -1 for data that went there, 0 if nothing tells."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one end of a flow sent, packet by packet, without what it sent again."""

    ts_ns: tuple[int, ...]
    lengths: tuple[int, ...]
    digests: tuple[int, ...]
    """Of the captured bytes, and how many these are."""
    captured: tuple[int, ...]
    heads: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ts_ns)


@dataclass(frozen=True, slots=True)
class _Carried:
    """What a flow carried, the initiator's first."""

    flow: int
    record: FlowRecord
    octets: tuple[int, int]
    said: tuple[_Said, _Said]

    @property
    def heads(self) -> tuple[int, int]:
        """A digest of the beginning of each end's data."""
        return self.said[0].heads[0], self.said[1].heads[0]

    @property
    def initiator(self) -> str:
        """The address of who began it."""
        return self.record.endpoint(self.record.initiator or "a").address

    @property
    def responder(self) -> object:
        """Address and port of the other end."""
        return self.record.endpoint("b" if self.record.initiator == "a" else "a")


def relatives(
    there: Columns, here: Columns, lone_there: Iterable[int], lone_here: Iterable[int], record: tuple[Record, Record]
) -> list[Relative]:
    """Return pairs of flows, of those that only one point has, that carry the same data both ways.

    ``record`` returns the record of a flow there and here. Where several carry the same, none is told.
    """
    lone_there, lone_here = list(lone_there), list(lone_here)
    if not lone_there or not lone_here:
        return []
    known = _by_heads(_carried(here, lone_here, record[1]))
    found = []
    for heads, flows in _by_heads(_carried(there, lone_there, record[0])).items():
        others = known.get(heads, [])
        taken: set[int] = set()
        for one in flows:
            alike = [other for other in others if one.octets == other.octets and _agree(one, other)]
            same = [other for other in alike if _ends(one) == _ends(other) and _last_alike(one, other)]
            if len(same) == 1:
                found.append(_related(one, same[0], "renumbered"))
                taken |= {one.flow, same[0].flow}
        for one, other in _only_pairs([each for each in flows if each.flow not in taken], others):
            found.append(_related(one, other, "renumbered" if _ends(one) == _ends(other) else "proxy"))
    return found


def halves(seen: Columns, flows: Iterable[int], record: Record) -> list[Relative]:
    """Return pairs of flows of one capture that carry the same at the same time, by way of its host: a proxy's two.

    ``there`` is the half nearer to who began both. Where several may be one pair, none is told.
    """
    found = []
    for own in _by_heads(_carried(seen, flows, record)).values():
        pairs = [(one, other) for one in own for other in own if one is not other and _passes_on(one, other)]
        fronts, backs = [one.flow for one, _ in pairs], [other.flow for _, other in pairs]
        for one, other in pairs:
            if fronts.count(one.flow) == backs.count(other.flow) == 1 and other.flow not in fronts:
                found.append(_related(one, other, "proxy"))
    return found


def _only_pairs(flows: list[_Carried], others: list[_Carried]) -> list[tuple[_Carried, _Carried]]:
    """Return those that only each other can be.

    All of their data is the same; or, where one half was cut off, as much of it as both have.
    """
    fits: tuple[Callable[[_Carried, _Carried], bool], ...] = (
        lambda one, other: one.octets == other.octets and _agree(one, other),
        lambda one, other: one.octets == other.octets and _agree(one, other) and _last_alike(one, other),
        _begin_alike,
    )
    found: list[tuple[_Carried, _Carried]] = []
    for fit in fits:
        pairs = [(one, other) for one in flows for other in others if fit(one, other) and not _say_the_same(one, other)]
        for one, other in pairs:
            if sum(each is one for each, _ in pairs) == sum(each is other for _, each in pairs) == 1:
                found.append((one, other))
        flows = [each for each in flows if not any(each is one for one, _ in found)]
        others = [each for each in others if not any(each is other for _, other in found)]
    return found


def _say_the_same(one: _Carried, other: _Carried) -> bool:
    """Say whether two are connections of one host with one service: a program says the same in each."""
    return one.initiator == other.initiator and one.responder == other.responder and _ends(one) != _ends(other)


def _passes_on(one: _Carried, other: _Carried) -> bool:
    """Say whether what came by one flow went on by another of the same host, and what came back, too."""
    if one.initiator == other.initiator or one.responder == other.responder:
        return False
    if not (one.octets == other.octets and _agree(one, other)) and not _begin_alike(one, other):
        return False
    took_ns = [
        (later.ts_ns[0] - sooner.ts_ns[0])
        for sooner, later in ((one.said[0], other.said[0]), (other.said[1], one.said[1]))
    ]
    return all(0 <= each <= AT_ONCE_NS for each in took_ns)


def _ends(one: _Carried) -> set[object]:
    return {one.record.a, one.record.b}


def _agree(one: _Carried, other: _Carried) -> bool:
    """Say whether nothing shows that the data differs: of packets that are cut alike."""
    return all(
        _same(mine, theirs, len(mine)) for mine, theirs in zip(one.said, other.said, strict=True)
        if mine.lengths == theirs.lengths
    )  # fmt: skip


def _begin_alike(one: _Carried, other: _Carried) -> bool:
    """Say whether two flows carry the same, packet by packet, up to where the shorter of them ends."""
    common = 0
    for mine, theirs in zip(one.said, other.said, strict=True):
        count = min(len(mine), len(theirs))
        if not _same(mine, theirs, count):
            return False
        common += sum(mine.lengths[:count])
    return common >= LEAST_OCTETS


def _same(one: _Said, other: _Said, count: int) -> bool:
    """Say whether the first packets are the same, as far as both captures have them."""
    if one.lengths[:count] != other.lengths[:count]:
        return False
    return all(
        one.digests[at] == other.digests[at]
        if one.captured[at] == other.captured[at]
        else one.heads[at] == other.heads[at]
        for at in range(count)
    )


def _last_alike(one: _Carried, other: _Carried) -> bool:
    """Say whether two flows last about as long, whatever their clocks."""
    lasts = one.record.last_ns - one.record.first_ns, other.record.last_ns - other.record.first_ns
    return abs(lasts[0] - lasts[1]) <= max(LASTS_AS_LONG_NS, max(lasts) // 10)


def _related(one: _Carried, other: _Carried, why: str) -> Relative:
    """Return what two flows show of each other: when the same data was at both."""
    there: list[int] = []
    here: list[int] = []
    sent: list[int] = []
    for way, mine, theirs in zip((1, -1), one.said, other.said, strict=True):
        count = min(len(mine), len(theirs))
        count = count if _same(mine, theirs, count) else 1
        there += mine.ts_ns[:count]
        here += theirs.ts_ns[:count]
        sent += [way] * count
    there_ns, here_ns, ways = np.array(there), np.array(here), np.array(sent)
    order = np.argsort(there_ns, kind="stable")
    apart_ns = (here_ns - there_ns)[order] * ways[order]
    # data of both ends close to each other: what their clocks differ by is the same for both
    turns = np.flatnonzero(np.diff(ways[order]))
    way = int(np.sign(np.sign(apart_ns[turns] + apart_ns[turns + 1]).sum()))
    return Relative(one.flow, other.flow, why, way, there_ns, here_ns, (way * ways).astype(np.int8))


def _by_heads(carried: list[_Carried]) -> dict[tuple[int, int], list[_Carried]]:
    found: dict[tuple[int, int], list[_Carried]] = defaultdict(list)
    for each in sorted(carried, key=lambda each: each.record.first_ns):
        found[each.heads].append(each)
    return found


def _carried(seen: Columns, flows: Iterable[int], record: Record) -> list[_Carried]:
    """Return what flows carried in which both ends sent data, and of which is known who began them."""
    said = _said(seen, np.fromiter(flows, dtype=np.int64))
    found = []
    for flow in sorted({flow for flow, _ in said}):
        if (flow, 0) not in said or (flow, 1) not in said:
            continue
        told = record(flow)
        octets = told.facts_a.payload_bytes, told.facts_b.payload_bytes
        if told.initiator is None or min(octets) == 0 or sum(octets) < LEAST_OCTETS:
            continue
        sides: tuple[Side, Side] = ("a", "b") if told.initiator == "a" else ("b", "a")
        both = [("ab".index(side), octets["ab".index(side)]) for side in sides]
        found.append(_Carried(flow, told, (both[0][1], both[1][1]), (said[flow, both[0][0]], said[flow, both[1][0]])))
    return found


def _said(seen: Columns, flows: Ints) -> dict[tuple[int, int], _Said]:
    """Return, by flow and side, the first packets with data that each end sent."""
    if not len(flows) or not len(seen):
        return {}
    asked = np.zeros(1 + max(int(flows.max()), int(seen["flow"].max())), dtype=np.bool_)
    asked[flows] = True
    data = seen[asked[seen["flow"]] & (seen["payload_len"] > 0) & (seen["head"] != 0)]
    order = np.lexsort((data["ts_ns"], data["seq"], data["side"], data["flow"]))
    data = data[order]
    end = 2 * data["flow"] + data["side"]
    again = (np.diff(end, prepend=-1) == 0) & (np.diff(data["seq"], prepend=-1) == 0)
    data = data[np.flatnonzero(~again)]
    data = data[np.lexsort((data["ts_ns"], data["side"], data["flow"]))]
    end = 2 * data["flow"] + data["side"]
    starts = np.flatnonzero(np.diff(end, prepend=-1)).tolist()
    names = ("ts_ns", "payload_len", "digest", "captured", "head")
    found = {}
    for start, behind in zip(starts, [*starts[1:], len(end)][: len(starts)], strict=True):
        stop = min(behind, start + MOST_PIECES)
        found[divmod(int(end[start]), 2)] = _Said(*(tuple(data[name][start:stop].tolist()) for name in names))
    return found
