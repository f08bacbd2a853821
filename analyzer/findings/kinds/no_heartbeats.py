"""An end sent no heartbeat though both had agreed that each sends its own, and the other gave up on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.beating import (
    IS_MUTUAL,
    SOON,
    ended_first_ns,
    loses_nothing,
    of_heartbeats,
    overdue_ns,
    says_otherwise,
)
from analyzer.findings.evidence import ended_by, frames_of, known, said_by, surely_train_of
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.findings.phrases import agreed_on, by_what
from analyzer.judge.record import other
from analyzer.words.model import Line, LongText
from analyzer.words.teller import count, duration, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


@of_heartbeats
def peer_beats_as_agreed(f: Flows) -> Mask:
    """Its peer sends heartbeats of a protocol in which each end sends its own, and how often was agreed on."""
    peer = f.from_peer
    mask: Mask = (peer.beats("count") > 0) & (peer.beats("limit_ns") > 0) & IS_MUTUAL[peer.beats("protocol")]
    return mask


def sent_no_data_meanwhile(f: Flows) -> Mask:
    """It sent none, nor any other data since half a period before its peer's first."""
    peer = f.from_peer
    half_ns = peer.beats("sum_ns") // (2 * peer.beats("gaps").clip(1))
    told_ns = f.own("data_ns")
    return (f.beats("count") == 0) & (told_ns > 0) & (told_ns <= peer.beats("first_ns") - half_ns)


def peer_gave_up_by_the_rule(f: Flows) -> Mask:
    """Its peer closed or reset the connection first, as late as agreed on, and gave no other reason."""
    peer = f.from_peer
    ended_ns = ended_first_ns(peer)
    return (ended_ns >= 0) & (ended_ns - f.own("data_ns") >= overdue_ns(peer, SOON)) & ~says_otherwise(peer)


def _evidence(case: Case) -> Evidence:
    """Its last data, the heartbeats of its peer since, and where that gave up."""
    train = surely_train_of(case, case.peer)
    how, closed, closed_ns = ended_by(case, case.peer)
    last = case.facts.last_data_frame
    return frames_of(last, train.first_frame, train.last_frame, closed), known(
        protocol=train.protocol,
        limit_ns=train.limit_ns,
        period_ns=train.period_ns,
        peer_sent=train.sent,
        last_frame=last,
        first_frame=train.first_frame,
        peer_last_frame=train.last_frame,
        closed_frame=closed,
        closed_by=how,
        waited_ns=closed_ns - (case.facts.last_data_ns or 0),
        **said_by(case, case.peer),
    )


def _headline(t: Teller, f: Finding) -> str:
    silent = side_of(f)
    ended = {"RST": "reset", "FIN": "closed"}[str(f.data["closed_by"])]
    return (
        f"{t.start(silent)} sent no heartbeat, though both ends had agreed on {duration(number(f, 'limit_ns'))}:"
        f" {t.the(other(silent))} {ended} the connection {duration(number(f, 'waited_ns'))} after"
        f" {t.the(silent)}'s last data."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    silent = side_of(f)
    peer = other(silent)
    return lines(
        Line(
            f"{t.start(silent)}'s last data came here.{agreed_on(f, SOON)} No heartbeat of it followed.",
            (number(f, "last_frame"),),
        ),
        Line(
            f"{t.start(peer)} kept to that: {count(number(f, 'peer_sent'), 'heartbeat')} ({by_what(f)}), one every"
            f" {duration(number(f, 'period_ns'))}, which {t.the(silent)}'s kernel acknowledged.",
            (number(f, "first_frame"), number(f, "peer_last_frame")),
        ),
        Line(f"{t.start(peer)} then ended the connection ({f.data['closed_by']}).", (number(f, "closed_frame"),)),
    )


def _why(t: Teller, f: Finding) -> list[Line]:
    silent, peer = t.the(side_of(f)), t.the(other(side_of(f)))
    if "said" in f.data:
        gave_up = Line(f"{peer} itself said why: {f.data['said']}.", (number(f, "said_frame"),))
    else:
        gave_up = Line(
            f"That {peer} ended the connection because of that is inferred from the time.", (number(f, "closed_frame"),)
        )
    text = (
        f"Host and path of {silent} were alive, for its kernel acknowledged. Its program did not come to send a"
        " heartbeat: its library may send them only while the program calls it, or it hung from then on. Which of"
        " these, no capture shows."
    )
    return [Line(text, f.frames), gave_up]


NEVER_SENT: Final = FindingKind(
    code="heartbeats-never-sent",
    rows=(Row((peer_beats_as_agreed, sent_no_data_meanwhile, peer_gave_up_by_the_rule, loses_nothing), _evidence),),
    text=LongText(
        title="One end sent no heartbeats, though both had agreed on them",
        meaning=(
            "Each end was to send heartbeats of its own (AMQP, BGP, FIX). The other end did; of this one there is"
            " none, nor any other data, and the other end closed or reset the connection as late as its rule says."
        ),
        why="The other end follows the agreement: to it a program that says nothing for so long is gone.",
        change=(
            "Let the program send them: give its library the time that it needs (with pika's BlockingConnection, call"
            " process_data_events more often than agreed; keep long work out of the event loop), or agree on a"
            " longer time, or on 0 for none."
        ),
        doubt="The program may hang rather than lack heartbeats. The other end may have closed for another reason.",
        source="AMQP 0-9-1 4.2.7; RFC 4271 6.5",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why, overrules=True),
)
