"""The story of two connections that carry the same data: before and behind a proxy, or renumbered on the way.

No packet passes a proxy, so neither a probe nor a RST of one connection is one of the other: who answers is the proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.explain.joined import joint_story
from analyzer.explain.points import letter
from analyzer.explain.story import headline
from analyzer.judge.verdict import Verdict
from analyzer.units import format_duration, format_instant
from analyzer.words.model import Line, Section, Story

if TYPE_CHECKING:
    from analyzer.track.flow import Endpoint
    from analyzer.vantage.joint import Half, Halves, Joined

GOES_ON: Final = (Verdict.OPEN, Verdict.SILENT, Verdict.HALF_CLOSED, Verdict.CLOSING, Verdict.UNDETERMINED)
"""Verdicts of connections that had not ended when the capture did."""


def halves_story(joined: Joined, pair: Halves) -> Story:
    """Tell what two connections that carry the same data show together."""
    names = f"{_name(pair.front)[0].upper()}{_name(pair.front)[1:]} and {_name(pair.back)}"
    if pair.why == "renumbered":
        lead = (
            "They carry the same data between the same addresses, with other sequence numbers: most likely a box"
            f" between {letter(pair.front.point)} and {letter(pair.back.point)} rewrites them, so packets cannot be"
            " matched. Two connections at different times that say the same would look alike: the clocks are compared"
            " by that data."
        )
        lines = [Line(_half(joined, half, "")) for half in (pair.front, pair.back)]
        return Story(f"{names}: most likely one connection, renumbered", lead, (Section("", tuple(lines)),))
    lead = (
        "They carry the same data with sequence numbers of their own: most likely a proxy has both. No probe, answer, "
        "RST or FIN passes a proxy: what each end hears is the proxy's own."
    )
    surely = "most likely"
    if not _meet(pair):
        surely = "perhaps"
        lead = (
            "They carry the same data with sequence numbers of their own: perhaps a proxy has both, with another"
            " address on each side; but no host is the server of one and the client of the other, and what programs say"
            " alike in many connections looks the same. No probe, answer, RST or FIN passes a proxy."
        )
    if not pair.ordered:
        lines = [Line(_half(joined, half, "")) for half in (pair.front, pair.back)]
    else:
        lines = [
            Line(_half(joined, pair.front, "before the proxy, which is the server there")),
            Line(_half(joined, pair.back, "behind the proxy, which is the client there")),
        ]
    return Story(f"{names}: {surely} those of a proxy", lead, (Section("", (*lines, *_ends(joined, pair))),))


def proxy_words(joined: Joined, number: int) -> str:
    """Say of a connection which of its ends is a proxy, if one most likely is; else nothing."""
    for pair in joined.halves:
        for half, other, end in ((pair.front, pair.back, "server"), (pair.back, pair.front, "client")):
            if half.joint == number and pair.why == "proxy":
                who = f"Its {end}" if pair.ordered else "One of its ends"
                surely = "most likely" if _meet(pair) else "perhaps"
                return f"{who} is {surely} a proxy, whose other connection is {_name(other)}."
    return ""


def _name(half: Half) -> str:
    return f"flow {half.number} of {letter(half.point)}" if half.joint is None else f"connection {half.joint}"


def _half(joined: Joined, half: Half, where: str) -> str:
    """Say how one of the connections went."""
    judged = half.flow.judged
    began, other = _began(half)
    place = f", {where}" if where else ""
    text = f"{_name(half)[0].upper()}{_name(half)[1:]}, from {began} to {other}{place}: "
    if half.joint is not None:
        return text + joint_story(joined.flows[half.joint], joined.points, joined.zero).headline
    frame = "" if judged.ending.frame is None else f" [frame {letter(half.point)} {judged.ending.frame}]"
    return text + headline(judged, judged.record.first_ns) + frame


def _meet(pair: Halves) -> bool:
    """Say whether one host was connected to in one of both, and began the other: the proxy itself."""
    (client, proxy), (again, server) = ([end.address for end in _began(half)] for half in (pair.front, pair.back))
    return proxy == again or (not pair.ordered and server == client)


def _began(half: Half) -> tuple[Endpoint, Endpoint]:
    """Return who began the connection, and the other end."""
    record = half.flow.judged.record
    return (record.b, record.a) if record.initiator == "b" else (record.a, record.b)


def _ends(joined: Joined, pair: Halves) -> list[Line]:
    """Say which ended first, and what the proxy made of it."""
    front, back = _ended_ns(joined, pair.front), _ended_ns(joined, pair.back)
    if front is None and back is None:
        return []
    if front is None or back is None:
        ended, on = (pair.back, pair.front) if front is None else (pair.front, pair.back)
        at = format_instant(front or back or 0, joined.zero)
        text = f"{_name(ended)} had ended at {at} {_frame(ended)}; {_name(on)} had not, when its capture did"
        return [Line(f"{text[0].upper()}{text[1:]}.")]
    if abs(front - back) <= _unsure_ns(joined, pair):
        both = f"{_frame(pair.front)[:-1]}, {_frame(pair.back)[7:]}"
        return [
            Line(
                f"Both ended at about {format_instant(front, joined.zero)}; the clocks do not tell which first {both}."
            )
        ]
    first, then = (pair.front, pair.back) if front <= back else (pair.back, pair.front)
    took = format_duration(abs(front - back))
    text = (
        f"{_name(first)} ended first, at {format_instant(min(front, back), joined.zero)} {_frame(first)}; "
        f"{_name(then)} {took} later {_frame(then)}"
    )
    return [Line(f"{text[0].upper()}{text[1:]}.")]


def _ended_ns(joined: Joined, half: Half) -> int | None:
    """Return when a connection ended, by the first point's clock; None if it had not, or clocks cannot be compared."""
    ending, clock = half.flow.judged.ending, joined.points[half.point].clock
    if ending.verdict in GOES_ON or ending.ts_ns is None or clock is None:
        return None
    return int(clock.reference_ns(np.array([ending.ts_ns], dtype=np.int64))[0])


def _unsure_ns(joined: Joined, pair: Halves) -> int:
    """Return by how much instants of the two may be off against each other: nothing within one capture."""
    points = [joined.points[half.point] for half in (pair.front, pair.back)]
    if points[0].capture == points[1].capture:
        return 0
    return sum(point.clock.width_ns for point in points if point.clock is not None)


def _frame(half: Half) -> str:
    return f"[frame {letter(half.point)} {half.flow.judged.ending.frame}]"
