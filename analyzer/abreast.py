"""Captures of several points read side by side, the one that is behind next, so that little of any has to wait.

What is read is thinned on the way (``vantage.thinning``). It must not decide which packets are one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from analyzer.analysis import Analysis
from analyzer.capture.ahead import read_ahead
from analyzer.capture.reader import open_capture
from analyzer.capture.rotation import OVERLAP_NS, RotatedReader, goes_on, series_of
from analyzer.errors import AnalyzerError
from analyzer.findings.notable import hangs
from analyzer.intake import Intake
from analyzer.judge import verdict
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.survey.overview import CaptureSummary
from analyzer.values import dataclass
from analyzer.vantage.forgetting import Forgetting
from analyzer.vantage.sighting import SIGHTING, Unwritten, sightings_of
from analyzer.vantage.thinning import Thinner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.kept_flows import Flow
    from analyzer.track.batch import FlowBatch


NOTHING: Final = np.zeros(0, dtype=np.int64)
MOST_MADE: Final = 8_192
"""Of each capture so many flows stay judged: more than are looked at for what others carry."""
GOOD: Final = (Verdict.CLOSED, Verdict.OPEN, Verdict.CLOSING)
AHEAD: Final = 3
"""So many batches of each point, which are long ones (``reader.LONGER``), wait at most for those of the others: about
as many as one processor reads while the other compares a stretch. Each more takes some ten megabytes.
"""
NO_SIGHTING: Final = np.zeros(0, dtype=SIGHTING)
PAIR: Final = 2
Verdicts = Callable[[NDArray[np.int64]], tuple[NDArray[np.bool_], NDArray[np.bool_]]]


class Flows(Mapping[int, "Flow"]):
    """The flows of a capture by number; each is made when it is asked for, and the last ones are kept."""

    def __init__(self, analysis: Analysis) -> None:
        lines = analysis.lines()
        order = np.argsort(lines["number"], kind="stable")
        self._analysis, self._lines, self.numbers = analysis, lines[order], lines["number"][order].astype(np.int64)
        self._made: dict[int, Flow] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers.tolist())

    def __getitem__(self, number: int) -> Flow:
        if number not in self._made:
            at = int(np.searchsorted(self.numbers, number))
            if at == len(self.numbers) or self.numbers[at] != number:
                raise KeyError(number)
            while len(self._made) >= MOST_MADE:
                del self._made[next(iter(self._made))]
            self._made[number] = self._analysis.flow(self._lines[at])
        return self._made[number]

    def ahead(self, numbers: list[int]) -> None:
        """Make flows that will be asked for next, which are then judged together."""
        asked = np.unique(np.array(numbers, dtype=np.int64))
        lines = self._lines[np.flatnonzero(np.isin(self.numbers, asked))]
        self._made = {flow.number: flow for flow in self._analysis.each(lines)}


@dataclass(slots=True)
class Read:
    """One capture, read."""

    path: str
    analysis: Analysis
    flows: Flows
    forgotten: int = 0
    """How many flows with something to tell were let go."""

    @property
    def summary(self) -> CaptureSummary:
        """What is known of the capture as a whole."""
        return self.analysis.captures[0]

    def telling(self) -> NDArray[np.int64]:
        """Return the numbers of the flows that have something to tell."""
        return self.analysis.numbers_where(_tell)


def points_of(names: Sequence[str]) -> list[list[str]]:
    """Return the files of each point, rotated ones in order of time; points come in the order of their first files."""
    found: list[list[str]] = []
    for series in series_of(names):
        found.append(series[:1])
        for path in series[1:]:
            if _follows(found[-1][-1], path):
                found[-1].append(path)
            else:
                found.append([path])
    return sorted(found, key=lambda paths: min(map(names.index, paths)))


def _follows(one: str, other: str) -> bool:
    """Say whether a file goes on where another ends; that one is read, until it is later than the other begins."""
    try:
        with open_capture(other, jit=False, chunk=1 << 16) as source:
            start_ns = source.start_ns
        last_ns = -1
        with open_capture(one) as source:
            for batch in source:
                last_ns = max(last_ns, batch.last_ts_ns)
                if start_ns is None or last_ns > start_ns + OVERLAP_NS:
                    return False
    except AnalyzerError:
        return False  # whoever reads it says what is wrong with it
    return goes_on(last_ns, start_ns)


def worth_threads(source: RotatedReader) -> bool:
    """Whether points are worth threads: compiled loops run side by side, plain ones would only take turns."""
    return source.jit and (os.cpu_count() or 1) > 1


@dataclass(slots=True)
class Step:
    """A batch of a capture, tracked."""

    seen: NDArray[np.void] | Unwritten
    last_ts_ns: int
    finished: FlowBatch | None
    tells: NDArray[np.bool_]
    """Which of the finished flows tell something by themselves."""
    highest: int
    """The highest number of a flow that began, -1 for none."""
    jit: bool


@dataclass(slots=True)
class Taken:
    """What a step brings to who compares points."""

    seen: NDArray[np.void] | Unwritten
    last_ts_ns: int
    over: NDArray[np.int64]
    """The numbers of flows that are over."""
    telling: NDArray[np.int64]
    """Those of them that tell something by themselves."""
    jit: bool
    """Whether loops are compiled."""


class Reading:
    """One capture on its way in: its sightings batch by batch, its flows at the end."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        reader: str,
        jit: bool | None,
        progress: Callable[[RotatedReader, int], None] | None,
    ) -> None:
        self.path, self._progress = paths[0], progress
        self._result = Analysis()
        self._summary = CaptureSummary(list(paths))
        self._result.captures.append(self._summary)
        self._source = RotatedReader(paths, reader=reader, jit=jit, contents=True)
        self._intake = Intake(self._summary, self._source, self._result.limits, telling=True)
        self._steps: Iterator[Step] = self._each()
        if worth_threads(self._source):  # each point is read, decoded and tracked by a thread of its own
            self._steps = read_ahead(self._steps, AHEAD)
        self._waiting: list[tuple[FlowBatch, NDArray[np.bool_]]] = []
        self._forgotten = 0
        self._highest = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        if isinstance(self._steps, Generator):
            self._steps.close()
        self._source.__exit__(None, None, None)

    def _each(self) -> Iterator[Step]:
        """Read all batches; whoever goes through this has the source and the intake until it ends."""
        last_ns = 0
        for batch in self._source:
            finished = self._intake.feed(batch)
            jit, last_ns = self._source.jit, batch.last_ts_ns
            told = self._intake.take_told()
            seen = Unwritten(batch, told) if jit else sightings_of(batch, told, jit=False)
            yield Step(seen, last_ns, finished, _tells(finished), self._intake.begun - 1, jit)
            del batch, told, seen  # whose memory it is now may want it back before there is another
        for finished in self._intake.close():
            yield Step(NO_SIGHTING, last_ns, finished, _tells(finished), -1, self._source.jit)

    def step(self) -> Taken | None:
        """Read a batch; return None at the end."""
        step = next(self._steps, None)
        if step is None:
            return None
        over = NOTHING
        if step.finished is not None:
            over = step.finished.flow["number"].astype(np.int64)
            self._waiting.append((step.finished, step.tells))
        self._highest = max(self._highest, step.highest, int(over.max(initial=-1)))
        if self._progress is not None:
            self._progress(self._source, self._summary.frames)
        return Taken(step.seen, step.last_ts_ns, over, over[step.tells], step.jit)

    def let_go(self, verdicts: Verdicts) -> None:
        """Forget flows that are over; ``verdicts`` says of numbers which were looked at, and which are forgotten."""
        waiting, self._waiting = self._waiting, []
        for batch, tells in waiting:
            known, gone = verdicts(batch.flow["number"].astype(np.int64))
            if not known.any():
                self._waiting.append((batch, tells))
                continue
            if not known.all():
                rest = np.flatnonzero(~known)
                self._waiting.append((batch.take(rest), tells[rest]))
            self._forgotten += int((gone & tells).sum())
            stays = batch.take(np.flatnonzero(known & ~gone))
            if len(stays):
                self._result.hold(0, stays)

    def close(self) -> NDArray[np.int64]:
        """Note that all was read; return which flows are over by that: all."""
        self._summary.parts = self._source.parts
        self._intake.enter()
        return np.arange(self._highest + 1)

    def read(self) -> Read:
        """Return the capture, when all of it was read, but for what was let go."""
        for batch, _ in self._waiting:
            self._result.hold(0, batch)
        self._waiting = []
        self._result.settle()
        return Read(self.path, self._result, Flows(self._result), self._forgotten)


