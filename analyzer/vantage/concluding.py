"""The connections that several points saw, each concluded when somebody looks at it.

It must not know what became of a packet, or hold a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Final, overload

import numpy as np

from analyzer.vantage.conclusion import Conclusion
from analyzer.vantage.joint import Crossings, JointFlow, Part
from analyzer.vantage.packets import Packets
from analyzer.vantage.sameness import differs
from analyzer.vantage.weaving import WovenFlow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from numpy.typing import NDArray

    from analyzer.judge.judged import JudgedFlow
    from analyzer.vantage.forgotten import Forgotten
    from analyzer.vantage.joint import Point
    from analyzer.vantage.settled import Settled
    from analyzer.vantage.sighting import Columns
    from analyzer.vantage.weaving import Woven

    Ints = NDArray[np.int64]

MADE: Final = 256
"""Maximum number of connections that stay concluded."""


class JointFlows(Sequence[JointFlow]):
    """The connections that several points saw, in order of time; each is concluded when it is looked at."""

    def __init__(
        self,
        woven: Woven,
        seen: Sequence[Columns],
        points: Sequence[Point],
        judged: Callable[[int, int], JudgedFlow],
        forgotten: Forgotten | None = None,
        settled: Settled | None = None,
        ahead: Callable[[int, list[int]], None] | None = None,
    ) -> None:
        """Take what was woven, and what was counted before; ``judged`` returns the flow with a number at a point.

        ``ahead`` is told of a point the numbers of flows that will be asked for next: together they take less time.
        Behind the flows that were woven come those that were settled, of the first points of two captures.
        """
        self._woven, self._seen, self._points, self._judged = woven, seen, points, judged
        self._forgotten, self._settled, self._ahead = forgotten, settled, ahead
        self._ends = 0, next((at for at, point in enumerate(points) if point.capture == 1), 0)
        crossings = woven.crossings
        self._rows = np.argsort(crossings.flow, kind="stable")
        self._bounds = np.searchsorted(crossings.flow[self._rows], np.arange(len(woven.flows) + 1))
        starts, stops = self._bounds[:-1], self._bounds[1:]
        first = np.zeros(len(woven.flows), dtype=np.int64)
        having = stops > starts
        first[having] = crossings.ts_ns[self._rows[starts[having]]]
        began = np.concatenate([first, self._settled_ns(), self._counted_ns()])
        self._order = np.argsort(began, kind="stable")
        self._left = len(woven.flows) + (len(settled) if settled else 0)
        """So many of what is in order can be looked at; the others were forgotten."""
        counted = settled.counted if settled is not None else None
        self._more = counted.quiet + counted.eventful if counted is not None else 0
        self._made: dict[int, JointFlow] = {}

    def __len__(self) -> int:
        return len(self._order) + self._more

    @overload
    def __getitem__(self, number: int) -> JointFlow: ...

    @overload
    def __getitem__(self, number: slice) -> list[JointFlow]: ...

    def __getitem__(self, number: int | slice) -> JointFlow | list[JointFlow]:
        """Return a connection by its number, or some."""
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        number = range(len(self))[number]
        if number >= len(self._order) or self._order[number] >= self._left:
            raise KeyError(number)  # forgotten
        if number not in self._made:
            while len(self._made) >= MADE:
                del self._made[next(iter(self._made))]
            self._made[number] = self._conclude(number)
        return self._made[number]

    def look_again(self) -> None:
        """Conclude all connections anew: more is known of the points."""
        self._made.clear()

    def each(self, numbers: Sequence[int]) -> Iterator[JointFlow]:
        """Yield the connections with these numbers, which are looked at some at a time."""
        for first in range(0, len(numbers), MADE):
            some = numbers[first : first + MADE]
            if self._ahead is not None:
                asked: dict[int, list[int]] = {}
                for number in some:
                    for point, flow in self._ends_of(int(self._order[number])):
                        asked.setdefault(point, []).append(flow)
                for point, flows in asked.items():
                    self._ahead(point, flows)
            yield from map(self.__getitem__, some)

    def by_first_flow(self) -> dict[int, int]:
        """Return the connections' numbers by those of their flows at their first points; none is concluded for that."""
        return {self._ends_of(at)[0][1]: number for number, at in self._numbered()}

    def _numbered(self) -> Iterator[tuple[int, int]]:
        """Yield the number of each connection that is left, and which it is."""
        return ((number, at) for number, at in enumerate(self._order.tolist()) if at < self._left)

    def __iter__(self) -> Iterator[JointFlow]:
        """Yield all connections in order."""
        return self.each(range(len(self)))

    def _ends_of(self, at: int) -> list[tuple[int, int]]:
        """Return points and numbers of the flows of a connection."""
        if at < len(self._woven.flows):
            return [(point, flow) for point, flow, _ in self._woven.flows[at].parts]
        at -= len(self._woven.flows)
        return [(point, int(flows[at])) for point, flows in zip(self._ends, self._sides(), strict=True)]

    def _conclude(self, number: int) -> JointFlow:
        at = int(self._order[number])
        if at >= len(self._woven.flows):
            return self._conclude_settled(number, at - len(self._woven.flows))
        woven, rows = self._woven.flows[at], self._rows[self._bounds[at] : self._bounds[at + 1]]
        parts = tuple(Part(point, there, flipped, self._judged(point, there)) for point, there, flipped in woven.parts)
        gone = self._forgotten.of(woven.parts) if self._forgotten else None
        covers = (gone[0].covers, gone[1].covers) if gone else None
        packets = Packets(woven, self._woven.crossings, rows, self._seen, self._points, covers)
        return Conclusion(number, woven, parts, packets, self._seen, gone, self._judged).joint()

    def _conclude_settled(self, number: int, at: int) -> JointFlow:
        """Conclude a connection of which what begins and ends it is left."""
        settled = self._settled
        assert settled is not None
        here, flipped = int(settled.here[at]), bool(settled.flipped[at])
        rows = np.arange(settled.start[at], settled.start[at + 1])
        ends = ((self._ends[0], int(settled.there[at]), False), (self._ends[1], here, flipped))
        way = int(settled.way[at])
        by = "" if way == 0 else "ttl" if settled.by_hops[at] else "time"
        woven = WovenFlow(ends, () if way == 0 else self._ends[::way], by)
        seen: list[Columns] = list(self._seen)
        table = np.full((len(rows), len(seen)), -1, dtype=np.int64)
        ts_ns = np.full(len(rows), np.iinfo(np.int64).max, dtype=np.int64)
        for point, columns in zip(self._ends, settled.seen, strict=True):
            seen[point] = columns[rows]
            table[:, point] = np.arange(len(rows))
            clock = self._points[point].clock
            assert clock is not None
            ts_ns = np.minimum(ts_ns, clock.reference_ns(seen[point]["ts_ns"]))
        side = seen[self._ends[0]]["side"]
        crossings = Crossings(table, np.zeros(len(rows), np.int64), side, ts_ns, np.zeros(len(rows), np.bool_))
        parts = tuple(Part(point, flow, turned, self._judged(point, flow)) for point, flow, turned in ends)
        gone = self._forgotten.of(ends) if self._forgotten else None
        packets = Packets(woven, crossings, np.argsort(ts_ns, kind="stable"), seen, self._points)
        return Conclusion(number, woven, parts, packets, seen, gone, self._judged).joint()

    def _settled_ns(self) -> Ints:
        """Return when each of the settled connections began, by the reference."""
        if not self._settled:
            return np.zeros(0, dtype=np.int64)
        starts = self._settled.start[:-1]
        return self._began_ns([seen["ts_ns"][starts] for seen in self._settled.seen])

    def _counted_ns(self) -> Ints:
        """Return the same of connections of which nothing else is left."""
        if self._settled is None or self._settled.counted is None:
            return np.zeros(0, dtype=np.int64)
        return self._began_ns(self._settled.counted.began_ns)

    def _began_ns(self, times: Sequence[Ints]) -> Ints:
        """Return when connections began, by the reference, of when that was at the two points by their clocks."""
        clocks = [self._points[point].clock for point in self._ends]
        told = [clock.reference_ns(each) for clock, each in zip(clocks, times, strict=True) if clock is not None]
        began: Ints = np.minimum.reduce(told)
        return began

    def parts_at(self, point: int) -> Ints:
        """Return the numbers of all flows of a point that are part of a connection."""
        own = [flow for woven in self._woven.flows for at, flow, _ in woven.parts if at == point]
        found = [np.array(own, dtype=np.int64)]
        if self._settled:
            found += [each for at, each in zip(self._ends, self._sides(), strict=True) if at == point]
        return np.concatenate(found)

    def numbers_of(self, asked: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Return the numbers of the connections of which these, point and number of the flow there, are parts."""
        return {part: number for number, at in self._numbered() for part in self._ends_of(at) if part in asked}

    def _sides(self) -> tuple[Ints, Ints]:
        assert self._settled is not None
        return self._settled.there, self._settled.here

    def lasting(self, least_ns: int) -> list[int]:
        """Return the numbers of the connections, of those that were woven, that packets passed in for so long."""
        crossings, many = self._woven.crossings, len(self._woven.flows)
        first = np.full(many, np.iinfo(np.int64).max, dtype=np.int64)
        last = np.zeros(many, dtype=np.int64)
        np.minimum.at(first, crossings.flow, crossings.ts_ns)
        np.maximum.at(last, crossings.flow, crossings.ts_ns)
        until = np.array([self._woven_until(woven) for woven in self._woven.flows], dtype=np.int64)
        long = np.maximum(last, until) - first >= least_ns
        long = np.concatenate([long, np.zeros(len(self._order) - many, dtype=np.bool_)])
        return np.flatnonzero(long[self._order]).tolist()

    def _woven_until(self, woven: WovenFlow) -> int:
        """Return when the last of the captures ended that have a connection."""
        return max(self._points[point].last_ns for point, _, _ in woven.parts)

    def eventful(self, told: Sequence[Ints]) -> list[int]:
        """Return the numbers of the connections in which something happened.

        That is a packet that is not at all points or is another behind one, or a flow with something to tell: ``told``
        are the numbers of these, point by point.
        """
        crossings = self._woven.crossings
        odd = np.zeros(len(self._woven.flows), dtype=np.bool_)
        missing = ~crossings.regrouped
        present = np.zeros((len(self._woven.flows), len(self._points)), dtype=np.bool_)
        tell = [set(each.tolist()) for each in told]
        for at, woven in enumerate(self._woven.flows):
            present[at, [part[0] for part in woven.parts]] = True
            odd[at] = any(flow in tell[point] for point, flow, _ in woven.parts)
        missing &= ((crossings.seen < 0) & present[crossings.flow]).any(axis=1)
        odd[crossings.flow[missing]] = True
        for one, other in combinations(range(len(self._points)), 2):
            both = np.flatnonzero((crossings.seen[:, one] >= 0) & (crossings.seen[:, other] >= 0))
            sightings = self._seen[one][crossings.seen[both, one]], self._seen[other][crossings.seen[both, other]]
            odd[crossings.flow[both[differs(*sightings)]]] = True
        if self._settled:
            settled = [np.isin(each, told[at]) for at, each in zip(self._ends, self._sides(), strict=True)]
            odd = np.concatenate([odd, settled[0] | settled[1]])
        odd = np.concatenate([odd, np.zeros(len(self._order) - len(odd), dtype=np.bool_)])
        return np.flatnonzero(odd[self._order]).tolist()
