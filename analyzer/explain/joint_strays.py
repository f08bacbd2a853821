"""That packets of a connection are another one's at one point: what translates addresses used its port again.

It must not decide which packets these are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.explain.crossings import fate_words
from analyzer.explain.points import letter
from analyzer.findings.kinds import half_open
from analyzer.track.flow import SIDES
from analyzer.words.model import Line
from analyzer.words.teller import count, duration, frames_text, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.explain.crossings import JointTeller
    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Stray


def stray_headline(t: JointTeller, stray: Stray) -> str:
    """Return that a RST of another connection ended this one."""
    name = t.name(stray.crossing.sender)
    text = (
        f"A RST of another connection ended it: at {letter(stray.point)} that RST is {stray.sender}'s, and what"
        f" translates addresses had given it the address and port of {name}, which did not send it."
    )
    return text[0].upper() + text[1:]


def stray_ending(t: JointTeller, stray: Stray) -> str:
    """Say of such a RST whose it is."""
    return (
        f"RST of {stray.sender}, another connection at {letter(stray.point)}, in the name of"
        f" {t.name(stray.crossing.sender)}: it {fate_words(t, stray.crossing)}"
    )


def stray_lines(t: JointTeller) -> Iterator[Line]:
    """Yield which packets are another connection's at a point, how that comes, and what it means for this one."""
    found: dict[tuple[int, int], list[Stray]] = {}
    for stray in t.flow.strays:
        found.setdefault((stray.point, stray.flow), []).append(stray)
    for (point, _), strays in found.items():
        side = _translated(t, strays)
        if side is None:
            continue
        other = next(each.sender if each.crossing.sender == side else each.receiver for each in strays)
        shared = _shared_name(t, side, point)
        frames = "; ".join(f"{letter(at)} {frames_text(numbers)}" for at, numbers in _frames(strays).items())
        is_one = len(strays) == 1
        yield Line(
            f"{count(len(strays), 'packet')} of this connection {'is' if is_one else 'are'} another one's at"
            f" {letter(point)}, that of {other}: what translates addresses gave both {shared} [frames {frames}]."
        )
        yield from _meaning(t, side, other)


def _meaning(t: JointTeller, side: Side, other: object) -> Iterator[Line]:
    name, peer = t.name(side), t.name("b" if side == "a" else "a")
    ended = t.flow.ending.stray
    if ended is None:
        yield Line(
            f"So {peer} takes what {other} sends for {name}'s, and refuses what does not fit; what it answers goes to"
            " the one or the other."
        )
        return
    quiet = ""
    for part in t.flow.parts:
        new_syn = part.judged.finding(half_open.DISCOVERED.code)
        if new_syn is not None and "silent_ns" in new_syn.data:
            silence = duration(number(new_syn, "silent_ns"))
            quiet = quiet or f" {name[0].upper()}{name[1:]} had sent nothing for {silence} before."
    yield Line(
        f"So it had most likely forgotten this connection while {peer} still held it, and used its port again.{quiet}"
        f" {name[0].upper()}{name[1:]} is told nothing of that end."
    )
    yield Line(
        "Let probes or heartbeats come more often than that box remembers an idle connection, or raise its limit, or"
        " give it more ports."
    )


def _translated(t: JointTeller, strays: list[Stray]) -> Side | None:
    """Return the end whose name others have as well at that point; None if both ends' differ."""
    first = strays[0]
    part = t.flow.part_at(first.point)
    if part is None:
        return None
    ends = {side: part.judged.record.endpoint(part.side(side)) for side in SIDES}
    there = {first.sender, first.receiver}
    differ: list[Side] = [side for side in SIDES if ends[side] not in there]
    return differ[0] if len(differ) == 1 else None


def _shared_name(t: JointTeller, side: Side, point: int) -> str:
    """Return what both are called at another point."""
    part = next(each for each in t.flow.parts if each.point != point)
    return f"{part.judged.record.endpoint(part.side(side))} at {letter(part.point)}"


def _frames(strays: list[Stray]) -> dict[int, list[int]]:
    by_point: dict[int, list[int]] = {}
    for stray in strays:
        for sight in stray.crossing.seen:
            by_point.setdefault(sight.point, []).append(sight.frame)
    return {point: by_point[point] for point in sorted(by_point)}
