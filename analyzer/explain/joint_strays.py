"""That packets of a connection are another one's at one point: what translates addresses used its port again.

It must not decide which packets these are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.crossings import fate_words
from analyzer.explain.points import letter
from analyzer.findings.kinds import half_open
from analyzer.segment import RST
from analyzer.words.model import Line
from analyzer.words.teller import count, duration, frames_text, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.explain.crossings import JointTeller
    from analyzer.track.flow import Endpoint, Side
    from analyzer.vantage.joint import Stray

REMEDY: Final = (
    "Let probes or heartbeats come more often than that box remembers an idle connection, or raise its limit, or give"
    " it more ports."
)


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


def anew_headline(t: JointTeller) -> str:
    """Return that an end was translated to another name in mid-connection; nothing if none was."""
    side = next((stray.side for stray in t.flow.strays if stray.anew), None)
    if side is None:
        return ""
    return f"What translates addresses gave {t.name(side)} another address or port in mid-connection."


def stray_lines(t: JointTeller) -> Iterator[Line]:
    """Yield which packets are another connection's at a point, how that comes, and what it means for this one."""
    found: dict[tuple[int, int], list[Stray]] = {}
    for stray in t.flow.strays:
        found.setdefault((stray.point, stray.flow), []).append(stray)
    for strays in found.values():
        yield from _anew(t, strays) if strays[0].anew else _used_again(t, strays)


def _used_again(t: JointTeller, strays: list[Stray]) -> Iterator[Line]:
    """Yield that packets are another connection's, to which the name of this one was given."""
    first = strays[0]
    part = next(each for each in t.flow.parts if each.point != first.point)
    shared = f"{part.judged.record.endpoint(part.side(first.side))} at {letter(part.point)}"
    yield Line(
        f"{count(len(strays), 'packet')} of this connection {'is' if len(strays) == 1 else 'are'} another one's at"
        f" {letter(first.point)}, that of {_other(first)}: what translates addresses gave both {shared}"
        f" {_frames(strays)}."
    )
    yield from _meaning(t, first.side, _other(first))


def _anew(t: JointTeller, strays: list[Stray]) -> Iterator[Line]:
    """Yield that an end has another name at a point from some time on, and what its peer makes of that."""
    first = strays[0]
    part = t.flow.part_at(first.point)
    name, peer = t.name(first.side), t.name("b" if first.side == "a" else "a")
    old = "" if part is None else f", not {part.judged.record.endpoint(part.side(first.side))}"
    yield Line(
        f"From {t.instant(first.crossing.first.ts_ns)} on {count(len(strays), 'packet')} of this connection"
        f" {'has' if len(strays) == 1 else 'have'} another address or port at {letter(first.point)}: {name} is"
        f" {_other(first)} there{old} {_frames(strays)}."
    )
    answer = " It answers with a RST." if any(each.crossing.flags & RST for each in strays) else ""
    yield Line(
        "So what translates addresses had most likely forgotten this connection, and translated it anew when something"
        f" was sent again. Of that {peer} knows no connection, whatever became of the one it had.{answer}"
    )
    yield Line(REMEDY)


def _other(stray: Stray) -> Endpoint:
    """Return what the end that differs is there."""
    return stray.sender if stray.crossing.sender == stray.side else stray.receiver


def _meaning(t: JointTeller, side: Side, other: Endpoint) -> Iterator[Line]:
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
    yield Line(REMEDY)


def _frames(strays: list[Stray]) -> str:
    by_point: dict[int, list[int]] = {}
    for stray in strays:
        for sight in stray.crossing.seen:
            by_point.setdefault(sight.point, []).append(sight.frame)
    return f"[frames {'; '.join(f'{letter(point)} {frames_text(by_point[point])}' for point in sorted(by_point))}]"
