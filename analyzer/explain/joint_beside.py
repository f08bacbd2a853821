"""What captures have beside a connection that several points saw: who refused its packets, who was asked for in vain.

Losses tell between which points something was lost; ICMP and ARP tell who did it, or why.

It must not decide on a cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.explain.part_teller import PartTeller
from analyzer.explain.points import letter
from analyzer.explain.why_so import headline as cause_headline
from analyzer.explain.why_so import who
from analyzer.vantage.joint import Fate
from analyzer.words.model import Line
from analyzer.words.teller import frames_text
from analyzer.words.witnesses import says

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.explain.crossings import JointTeller
    from analyzer.judge.judged import Witness
    from analyzer.vantage.joint import Part
    from analyzer.words.teller import Teller

KINDS: Final = frozenset({"icmp", "arp", "ndp", "dhcp", "lldp", "stp", "link", "reconnect"})
"""Witnesses that one capture may have and no other: what hosts and boxes did, and not what a capture alone infers."""


class _Heard(NamedTuple):
    """What is told of one point."""

    point: int
    text: str
    frames: tuple[int, ...]


def beside_lines(t: JointTeller) -> list[Line]:
    """Return what passed beside the connection, and who must act where that shows it; each with points and frames.

    What several points tell alike stands once. Of one capture with two sides its own story tells it.
    """
    told: dict[str, list[_Heard]] = {}
    for each in [] if t.one_host() else _heard(t):
        told.setdefault(each.text, []).append(each)
    return [Line(f"{text} {_frames(where)}") for text, where in told.items()]


def beside_headline(t: JointTeller) -> str:
    """Return the cause that what passed beside the connection shows, as one capture tells it; else nothing."""
    for part in [] if t.one_host() or not _may_be_lost(t) else t.flow.parts:
        teller = PartTeller(t, part)
        if _shows_cause(teller, _witnesses(part)) and (text := cause_headline(teller)):
            return text
    return ""


def _heard(t: JointTeller) -> Iterator[_Heard]:
    """Yield what is told of each point: witnesses of all, then who must act."""
    tellers = [(part, PartTeller(t, part), _witnesses(part)) for part in t.flow.parts]
    for part, teller, witnesses in tellers:
        for witness in witnesses:
            yield _Heard(part.point, says(teller, witness), witness.frames)
    for part, teller, witnesses in tellers:
        if _may_be_lost(t) and _shows_cause(teller, witnesses):
            for line in who(teller):
                yield _Heard(part.point, f"Who must act: {line.text}", line.frames)


def _witnesses(part: Part) -> list[Witness]:
    return [witness for witness in part.judged.witnesses if witness.kind in KINDS]


def _may_be_lost(t: JointTeller) -> bool:
    """Say whether anything may have been lost: where all passed, who says that he refused it did not."""
    return any(each.fate in (Fate.LOST, Fate.UNPROVEN) for each in t.flow.notable)


def _shows_cause(teller: Teller, witnesses: list[Witness]) -> bool:
    """Say whether a cause rests on what passed beside the flow: no other point gainsays that, as it may a RST."""
    cause = teller.judged.cause
    beside = {frame for witness in witnesses for frame in witness.frames}
    return cause is not None and teller.cause_is_told and not beside.isdisjoint(cause.frames)


def _frames(where: list[_Heard]) -> str:
    by_point = {each.point: each.frames for each in where}
    several = sum(len(frames) for frames in by_point.values()) > 1
    shown = "; ".join(f"{letter(point)} {frames_text(frames)}" for point, frames in by_point.items() if frames)
    return f"[{'frames' if several else 'frame'} {shown}]" if shown else ""
