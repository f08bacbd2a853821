"""``join(paths)``: captures of the same traffic from several points, read side by side and woven together.

It must not decide what became of a packet.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer import units
from analyzer.abreast import Reading, points_of, read_abreast
from analyzer.explain.points import clock_notes
from analyzer.refusing import (
    NotJoinedError,
    refuse_copies,
    refuse_empty,
    refuse_parts,
    refuse_sequel,
    refuse_strangers,
)
from analyzer.units import format_duration
from analyzer.vantage.apart import Apart
from analyzer.vantage.concluding import JointFlows
from analyzer.vantage.forgotten import Forgotten
from analyzer.vantage.gaps import FEW, MOST, unseen_gaps
from analyzer.vantage.joint import Joined, Point
from analyzer.vantage.legs import legs_of
from analyzer.vantage.strays import met_elsewhere
from analyzer.vantage.waits import LEAST_NS
from analyzer.vantage.weaving import weave

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

    from analyzer.abreast import Read
    from analyzer.analysis import Time
    from analyzer.capture.rotation import RotatedReader
    from analyzer.judge.judged import JudgedFlow
    from analyzer.vantage.clock import Clock
    from analyzer.vantage.forgotten import Thinned
    from analyzer.vantage.joint import JointFlow
    from analyzer.vantage.sighting import Columns
    from analyzer.vantage.weaving import Woven


WAITING: Final = 500
"""So many connections in which nothing else happened are looked at for whether an end waited."""


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

        return flow_object(self._flow(number), self.points, self.points[0].first_ns)

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


def join(
    *paths: str | Path,
    reader: str = "auto",
    jit: bool | None = None,
    progress: Callable[[RotatedReader, int], None] | None = None,
    keep_all: bool = True,
    most: int | None = None,
    time: Time = "relative",
) -> Joining:
    """Join captures of the same traffic; each path is a point, or one of several rotated files of a point.

    With ``keep_all=False``, of long captures, connections that are not among ``eventful`` are counted, and of most of
    them nothing more is left: they cannot be looked at. With ``most`` that is so of those, too, that are behind the
    first so many in which something happened: ``more`` says how many are in no list. ``time`` is how stories and
    pictures say instants: "relative", as seconds from A's first frame, or as times of day in "utc" or in the "local"
    time zone.

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
        series = points_of(names)
        if len(series) == 1 and len(names) > 1:
            raise NotJoinedError(
                f"{series[0][1]} goes on where {series[0][0]} ends, and their names differ only in digits: they are "
                "read as rotated files of one point; name a capture from another point as well, or, if they are of two "
                "points, give them other names"
            )
        reading = [stack.enter_context(Reading(each, reader=reader, jit=jit, progress=progress)) for each in series]
        thinner = read_abreast(reading, keep_all=keep_all, most=most)
        thinned = thinner.left()
        for at, each in enumerate(reading):
            if not keep_all:
                each.let_go(partial(thinner.verdicts, at))
        read = [each.read() for each in reading]
    try:
        refuse_empty(read)
        refuse_copies(read, thinned)
        result = joined(read, thinned)
    except NotJoinedError as error:
        error.warn(read)
        raise
    result.time = units.Clock(time)
    return result


