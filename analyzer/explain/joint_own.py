"""What the ends of a connection that several points saw did themselves: a program never closed, a host had forgotten.

With what to change because of that, and what is inferred of keepalive's settings. Each is what the capture nearest to
that end finds. What a capture alone infers of the way, or of a RST that several show to be another's, must not be told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.explain import halfclose
from analyzer.explain.advice import findings_advice
from analyzer.explain.crossings import fate_words
from analyzer.explain.joint_box import box_findings
from analyzer.explain.part_teller import PartTeller
from analyzer.explain.points import frames_at
from analyzer.explain.settings import settings_of
from analyzer.explain.storylines import leader
from analyzer.findings import kind_of
from analyzer.findings.kinds import (
    abort,
    close_wait,
    dead_peer,
    farewells,
    fin_wait_2,
    forgotten,
    half_close,
    half_open,
    heartbeat_limits,
    heartbeats_missed,
    idle_close_race,
    late_data,
    no_heartbeats,
    no_reply,
    path_mtu,
    pauses,
    program_hung,
    rhythm,
    too_many_pings,
    window,
)
from analyzer.judge.verdict import Verdict
from analyzer.segment import FIN
from analyzer.track.flow import SIDES
from analyzer.vantage.joint import Fate
from analyzer.words.model import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.explain.crossings import JointTeller
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Part

NEVER_CLOSED: Final = frozenset(kind.code for kind in (close_wait.HELD, close_wait.UNPROBED))
"""What an end did not do: not told if another point has a FIN of it."""
DOINGS: Final = NEVER_CLOSED | frozenset(
    kind.code
    for kind in (
        half_close.IN_USE,
        close_wait.SLOW,
        half_close.FIN_SENDER_PROBES,
        farewells.REASON_GIVEN,
        program_hung.HUNG,
        no_heartbeats.NEVER_SENT,
        heartbeats_missed.MISSED,
        heartbeat_limits.CEASED,
        too_many_pings.TOO_MANY,
        no_reply.NO_REPLY,
        window.CLOSED,
        window.FOR_LONG,
        pauses.PAUSED,
        pauses.SLEPT,
        rhythm.BELOW_ROUND_TRIP,
    )
)
"""What an end's program or kernel does, and no loss on the way looks like, at the point nearest to it."""
REFUSALS: Final = frozenset(
    kind.code
    for kind in (
        fin_wait_2.EXPIRED,
        forgotten.FORGOTTEN,
        late_data.LATE_DATA,
        late_data.MET_CLOSE,
        idle_close_race.RACE,
        abort.ABORT,
        half_open.DISCOVERED,
        dead_peer.DEAD,
    )
)
"""What rests on a RST: true if that is its sender's own."""
LOSSES: Final = frozenset({path_mtu.LARGE_LOST.code})
"""What rests on packets that are lost behind the point: true if others show that these were."""
PLAIN: Final = frozenset({dead_peer.DEAD.code})
"""Of these what became of each probe says more."""


class Own(NamedTuple):
    """What a point shows of an end."""

    part: Part
    finding: Finding


def own_findings(t: JointTeller) -> list[Own]:
    """Return what is found of the ends, each at the point nearest to the end that it is about."""
    return [
        Own(part, finding)
        for side in SIDES
        for part in [t.flow.nearest(side)]
        for finding in part.judged.findings
        if finding.about is not None and part.side(finding.about) == side and _holds(t, part, finding)
    ]


def _holds(t: JointTeller, part: Part, finding: Finding) -> bool:
    """Say whether what a capture finds is true by what the others show."""
    if finding.code not in DOINGS | REFUSALS | LOSSES:
        return False
    if finding.code in LOSSES:
        lost = {each.frame_at(part.point) for each in t.flow.notable if each.fate is Fate.LOST}
        return bool(t.flow.way) and not lost.isdisjoint(finding.frames)
    if not t.flow.way and not all(each.judged.finding(finding.code) for each in t.flow.parts):
        return False
    if finding.code in REFUSALS and not _is_own_reset(t, part):
        return False
    if finding.code == no_reply.NO_REPLY.code and t.flow.wait is not None:
        return False
    about = finding.about
    closed = any(each.flags & FIN and each.sender == (about and part.side(about)) for each in t.flow.notable)
    return not (closed and finding.code in NEVER_CLOSED)


