"""Who still has a connection that the other end gave up or closed, because its RST or FIN was lost on the way.

It must not decide what was lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.crossings import likely
from analyzer.explain.points import frames_of, letter
from analyzer.judge.connection import State
from analyzer.judge.record import other
from analyzer.segment import FIN
from analyzer.track.flow import SIDES
from analyzer.vantage.joint import Fate
from analyzer.words.model import Line
from analyzer.words.teller import times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.explain.crossings import JointTeller
    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Crossing

HOLDING: Final = frozenset({State.ESTABLISHED, State.CLOSE_WAIT})
"""What an end is in that keeps a connection until its program or its kernel ends it."""


def lost_close(t: JointTeller) -> str:
    """Return that an end closed and the other was never told, for the headline; nothing if that is not so."""
    fins = _unheard(t)
    if not fins or not fins[0].flags & FIN:
        return ""
    name, first = t.name(fins[0].sender), fins[0]
    often = f", {times(len(fins))}" if len(fins) > 1 else ""
    was = f"was {likely(proven=first.proven)}lost {t.place(first)}{often}"
    return f"{name[0].upper()}{name[1:]} closed, but its FIN {was}: {t.name(other(first.sender))} does not know."


def left_lines(t: JointTeller) -> Iterator[Line]:
    """Say of an end that no RST or FIN reached that it still has the connection, and what will tell it so."""
    yield from _not_told(t)
    lost = _unheard(t)
    if not lost:
        return
    first = lost[0]
    side = other(first.sender)
    part = t.flow.nearest(side)
    end, peer = t.name(side), t.name(first.sender)
    did, what = ("closed", "its FIN") if first.flags & FIN else ("ended", "that RST")
    still = f"By what passed {letter(part.point)}, {end} {likely(proven=first.proven)}still has the connection that"
    frames = f"frame{'s' if len(lost) > 1 else ''} {', '.join(dict.fromkeys(map(frames_of, (first, lost[-1]))))}"
    yield Line(f"{still} {peer} {did}: {what} did not reach it. {_what_tells(t, side, first)} [{frames}].")


def _not_told(t: JointTeller) -> Iterator[Line]:
    """Say of the end in whose name something else made a RST that it still has the connection."""
    reset = t.flow.ending.crossing
    if reset is None or reset.fate is not Fate.MADE or not t.flow.ending.proven or not _holds(t, reset.sender):
        return
    end, peer = t.name(reset.sender), t.name(other(reset.sender))
    point = letter(t.flow.nearest(reset.sender).point)
    yield Line(
        f"By what passed {point}, {end} still has the connection, and knows nothing of that RST, which came to"
        f" {peer} alone. {_what_tells(t, reset.sender, reset)} [frame {frames_of(reset)}]."
    )


def _holds(t: JointTeller, side: Side) -> bool:
    """Say whether an end was last in a state that keeps a connection, by the point nearest to it."""
    part = t.flow.nearest(side)
    return part.judged.record.states[0 if part.side(side) == "a" else 1] in HOLDING


def _what_tells(t: JointTeller, side: Side, first: Crossing) -> str:
    """Say what will tell an end that it is alone, if anything does."""
    part, peer = t.flow.nearest(side), t.name(other(side))
    since = [each for each in t.flow.notable if each.sender == side and each.first.ts_ns > first.first.ts_ns]
    if any(each.payload_len and each.fate is Fate.LOST for each in since):
        return (
            "What it sent since was lost, too: its kernel gives up once it has sent that again for long enough (on"
            " Linux 15 minutes and more, unless TCP_USER_TIMEOUT is set)"
        )
    if part.judged.record.probes_from(part.side(side)):
        return f"Its next probe can find out, if {peer}'s answer reaches it; else it gives up by its own count"
    return (
        "It sent no probe there, so only what it sends next can find out: turn keepalive on there, or it may keep it"
        " for ever"
    )


def _unheard(t: JointTeller) -> list[Crossing]:
    """Return the RST that ended a connection, or all FINs of one end, if they were lost and the other end is left."""
    reset = t.flow.ending.crossing
    found = [reset] if reset is not None and t.flow.ending.by == reset.sender and t.flow.ending.proven else []
    for side in SIDES if reset is None else ():
        found = found or [each for each in t.flow.notable if each.flags & FIN and each.sender == side]
    if not found or any(each.fate is not Fate.LOST for each in found) or not t.flow.way:
        return []
    return found if _holds(t, other(found[0].sender)) else []
