"""Flows as they are taken in: counted, searched for findings, and kept, as columns; or let go but for a line.

It must not judge a flow, or know where flows come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

import numpy as np

from analyzer import findings
from analyzer.findings.notable import is_notable, may_be_notable
from analyzer.judge import verdict
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.kept_flows import Flow, Kept
from analyzer.loops.loop import pick, stacked
from analyzer.survey import by_service, overview
from analyzer.survey.found import Findings
from analyzer.survey.hosts import HostSums
from analyzer.survey.limits import IdleTrials
from analyzer.survey.overview import CaptureSummary, Totals
from analyzer.survey.selection import Selection
from analyzer.survey.shared import SharedFlows
from analyzer.together import GATHERED, SEARCHED, FlowsTogether
from analyzer.track.flow import endpoints_of
from analyzer.track.held import Limits
from analyzer.units import Clock, Zero

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch

FEW: Final = 0.5
"""If only such a part of the flows of a batch is looked at, they are copied out of it first."""
FOLD: Final = 16384
"""This many lines of flows may come before those that nobody can look at are folded."""


class Holding:
    """The flows of one or more captures that are held on to."""

    def __init__(
        self,
        *,
        keep_all: bool = True,
        most: int | None = None,
        select: Selection | None = None,
        only_findings: bool = False,
        count_findings: bool = False,
        limits: Limits | None = None,
        clock: Clock = Clock.RELATIVE,
        alone: bool = False,
    ) -> None:
        """Start empty.

        ``keep_all=False`` keeps only flows with something to say, and counts the rest; of these, ``most`` of each rank
        (see ``overview.RANKS``) can still be looked at, and the others are lines in a table. What ``select`` leaves
        out is not even counted. ``only_findings`` keeps those flows alone in which something was found.
        ``count_findings`` has findings counted as flows finish, also in those of which only lines are left.
        ``limits`` bounds what is kept of flows that are alive. ``clock`` is how stories and tables say instants.
        ``alone`` says that only one capture is to come: nobody asks for connections that several have.
        """
        self.clock = clock
        self.captures: list[CaptureSummary] = []
        self.totals = Totals()
        self.keep_all = keep_all
        self.select = select or Selection()
        self.limits = limits or Limits()
        self.left_out = 0
        """How many flows ``select`` left out."""
        self.highest = -1
        """The highest number of a flow in any capture, left out or not."""
        self.first_of: dict[str, tuple[int, str]] = {}
        """By verdict the first flow that had it: its capture, and what it is called."""
        self.most = most
        self.only_findings = only_findings
        self._found = Findings() if count_findings else None
        self._kept_of_rank = np.zeros(len(overview.RANKS), dtype=np.int64)
        self._lines: list[NDArray[np.void]] = []
        self._hosts = HostSums()
        self._trials = IdleTrials()
        self._shared = None if alone else SharedFlows()
        self._unfolded = 0
        self._batches: list[Kept] = []
        self._unsearched: list[tuple[int, FlowBatch, findings.Piece, NDArray[np.bool_] | None]] = []
        """Of each capture, batches that wait to be searched: each by columns as well, which were asked for before, and
        which flows have something to say, where that was asked.
        """
        self._passing: list[tuple[int, findings.Piece]] = []
        self._large: dict[tuple[int, int], Flow] = {}

    def add(self, capture: int, batch: FlowBatch | None) -> None:
        """Take finished flows of the capture with that index."""
        if batch is None:
            return
        batch, columns, winners = self._count(capture, batch)
        self._hosts.add(capture, columns)
        self._trials.add(capture, batch, winners, overview.responder_is_b(columns))
        picked, notable = np.arange(len(batch)), None
        if not (self.keep_all or self.only_findings):
            notable = is_notable(columns, winners)
            picked = np.flatnonzero(notable | may_be_notable(columns))
            if len(picked) < FEW * len(batch):
                batch, winners, notable = batch.take(picked), winners[picked], notable[picked]
                columns, picked = batch.by_columns(), np.arange(len(picked))
        if self._found is None and not self.only_findings:
            self._keep(capture, batch, columns, winners, picked, notable=notable)
        elif len(picked):
            self._unsearched.append((capture, batch, (columns, winners, picked), notable))
            if sum(len(waiting) for _, waiting, _, _ in self._unsearched) >= SEARCHED:
                self.settle()

    def hold(self, capture: int, batch: FlowBatch) -> None:
        """Take finished flows of a capture that can be looked at, and that are in no sum: nobody asks for one."""
        columns = batch.by_columns()
        self.highest = max(self.highest, int(batch.flow["number"].max(initial=-1)))
        self._keep(capture, batch, columns, verdict.decide(columns), np.arange(len(batch)))

    def settle(self) -> None:
        """Search the flows that wait for it: those of a few batches together."""
        waiting, self._unsearched = self._unsearched, []
        if not waiting:
            return
        first, *more = (piece for _, _, piece, _ in waiting)
        whole = findings.search(findings.Columns(*first, more=more))
        start = 0
        for capture, batch, (columns, winners, picked), notable in waiting:
            hits = whole.take(np.arange(start, start + len(picked)))
            start += len(picked)
            if self._found is not None:
                # not those that are kept only because they may turn out notable
                counted = np.arange(len(picked)) if notable is None else np.flatnonzero(notable[picked])
                self._found.add(capture, batch.flow["number"][picked[counted]], hits.take(counted))
            if self.only_findings:
                having = np.flatnonzero(hits.counts())
                picked, hits = picked[having], hits.take(having)  # noqa: PLW2901 - the others are let go
            self._keep(capture, batch, columns, winners, picked, hits, notable=notable)

    def _keep(
        self,
        capture: int,
        batch: FlowBatch,
        columns: FlowBatch,
        winners: NDArray[np.int8],
        picked: NDArray[np.int64],
        hits: findings.Hits | None = None,
        *,
        notable: NDArray[np.bool_] | None = None,
    ) -> None:
        """Keep flows of a batch: so many of each rank as can be looked at, and lines of all.

        ``columns`` are those of all its flows, and ``notable`` says which have something to say, if that is known.
        """
        if not len(picked):
            return
        if len(picked) < FEW * len(batch):
            known = None if notable is None else notable[picked]
            lines = overview.lines_of(capture, len(self._batches), batch.by_columns(picked), winners[picked], known)
        else:
            lines = overview.lines_of(capture, len(self._batches), columns, winners, notable)
            lines = pick(lines, picked)
            lines["row"] = np.arange(len(picked))
        if self.most is not None:
            first = overview.first_of_each(lines, self.most - self._kept_of_rank)
            self._kept_of_rank += np.bincount(lines["rank"][first], minlength=len(self._kept_of_rank))
            lines["batch"] = -1
            lines["batch"][first], lines["row"][first] = len(self._batches), np.arange(len(first))
            picked, hits = picked[first], hits and hits.take(first)
        self._list(lines)
        if not len(picked):
            return
        kept = batch.take(picked) if len(picked) < len(batch) else batch
        self._batches.append(Kept(capture, kept if self.keep_all else kept.packed(), winners[picked], hits))

    def _list(self, lines: NDArray[np.void]) -> None:
        """Keep the lines of flows, as few as will do."""
        self._lines.append(lines)
        self._unfolded += len(lines)
        if self._unfolded >= FOLD and self.most is not None:
            together, self._lines = stacked(self._lines), []
            self._lines, self._unfolded = [by_service.folded(together)], 0

    def pass_through(self, capture: int, batch: FlowBatch | None, *, wait: bool = True) -> Iterator[FlowsTogether]:
        """Count finished flows without keeping them, and yield those that are selected.

        They ``wait`` until there are some more, or ``passed`` asks for the last.
        """
        if self._passing and self._passing[0][0] != capture:
            yield from self.passed()
        if batch is not None:
            batch, _, winners = self._count(capture, batch)
            if len(batch):
                self._passing.append((capture, (batch, winners, np.arange(len(batch)))))
        if sum(len(batch) for _, (batch, _, _) in self._passing) >= (GATHERED if wait else 1):
            yield from self.passed()

    def passed(self) -> Iterator[FlowsTogether]:
        """Yield the flows that have been waiting."""
        waiting, self._passing = self._passing, []
        if waiting:
            flows = FlowsTogether(waiting[0][0], [piece for _, piece in waiting])
            having = flows.hits.counts() > 0 if self.only_findings else np.ones(len(flows), dtype=np.bool_)
            yield from flows.parts(np.flatnonzero(having))

    def with_live(self, capture: int, batch: FlowBatch | None) -> Self:
        """Return a copy that has these flows as well, all of them, which go on."""
        self.settle()
        both: Self = type(self)(most=self.most, select=self.select, only_findings=self.only_findings)
        both.captures, both.left_out, both.highest = self.captures, self.left_out, self.highest
        both.totals, both.first_of = self.totals.copy(), dict(self.first_of)
        both._batches, both._lines = list(self._batches), list(self._lines)
        both._kept_of_rank, both._hosts = self._kept_of_rank.copy(), self._hosts.copy()
        both._trials = self._trials.copy()
        both.add(capture, batch)
        return both

    def _count(self, capture: int, batch: FlowBatch) -> tuple[FlowBatch, FlowBatch, NDArray[np.int8]]:
        """Return the selected flows of a batch, the same by columns, and verdicts, after adding them to the totals."""
        self.highest = max(self.highest, int(batch.flow["number"].max(initial=-1)))
        if self.select:
            picked = np.flatnonzero(self.select.mask(batch, self.start_ns(capture), capture))
            self.left_out += len(batch) - len(picked)
            batch = batch.take(picked)
        columns = batch.by_columns()
        winners = verdict.decide(columns)
        self.totals.add(columns, winners)
        if self._shared is not None:
            self._shared.add(capture, columns)
        if len(self.first_of) < len(Verdict):
            self._note_first(capture, batch, winners)
        return batch, columns, winners

    def _note_first(self, capture: int, batch: FlowBatch, winners: NDArray[np.int8]) -> None:
        """Note the first flow of each verdict that none had before."""
        for rule in np.flatnonzero(np.bincount(winners, minlength=len(VERDICTS))).tolist():
            word = VERDICTS[rule].verdict.value
            if word not in self.first_of:
                row = batch.flow[int(np.flatnonzero(winners == rule)[0])]
                a, b = endpoints_of(row)
                self.first_of[word] = (capture, f"flow {int(row['number'])} ({a} and {b})")

    def merge(self, other: Self) -> None:
        """Take over what another analysis found in other captures, which come behind ours."""
        self.settle()
        other.settle()
        at = len(self.captures)
        self.captures += other.captures
        self.totals.merge(other.totals)
        self.first_of = {**{word: (at + c, name) for word, (c, name) in other.first_of.items()}, **self.first_of}
        self.left_out += other.left_out
        self.highest = max(self.highest, other.highest)
        for lines in other._lines:
            lines["capture"] += at
            lines["batch"][lines["batch"] >= 0] += len(self._batches)
        self._lines += other._lines
        self._hosts.merge(other._hosts, at)
        self._trials.merge(other._trials, at)
        if self._shared is not None and other._shared is not None:
            self._shared.merge(other._shared, at)
        if self._found is not None and other._found is not None:
            self._found.merge(other._found, at)
        for kept in other._batches:
            kept.capture += at
        self._batches += other._batches

    def same_traffic(self) -> list[CaptureSummary]:
        """Return the captures that hold the same connections as another one: points of one traffic."""
        if self._shared is None:
            return []
        return [self.captures[capture] for capture in self._shared.captures(self.captures)]

    def start_ns(self, capture: int = 0) -> Zero:
        """Return the instant that offsets of this capture count from, with the clock by which instants are said."""
        return Zero(self.captures[capture].start_ns or 0, self.clock)

    @property
    def counts_findings(self) -> bool:
        """Whether findings are counted as flows finish."""
        return self._found is not None
