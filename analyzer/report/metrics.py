"""What a watch shows, as metrics for Prometheus: sums over flows that are over, and how those that live stand.

What is over only ever grows, so it is counted; what lives changes its mind (a flow that is half-closed may close), so
it is a gauge. Nothing has a label that comes from a packet: verdicts, states and answers are this program's own words,
and a scan makes no new series.

It must not capture, or listen: ``prometheus_client`` answers who asks.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge import verdict
from analyzer.judge.connection import State
from analyzer.judge.facts import Facts
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.label.outcome import Answer
from analyzer.survey.limits import trials
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from analyzer.survey.overview import CaptureSummary
    from analyzer.track.batch import FlowBatch
    from analyzer.untyped import Foreign

PREFIX: Final = "keepalive"
NOTICED_S: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14400)
"""Upper bounds of how long it took to notice a dead peer; the defaults of Linux take 7,875 s."""
PART: Final = 4096
"""How many live flows are looked at together: memory stays bounded."""


class Sums:
    """What flows add up to."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.verdicts: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.noticed: Counter[int] = Counter()
        """Dead peers by the index of the bound in NOTICED_S that they stay below."""
        self.noticed_s = 0.0
        self.crossed: Counter[str] = Counter()

    def add(self, batch: FlowBatch) -> None:
        """Add flows."""
        winners = verdict.decide(batch)
        for index, count in enumerate(np.bincount(winners, minlength=len(VERDICTS)).tolist()):
            if count:
                self.verdicts[VERDICTS[index].verdict.value] += count
        found = trials(0, batch, winners)
        died = found[found["died"] == 1]
        half = int(died["half"].sum())
        self.crossed["half_closed"] += half
        self.crossed["open"] += len(died) - half
        for low in range(0, len(batch), PART):
            self._look(batch, winners, np.arange(low, min(low + PART, len(batch))))

    def _look(self, batch: FlowBatch, winners: NDArray[np.int8], picked: NDArray[np.int64]) -> None:
        facts = Facts((batch, picked))
        table = facts.flows
        for side in SIDES:
            words, column = table.words[f"state_{side}"], table.columns[f"state_{side}"]
            for index, count in enumerate(np.bincount(column[column >= 0], minlength=len(words)).tolist()):
                if count:
                    self.states[str(getattr(words[index], "value", words[index]))] += count
        counts = np.bincount(facts.probes.columns["answer"], minlength=len(Answer)).tolist()
        for answer in Answer:
            self.answers[answer.name.lower()] += counts[answer]
        self._notice(facts, winners[picked])

    def _notice(self, facts: Facts, winners: NDArray[np.int8]) -> None:
        """Note how long it took those that noticed a dead peer."""
        dead = np.array([rule.verdict is Verdict.TIMED_OUT for rule in VERDICTS])[winners]
        ended = verdict.ending_table(facts.flow, facts.ends, facts.ending, winners).columns
        for at in np.flatnonzero(dead & np.isin(ended["by"], (0, 1))).tolist():
            peer = facts.ends[1 - int(ended["by"][at])]
            took_s = (int(ended["ts_ns"][at]) - int(peer["last_ns"][at])) / NS_PER_S
            if peer["segments"][at] and took_s >= 0:
                self.noticed[int(np.searchsorted(NOTICED_S, took_s))] += 1
                self.noticed_s += took_s


class Metrics:
    """The metrics of a watch: a collector, as ``prometheus_client`` takes one."""

    def __init__(self, summary: CaptureSummary, live: Callable[[], FlowBatch | None]) -> None:
        """Begin; ``live`` returns the flows that live, from whichever thread."""
        self.over = Sums()
        self._summary = summary
        self._live = live
        self._most: Counter[tuple[str, str]] = Counter()

    def describe(self) -> list[Foreign]:
        """Return nothing: registering must not look at flows."""
        return []

    def collect(self) -> Iterator[Foreign]:
        """Yield the metrics as they are now."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        living = Sums()
        batch = self._live()
        if batch is not None and len(batch):
            living.add(batch)
        flows = CounterMetricFamily(f"{PREFIX}_flows_over", "Flows that are over, by verdict.", labels=["verdict"])
        alive = GaugeMetricFamily(f"{PREFIX}_flows_live", "Flows that live, as they stand now.", labels=["verdict"])
        for word in Verdict:
            flows.add_metric([word.value], self.over.verdicts[word.value])
            alive.add_metric([word.value], living.verdicts[word.value])
        yield flows
        yield alive
        ends = GaugeMetricFamily(f"{PREFIX}_ends_live", "Ends of flows that live, by derived state.", labels=["state"])
        for state in State:
            ends.add_metric([state.value], living.states[state.value])
        yield ends
        sent = CounterMetricFamily(f"{PREFIX}_probes", "Keepalive probes by what answered them.", labels=["answer"])
        for answer in (each.name.lower() for each in Answer):
            total = self.over.answers[answer]
            if answer != "none":  # what has its answer keeps it; what waits for one may get it
                total = self._grown("probes", answer, total + living.answers[answer])
            sent.add_metric([answer], total)
        yield sent
        yield GaugeMetricFamily(
            f"{PREFIX}_probes_waiting", "Probes on live flows that nothing has answered.", value=living.answers["none"]
        )
        buckets, total = [], 0
        for at, bound in enumerate((*map(str, NOTICED_S), "+Inf")):
            total += self.over.noticed[at]
            buckets.append((bound, total))
        yield HistogramMetricFamily(
            f"{PREFIX}_dead_peer_noticed_seconds",
            "How long it took to notice dead peers, counted from when they were last heard.",
            buckets=buckets,
            sum_value=self.over.noticed_s,
        )
        crossed = CounterMetricFamily(
            f"{PREFIX}_idle_limits_crossed",
            "Silences behind which nothing but a RST, or nothing, came.",
            labels=["when"],
        )
        for when in ("open", "half_closed"):
            crossed.add_metric([when], self.over.crossed[when])
        yield crossed
        summary = self._summary
        yield CounterMetricFamily(f"{PREFIX}_frames", "Frames that were read.", value=summary.frames)
        yield CounterMetricFamily(f"{PREFIX}_tcp_segments", "TCP segments that were read.", value=summary.tcp_segments)
        yield CounterMetricFamily(
            f"{PREFIX}_capture_dropped",
            "Packets that the capture lost.",
            value=self._grown("dropped", "", summary.dropped),
        )

    def _grown(self, name: str, label: str, value: int) -> int:
        """Return a number that never falls: what is counted of live flows may be judged otherwise later."""
        self._most[name, label] = max(self._most[name, label], value)
        return self._most[name, label]