def _is_own_reset(t: JointTeller, part: Part) -> bool:
    """Say whether the RST that ended the flow there ended the connection, and is proven to be its sender's own."""
    ending, reset = t.flow.ending, part.judged.record.ending_reset
    if ending.crossing is None or ending.by not in SIDES or not ending.proven or reset is None:
        return False
    return ending.crossing.frame_at(part.point) == reset.frame


def own_headline(t: JointTeller) -> str:
    """Return what the ends did, as the headline of one capture, where that says more than who sent the RST."""
    ending = t.flow.ending
    for part, told in _tellers(t, without=PLAIN):
        leading = leader(told)
        if leading is not None and (ending.crossing is None or _is_own_reset(t, part)):
            text = leading[0].headline(told, leading[1])
            return text if ending.crossing is None else f"{text} {_of_its_reset(t)}"
    if ending.verdict == Verdict.HALF_CLOSED.value and len(told_of := {_who_closed(t)} - {None}) == 1:
        (side,) = told_of
        part = t.flow.nearest("b" if side == "a" else "a")
        if part.judged.ending.verdict is Verdict.HALF_CLOSED:
            return halfclose.headline(PartTeller(t, part))
    return ""


def _of_its_reset(t: JointTeller) -> str:
    """Say that the RST is its sender's own, and what became of it if it did not arrive."""
    reset = t.flow.ending.crossing
    assert reset is not None
    arrived = reset.fate is Fate.BOTH or not t.flow.way
    return f"The RST is {t.name(reset.sender)}'s own{'' if arrived else f', and {fate_words(t, reset)}'}."


def _who_closed(t: JointTeller) -> Side | None:
    """Return the one end of which a FIN was captured; None if of both, or none."""
    closed = {each.sender for each in t.flow.notable if each.flags & FIN}
    return next(iter(closed)) if len(closed) == 1 else None


def own_detail(t: JointTeller, part: Part, finding: Finding) -> str:
    """Return a finding in one or two sentences, with the names of the joint story."""
    return kind_of(finding.code).detail(PartTeller(t, part), finding)


def own_lines(t: JointTeller) -> Iterator[Line]:
    """Yield what is found of the ends, with the frames of the point that shows it."""
    for part, finding in own_findings(t):
        if finding.code not in PLAIN:
            yield Line(f"{own_detail(t, part, finding)} {frames_at(part.point, finding.frames)}")


def advice_lines(t: JointTeller) -> Iterator[Line]:
    """Yield what to change because of that."""
    said = set()
    for part, told in _tellers(t):
        for line in findings_advice(told):
            if line.text not in said:
                said.add(line.text)
                yield Line(f"{line.text} {frames_at(part.point, line.frames)}")


def settings_lines(t: JointTeller) -> Iterator[Line]:
    """Yield what is inferred of each end's keepalive, from the capture nearest to it."""
    for side in SIDES:
        part = t.flow.nearest(side)
        for line in settings_of(PartTeller(t, part), part.side(side)):
            yield Line(f"{line.text} {frames_at(part.point, line.frames)}")


def _tellers(t: JointTeller, *, without: frozenset[str] = frozenset()) -> Iterator[tuple[Part, PartTeller]]:
    """Yield each part with what is told of it: its flow, with those findings alone that hold, and no cause."""
    own = [each for each in own_findings(t) if each.finding.code not in without]
    own += [Own(part, finding) for part, finding in box_findings(t)] if not without else []
    for part in {each.part.point: each.part for each in own}.values():
        found = tuple(each.finding for each in own if each.part is part)
        yield part, PartTeller(t, part, replace(part.judged, findings=found, causes=(), witnesses=()))
