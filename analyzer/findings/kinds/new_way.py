"""Answers to probes that come another way, or from another machine, from one of them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Row
from analyzer.judge.ways import turned
from analyzer.label.distance import INITIAL_TTLS
from analyzer.label.outcome import Answer
from analyzer.label.rules import Kind
from analyzer.words.model import LongText
from analyzer.words.teller import number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.events import Turn
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def answers_came_another_way(f: Flows) -> Mask:
    """From one of its answers to a probe on its packets have another TTL, or come from another station, for good."""
    at = turned(f.seen, f.columns.owner)
    found = f.none
    found[f.columns.owner[at[(f.mine & f.kind_in(Kind.ANSWER))[at]]]] = True
    return found


def every_probe_was_answered(f: Flows) -> Mask:
    """It left no probe unanswered; where it did, those losses tell of the way."""
    probes = f.from_peer.probing
    return f.any_row(probes) & ~f.any_row(probes & (f.seen("answer") == Answer.NONE))


def _turn(case: Case) -> Turn:
    return next(turn for turn in case.record.turns if turn.sender == case.side)


def _evidence(case: Case) -> Evidence:
    """The first answer that came the new way, and the TTLs."""
    turn = _turn(case)
    return frames_of(turn.frame), known(
        way_frame=turn.frame, ttl=turn.ttl, ttl_before=turn.own_ttl, other_mac=int(turn.other_mac)
    )


def _initial(ttl: int) -> int:
    """Return with which TTL a packet most likely began."""
    return min(initial for initial in INITIAL_TTLS if initial >= ttl)


def _detail(t: Teller, f: Finding) -> str:
    ttl, before, end = number(f, "ttl"), number(f, "ttl_before"), side_of(f)
    what = [f"with TTL {ttl}, and not {before}"] if ttl != before else []
    what += ["from another station than before"] if f.data["other_mac"] else []
    if ttl != before and _initial(ttl) != _initial(before):
        means = (
            "most likely another machine answers in its name by now (a box between, or one that took its address over):"
            " no host changes the TTL with which it sends, and these began with"
            f" {_initial(before)} and with {_initial(ttl)}"
        )
    else:
        means = "the path from it has changed, or another machine answers in its name"
    came = f"From frame {number(f, 'way_frame'):,} on {t.the(end)}'s answers to probes come {' and '.join(what)}"
    return f"{came}: {means}."


NEW_WAY: Final = FindingKind(
    code="answers-come-another-way",
    rows=(Row((answers_came_another_way, every_probe_was_answered), _evidence),),
    text=LongText(
        title="Answers to probes come another way than before",
        meaning=(
            "From one answer on, all that this end sends has another TTL, or comes from another station. The path has"
            " changed, or another machine answers in its name."
        ),
        why=(
            "Keepalive asks whether somebody answers for the connection, not who. A box that answers probes in the name"
            " of a host keeps a connection that the host itself may have lost."
        ),
        change=(
            "Find out who answers: capture at the host itself, and see whether the probes arrive there. Look for a"
            " routing change or a failover at that time."
        ),
        doubt="A route that changed in the middle of the connection looks the same, where only the distance differs.",
        source="RFC 791 3.2; RFC 1700",
    ),
    detail=_detail,
    advice=Advice.READER,
)
