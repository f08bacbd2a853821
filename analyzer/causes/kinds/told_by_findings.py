"""Causes that a finding tells already: the table has their certainty, the finding the words.

Also what the capture itself lacks.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from analyzer.causes import conditions as c
from analyzer.causes.kind import CauseKind, CauseRow, Trait
from analyzer.findings.kinds import (
    abort,
    answers_lost,
    dead_peer,
    fin_wait_2,
    foreign_reset,
    forgotten,
    half_open,
    heartbeats_missed,
    idle_close_race,
    idle_reset,
    late_data,
    no_answers,
    no_heartbeats,
    no_reply,
    one_way,
    program_hung,
)
from analyzer.judge.judged import Certainty
from analyzer.judge.verdict import Verdict
from analyzer.words.model import LongText

if TYPE_CHECKING:
    from analyzer.causes.kind import Condition, Facts
    from analyzer.findings import FindingKind
    from analyzer.judge.scene import Scene


def _of_finding(kind: FindingKind, s: Scene) -> Facts:
    finding = s.found(kind.code)
    return (finding.frames if finding else ()), {}


def _has(kind: FindingKind) -> Condition:
    def has(s: Scene) -> bool:
        return s.found(kind.code) is not None

    has.__doc__ = f"The flow has the finding {kind.code}."
    return has


def _pointer(kind: FindingKind, certainty: Certainty, code: str = "") -> CauseKind:
    """Return a cause that is known by a finding, and has its code unless it has one of its own."""
    return CauseKind(
        code=code or kind.code,
        needs=frozenset({kind.code}),
        rows=(CauseRow(certainty, (_has(kind),)),),
        facts=partial(_of_finding, kind),
        text=kind.text,
    )


def _ignored(s: Scene) -> Facts:
    finding = s.found(no_answers.ANSWERS_NONE.code)
    return (finding.frames if finding else s.asked_frames), {}


def _unheard(s: Scene) -> Facts:
    return _of_finding(dead_peer.DEAD if s.found(dead_peer.DEAD.code) else one_way.LIVE_UNANSWERED, s)


def never_answered_a_probe(s: Scene) -> bool:
    """No probe of the asker was ever answered, though what else it sent was acknowledged."""
    probes = s.record.probes_from(s.asker)
    answered = any(probe.answer is not None for probe in probes)
    facts = s.record.facts(s.asker)
    return bool(probes) and not answered and facts.unacked_frame is None


def goes_on_as_if_answered(s: Scene) -> bool:
    """The asker has not given up, and probes, three times or more, as evenly as it did when it got answers."""
    answered = [p.gap_ns for p in s.record.probes_from(s.asker) if p.answer is not None and p.gap_ns]
    gaps = [p.gap_ns or 0 for p in s.in_vain]
    if s.ending.verdict is not Verdict.SILENT or len(gaps) < ENOUGH or not answered:
        return False
    return all(abs(gap_ns - answered[-1]) * EVENLY <= answered[-1] for gap_ns in gaps)


def was_heard_elsewhere(s: Scene) -> bool:
    """The verdict is undetermined: one end heard from the other what was not captured (answers-not-captured)."""
    return s.ending.rule == "answers-not-captured"


def cannot_tell(s: Scene) -> bool:
    """The verdict is undetermined."""
    return s.ending.verdict is Verdict.UNDETERMINED


def _lacks(s: Scene) -> Facts:
    return (s.record.last_frame,), {}


ENOUGH: Final = 3
"""How many probes show a rhythm."""
EVENLY: Final = 8
"""Gaps that differ by no more than this part of one are equal: Linux's timers run late by up to an eighth."""


def _hung(s: Scene) -> Facts:
    return _of_finding(program_hung.HUNG if s.found(program_hung.HUNG.code) else no_reply.NO_REPLY, s)