def _is_same(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except OSError:
        return False


def joined(read: Sequence[Read], thinned: Thinned) -> Joining:
    """Join captures that were read, from what is left of their packets.

    Raises:
        NotJoinedError: they have nothing in common.
    """
    seen, home, legs = [], [], []
    for capture, left in enumerate(thinned.seen):
        leg = legs_of(left)
        for number in range(int(leg.max(initial=0)) + 1):
            # without a second side second captures stay: another point may show that they are packets
            seen.append(left if not (leg > 0).any() else left[leg == number].each_its_own())
            home.append(capture)
            legs.append(number)

    def may_be_one(one: int, there: int, other: int, here: int) -> bool:
        first, second = read[home[one]].flows[there], read[home[other]].flows[here]
        ends = {str(first.a), str(first.b)} & {str(second.a), str(second.b)}
        ports = {first.a.port, first.b.port} & {second.a.port, second.b.port}
        return bool(ends or ports)

    settled = thinned.settled
    refuse_parts(read, seen, home)
    woven = weave(seen, may_be_one, home, sent=settled.sent if settled is not None else None)
    whole = settled is None or not len(settled.sent[0])  # nothing was forgotten
    if whole:
        refuse_sequel(read, woven, seen, home)
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
    counted = settled.counted if settled is not None else None
    if apart.first_is_beyond:
        raise NotJoinedError(
            f"{read[0].path} has no packet in common with the others, only data that a proxy most likely passed on: "
            "name it behind them"
        )
    kin = {capture for pair in apart.pairs for capture in (pair.one, pair.other)}
    if counted is not None and len(counted):
        kin |= {0, 1}
    refuse_strangers(read, {capture for capture, own in enumerate(taken) if len(own)} | kin)
    for capture, clock in apart.clocks([points[at].clock for at in first_point]).items():
        for at in (at for at, own in enumerate(home) if own == capture):
            points[at] = _point(capture, legs[at], read[capture], clock, by_data=True)
    lone = met_elsewhere(apart.lone(first_point), woven, seen, home)
    telling = [each.telling() for each in read]
    eventful = flows.eventful([telling[capture] for capture in home])
    _mind_what_is_lacking(flows, eventful[: MOST if whole else FEW], seen if whole else None, points, home)
    eventful = sorted({*eventful, *_waiting(flows, eventful)}) if whole else eventful
    warnings = [(at, warning) for at, each in zip(first_point, read, strict=True) for warning in each.summary.warnings]
    halves = apart.halves(first_point, home, flows.numbers_of)
    more = counted.eventful if counted is not None else 0
    notes = [*_notes(woven, points), *_disorder(read)]
    return Joining(points, flows, lone, halves, eventful, notes, warnings, more=more)


def _waiting(flows: JointFlows, eventful: Sequence[int]) -> list[int]:
    """Return the other connections in which an end waited long for an answer, of those that lasted long enough."""
    known = set(eventful)
    others = [number for number in flows.lasting(LEAST_NS) if number not in known]
    return [flow.number for flow in flows.each(others[:WAITING]) if flow.wait is not None]


def _mind_what_is_lacking(
    flows: JointFlows,
    asked: Sequence[int],
    seen: Sequence[Columns] | None,
    points: Sequence[Point],
    home: Sequence[int],
) -> None:
    """Note what captures lack that only what passed shows, and have connections concluded again that rest on it.

    With all packets that were ``seen``, holes of captures are known by it.
    """
    alone = [home.count(capture) == 1 for capture in home]  # of a capture with two sides each has a part of its packets
    if not any(alone):
        return
    looked_at = list(flows.each(asked))
    gaps = [()] * len(points) if seen is None else unseen_gaps(looked_at, seen, points)
    for at, (point, own, is_alone) in enumerate(zip(points, gaps, alone, strict=True)):
        point.lacks = next((flow.lacks[at] for flow in looked_at if is_alone and at in flow.lacks), None)
        if is_alone and (own or point.lacks):
            point.gaps_ns += own
            flows.look_again()


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
    return [*notes, *clock_notes(points)]


def _disorder(read: Sequence[Read]) -> list[str]:
    """Return what is to be said of captures whose frames are out of order by more than a moment."""
    notes = []
    for each in read:
        back_ns = max((hole.from_ns - hole.to_ns for hole in each.summary.holes), default=0)
        if back_ns > 0:
            notes.append(
                f"the time of {each.path} goes back by {format_duration(back_ns)}: if no clock was set, and its frames "
                "are only out of order (files put one behind the other), its connections fall apart; sort them first "
                "(reordercap)"
            )
    return notes


def _point(capture: int, leg: int, read: Read, clock: Clock | None, *, by_data: bool = False) -> Point:
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
