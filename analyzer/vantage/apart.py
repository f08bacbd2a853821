"""Flows that are not one connection at several points: which one point alone has, and which carry what others do.

What two connections carry also says how the clocks of captures stand to each other that share no packet.

It must not know fates, or words.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from analyzer.values import dataclass
from analyzer.vantage.clock import Clock, clock_of
from analyzer.vantage.joint import Half, Halves, Lone
from analyzer.vantage.relatives import halves, relatives

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from analyzer.judge.record import FlowRecord
    from analyzer.vantage.joint import Judgeable
    from analyzer.vantage.relatives import Relative
    from analyzer.vantage.sighting import Columns

    Ints = NDArray[np.int64]
    NumbersOf = Callable[[Collection[tuple[int, int]]], dict[tuple[int, int], int]]

MOST_LONE: Final = 5_000
"""Of more flows that one capture alone has, nobody looks for those that carry the same."""
MOST_WITHIN: Final = 500
"""Nor in a capture with more flows for two that are a proxy's."""


class Read(Protocol):
    """A capture that was read."""

    @property
    def flows(self) -> Mapping[int, Judgeable]:
        """Its flows."""
        ...

    @property
    def forgotten(self) -> int:
        """How many more it had."""
        ...


@dataclass(frozen=True, slots=True)
class Pair:
    """Flows of two captures, or of one, that carry the same."""

    one: int
    other: int
    """The captures."""
    found: Relative


def _is_causal(found: Relative) -> bool:
    """Say whether one clock here fits all that both flows carry: nothing was passed on before it came.

    Two that carry the same by chance, at other times, have no such clock.
    """
    return len(clock_of(found.there_ns, found.here_ns, found.ways).pieces) == 1


class Apart:
    """What captures have that is not joined."""

    def __init__(self, read: Sequence[Read], seen: Sequence[Columns], taken: Sequence[Ints]) -> None:
        """Look through captures, of whose flows those in ``taken`` are joined."""
        self._flows = [each.flows for each in read]
        self._own = [
            np.setdiff1d(np.fromiter(flows, dtype=np.int64), joint).tolist()
            for flows, joint in zip(self._flows, taken, strict=True)
        ]
        self.pairs: list[Pair] = []
        self.first_is_beyond = False
        """Whether the first capture, whose clock is the reference, is beyond a proxy, and the others have no other."""
        for one, other in combinations(range(len(read)), 2):
            if len(self._own[one]) + len(self._own[other]) > MOST_LONE:
                continue
            records = self._record_in(one), self._record_in(other)
            found = relatives(seen[one], seen[other], self._own[one], self._own[other], records)
            self.pairs += [Pair(one, other, each) for each in found if _is_causal(each)]
        for capture, joint in enumerate(taken):
            if len(joint) or any(capture in (pair.one, pair.other) for pair in self.pairs):
                continue
            beyond = self._beyond_a_proxy(capture, seen)
            self.pairs += beyond if capture else []
            self.first_is_beyond |= bool(beyond) and not capture
        for capture, flows in enumerate(self._flows):
            if len(flows) + read[capture].forgotten <= MOST_WITHIN:
                found = halves(seen[capture], flows, self._record_in(capture))
                self.pairs += [Pair(capture, capture, each) for each in found]

    def _beyond_a_proxy(self, stranger: int, seen: Sequence[Columns]) -> list[Pair]:
        """Return pairs of a capture that shares nothing with the others, and of the first that carries what it does.

        What that has may be joined with others: they have the same half of what the proxy passes on.
        """
        for one, flows in enumerate(self._flows):
            if one == stranger or len(flows) + len(self._own[stranger]) > MOST_LONE:
                continue
            records = self._record_in(one), self._record_in(stranger)
            found = relatives(seen[one], seen[stranger], flows, self._own[stranger], records)
            if pairs := [Pair(one, stranger, each) for each in found if _is_causal(each)]:
                return pairs
        return []

    def _record_in(self, capture: int) -> Callable[[int], FlowRecord]:
        return lambda flow: self._flows[capture][flow].judged.record

    def clocks(self, known: Sequence[Clock | None]) -> dict[int, Clock]:
        """Return the clocks, by capture, that data shows and packets do not; ``known`` are those that these show."""
        told = {capture: clock for capture, clock in enumerate(known) if clock is not None}
        new: dict[int, Clock] = {}
        apart = [pair for pair in self.pairs if pair.one != pair.other]
        for _ in known:
            for start, asked in sorted(
                {(each.one, each.other) for each in apart} | {(each.other, each.one) for each in apart}
            ):
                if asked in told or start not in told:
                    continue
                own = [each.found for each in apart if (each.one, each.other) == (start, asked)]
                turned = [each.found for each in apart if (each.other, each.one) == (start, asked)]
                samples = [(each.there_ns, each.here_ns, each.ways) for each in own]
                samples += [(each.here_ns, each.there_ns, -each.ways) for each in turned]
                there_ns, here_ns, ways = (np.concatenate(each) for each in zip(*samples, strict=True))
                told[asked] = new[asked] = clock_of(told[start].reference_ns(there_ns), here_ns, ways)
        return new

    def lone(self, first_point: Sequence[int]) -> list[Lone]:
        """Return the flows that one capture alone has; ``first_point`` is the first point of each capture."""
        kin: dict[tuple[int, int], tuple[str, int, int]] = {}
        for pair in self.pairs:
            if pair.one != pair.other:
                kin.setdefault((pair.one, pair.found.there), (pair.found.why, first_point[pair.other], pair.found.here))
                kin.setdefault((pair.other, pair.found.here), (pair.found.why, first_point[pair.one], pair.found.there))
        return [
            Lone(first_point[at], number, self._flows[at][number], *kin.get((at, number), ("absent", None, None)))
            for at, numbers in enumerate(self._own)
            for number in numbers
        ]

    def halves(self, first_point: Sequence[int], home: Sequence[int], numbers_of: NumbersOf) -> list[Halves]:
        """Return the pairs; ``home`` is the capture of each point.

        ``numbers_of`` returns, of points and numbers of flows there, those of the joint connections that have them.
        """
        if not self.pairs:
            return []
        asked = {
            (point, flow): (capture, flow)
            for pair in self.pairs
            for capture, flow in ((pair.one, pair.found.there), (pair.other, pair.found.here))
            for point, own in enumerate(home)
            if own == capture
        }
        joint = {asked[part]: number for part, number in numbers_of(asked).items()}

        def half(capture: int, flow: int) -> Half:
            return Half(first_point[capture], flow, self._flows[capture][flow], joint.get((capture, flow)))

        found = []
        for pair in self.pairs:
            front, back = half(pair.one, pair.found.there), half(pair.other, pair.found.here)
            ordered = pair.found.why == "proxy" and pair.found.way != 0
            if ordered and pair.found.way < 0:
                front, back = back, front
            found.append(Halves(front, back, pair.found.why, ordered))
        return found