HUNG: Final = CauseKind(
    code=program_hung.HUNG.code,
    needs=frozenset({program_hung.HUNG.code, no_reply.NO_REPLY.code}),
    rows=tuple(CauseRow(Certainty.LIKELY, (_has(kind),)) for kind in (program_hung.HUNG, no_reply.NO_REPLY)),
    facts=_hung,
    text=no_reply.NO_REPLY.text,
)
POINTERS: Final = (
    HUNG,
    _pointer(no_heartbeats.NEVER_SENT, Certainty.LIKELY),
    _pointer(heartbeats_missed.MISSED, Certainty.LIKELY),
    _pointer(fin_wait_2.EXPIRED, Certainty.LIKELY),
    _pointer(foreign_reset.FROM_BETWEEN, Certainty.LIKELY),
    _pointer(half_open.DISCOVERED, Certainty.PROVEN),
    _pointer(idle_close_race.RACE, Certainty.LIKELY),
    _pointer(late_data.LATE_DATA, Certainty.LIKELY),
    _pointer(late_data.MET_CLOSE, Certainty.LIKELY),
    _pointer(answers_lost.ANSWERS_LOST, Certainty.LIKELY),
    _pointer(idle_reset.AT_LIMIT, Certainty.LIKELY),
    _pointer(abort.ABORT, Certainty.LIKELY),
    _pointer(forgotten.FORGOTTEN, Certainty.POSSIBLE),
)
"""In the order of the table."""
ANSWERS_NONE: Final = CauseKind(
    code=no_answers.ANSWERS_NONE.code,
    needs=frozenset({Trait.SILENT, no_answers.ANSWERS_NONE.code}),
    rows=(
        CauseRow(Certainty.LIKELY, (_has(no_answers.ANSWERS_NONE),)),
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, never_answered_a_probe, c.sent_nothing_itself)),
    ),
    facts=_ignored,
    tells="Check whether the peer answers data, or a probe with one byte (as Windows sends), on an idle connection.",
    text=no_answers.ANSWERS_NONE.text,
)
ONE_DIRECTION: Final = CauseKind(
    code="one-direction-lost",
    needs=frozenset({dead_peer.DEAD.code, one_way.LIVE_UNANSWERED.code}),
    rows=(CauseRow(Certainty.LIKELY, (c.peer_was_heard,)),),
    facts=_unheard,
    text=LongText(
        title="One direction of the path was lost, or both",
        meaning=(
            "A prober got no answer, and may have given up, though its peer was alive and sent probes of its own: one"
            " way lost packets, or both did."
        ),
        why="Both ends are well; only what one of them sent, or what answered it, did not arrive.",
        change="Look for what loses packets: a filter, a route, a full queue. A capture at each end shows where.",
        doubt="A peer whose kernel answers no probes but sends some looks the same.",
        source="Linux tcp_validate_incoming, tcp_keepalive_timer",
    ),
)
ELSEWHERE: Final = CauseKind(
    code="answers-elsewhere",
    needs=frozenset({Trait.SILENT, Trait.UNDETERMINED}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.LIKELY, (was_heard_elsewhere, c.capture_is_whole)),
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, goes_on_as_if_answered)),
    ),
    facts=_ignored,
    tells="Capture at the prober's own host: do answers arrive there? Its socket (ss -o) counts unanswered probes.",
    text=LongText(
        title="The answers pass elsewhere",
        meaning="The prober goes on as if it were answered; the answers may not pass the point of this capture.",
        why="If the two directions take different paths, a capture on one lacks the other, and nothing is wrong.",
        change="Capture at the prober's own host, or on both paths.",
        doubt="A prober whose interval equals its idle time goes on in the same rhythm when nothing answers.",
        source="Linux tcp_keepalive_timer; RFC 9293 3.8.4",
    ),
)
INCOMPLETE: Final = CauseKind(
    code="capture-incomplete",
    needs=frozenset({Trait.SILENT, Trait.UNDETERMINED}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.LIKELY, (cannot_tell,)),
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, c.capture_lacks_frames)),
    ),
    facts=_lacks,
    tells="Capture without drops: with a larger buffer (tcpdump -B), a shorter snap length, or a narrower filter.",
    text=LongText(
        title="The capture lacks frames",
        meaning="What seems unanswered may have been answered in frames that the capture does not have.",
        why="Nothing can be concluded from the absence of frames that were not captured.",
        change="Capture again without drops, in both directions.",
        doubt="The silence may be true all the same.",
        source="pcapng isb_ifdrop; pcap_stats(3PCAP)",
    ),
)
