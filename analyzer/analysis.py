"""``Analysis``: flows and what was concluded of them; what a notebook holds, and every report is made from.

Flows stay columns until somebody looks at them. What leaves through the properties below is plain: mappings and lists
with the names of the JSON report, time in seconds.

It must not know where flows come from.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from analyzer import findings
from analyzer.findings.notable import is_notable, may_be_notable
from analyzer.judge import verdict
from analyzer.judge.recording import parts_of
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.kept_flows import Flow, FlowsByFinding, Kept, judged_ahead
from analyzer.report.shown import Report, ShownFlow
from analyzer.segment import address_text
from analyzer.survey import overview, settings_in_use
from analyzer.survey.found import Findings
from analyzer.survey.hosts import HostSums
from analyzer.survey.limits import IdleTrials, silences
from analyzer.survey.overview import CaptureSummary, Totals
from analyzer.survey.selection import Selection
from analyzer.survey.shared import SharedFlows
from analyzer.together import LARGE, ROWS, SEARCHED, WRITTEN, FlowsTogether
from analyzer.track.flow import Endpoint, endpoints_of
from analyzer.track.held import Limits
from analyzer.units import Clock, Zero

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

    from analyzer.judge.judged import JudgedFlow
    from analyzer.survey.hosts import ProbingHost
    from analyzer.survey.limits import IdleLimit, Silence
    from analyzer.survey.settings_in_use import SettingsInUse
    from analyzer.track.batch import FlowBatch

Table = Literal["flows", "probes", "findings"]
Time = Literal["relative", "utc", "local"]

FEW: Final = 0.5
"""If only such a part of the flows of a batch is looked at, they are copied out of it first."""
FOLD: Final = 16384
"""This many lines of flows may come before those that nobody can look at are folded."""
LARGE_KEPT: Final = 2
EXCERPT: Final = 12
"""This many flows a notebook shows of an analysis."""


class Analysis:
    """The flows of one or more captures, and what was concluded about them."""

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
    ) -> None:
        """Start empty.

        ``keep_all=False`` keeps only flows with something to say, and counts the rest; of these, ``most`` of each rank
        (see ``overview.RANKS``) can still be looked at, and the others are lines in a table. What ``select`` leaves
        out is not even counted. ``only_findings`` keeps those flows alone in which something was found.
        ``count_findings`` has findings counted as flows finish, also in those of which only lines are left.
        ``limits`` bounds what is kept of flows that are alive. ``clock`` is how stories and tables say instants.
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
        self._shared = SharedFlows()
        self._unfolded = 0
        self._batches: list[Kept] = []
        self._unsearched: list[tuple[int, findings.Piece]] = []
        self._passing: list[tuple[int, findings.Piece]] = []
        self._large: dict[tuple[int, int], Flow] = {}

    def add(self, capture: int, batch: FlowBatch | None) -> None:
        """Take finished flows of the capture with that index."""
        if batch is None:
            return
        batch, columns, winners = self._count(capture, batch)
        self._hosts.add(capture, columns)
        self._trials.add(capture, batch, winners, overview.responder_is_b(columns))
        picked = np.arange(len(batch))
        if not (self.keep_all or self.only_findings):
            picked = np.flatnonzero(is_notable(columns, winners) | may_be_notable(columns))
            if len(picked) < FEW * len(batch):
                batch, winners, picked = batch.take(picked), winners[picked], np.arange(len(picked))
        if self._found is None and not self.only_findings:
            self._keep(capture, batch, winners, picked)
        elif len(picked):
            self._unsearched.append((capture, (batch, winners, picked)))
            if sum(len(batch) for _, (batch, _, _) in self._unsearched) >= SEARCHED // 2:  # more would take memory
                self.settle()

    def settle(self) -> None:
        """Search the flows that wait for it: those of a few batches together."""
        waiting, self._unsearched = self._unsearched, []
        if not waiting:
            return
        first, *more = (piece for _, piece in waiting)
        whole = findings.search(findings.Columns(*first, more=more))
        start = 0
        for capture, (batch, winners, picked) in waiting:
            hits = whole.take(np.arange(start, start + len(picked)))
            start += len(picked)
            if self._found is not None:
                counted = self._counted(batch, winners, picked)
                self._found.add(capture, batch.flow["number"][picked[counted]], hits.take(counted))
            if self.only_findings:
                having = np.flatnonzero(hits.counts())
                picked, hits = picked[having], hits.take(having)  # noqa: PLW2901 - the others are let go
            self._keep(capture, batch, winners, picked, hits)

    def _counted(self, batch: FlowBatch, winners: NDArray[np.int8], picked: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of the picked flows count: not those that are kept only because they may turn out notable."""
        if self.keep_all or self.only_findings or not may_be_notable(batch)[picked].any():
            return np.arange(len(picked))
        return np.flatnonzero(is_notable(batch, winners)[picked])

    def _keep(
        self,
        capture: int,
        batch: FlowBatch,
        winners: NDArray[np.int8],
        picked: NDArray[np.int64],
        hits: findings.Hits | None = None,
    ) -> None:
        """Keep flows of a batch: so many of each rank as can be looked at, and lines of all."""
        if not len(picked):
            return
        if len(picked) < FEW * len(batch):
            lines = overview.lines_of(capture, len(self._batches), batch.by_columns(picked), winners[picked])
        else:
            lines = overview.lines_of(capture, len(self._batches), batch.by_columns(), winners)[picked]
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
            together, self._lines = np.concatenate(self._lines), []
            self._lines, self._unfolded = [overview.folded(together)], 0

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
        if sum(len(batch) for _, (batch, _, _) in self._passing) >= (SEARCHED if wait else 1):
            yield from self.passed()

    def passed(self) -> Iterator[FlowsTogether]:
        """Yield the flows that have been waiting."""
        waiting, self._passing = self._passing, []
        if waiting:
            flows = FlowsTogether(waiting[0][0], [piece for _, piece in waiting])
            having = flows.hits.counts() > 0 if self.only_findings else np.ones(len(flows), dtype=np.bool_)
            yield from flows.parts(np.flatnonzero(having))

    def with_live(self, capture: int, batch: FlowBatch | None) -> Analysis:
        """Return a copy that has these flows as well, all of them, which go on."""
        self.settle()
        both = Analysis(most=self.most, select=self.select, only_findings=self.only_findings)
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
            picked = np.flatnonzero(self.select.mask(batch, self.start_ns(capture)))
            self.left_out += len(batch) - len(picked)
            batch = batch.take(picked)
        columns = batch.by_columns()
        winners = verdict.decide(columns)
        self.totals.add(columns, winners)
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

    def __len__(self) -> int:
        """Return how many flows are kept."""
        self.settle()
        return sum(len(kept.batch) for kept in self._batches)

    def __iter__(self) -> Iterator[Flow]:
        """Yield the kept flows in order of their first segment, holding on to none of them."""
        lines = self.lines()
        return self.each(overview.in_order(lines[lines["batch"] >= 0]))

    def each(self, lines: NDArray[np.void]) -> Iterator[Flow]:
        """Yield the flows of these lines in their order, judged many at a time; their flows must be kept."""
        order = np.argsort(lines["batch"], kind="stable")
        starts = np.searchsorted(lines["batch"][order], np.arange(len(self._batches) + 1)).tolist()
        rows = lines["row"][order].tolist()
        each = [
            judged_ahead(rows[start:stop], kept.sizes(rows[start:stop]) >= LARGE)
            for kept, (start, stop) in zip(self._batches, pairwise(starts), strict=True)
        ]
        for batch in lines["batch"].tolist():
            row, ahead = next(each[batch])
            yield Flow(self, self._batches[batch], row, ahead) if ahead else self._large_flow(batch, row)

    def together(self, most: int | None = None) -> Iterator[tuple[FlowsTogether, NDArray[np.int64]]]:
        """Yield the kept flows, at most so many, some at a time, with the places that put them in the same order."""
        lines = self.lines()
        lines = overview.in_order(lines[lines["batch"] >= 0])[:most]
        for part in parts_of(self._sizes(lines), rows=ROWS, flows=WRITTEN):
            some = lines[part]
            for capture in np.unique(some["capture"]).tolist():
                own = some[some["capture"] == capture]
                by_batch = np.lexsort((own["row"], own["batch"]))
                pieces = self._pieces(own[by_batch])
                keep = partial(self._keep_large, own[by_batch])
                yield FlowsTogether(capture, pieces, keep=keep), np.argsort(by_batch)

    def _keep_large(self, lines: NDArray[np.void], at: int, judged: JudgedFlow) -> None:
        """Keep what took long for who asks next: it is the flow of one of these lines."""
        self._large_flow(int(lines["batch"][at]), int(lines["row"][at])).judged = judged

    def _sizes(self, lines: NDArray[np.void]) -> NDArray[np.int64]:
        """Return how many notable segments the flows of these lines have."""
        sizes = np.zeros(len(lines), dtype=np.int64)
        order = np.argsort(lines["batch"], kind="stable")
        for run in _runs(lines["batch"][order]):
            own = order[run]
            sizes[own] = self._batches[lines["batch"][own[0]]].sizes(lines["row"][own])
        return sizes

    @cached_property
    def flows(self) -> list[Flow]:
        """The kept flows in order of their first segment; each is judged when it is looked at."""
        return list(self)

    def lines(self) -> NDArray[np.void]:
        """Return an ``overview.LINE`` for each flow that was kept, to rank, group and pick by columns.

        Where ``batch`` is -1, only the line is left of it.
        """
        self.settle()
        lines = np.concatenate([np.zeros(0, dtype=overview.LINE), *self._lines])
        overview.settle_services(lines)
        return lines

    def flow(self, line: np.void) -> Flow:
        """Return the flow of a line."""
        batch, row = int(line["batch"]), int(line["row"])
        is_large = self._batches[batch].sizes([row])[0] >= LARGE
        return self._large_flow(batch, row) if is_large else Flow(self, self._batches[batch], row)

    def judged(self, lines: NDArray[np.void]) -> list[JudgedFlow]:
        """Return the flows of these lines, judged together but for those that are large; they must be kept."""
        found: list[Any] = [None] * len(lines)
        sizes = self._sizes(lines)
        for at in np.flatnonzero(sizes >= LARGE).tolist():
            found[at] = self.flow(lines[at]).judged
        small = np.flatnonzero(sizes < LARGE)
        small = small[np.lexsort((lines["batch"][small], lines["capture"][small]))]
        for part in parts_of(sizes[small], rows=ROWS, flows=WRITTEN):
            for run in _runs(lines["capture"][small[part]]):
                own = small[part][run]
                kept = list(self._by_batch(lines[own]))
                pieces = [(each.batch, each.winners, rows) for each, rows in kept]
                hits = findings.joined([each.hits.take(rows) for each, rows in kept])
                some = FlowsTogether(int(lines["capture"][own[0]]), pieces, hits).judged(np.arange(len(own)))
                for at, judged in zip(own.tolist(), some, strict=True):
                    found[at] = judged
        return found

    def _large_flow(self, batch: int, row: int) -> Flow:
        """Return a flow that takes long to judge: the same to all who ask, unless others were asked for since."""
        flow = self._large.pop((batch, row), None) or Flow(self, self._batches[batch], row)
        self._large[batch, row] = flow
        while len(self._large) > LARGE_KEPT:
            del self._large[next(iter(self._large))]
        return flow

    def probing_hosts(self, most: int | None = None) -> list[ProbingHost]:
        """Return what each address sent in probes, capture by capture, the most talkative first; at most so many."""
        return self._hosts.listed(self.captures, most)

    def idle_limits(self, *, all_services: bool = True, only_worth_telling: bool = False) -> list[IdleLimit]:
        """Return what silences say about limits of idle time: of services, and hard limits of pairs of hosts.

        Hard limits come first; without ``all_services`` only these. ``only_worth_telling`` leaves out pairs, and those
        services of which nothing is told.
        """
        return self._trials.limits(all_services=all_services, only_worth_telling=only_worth_telling)

    def endings(self, capture: int) -> Iterator[tuple[str, int, int, Verdict]]:
        """Yield of each kept flow of a capture that probes its service, its first and last instant, and its verdict."""
        lines = self.lines()
        probes = (lines["probes"] > 0) | (lines["zero_window"] > 0)
        for line in lines[probes & (lines["batch"] >= 0) & (lines["capture"] == capture)]:
            flow = self._batches[line["batch"]].batch.flow[line["row"]]
            address = address_text(int(line["service_hi"]), int(line["service_lo"]))
            service = str(Endpoint(address, int(line["service_port"])))
            yield service, int(flow["first_ns"]), int(flow["last_ns"]), VERDICTS[line["winner"]].verdict

    def settings_in_use(self) -> SettingsInUse:
        """Return which keepalive settings the flows that probe have, by some of them where there are many."""
        lines = self.lines()
        probing = overview.ranked(lines[(lines["probes"] > 0) & (lines["batch"] >= 0)])
        asked = overview.in_order(probing[overview.mixed(probing, settings_in_use.MOST_FLOWS)])
        return settings_in_use.gathered(self._with_settings(asked), self.totals.flows_with_probes)

    def _with_settings(self, lines: NDArray[np.void]) -> Iterator[JudgedFlow]:
        """Yield the flows of these lines with what is inferred of socket options; others may not be judged further.

        Those of several batches are looked at together, but one that is large, which stays judged for who asks next.
        """
        sizes = self._sizes(lines)
        order = np.lexsort((sizes >= LARGE, lines["batch"]))
        lines, sizes = lines[order], sizes[order]
        large = sizes >= LARGE
        for run in _runs(2 * lines["capture"].astype(np.int64) + large):
            some = lines[run]
            if large[run.start]:
                yield from (self.flow(line).judged for line in some)
                continue
            for part in parts_of(sizes[run]):
                yield from FlowsTogether(int(some["capture"][0]), self._pieces(some[part])).with_settings()

    def _pieces(self, lines: NDArray[np.void]) -> list[findings.Piece]:
        """Return the flows of lines of one capture, which are in the order of batches, batch by batch."""
        return [(kept.batch, kept.winners, rows) for kept, rows in self._by_batch(lines)]

    def _by_batch(self, lines: NDArray[np.void]) -> Iterator[tuple[Kept, NDArray[np.int64]]]:
        """Yield where the flows of lines are kept, which are in the order of batches, and their rows there."""
        for part in _runs(lines["batch"]):
            yield self._batches[lines["batch"][part.start]], lines["row"][part].astype(np.int64)

    def silences(self, capture: int) -> Iterator[Silence]:
        """Yield the silences of the kept flows of a capture: the longest that each survived, and one it did not."""
        for kept in self._batches:
            if kept.capture == capture:
                yield from silences(capture, kept.batch, kept.winners)

    def other_hosts(self, named: list[ProbingHost]) -> tuple[int, int]:
        """Return how many hosts that sent probes are not among these, and how many probes they sent."""
        hosts, probes = self._hosts.total()
        return hosts - len(named), probes - sum(host.probes for host in named)

    @property
    def counts_findings(self) -> bool:
        """Whether findings are counted as flows finish."""
        return self._found is not None

    def count_findings(self, *, notable: bool = True) -> Findings:
        """Return in how many flows each finding is: of all flows, or of those with something to say.

        Where the analysis was not told to count as it goes on, only kept flows are looked at.
        """
        self.settle()
        if self._found is not None:
            return self._found
        found = Findings()
        for kept in self._batches:
            is_wanted = is_notable(kept.batch, kept.winners) if notable else np.ones(len(kept.batch), np.bool_)
            picked = np.flatnonzero(is_wanted)
            found.add(kept.capture, kept.batch.flow["number"][picked], kept.hits.take(picked))
        return found

    def beating(self) -> Iterator[tuple[Kept, NDArray[np.int64]]]:
        """Yield where flows with trains of heartbeats are kept, and their indices there."""
        self.settle()
        for kept in self._batches:
            if len(kept.batch.trains):
                rows = np.flatnonzero(np.isin(kept.batch.flow["number"], kept.batch.trains["number"]))
                if len(rows):
                    yield kept, rows

    def with_heartbeats(self, lines: NDArray[np.void]) -> NDArray[np.bool_]:
        """Say of which of these lines the flow is kept and has trains of heartbeats."""
        found = np.zeros(len(lines), dtype=np.bool_)
        for at, kept in enumerate(self._batches):
            if len(kept.batch.trains):
                mine = np.flatnonzero(lines["batch"] == at)
                numbers = kept.batch.flow["number"][lines["row"][mine]]
                found[mine] = np.isin(numbers, kept.batch.trains["number"])
        return found

    def compare_heartbeats(self) -> None:
        """Enter in trains of heartbeats the limit of idle time that connections to their service show, if it is hard.

        That takes all flows, so it comes when everything was read.
        """
        if next(self.beating(), None) is None:
            return
        hard = {
            (limit.capture, limit.service): limit
            for limit in self.idle_limits(all_services=False)
            if limit.service is not None and not limit.half_closed
        }
        for kept, rows in self.beating() if hard else ():
            for row in rows.tolist():
                flow = kept.batch.flow[row]
                limit = next(
                    (hard[kept.capture, end] for end in endpoints_of(flow) if (kept.capture, end) in hard), None
                )
                if limit is not None:
                    at = kept.batch.trains["number"] == flow["number"]
                    kept.batch.trains["safe_ns"][at] = -1 if limit.low_ns is None else limit.low_ns
                    kept.batch.trains["fatal_ns"][at] = limit.high_ns
                    self.search_again(kept, row)

    def search_again(self, kept: Kept, row: int) -> None:
        """Look anew for what is found in a flow of which more is known now than when it finished."""
        one, none = np.array([row]), np.zeros(0, dtype=np.int64)
        line = self._line_of(kept, row)
        was_notable = line is None or line["notable"] == 1
        counted = kept.hits.take(one if was_notable or self.only_findings else none)
        kept.search_again()
        is_now = bool(is_notable(kept.batch, kept.winners)[row])
        if line is not None:
            line["notable"] |= is_now
        if self._found is not None and (was_notable or is_now or self.only_findings):
            number = int(kept.batch.flow["number"][row])
            self._found.change(kept.capture, number, counted, kept.hits.take(one))

    def _line_of(self, kept: Kept, row: int) -> np.void | None:
        """Return the line of a kept flow, to be written to; None if there is none."""
        at = self._batches.index(kept)
        for lines in self._lines:
            mine = np.flatnonzero((lines["batch"] == at) & (lines["row"] == row))
            if len(mine):
                line: np.void = lines[mine[0]]
                return line
        return None

    def merge(self, other: Analysis) -> None:
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
        self._shared.merge(other._shared, at)
        if self._found is not None and other._found is not None:
            self._found.merge(other._found, at)
        for kept in other._batches:
            kept.capture += at
        self._batches += other._batches

    def same_traffic(self) -> list[CaptureSummary]:
        """Return the captures that hold the same connections as another one: points of one traffic."""
        return [self.captures[capture] for capture in self._shared.captures(self.captures)]

    def start_ns(self, capture: int = 0) -> Zero:
        """Return the instant that offsets of this capture count from, with the clock by which instants are said."""
        return Zero(self.captures[capture].start_ns or 0, self.clock)

    # for notebooks ───────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def findings(self) -> FlowsByFinding:
        """By code, the kept flows in which it was found, none for a code that nothing has."""
        found: dict[str, list[Flow]] = {code: [] for code in findings.CODES}
        for flow in self.flows:
            for code in flow.codes:
                found[code].append(flow)
        return FlowsByFinding((code, flows) for code, flows in found.items() if flows)

    @property
    def summary(self) -> dict[str, Any]:
        """What the captures add up to: the field ``summary`` of the JSON report."""
        from analyzer.report import export

        found = Counter({code: len(flows) for code, flows in self.findings.items()})
        return export.summary_object(self.totals, found, self.idle_limits(), self.settings_in_use())

    def columns(self, table: Table = "flows") -> dict[str, list[Any]]:
        """Return ``flows``, ``probes`` or ``findings`` as columns: lists of equal length, by name."""
        from analyzer.report import tabular

        return tabular.columns(table, self.together(), self.start_ns)

    def to_pandas(self, table: Table = "flows", *, time: Time | None = None) -> pd.DataFrame:
        """Return ``flows``, ``probes`` or ``findings`` as a pandas DataFrame.

        Instants are seconds from the capture's first frame (``first_s``, ``time_s``, ...). With ``time`` "utc" or
        "local" each has a date beside it (``first_at``, ``time_at``, ...; datetime64[ns] with its zone). The default is
        the analysis's own: what ``analyze`` was told, else "relative".
        """
        from analyzer.report import tabular

        data, clock = self._frame(table, time)
        frame: pd.DataFrame = tabular.to_pandas(data, clock)
        return frame

    def to_polars(self, table: Table = "flows", *, time: Time | None = None) -> pl.DataFrame:
        """Return ``flows``, ``probes`` or ``findings`` as a polars DataFrame; ``time`` is that of ``to_pandas``."""
        from analyzer.report import tabular

        data, clock = self._frame(table, time)
        frame: pl.DataFrame = tabular.to_polars(data, clock)
        return frame

    def _frame(self, table: Table, time: Time | None) -> tuple[dict[str, list[Any]], Clock]:
        """Return what a DataFrame is made from, and the clock of its dates."""
        from analyzer.report import tabular

        clock = self.clock if time is None else Clock(time)
        return tabular.columns(table, self.together(), self.start_ns, dated=clock is not Clock.RELATIVE), clock

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """Write ``flows.parquet``, ``probes.parquet`` and ``findings.parquet`` into a folder; return the files."""
        from analyzer.report import tabular

        return tabular.write_parquet(self.together(), self.start_ns, Path(folder))

    def __repr__(self) -> str:
        """Return what was read and how much of it, on one line."""
        names = ", ".join(capture.name for capture in self.captures)
        return f"<Analysis of {names}: {self.totals.flows} flows, {self.totals.probes} probes>"

    def _repr_html_(self) -> str:
        lines = overview.ranked(self.lines())
        lines = lines[(lines["notable"] == 1) & (lines["batch"] >= 0)]
        shown = [self.flow(line) for line in lines[:EXCERPT]]
        flows = [ShownFlow(flow.capture, self.start_ns(flow.capture), flow.judged) for flow in shown]
        from analyzer.report import html

        return html.excerpt(Report(self.captures, self.totals, len(lines), flows, left_out=self.left_out))


def _runs(values: NDArray[Any]) -> list[slice]:
    """Return where equal values follow each other."""
    ends = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return [slice(first, stop) for first, stop in pairwise(ends) if first < stop]
