"""What is asked of flows that are held: which there are, in order of importance; some judged, some added up.

It must not know how flows got here.
"""

from __future__ import annotations

from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer import findings
from analyzer.distinct import distinct
from analyzer.findings.notable import is_notable
from analyzer.holding import Holding
from analyzer.judge.portions import portions
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.kept_flows import Flow, Kept, judged_ahead, search_together
from analyzer.loops.loop import stacked
from analyzer.segment import address_text
from analyzer.survey import by_service, overview, settings_in_use
from analyzer.survey.found import Findings
from analyzer.survey.limits import silences
from analyzer.together import LARGE, ROWS, WRITTEN, FlowsTogether
from analyzer.track.flow import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from analyzer.judge.judged import JudgedFlow
    from analyzer.survey.hosts import ProbingHost
    from analyzer.survey.limits import IdleLimit, Silence
    from analyzer.survey.settings_in_use import SettingsInUse
    from analyzer.track.batch import FlowBatch

LARGE_KEPT: Final = 2
"""So many flows that take long to judge stay judged."""


class Looking(Holding):
    """Flows that are held, and can be looked at."""

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
        search_together([self._batches[batch] for batch in distinct(lines["batch"]).tolist()])
        for batch in lines["batch"].tolist():
            row, ahead = next(each[batch])
            yield Flow(self, self._batches[batch], row, ahead) if ahead else self._large_flow(batch, row)

    def together(self, most: int | None = None) -> Iterator[tuple[FlowsTogether, NDArray[np.int64]]]:
        """Yield the kept flows, at most so many, some at a time, with the places that put them in the same order."""
        lines = self.lines()
        lines = overview.in_order(lines[lines["batch"] >= 0])[:most]
        for part in portions(self._sizes(lines), rows=ROWS, flows=WRITTEN):
            some = lines[part]
            for capture in distinct(some["capture"]).tolist():
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
        lines = stacked([np.zeros(0, dtype=overview.LINE), *self._lines])
        by_service.settle_services(lines)
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
        for part in portions(sizes[small], rows=ROWS, flows=WRITTEN):
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
            for part in portions(sizes[run]):
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

    def numbers_where(self, wanted: Callable[[FlowBatch, NDArray[np.int8]], NDArray[np.bool_]]) -> NDArray[np.int64]:
        """Return the numbers of the kept flows that are ``wanted``, by their columns and the rows of their verdicts."""
        self.settle()
        found = [kept.batch.flow["number"][wanted(kept.batch, kept.winners)] for kept in self._batches]
        return np.concatenate([np.zeros(0, dtype=np.int64), *found])

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


def _runs(values: NDArray[Any]) -> list[slice]:
    """Return where equal values follow each other."""
    ends = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return [slice(first, stop) for first, stop in pairwise(ends) if first < stop]