def _tells(batch: FlowBatch | None) -> NDArray[np.bool_]:
    """Say which flows have something to tell."""
    return np.zeros(0, dtype=np.bool_) if batch is None else _tell(batch, verdict.decide(batch))


def _tell(batch: FlowBatch, winners: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Say which flows have probes, an ending that is not good, or an end that waits in vain."""
    good = np.array([rule.verdict in GOOD for rule in VERDICTS])
    probes = (batch.run_a["probes"] > 0) | (batch.run_b["probes"] > 0)
    tell: NDArray[np.bool_] = probes | ~good[winners] | hangs(batch, winners)
    return tell


def read_abreast(reading: Sequence[Reading], *, keep_all: bool, most: int | None = None) -> Thinner:
    """Read captures side by side, the one that is behind first, and keep of their packets what may tell something.

    Without ``keep_all`` connections in which nothing happened are forgotten, and with ``most`` all but the first so
    many of the others.
    """
    thinner = Thinner(len(reading), forgetting=None if keep_all or len(reading) != PAIR else Forgetting(most))
    sifted = 0
    while (point := thinner.next) is not None:
        step = reading[point].step()
        if step is None:
            thinner.finish(point, reading[point].close())
            thinner.end(point)
            continue
        thinner.add(point, step.seen, step.last_ts_ns, jit=step.jit)
        thinner.finish(point, step.over, step.telling)
        if thinner.sifted > sifted and not keep_all:
            sifted = thinner.sifted
            for at, each in enumerate(reading):
                each.let_go(partial(thinner.verdicts, at))
    return thinner
