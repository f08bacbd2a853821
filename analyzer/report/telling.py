"""What is told of flows, some at a time: few are judged, and what is told of others that are alike is made.

Of each shape (``judge.alike``) that is not known a few are told; then it is asked again of which flows texts can be
made by now. Flows that are like no other are told one by one.

It must not know what is told, or how it is written.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge import recording
from analyzer.judge.alike import NAMED, Traced
from analyzer.judge.later import Later
from analyzer.report.patterns import ENOUGH, Patterns
from analyzer.track.flow import SIDES, address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from analyzer.judge.alike import Likenesses
    from analyzer.judge.judged import Finding, JudgedFlow
    from analyzer.judge.record import Names
    from analyzer.report.bulk import ManyFlows

FIRST_TOLD: Final = 2 * ENOUGH
"""How many flows of a shape are told before it is asked whether the others need be."""


def _nothing(at: int, judged: JudgedFlow) -> None:
    """Look at nothing else of a flow that was told."""


class Telling:
    """Tells flows, and keeps what it learned of those before."""

    def __init__(self) -> None:
        """Know nothing."""
        self._patterns = Patterns()

    def texts(
        self,
        flows: ManyFlows,
        text: Callable[[JudgedFlow], str],
        who: Names | None = None,
        *,
        alike: bool = True,
        see: Callable[[int, JudgedFlow], None] = _nothing,
        brief: Callable[[int, Finding], str | None] | None = None,
    ) -> list[str | None]:
        """Return the ``text`` of each flow; None of those of which there are no words.

        It is the same function each time. ``who`` says who they are, if that is known. Unless they are looked at as
        ``alike``, all are told. ``see`` gets those that were told, with their places; beside the others there is
        nothing that bears on them. ``brief`` gives the same text of a flow of which there is nothing to tell but one
        finding, if it can.
        """
        found: list[str | None] = [None] * len(flows)
        places = flows.worth_words
        if brief is not None and (short := flows.brief):
            for at, finding in short:
                found[at] = brief(at, finding)
            places = np.array([at for at in places.tolist() if found[at] is None], dtype=np.int64)
        if not len(places):
            return found
        if not (alike and self._patterns.pay):
            for at, judged in zip(places.tolist(), flows.judged(places, Later), strict=True):
                found[at] = text(judged)
                see(at, judged)
            return found
        some = _Some(flows, places, who)
        most = FIRST_TOLD
        while len(places):
            now, later = [places[some.likes.group[places] < 0]], [places[:0]]
            for key, alike_ in self._by_key(some.likes, places):
                fine = np.zeros(len(alike_), dtype=np.bool_)
                if self._patterns.knows(key):
                    fine, texts = self._patterns.texts(key, *some.differing(alike_))
                    for at, made in zip(alike_[fine].tolist(), texts, strict=True):
                        found[at] = made
                rest = alike_[~fine]
                few = len(rest) if self._patterns.is_told(key) else most
                now.append(rest[:few])
                later.append(rest[few:])
            places = np.sort(np.concatenate(now))
            told = flows.judged(places, Traced)
            for at in places.tolist():
                Traced.asked.clear()
                judged = next(told)
                found[at] = own = text(judged)
                self._learn(some, at, own, asked=bool(Traced.asked))
                see(at, judged)
            places, most = np.concatenate(later), 2 * most
        return found

    def _by_key(self, likes: Likenesses, places: NDArray[np.int64]) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
        """Yield the places of flows that are alike, with what is known of them is kept by."""
        for group, of_shape in _sorted_in(places, likes.group[places]):
            if group < 0:
                continue
            shape = likes.shapes[group]
            if not self._patterns.depends_on_end(shape):
                yield shape, of_shape
                continue
            for until_ns, some in _sorted_in(of_shape, likes.until_ns[of_shape]):
                yield shape + np.int64(until_ns).astype("<i8").tobytes(), some

    def _learn(self, some: _Some, at: int, text: str, *, asked: bool) -> None:
        """Learn from the text of a flow that was told; ``asked`` says that it depends on when the capture ended."""
        shape = some.likes.shape_of(at)
        if shape is None or not self._patterns.meets(shape, some.likes.until_of(at), asked=asked):
            return
        like = some.likes.of(at)
        assert like is not None, "it has a shape"
        addresses, numbers = some.differing(np.array([at]))
        self._patterns.take(like, text, [each[0] for each in addresses], numbers[0].tolist())


class _Some:
    """Flows of which some are alike."""

    def __init__(self, flows: ManyFlows, wanted: NDArray[np.int64], who: Names | None) -> None:
        """Take flows of which those at these places are asked for, and who they are, if that is known."""
        self.likes = flows.likenesses(wanted)
        self._facts = flows.facts
        self._flow = flows.facts.flow
        self._known = who
        self._ports = np.column_stack([self._flow[f"{side}_port"] for side in SIDES]).astype(np.int64)
        self._counts = (self.likes.frames > 0).sum(axis=1)

    @cached_property
    def _who(self) -> Names:
        return self._known or recording.names(self._facts)

    def differing(self, places: NDArray[np.int64]) -> tuple[list[list[str]], NDArray[np.int64]]:
        """Return all addresses and all numbers of flows that are alike: in what else they may differ."""
        some = places.tolist()
        addresses = [[each[at] for at in some] for each in (self._who.a, self._who.b)] + [[""] * len(some)]
        ports = self._ports[places]
        numbers = [self.likes.frames[places, : self._counts[places[0]]], ports]
        flow = self._flow[places]
        for name in NAMED:
            if flow[name][0]:  # another flow is named
                numbers.append(np.stack([flow[name] - 1, flow[f"{name}_port"]], axis=1))
                there = (flow[part].tolist() for part in (f"{name}_hi", f"{name}_lo", "ip_version"))
                addresses[2] = list(map(address_of, *there))
        return addresses, np.hstack(numbers)


def _sorted_in(places: NDArray[np.int64], by: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield places that have the same value, in order, with the value."""
    order = np.argsort(by, kind="stable")
    ordered = by[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    yield from zip(ordered[starts].tolist(), np.split(places[order], starts[1:]), strict=True)
