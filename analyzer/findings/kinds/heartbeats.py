"""Heartbeats of programs: not answered any more, given up, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.evidence import SLOW_ANSWERS, frames_of, known, surely_train_of
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.findings.notable import BEATS_OVERDUE, BEATS_OVERDUE_NS
from analyzer.findings.phrases import by_what
from analyzer.judge.protocols import POLLS
from analyzer.judge.record import other
from analyzer.tolerances import BEAT_PROMPT_NS
from analyzer.units import NS_PER_S
from analyzer.words.model import Line, LongText
from analyzer.words.teller import count, duration, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Column, Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

# ── the program does not answer, or its peer gave up ──


def _owes_answers(f: Flows) -> Mask:
    """Its heartbeats were answered as a rule, and are no requests for data, which a program may leave unanswered."""
    return (f.beats("due") == 1) & ~np.isin(f.beats("protocol"), POLLS)


def peer_beats_in_vain(f: Flows) -> Mask:
    """Its program answered heartbeats of its peer, and two or more since then not, which its kernel acknowledged."""
    return _owes_answers(f.from_peer) & (f.from_peer.beats("acked") > 1)


def peer_gave_up_on_a_heartbeat(f: Flows) -> Mask:
    """Its peer closed or reset the connection after one that its kernel acknowledged and its program did not answer."""
    return _owes_answers(f.from_peer) & (f.from_peer.beats("acked") == 1) & gave_up_waiting(f.from_peer)


def sent_no_data_since(f: Flows) -> Mask:
    """It sent no data since then."""
    return f.own("data_ns") < f.from_peer.beats("silent_ns")


def did_not_close_first(f: Flows) -> Mask:
    """It neither closed nor reset the connection before its peer did."""
    own, peer = f.own("fin_frame"), f.peer("fin_frame")
    return ((own == 0) | ((peer > 0) & (peer < own))) & ~f.own_reset


def last_heartbeats_unanswered(f: Flows) -> Mask:
    """Its heartbeats had been answered, and the last of them was not."""
    return _owes_answers(f) & (f.beats("unanswered") > 0)


def gave_up_waiting(f: Flows) -> Mask:
    """It closed or reset the connection first, having waited for longer than four times the slowest answer before."""
    ended_ns = _ended_first_ns(f)
    least_ns = np.maximum(SLOW_ANSWERS * f.beats("slowest_ns"), BEAT_PROMPT_NS)
    return (ended_ns >= 0) & (ended_ns - f.beats("silent_ns") >= least_ns)


def _ended_first_ns(f: Flows) -> Column:
    """When it closed or reset the connection, -1 if it did not or its peer had done so before."""
    own, peer = f.own("fin_frame"), f.peer("fin_frame")
    closed_ns = np.where((own > 0) & ((peer == 0) | (own < peer)), f.own("fin_ns"), -1)
    reset_ns = f.at_row(f.ending("reset_row"), "ts_ns")
    return np.where(closed_ns >= 0, closed_ns, np.where(f.own_reset & (own == 0) & (peer == 0), reset_ns, -1))


def peers_heartbeats_ceased(f: Flows) -> Mask:
    """Its peer had sent heartbeats by itself, in a steady rhythm, and nothing but these at the end."""
    peer = f.from_peer
    alone = (peer.beats("count") > 0) & (peer.beats("due") == 0) & ~np.isin(peer.beats("protocol"), POLLS)
    return alone & (peer.own("data_ns") <= peer.beats("last_ns"))


def gave_up_on_its_peer(f: Flows) -> Mask:
    """It closed or reset the connection first, as late as both had agreed on, or three periods after the last."""
    peer, ended_ns = f.from_peer, _ended_first_ns(f)
    steady_ns = np.maximum(BEATS_OVERDUE * peer.beats("high_ns"), BEATS_OVERDUE_NS)
    least_ns = np.where(peer.beats("limit_ns") > 0, peer.beats("limit_ns"), steady_ns)
    return (ended_ns >= 0) & (ended_ns - peer.beats("last_ns") >= least_ns)


def _until_ns(case: Case, side: Side) -> int:
    """Return until when that end waited: its FIN or RST, or the end of the capture."""
    fin = case.record.fin_of(side)
    reset = case.reset
    if fin is not None:
        return fin.ts_ns
    return reset.ts_ns if reset is not None and reset.sender == side else case.record.end_ns


def _in_vain(case: Case, side: Side) -> Evidence:
    train = surely_train_of(case, side)
    fin, reset = case.record.fin_of(side), case.reset
    closed = fin.frame if fin is not None else reset.frame if reset is not None and reset.sender == side else None
    return frames_of(train.answer_frame, train.silent_frame, train.last_frame, closed), known(
        protocol=train.protocol,
        limit_ns=train.limit_ns,
        period_ns=train.period_ns,
        answered=train.answered,
        unanswered=train.unanswered,
        acked=train.acked,
        answer_frame=train.answer_frame,
        silent_frame=train.silent_frame,
        last_frame=train.last_frame,
        closed_frame=closed,
        waited_ns=_until_ns(case, side) - (train.silent_ns or 0),
    )


def _hung_evidence(case: Case) -> Evidence:
    """The last answer, the heartbeats since, and how long its peer waited."""
    return _in_vain(case, case.peer)


def _missed_evidence(case: Case) -> Evidence:
    """The same of its own heartbeats."""
    return _in_vain(case, case.side)


def _ceased_evidence(case: Case) -> Evidence:
    """The last heartbeat of its peer, and how long it waited for the next."""
    train = surely_train_of(case, case.peer)
    fin, reset = case.record.fin_of(case.side), case.reset
    closed = fin.frame if fin is not None else reset.frame if reset is not None else None
    return frames_of(train.first_frame, train.last_frame, closed), known(
        protocol=train.protocol,
        limit_ns=train.limit_ns,
        period_ns=train.period_ns,
        sent=train.sent,
        last_frame=train.last_frame,
        closed_frame=closed,
        waited_ns=_until_ns(case, case.side) - train.last_ns,
    )


def _hung_headline(t: Teller, f: Finding) -> str:
    late = side_of(f)
    beats = count(number(f, "unanswered"), "heartbeat")
    return (
        f"{t.start(late)}'s program stopped answering: its kernel acknowledged {beats} from {t.the(other(late))} in"
        f" {duration(number(f, 'waited_ns'))}, and the program answered none."
    )


def _hung_happened(t: Teller, f: Finding) -> list[Line]:
    late = side_of(f)
    asker = t.start(other(late))
    closed = (
        Line(f"{asker} then ended the connection.", (number(f, "closed_frame"),)) if "closed_frame" in f.data else None
    )
    return lines(
        Line(
            f"{asker}'s program sent a heartbeat ({by_what(f)}) every {duration(number(f, 'period_ns'))}, and"
            f" {t.the(late)}'s program answered {number(f, 'answered')}, the last one here.",
            (number(f, "answer_frame"),),
        ),
        Line(
            f"Since then {count(number(f, 'unanswered'), 'heartbeat')} got no answer, though the kernel acknowledged"
            f" {'it' if number(f, 'acked') == 1 else number(f, 'acked')}.",
            tuple(sorted({number(f, "silent_frame"), number(f, "last_frame")})),
        ),
        closed,
    )


def _hung_why(t: Teller, f: Finding) -> list[Line]:
    late = t.the(side_of(f))
    return [
        Line(
            f"Acknowledgements come from {late}'s kernel, answers to heartbeats from its program. So host and path were"
            " alive; that the program hangs, is stopped or is busy with something else, is inferred.",
            f.frames,
        ),
        Line("Keepalive cannot see this: to it the peer is alive.", (number(f, "last_frame"),)),
    ]


HUNG: Final = FindingKind(
    code="program-hung",
    rows=(
        Row((peer_beats_in_vain, sent_no_data_since, did_not_close_first), _hung_evidence),
        Row((peer_gave_up_on_a_heartbeat, sent_no_data_since, did_not_close_first), _hung_evidence),
    ),
    text=LongText(
        title="The kernel acknowledges, but the program no longer answers heartbeats",
        meaning=(
            "This end's program answered its peer's heartbeats for a while. Then it sent nothing more, while its kernel"
            " went on to acknowledge them."
        ),
        why=(
            "The host runs and the path works, so keepalive would find nothing wrong. The program is stopped, hangs, or"
            " does something that takes it longer than its peer waits."
        ),
        change=(
            "Find out what the program was doing at that time (a lock, a long garbage collection, a call that"
            " blocks the event loop, a debugger, SIGSTOP). Answer heartbeats where nothing else can hold them up."
        ),
        doubt=(
            "That these messages are heartbeats may be known by their form alone: same length, even intervals, quick"
            " small answers. The program may also have been told to stop answering."
        ),
        source="RFC 9293 3.8.4; RFC 6455 5.5.2; field guide 6",
    ),
    detail=_hung_headline,
    lead=Lead(_hung_headline, _hung_happened, _hung_why),
)


def _missed_detail(t: Teller, f: Finding) -> str:
    ended = f"{t.start(side_of(f))} ended the connection {duration(number(f, 'waited_ns'))} after"
    agreed = f" The ends agreed on {duration(number(f, 'limit_ns'))}." if "limit_ns" in f.data else ""
    if "sent" in f.data:
        beats, often = count(number(f, "sent"), "heartbeat"), duration(number(f, "period_ns"))
        return f"{ended} the last of {beats} of its peer, one every {often} ({by_what(f)}).{agreed}"
    missed = number(f, "unanswered")
    beat = "a heartbeat" if missed == 1 else f"the first of {missed} heartbeats"
    return f"{ended} {beat} ({by_what(f)}) that nothing answered.{agreed}"


MISSED: Final = FindingKind(
    code="heartbeats-missed",
    rows=(
        Row((last_heartbeats_unanswered, gave_up_waiting), _missed_evidence),
        Row((peers_heartbeats_ceased, gave_up_on_its_peer), _ceased_evidence),
    ),
    text=LongText(
        title="It closed because heartbeats were missing",
        meaning=(
            "This end's program sent heartbeats, the last of them got no answer, and it closed or reset the"
            " connection later than any answer had taken; or its peer's heartbeats, which had come steadily, stayed"
            " away for as long as both had agreed on, or for three periods. It closed most likely by a rule of its own."
        ),
        why=(
            "Such a rule finds a dead host, a broken path and a hung program alike. What it was shows in whether the"
            " other kernel acknowledged the heartbeats."
        ),
        change=(
            "Nothing, if the other end was dead. If it was only slow, let the rule wait for longer than the other"
            " program may be busy, or tolerate more than one missed heartbeat."
        ),
        doubt="It may have closed for another reason at that time.",
        source="RFC 6455 5.5.2; OASIS MQTT 5.0 3.1.2.10",
    ),
    detail=_missed_detail,
    advice=Advice.MINOR,
)


# ── too many of them ──

OF_OTHERS: Final = 2
"""``refused_for`` of a train: the refusal names something else."""
FREQUENT_NS: Final = 5 * 60 * NS_PER_S
"""gRPC servers take PINGs that come no sooner than this (gRPC proposal A8, by default)."""


def asked_to_calm_down(f: Flows) -> Mask:
    """The other end asked it to calm down (HTTP/2 GOAWAY with ENHANCE_YOUR_CALM), and did not name anything else."""
    return (f.beats("refused_frame") > 0) & (f.beats("refused_for") != OF_OTHERS)


def _refused_evidence(case: Case) -> Evidence:
    """The train that was refused, and the frame that said so."""
    refused = [train for train in case.record.heartbeats if train.sender == case.side and train.refused_frame]
    train = refused[0]
    return frames_of(train.first_frame, train.last_frame, train.refused_frame), known(
        protocol=train.protocol,
        period_ns=train.period_ns,
        sent=train.sent,
        refused_frame=train.refused_frame,
        refused_for=train.refused_for,
    )


def _refused_headline(t: Teller, f: Finding) -> str:
    side = side_of(f)
    rate = f"one every {duration(number(f, 'period_ns'))} ({by_what(f)})"
    if "refused_for" in f.data:
        return f"{t.start(other(side))} refused {t.the(side)}'s heartbeats as too many: {rate}."
    if number(f, "period_ns") < FREQUENT_NS:
        return f"{t.start(other(side))} asked {t.the(side)} to calm down, most likely for its heartbeats: {rate}."
    return (
        f"{t.start(other(side))} asked {t.the(side)} to calm down; whether for its heartbeats, {rate}, cannot be told."
    )


def _refused_happened(t: Teller, f: Finding) -> list[Line]:
    side = side_of(f)
    return [
        Line(
            f"{t.start(side)}'s program sent {count(number(f, 'sent'), 'heartbeat')}, one every"
            f" {duration(number(f, 'period_ns'))}.",
            f.frames[:2],
        ),
        Line(
            f"{t.start(other(side))}'s program sent GOAWAY, ENHANCE_YOUR_CALM"
            f"{': too many pings.' if 'refused_for' in f.data else ', and did not say for what.'}",
            (number(f, "refused_frame"),),
        ),
    ]


def _refused_why(t: Teller, f: Finding) -> list[Line]:
    usual = "A gRPC server takes one each five minutes by default, and without open calls one each two hours."
    if "refused_for" in f.data:
        text = f"{t.start(other(side_of(f)))} allows fewer than that. {usual}"
    elif number(f, "period_ns") < FREQUENT_NS:
        text = f"That it was for these is inferred from how often they came. {usual}"
    else:
        text = f"These come seldom, and servers also say it of too many requests or resets. {usual}"
    return [Line(text, (number(f, "refused_frame"),))]


TOO_MANY: Final = FindingKind(
    code="too-many-pings",
    rows=(Row((asked_to_calm_down,), _refused_evidence),),
    text=LongText(
        title="Asked to calm down while it sent heartbeats",
        meaning=(
            "This end's program sent HTTP/2 PINGs, and its peer asked it to calm down: GOAWAY with ENHANCE_YOUR_CALM."
            " gRPC adds for what: too_many_pings. The connection takes no new calls from then on."
        ),
        why=(
            "A server takes frequent PINGs for an attack, or for a client that wastes batteries. The client connects"
            " again and, if it pings as before, is refused again."
        ),
        change=(
            "Let both ends agree. In gRPC raise the keepalive time of the end that pings to what the other permits (5"
            " min by default, and none without calls), or lower the server's: MinTime and PermitWithoutStream in Go,"
            " GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS elsewhere."
        ),
        doubt=(
            "ENHANCE_YOUR_CALM may also be said of other frames than PINGs. Where its sender names something else this"
            " is not found; where it names nothing, that it was for PINGs is inferred from how often they came."
        ),
        source="RFC 9113 7; gRPC proposals A8 and A9",
    ),
    detail=_refused_headline,
    lead=Lead(_refused_headline, _refused_happened, _refused_why),
)
