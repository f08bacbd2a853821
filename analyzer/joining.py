"""``join(paths)``: captures of the same traffic from several points, read side by side and woven together.

It must not decide what became of a packet.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from analyzer import units
from analyzer.analysis import Analysis
from analyzer.capture.ahead import read_ahead
from analyzer.capture.reader import open_capture
from analyzer.capture.rotation import OVERLAP_NS, RotatedReader, goes_on, series_of
from analyzer.errors import AnalyzerError
from analyzer.intake import Intake
from analyzer.judge import verdict
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.survey.overview import CaptureSummary
from analyzer.units import format_duration
from analyzer.vantage.apart import Apart
from analyzer.vantage.concluding import JointFlows
from analyzer.vantage.forgotten import Forgotten
from analyzer.vantage.joint import Joined, Point
from analyzer.vantage.legs import legs_of
from analyzer.vantage.sighting import sightings_of
from analyzer.vantage.thinning import Thinner
from analyzer.vantage.weaving import weave

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

    from analyzer.analysis import Time
    from analyzer.judge.judged import JudgedFlow
    from analyzer.kept_flows import Flow
    from analyzer.track.batch import FlowBatch
    from analyzer.vantage.clock import Clock
    from analyzer.vantage.forgotten import Thinned
    from analyzer.vantage.joint import JointFlow
    from analyzer.vantage.weaving import Woven


NOTHING: Final = np.zeros(0, dtype=np.int64)
AHEAD: Final = 3
"""So many batches of each point wait at most for those of the others."""
Settled = Callable[[NDArray[np.int64]], tuple[NDArray[np.bool_], NDArray[np.bool_]]]
MOST_MADE: Final = 8_192
"""Of each capture so many flows stay judged: more than are looked at for what others carry."""
GOOD: Final = (Verdict.CLOSED, Verdict.OPEN, Verdict.CLOSING)


class NotJoinedError(AnalyzerError):
    """The captures cannot be joined; why, in one sentence."""


class Ladder:
    """The picture of a connection: shows in a notebook, and is saved with ``save``."""

    def __init__(self, figure: Figure) -> None:
        """Take a matplotlib figure."""
        self.figure = figure

    def save(self, path: str | Path) -> None:
        """Write it as a png, svg or pdf file, by its suffix."""
        from analyzer.output import whole
        from analyzer.report.plot import rendered

        content = rendered([self.figure], Path(path).suffix[1:])
        with whole(path, replace=True) as file:
            file.write(content)

    def __repr__(self) -> str:
        return "<Ladder: save(path) writes it>"

    def _repr_png_(self) -> bytes:
        from analyzer.report.plot import rendered

        return rendered([self.figure], "png")


class Joining(Joined):
    """What several points show together, with stories and pictures for notebooks."""

    def explain(self, number: int = 0) -> str:
        """Return the story of a connection as text."""
        from analyzer.report.joint_text import story
        from analyzer.report.screen import Screen

        return "\n".join(story(self, self._flow(number), Screen())).rstrip()

    def plot(self, number: int = 0, *, theme: str = "light") -> Ladder:
        """Draw a connection: a line for each point, packets as arrows, losses as crosses."""
        from analyzer.report.plot import ladder_figure

        return Ladder(ladder_figure(self._flow(number), self.points, self.zero, theme=theme))

    def fields(self, number: int = 0) -> dict[str, Any]:
        """Return a connection as the JSON of ``keepalive join`` has it, time in seconds."""
        from analyzer.report.joint_json import flow_object

        return flow_object(self._flow(number), self.points[0].first_ns)

    def clocks(self) -> list[dict[str, Any]]:
        """Return the points, their offsets and drifts, as the JSON has them."""
        from analyzer.report.joint_json import point_object

        return [point_object(point) for point in self.points]

    def _flow(self, number: int) -> JointFlow:
        return self.flows[number]

    def __repr__(self) -> str:
        """Return what was joined, on one line."""
        names = ", ".join(Path(point.path).name for point in self.points)
        return f"<Joining of {names}: {len(self.flows)} connections>"


class _Flows(Mapping[int, "Flow"]):
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
class _Read:
    """One capture, read."""

    path: str
    analysis: Analysis
    flows: _Flows

    @property
    def summary(self) -> CaptureSummary:
        return self.analysis.captures[0]

    def telling(self) -> NDArray[np.int64]:
        """Return the numbers of the flows with probes, or an ending that is not good."""
        lines = self.analysis.lines()
        good = np.array([rule.verdict in GOOD for rule in VERDICTS])
        numbers: NDArray[np.int64] = lines["number"][(lines["probes"] > 0) | ~good[lines["winner"]]].astype(np.int64)
        return numbers


def join(
    *paths: str | Path,
    reader: str = "auto",
    jit: bool | None = None,
    progress: Callable[[RotatedReader, int], None] | None = None,
    keep_all: bool = True,
    time: Time = "relative",
) -> Joining:
    """Join captures of the same traffic; each path is a point, or one of several rotated files of a point.

    With ``keep_all=False``, of long captures, connections that are not among ``eventful`` are counted, and of most of
    them nothing more is left: they cannot be looked at. ``time`` is how stories and pictures say instants: "relative",
    as seconds from A's first frame, or as times of day in "utc" or in the "local" time zone.

    Raises:
        CaptureError: a capture cannot be read.
        NotJoinedError: fewer than two points, or they have nothing in common.
    """
    names = [str(path) for path in paths]
    if not names:
        raise NotJoinedError("no capture named")
    same = next((later for at, later in enumerate(names) for earlier in names[:at] if _is_same(earlier, later)), None)
    if same is not None:
        raise NotJoinedError(f"{same} is named twice: a capture has nothing to tell about itself")
    with ExitStack() as stack:
        series = _points_of(names)
        if len(series) == 1 and len(names) > 1:
            raise NotJoinedError(
                f"{series[0][1]} goes on where {series[0][0]} ends: they are one point, not two; name a capture from "
                "another point as well"
            )
        reading = [stack.enter_context(_Reading(each, reader=reader, jit=jit, progress=progress)) for each in series]
        thinner = _read_abreast(reading, keep_all=keep_all)
        thinned = thinner.left()
        read = [each.read(None if keep_all else partial(thinner.verdicts, at)) for at, each in enumerate(reading)]
    result = joined(read, thinned)
    result.time = units.Clock(time)
    return result


def _points_of(names: Sequence[str]) -> list[list[str]]:
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


def _is_same(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except OSError:
        return False


def joined(read: Sequence[_Read], thinned: Thinned) -> Joining:
    """Join captures that were read, from what is left of their packets.

    Raises:
        NotJoinedError: they have nothing in common.
    """
    seen, home, legs = [], [], []
    for capture, left in enumerate(thinned.seen):
        leg = legs_of(left)
        for number in range(int(leg.max(initial=0)) + 1):
            seen.append(left if not leg.any() else left[leg == number])
            home.append(capture)
            legs.append(number)

    def may_be_one(one: int, there: int, other: int, here: int) -> bool:
        first, second = read[home[one]].flows[there], read[home[other]].flows[here]
        ends = {str(first.a), str(first.b)} & {str(second.a), str(second.b)}
        ports = {first.a.port, first.b.port} & {second.a.port, second.b.port}
        return bool(ends or ports)

    settled = thinned.settled
    woven = weave(seen, may_be_one, home, sent=settled.sent if settled else None)
    points = [_point(at, leg, read[at], clock) for at, leg, clock in zip(home, legs, woven.clocks, strict=True)]

    def judged(point: int, flow: int) -> JudgedFlow:
        return read[home[point]].flows[flow].judged

    def ahead(point: int, flows: list[int]) -> None:
        read[home[point]].flows.ahead(flows)

    flows = JointFlows(woven, seen, points, judged, Forgotten(thinned, home), settled, ahead)
    taken = [
        np.unique(np.concatenate([flows.parts_at(point) for point, capture in enumerate(home) if capture == own]))
        for own in range(len(read))
    ]
    first_point = [home.index(capture) for capture in range(len(read))]
    apart = Apart(read, thinned.seen, taken)
    if len(seen) < 2 and not apart.pairs:
        raise NotJoinedError(f"{read[0].path} has every packet once: name a capture from another point as well")
    kin = {capture for pair in apart.pairs for capture in (pair.one, pair.other)}
    _refuse_strangers(read, {capture for capture, own in enumerate(taken) if len(own)} | kin)
    for capture, clock in apart.clocks([points[at].clock for at in first_point]).items():
        for at in (at for at, own in enumerate(home) if own == capture):
            points[at] = _point(capture, legs[at], read[capture], clock, by_data=True)
    lone = apart.lone(first_point)
    telling = [each.telling() for each in read]
    eventful = flows.eventful([telling[capture] for capture in home])
    warnings = [(at, warning) for at, each in zip(first_point, read, strict=True) for warning in each.summary.warnings]
    halves = apart.halves(first_point, home, woven.flows)
    return Joining(points, flows, lone, halves, eventful, _notes(woven, points), warnings)


def worth_threads(source: RotatedReader) -> bool:
    """Whether points are worth threads: compiled loops run side by side, plain ones would only take turns."""
    return source.jit and (os.cpu_count() or 1) > 1


@dataclass(slots=True)
class _Step:
    """A batch of a capture, tracked."""

    seen: NDArray[np.void]
    last_ts_ns: int
    finished: FlowBatch | None
    jit: bool


class _Reading:
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
        self._steps: Iterator[_Step] = self._each()
        if worth_threads(self._source):  # each point is read, decoded and tracked by a thread of its own
            self._steps = read_ahead(self._steps, AHEAD)
        self._waiting: list[FlowBatch] = []
        self._highest = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        if isinstance(self._steps, Generator):
            self._steps.close()
        self._source.__exit__(None, None, None)

    def _each(self) -> Iterator[_Step]:
        """Read all batches; whoever goes through this has the source and the intake until it ends."""
        for batch in self._source:
            finished = self._intake.feed(batch)
            jit = self._source.jit
            seen = sightings_of(batch, self._intake.take_told(), jit=jit)
            yield _Step(seen, batch.last_ts_ns, finished, jit)

    def step(self) -> tuple[NDArray[np.void], int, NDArray[np.int64], bool] | None:
        """Read a batch; return None at the end.

        Its sightings, the time of its last frame, which flows are over, and whether loops are compiled.
        """
        step = next(self._steps, None)
        if step is None:
            return None
        over = self._take(step.finished)
        self._highest = max(self._highest, int(step.seen["flow"].max(initial=-1)), int(over.max(initial=-1)))
        if self._progress is not None:
            self._progress(self._source, self._summary.frames)
        return step.seen, step.last_ts_ns, over, step.jit

    def _take(self, finished: FlowBatch | None) -> NDArray[np.int64]:
        if finished is None:
            return NOTHING
        self._waiting.append(finished)
        return finished.flow["number"].astype(np.int64)

    def let_go(self, settled: Settled) -> None:
        """Forget flows that are over and have nothing to tell; ``settled`` says which were looked at, and which are."""
        waiting, self._waiting = self._waiting, []
        for batch in waiting:
            known, quiet = settled(batch.flow["number"].astype(np.int64))
            if not known.any():
                self._waiting.append(batch)
                continue
            if not known.all():
                self._waiting.append(batch.take(np.flatnonzero(~known)))
            rest = batch.take(np.flatnonzero(known & ~(quiet & ~_tells(batch))))
            if len(rest):
                self._result.add(0, rest)

    def close(self) -> NDArray[np.int64]:
        """Note that all was read; return which flows are over by that: all."""
        self._summary.parts = self._source.parts
        self._intake.enter()
        return np.arange(self._highest + 1)

    def read(self, settled: Settled | None = None) -> _Read:
        """Return the capture, when all of it was read; without the flows that ``settled`` says are."""
        for batch in self._intake.close():
            self._take(batch)
            if settled is not None:
                self.let_go(settled)
            self._add_all()
        self._add_all()
        self._intake.enter()
        self._result.settle()
        return _Read(self.path, self._result, _Flows(self._result))

    def _add_all(self) -> None:
        for batch in self._waiting:
            self._result.add(0, batch)
        self._waiting = []


def _tells(batch: FlowBatch) -> NDArray[np.bool_]:
    """Say which flows have probes, or an ending that is not good."""
    good = np.array([rule.verdict in GOOD for rule in VERDICTS])
    probes = (batch.run_a["probes"] > 0) | (batch.run_b["probes"] > 0)
    tells: NDArray[np.bool_] = probes | ~good[verdict.decide(batch)]
    return tells


def _read_abreast(reading: Sequence[_Reading], *, keep_all: bool) -> Thinner:
    """Read captures side by side, the one that is behind first, and keep of their packets what may tell something."""
    thinner = Thinner(len(reading))
    sifted = 0
    while (point := thinner.next) is not None:
        step = reading[point].step()
        if step is None:
            thinner.finish(point, reading[point].close())
            thinner.end(point)
            continue
        seen, now_ns, over, jit = step
        thinner.add(point, seen, now_ns, jit=jit)
        thinner.finish(point, over)
        if thinner.sifted > sifted and not keep_all:
            sifted = thinner.sifted
            for at, each in enumerate(reading):
                each.let_go(partial(thinner.verdicts, at))
    return thinner


def _refuse_strangers(read: Sequence[_Read], known: set[int]) -> None:
    """Refuse captures that have nothing in common with the others.

    Raises:
        NotJoinedError: with the reason, if one shows.
    """
    strangers = [each for capture, each in enumerate(read) if capture not in known]
    if not strangers or len(read) == 1:
        return
    for each in strangers:
        for other in read:
            if other is each:
                continue
            first, second = sorted((each, other), key=lambda one: one.summary.start_ns or 0)
            if _same_flows(first, second) and (first.summary.end_ns or 0) <= (second.summary.start_ns or 0):
                raise NotJoinedError(
                    f"{second.path} goes on where {first.path} ends, with the same flows: they are one point, not two; "
                    "report reads both as one"
                )
    names = " and ".join(each.path for each in strangers) if len(read) > 2 else f"{read[0].path} and {read[1].path}"
    if len(strangers) == 1 and len(read) > 2:
        raise NotJoinedError(f"{names} has no packet in common with the others")
    raise NotJoinedError(f"{names} have no packet in common")


def _same_flows(one: _Read, other: _Read) -> bool:
    """Say whether two captures have a connection between the same addresses and ports."""

    def ends(read: _Read) -> set[frozenset[str]]:
        return {frozenset((str(flow.a), str(flow.b))) for flow in read.flows.values()}

    return bool(ends(one) & ends(other))


def _notes(woven: Woven, points: Sequence[Point]) -> list[str]:
    """Return what is to be said of the captures as a whole."""
    notes = []
    if woven.contradiction_ns is not None:
        notes.append(
            f"the clocks contradict each other by {format_duration(woven.contradiction_ns)}: "
            "no offsets fit all points (a clock was set, or a capture changed)"
        )
    if woven.guessed:
        notes.append("nothing tells repeated packets apart but their rhythm: a clock may be off by a whole interval")
    notes += [
        f"the clock of {point.path} was set {len(point.clock.pieces) - 1} times"
        if len(point.clock.pieces) > 2
        else f"the clock of {point.path} was set once"
        for point in points
        if point.clock is not None and len(point.clock.pieces) > 1 and point.leg == 0
    ]
    return notes


def _point(capture: int, leg: int, read: _Read, clock: Clock | None, *, by_data: bool = False) -> Point:
    summary = read.summary
    start_ns, end_ns = summary.start_ns or 0, summary.end_ns or 0
    holes = np.array([(hole.from_ns, hole.to_ns) for hole in summary.holes], dtype=np.int64).reshape(-1, 2)
    first_ns, last_ns = start_ns, end_ns
    if clock is not None:
        first_ns, last_ns = clock.reference_ns(np.array([start_ns, end_ns], dtype=np.int64)).tolist()
        holes = clock.reference_ns(holes.ravel()).reshape(-1, 2)
    told = tuple((low, high) for low, high in holes.tolist())
    dropped = summary.dropped or 0
    paths = tuple(summary.paths)
    return Point(
        read.path, leg, start_ns, first_ns, last_ns, summary.frames, dropped, told, clock, capture, paths, by_data
    )
