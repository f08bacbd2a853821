"""``FlowsTogether``: some flows of a capture, of several batches, searched, judged and written together.

What numpy costs is paid once for all of them, and nothing is made an object of but what somebody asks for.

It must not know where flows come from, or how anything is written.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer import causes, findings
from analyzer.distinct import distinct
from analyzer.judge import verdict
from analyzer.judge.portions import portions
from analyzer.judge.verdict import VERDICTS
from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.findings import FindingKind, Hits, Piece, Row
    from analyzer.judge.alike import Likenesses
    from analyzer.judge.facts import Facts
    from analyzer.judge.judged import Finding, JudgedFlow
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.table import Table
    from analyzer.judge.timers.many import ManySettings
    from analyzer.judge.timers.settings import BothSettings

SEARCHED: Final = 4096
"""This many flows, of several batches, are searched for findings together: a search alone costs milliseconds."""

GATHERED: Final = 2048
"""This many flows, of several batches, wait until they are searched, judged and written together."""

WRITTEN: Final = 4096
"""This many flows are searched, judged and written together, if they have not too many rows.

Twice ``GATHERED``: flows that wait until there are that many are nearly always one part, without a small rest. A part
costs milliseconds before anything of it is written, however small it is."""
LARGE: Final = 4096
"""A flow of so many notable segments takes long to judge, so that it stays judged until a few others were."""
MOST_OF: Final = 8
"""If more than such a part of some flows is judged, settings are inferred of all of them together."""
PACKED: Final = 7
"""Maximum number of findings of a flow that are one number, a byte each."""
ROWS: Final = 65_536
"""This many rows of flows are looked at together at most, but for those of one flow: memory is bounded."""


class OneFlow(NamedTuple):
    """A flow to be written by itself."""

    capture: int
    judged: JudgedFlow


@cache
def _is_questioned() -> NDArray[np.bool_]:
    """Return, by row of VERDICTS, whether there is a cause, whatever was noted beside the flow."""
    from analyzer.judge.scene import QUESTIONED

    return np.array([rule.verdict in QUESTIONED for rule in VERDICTS])


@cache
def _may_have_cause() -> NDArray[np.bool_]:
    """Return whether there may be a cause but for what was noted beside the flow.

    By whether a silence that was not survived is long, and by row of VERDICTS.
    """
    return np.array([[causes.may_have(rule.verdict, is_long=long) for rule in VERDICTS] for long in (False, True)])


@cache
def _brief() -> dict[int, tuple[FindingKind, Row]]:
    """Return, by place in ROWS, findings that need no record, and are no cause."""
    return {
        at: (kind, row)
        for at, (kind, row) in enumerate(findings.ROWS)
        if row.of_many is not None
        and kind.words is not None
        and kind.scope is findings.Scope.FLOW
        and not any(kind.code in cause.needs for cause in causes.CAUSES)
    }


class FlowsTogether:
    """Some flows of one capture; there is one at least."""

    def __init__(
        self,
        capture: int,
        pieces: Sequence[Piece],
        hits: Hits | None = None,
        keep: Callable[[int, JudgedFlow], None] | None = None,
    ) -> None:
        """Take flows of batches, each with the rows of VERDICTS that won; they are searched when somebody asks.

        ``hits`` is what was found in them, in the same order, if that is known. ``keep`` gets those that took long to
        judge, with their places.
        """
        self.capture = capture
        self._pieces = pieces
        self._keep = keep
        if hits is not None:
            self.hits = hits

    def __len__(self) -> int:
        """Return the number of flows."""
        return sum(len(picked) for _, _, picked in self._pieces)

    @cached_property
    def hits(self) -> Hits:
        """What was found in these flows."""
        first, *more = self._pieces
        return findings.search(findings.Columns(*first, more=more))

    @cached_property
    def facts(self) -> Facts:
        """Their facts as columns."""
        from analyzer.judge.facts import Facts

        return Facts(*((batch, picked) for batch, _, picked in self._pieces))

    @cached_property
    def winners(self) -> NDArray[np.int8]:
        """The rows of VERDICTS that won them."""
        return np.concatenate([winners[picked] for _, winners, picked in self._pieces])

    @cached_property
    def endings(self) -> Table:
        """How they ended, as columns."""
        return verdict.ending_table(self.facts.flow, self.facts.ends, self.facts.ending, self.winners)

    @cached_property
    def settings(self) -> ManySettings:
        """What is inferred of their socket options."""
        from analyzer.judge.timers.many import ManySettings

        return ManySettings(self.facts, self.endings)

    @cached_property
    def probed(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """In which of them a sent probes, of whatever certainty, and in which b did."""
        a, b = (
            np.concatenate([getattr(batch, run)["probes"][picked] > 0 for batch, _, picked in self._pieces])
            for run in ("run_a", "run_b")
        )
        return a, b

    @cached_property
    def worth_telling(self) -> NDArray[np.int64]:
        """The places of those in which something was found, or of which settings or a cause can be inferred."""
        a, b = self.probed
        return np.flatnonzero(a | b | self._has_words)

    @property
    def worth_words(self) -> NDArray[np.int64]:
        """The places of those of which there are words: what was found, a cause, or what bears on how they ended."""
        return np.flatnonzero(self._has_words)

    @cached_property
    def brief(self) -> list[tuple[int, Finding]]:
        """Those of which there are no words but of one finding that columns have, by their places, with it."""
        from analyzer.judge.judged import Finding

        places = np.flatnonzero((self.hits.counts() == 1) & ~self._is_asked)
        rows = self.hits.row[self.hits.start[places]]
        found: list[tuple[int, Finding]] = []
        for row, (kind, each) in _brief().items():
            at = places[rows == row]
            if len(at) and each.of_many is not None:
                told = zip(at.tolist(), each.of_many(self.facts, self.endings, at), strict=True)
                found += [(place, Finding(kind.code, None, frames, data)) for place, (frames, data) in told]
        return found

    @property
    def _has_words(self) -> NDArray[np.bool_]:
        return np.asarray(self._is_asked | (self.hits.counts() > 0), dtype=np.bool_)

    @cached_property
    def _is_asked(self) -> NDArray[np.bool_]:
        """In which of them there may be a cause or a witness, whatever was found in them."""
        noted = [np.isin(batch.flow["number"][at], batch.beside["flow"]) for batch, _, at in self._pieces]
        asked = np.concatenate(noted) | _is_questioned()[self.winners] | (np.diff(self.facts.icmp_errors.start) > 0)
        is_long = self.facts.flow["trial_ns"] >= causes.TRIAL_LEAST_NS
        may = _may_have_cause()[is_long.astype(np.int64), self.winners]
        return np.asarray(asked | may, dtype=np.bool_)

    def telling(self) -> Iterator[tuple[int, JudgedFlow]]:
        """Yield those that are worth telling, and their places.

        They come in order. None is held on to: where many are, Python looks through them for cycles again and again.
        """
        places = self.worth_telling
        return zip(places.tolist(), self.judged(places), strict=True)

    def likenesses(self, wanted: NDArray[np.int64]) -> Likenesses:
        """Return which of those at these places are alike: their verdicts, and what was found in them, too."""
        from analyzer.judge.alike import likenesses

        facts = self.facts
        flow = facts.flow
        same = (flow["a_hi"] == flow["b_hi"]) & (flow["a_lo"] == flow["b_lo"])
        more = {
            "version": flow["ip_version"].astype(np.int64),
            "same_address": same.astype(np.int64),
            "same_port": (flow["a_port"] == flow["b_port"]).astype(np.int64),
            "found": _packed(self.hits),
        }
        return likenesses(facts, more.items(), self.endings, wanted)

    @cached_property
    def told(self) -> dict[int, JudgedFlow]:
        """Those of which there is something to tell, by their places."""
        return dict(self.telling())

    @property
    def verdicts(self) -> set[str]:
        """Their verdicts."""
        return {VERDICTS[rule].verdict.value for rule in distinct(self.winners).tolist()}

    def take(self, places: NDArray[np.int64]) -> FlowsTogether:
        """Return those at these places, in order; at one at least."""
        stops = np.cumsum([len(picked) for _, _, picked in self._pieces])
        parts = np.split(places, np.searchsorted(places, stops))
        pieces = [
            (batch, winners, picked[part - (stop - len(picked))])
            for (batch, winners, picked), part, stop in zip(self._pieces, parts, stops.tolist(), strict=False)
            if len(part)
        ]
        return FlowsTogether(self.capture, pieces, self.hits.take(places))

    def alone(self) -> FlowsTogether:
        """Return the same flows without the others of their batches: what another process needs of them."""
        pieces = [
            piece if len(piece[2]) == len(piece[0]) else (piece[0].take(piece[2]), piece[1][piece[2]], _all(piece[2]))
            for piece in self._pieces
        ]
        return FlowsTogether(self.capture, pieces, vars(self).get("hits"))

    def parts(self, places: NDArray[np.int64]) -> Iterator[FlowsTogether]:
        """Yield the flows at these places, in order, as many at a time as are worth being looked at together."""
        sizes = np.concatenate([np.diff(batch.start)[picked] for batch, _, picked in self._pieces])[places]
        for part in portions(sizes, rows=ROWS, flows=WRITTEN):
            yield self if part == slice(0, len(self)) else self.take(places[part])

    def judged(self, places: NDArray[np.int64], record: type[FlowRecord] | None = None) -> Iterator[JudgedFlow]:
        """Yield the flows at these places, in order, with everything that was concluded about them.

        ``record`` is the class of their records, if it is a special one.
        """
        from analyzer.judge import recording
        from analyzer.judge.record import FlowRecord

        sizes = np.diff(self.facts.start)[places]
        many = "settings" in vars(self) or len(places) * MOST_OF >= len(self)  # else settings are inferred of some
        for part in portions(sizes):
            some = self.take(places[part])
            inferred = map(self.settings.both, places[part].tolist()) if many else some.both_settings()
            endings = verdict.endings_of(some.endings)
            each = zip(
                recording.records(some.facts, record or FlowRecord), endings, some.hits.each(), inferred, strict=True
            )
            for one, ending, has, settings in each:
                judged = causes.explained(findings.judge(one, ending, has, settings))
                if self._keep is not None and len(some) == 1 and sizes[part.start] >= LARGE:
                    judged = replace(judged, inferred=(judged.settings("a"), judged.settings("b")))
                    self._keep(int(places[part.start]), judged)
                yield judged

    def with_settings(self) -> Iterator[JudgedFlow]:
        """Yield all of them with what is inferred of socket options, and nothing of what was found in them, or why."""
        from analyzer.judge import recording

        endings = verdict.endings_of(self.endings)
        each = zip(recording.records(self.facts), endings, self.both_settings(), strict=True)
        for record, ending, settings in each:
            yield findings.judge(record, ending, (), settings)

    def both_settings(self) -> Iterator[BothSettings]:
        """Yield what is inferred of both endpoints of each."""
        return map(self.settings.both, range(len(self)))

    def __iter__(self) -> Iterator[OneFlow]:
        """Yield all of them, judged."""
        return (OneFlow(self.capture, judged) for judged in self.judged(np.arange(len(self))))


def _all(picked: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of so many flows."""
    return np.arange(len(picked))


def _packed(hits: Hits) -> NDArray[np.int64]:
    """Return what was found in each flow as one number; if it is too much for one, a number that no other flow has."""
    counts = hits.counts()
    behind = hits.start[hits.flow + 1] - 1 - np.arange(len(hits.flow))  # so many entries of the same flow follow
    octets = (1 + len(SIDES) * hits.row + hits.side) << (8 * np.minimum(behind, PACKED))
    sums = np.concatenate(([0], np.cumsum(octets)))  # wraps, and so does the difference
    return np.where(counts > PACKED, -1 - np.arange(len(counts)), sums[hits.start[1:]] - sums[hits.start[:-1]])
