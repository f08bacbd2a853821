"""That an end waited long for an answer though what it sent had arrived: the time was not spent between the points.

It must not say that a program hangs: whether what was sent asks for an answer, and why none came, no packet shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.points import frames_of, letter
from analyzer.judge.record import other
from analyzer.words.model import Line
from analyzer.words.teller import count, duration, times

if TYPE_CHECKING:
    from analyzer.explain.crossings import JointTeller
    from analyzer.vantage.joint import Wait

UNTIL: Final = {
    "fin_of_asker": "until {asker} sent FIN",
    "fin_of_asked": "until {asked} sent FIN",
    "reset_of_asker": "until a RST came in the name of {asker}",
    "reset_of_asked": "until a RST came in the name of {asked}",
    "capture": "until the capture of {point} ended",
}


def wait_lines(t: JointTeller) -> list[Line]:
    """Tell of a wait, and on which side of which point it was; nothing if there was none."""
    wait = t.flow.wait
    return [] if wait is None else [Line(_fact(t, wait)), Line(_meaning(t, wait))]


def _fact(t: JointTeller, wait: Wait) -> str:
    asker, asked, point = t.name(wait.asker), t.name(other(wait.asker)), letter(wait.point)
    at = t.instant(next(sight.ts_ns for sight in wait.asked.seen if sight.point == wait.point))
    told = {id(each): frames_of(each) for each in (wait.asked, wait.acked, wait.until) if each is not None}
    text = f"Data of {asker} ({count(wait.asked.payload_len, 'byte')}) passed {point} at {at}"
    waited, acked = duration(wait.waited_ns), f"the kernel of {asked} acknowledged it {duration(wait.acked_ns)} later"
    if wait.ended == "answered":
        between = "" if wait.acked is wait.until else f", {acked}"
        text += f"{between}, and the next data of {asked} passed {point} {waited} later."
    else:
        until = UNTIL[wait.ended].format(asker=asker, asked=asked, point=point)
        text += f", and {acked}; but {asked} sent no data in the {waited} {until}."
    frames = f"[frames {', '.join(told.values())}]"
    return f"{text} Otherwise it answered {times(wait.others)}, within {_most(wait.slowest_ns)} {frames}."


def _meaning(t: JointTeller, wait: Wait) -> str:
    asked, point = t.name(other(wait.asker)), letter(wait.point)
    unless = "" if wait.ended == "answered" else ", if that data asks for an answer"
    return (
        f"So that time was not spent between the points, but beyond {point}{unless}: most likely in the program of"
        f" {asked}, which was stopped, hung or busy, or waited for something else. A kernel acknowledges data, and"
        f" answers probes, for a program that does nothing. The program's log, strace or a stack dump tells; if {point}"
        " is not on its host, a capture there tells whether answers were lost before they came here."
    )


def _most(ns: int) -> str:
    return "1 ms" if ns < 1_000_000 else duration(ns)
