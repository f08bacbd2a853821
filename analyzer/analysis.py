"""``analyze(path)``: the one place that joins capture, tracker, verdict and words.

``Analysis`` is what a notebook holds and every report is made from. Flows stay columns until somebody looks at them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analyzer import findings, record, verdict
from analyzer.capture import open_capture
from analyzer.segment import NOTE_TCP, SKIPPED
from analyzer.tracker import Tracker
from analyzer.verdict import VERDICTS, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from analyzer.capture import CaptureReader
    from analyzer.findings import JudgedFlow
    from analyzer.tracker import FlowBatch




@dataclass(slots=True)
class CaptureSummary:
    """What was read of one capture point: one file, or several rotated ones as one stream."""

    paths: list[str]
    format: str = ""
    link_types: list[str] = field(default_factory=list)
    start_ns: int | None = None
    end_ns: int | None = None
    frames: int = 0
    tcp_segments: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def duration_ns(self) -> int:
        """From the first frame to the last."""
        return 0 if self.start_ns is None or self.end_ns is None else self.end_ns - self.start_ns


@dataclass(slots=True)
class Totals:
    """Sums over all flows, whether kept or not."""

    flows: int = 0
    flows_with_probes: int = 0
    probes: int = 0
    probes_after_fin: int = 0
    zero_window_probes: int = 0
    close_wait: int = 0
    """Flows in which one end sent FIN and the other never did, when the capture ended (its end is in CLOSE-WAIT)."""
    verdicts: dict[str, int] = field(default_factory=dict)

    def add(self, batch: FlowBatch, winners: NDArray[np.int8]) -> None:
        """Add finished flows, by columns."""
        probes = batch.run_a["probes"].astype(np.int64) + batch.run_b["probes"]
        self.flows += len(batch)
        self.flows_with_probes += int((probes > 0).sum())
        self.probes += int(probes.sum())
        self.probes_after_fin += int(batch.run_a["after_fin"].sum() + batch.run_b["after_fin"].sum())
        self.zero_window_probes += int(batch.run_a["zero_window"].sum() + batch.run_b["zero_window"].sum())
        for index, count in enumerate(np.bincount(winners, minlength=len(VERDICTS))):
            if count:
                word = VERDICTS[index].verdict.value
                self.verdicts[word] = self.verdicts.get(word, 0) + int(count)
        half = [i for i, rule in enumerate(VERDICTS) if rule.verdict is Verdict.HALF_CLOSED]
        self.close_wait += int(np.isin(winners, half).sum())


def is_notable(batch: FlowBatch, winners: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Say which flows have something to say: probes, window probes, or an ending other than a plain close."""
    runs = (batch.run_a, batch.run_b)
    probing = sum(run["probes"] + run["zero_window"] + run["undecided"] for run in runs) > 0
    plain = [
        index
        for index, rule in enumerate(VERDICTS)
        if rule.verdict in {Verdict.CLOSED, Verdict.ABORTED, Verdict.OPEN, Verdict.UNESTABLISHED}
    ]
    return probing | ~np.isin(winners, plain)


class Analysis:
    """The flows of one or more captures, and what was concluded about them."""

    def __init__(self, *, keep_all: bool = True) -> None:
        """Start empty. ``keep_all=False`` keeps only flows with something to say, and counts the rest."""
        self.captures: list[CaptureSummary] = []
        self.totals = Totals()
        self.keep_all = keep_all
        self._batches: list[tuple[int, FlowBatch, NDArray[np.int8]]] = []

    def add(self, capture: int, batch: FlowBatch | None) -> None:
        """Take finished flows of the capture with that index."""
        if batch is None or not len(batch):
            return
        winners = verdict.decide(batch)
        self.totals.add(batch, winners)
        if not self.keep_all:
            picked = np.flatnonzero(is_notable(batch, winners))
            batch, winners = batch.take(picked), winners[picked]
        if len(batch):
            self._batches.append((capture, batch, winners))

    def __len__(self) -> int:
        """Return how many flows are kept."""
        return sum(len(batch) for _, batch, _ in self._batches)

    @cached_property
    def flows(self) -> list[Flow]:
        """The kept flows in order of their first segment; each is judged when it is looked at."""
        listed = [
            Flow(self, capture, batch, row, int(winners[row]))
            for capture, batch, winners in self._batches
            for row in range(len(batch))
        ]
        return sorted(listed, key=lambda flow: (flow.capture, flow.number))

    def start_ns(self, capture: int = 0) -> int:
        """Return the instant that offsets of this capture count from."""
        return self.captures[capture].start_ns or 0


class Flow:
    """One flow of an analysis; the record, verdict and findings are made on first use."""

    def __init__(self, analysis: Analysis, capture: int, batch: FlowBatch, row: int, winner: int) -> None:
        """Point at a row of a batch; cheap, because there may be a million."""
        self.analysis = analysis
        self.capture = capture
        self.number = int(batch.flow[row]["number"])
        self._batch = batch
        self._row = row
        self._winner = winner

    @property
    def verdict(self) -> str:
        """The verdict word (DESIGN section 4), without judging further."""
        return VERDICTS[self._winner].verdict.value

    @cached_property
    def judged(self) -> JudgedFlow:
        """The flow with its facts, ending, settings and findings."""
        ending = verdict.ending_of(self._batch, self._row, self._winner)
        return findings.judge(record.build(self._batch, self._row), ending)


def analyze(
    *paths: str | Path,
    reader: str = "auto",
    keep_all: bool = True,
    jit: bool | None = None,
    progress: Callable[[CaptureReader, int], None] | None = None,
) -> Analysis:
    """Read captures and return what they show.

    ``paths`` may be ``-`` for a pcap stream on stdin. Each path is a capture point of its own.

    Raises:
        CaptureError: a path of which nothing could be read.
    """
    result = Analysis(keep_all=keep_all)
    for path in paths:
        for capture, batch in read_flows(str(path), result, reader=reader, jit=jit, progress=progress):
            result.add(capture, batch)
    return result


def read_flows(
    path: str,
    result: Analysis,
    *,
    reader: str = "auto",
    jit: bool | None = None,
    progress: Callable[[CaptureReader, int], None] | None = None,
) -> Iterator[tuple[int, FlowBatch | None]]:
    """Read one capture, enter its summary in ``result``, and yield flows as they finish."""
    summary = CaptureSummary([path])
    index = len(result.captures)
    skipped = np.zeros(len(SKIPPED), dtype=np.int64)
    with open_capture(path, reader=reader, jit=jit) as source:
        result.captures.append(summary)
        tracker: Tracker | None = None
        for batch in source:
            if tracker is None:
                tracker = Tracker(jit=source.jit, seed=int.from_bytes(os.urandom(4), "big") & 0x7FFFFFFF)
            summary.frames += batch.frames
            summary.tcp_segments += int((batch.rows["note"] == NOTE_TCP).sum())
            skipped += batch.skipped
            yield index, tracker.feed(batch)
            if progress is not None:
                progress(source, summary.frames)
        copies = 0
        if tracker is not None:
            copies, summary.end_ns = tracker.copies, tracker.now_ns
            yield index, tracker.close()
        summary.format, summary.link_types = source.format, list(source.link_types)
        summary.start_ns, summary.warnings = source.start_ns, list(source.warnings)
        summary.skipped = {**dict(zip(SKIPPED, skipped.tolist(), strict=True)), "duplicate_copy": copies}


