"""Heartbeats of programs: not answered, or not sent, any more; or given up on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.beating import (
    SOON,
    beats_by_rule,
    gave_up_on_its_peer,
    gave_up_waiting,
    heartbeats_ceased,
    loses_nothing,
    of_heartbeats,
    owes_answers,
    peers_heartbeats_ceased,
)
from analyzer.findings.evidence import ended_by, frames_of, known, said_by, surely_train_of, train_of
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.findings.notable import BEATS_OVERDUE
from analyzer.findings.phrases import agreed_on, by_what
from analyzer.judge.record import other
from analyzer.tolerances import BEAT_AT_ONCE_NS, BEAT_SHORT_OCTETS
from analyzer.track.beats import SLOW_ANSWERS
from analyzer.units import NS_PER_S
from analyzer.words.model import Line, LongText
from analyzer.words.teller import count, duration, lines, number, side_of, times

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

# ── the program does not answer, or its peer gave up ──

WIDE_AWAKE_NS: Final = NS_PER_S
"""A program that closes so soon when its peer closed does not hang."""


@of_heartbeats
def peer_beats_in_vain(f: Flows) -> Mask:
    """Its program answered heartbeats of its peer, and two or more since then not, which its kernel acknowledged."""
    return owes_answers(f.from_peer) & (f.from_peer.beats("acked") > 1)


@of_heartbeats
def peer_gave_up_on_a_heartbeat(f: Flows) -> Mask:
    """Its peer closed or reset the connection after one that its kernel acknowledged and its program did not answer."""
    return owes_answers(f.from_peer) & (f.from_peer.beats("acked") == 1) & gave_up_waiting(f.from_peer)


@of_heartbeats
def peer_waits_for_an_answer(f: Flows) -> Mask:
    """Its kernel acknowledged a heartbeat that its program did not answer for three periods; neither end closed."""
    asker = f.from_peer
    waited_ns = f.ends_ns - asker.beats("silent_ns")
    least_ns = np.maximum(BEATS_OVERDUE * asker.beats("high_ns"), SLOW_ANSWERS * asker.beats("slowest_ns"))
    open_ = (f.own("fin_frame") == 0) & (f.peer("fin_frame") == 0) & (f.ending("reset_row") < 0)
    return owes_answers(asker) & (asker.beats("acked") == 1) & open_ & (waited_ns >= least_ns)


@of_heartbeats
def peer_gave_up_on_silence(f: Flows) -> Mask:
    """Its heartbeats, by themselves or by an agreed time, ceased, and its peer closed or reset the connection late."""
    return f.once(heartbeats_ceased) & beats_by_rule(f) & gave_up_on_its_peer(f.from_peer)


def kernel_answered_meanwhile(f: Flows) -> Mask:
    """Its kernel was heard later than any of its heartbeats had come after the one before."""
    return f.own("last_ns") - f.beats("last_ns") > f.beats("high_ns")


def sent_no_data_since(f: Flows) -> Mask:
    """It sent no data since then."""
    return f.own("data_ns") < f.from_peer.beats("silent_ns")


def peer_had_room(f: Flows) -> Mask:
    """Its peer's receive window was open: no answer waited for room there."""
    return (f.peer("window_shut_frame") == 0) & (f.run("zero_window") == 0)


def did_not_close_first(f: Flows) -> Mask:
    """It neither closed nor reset the connection before its peer did, nor closed within a second of that."""
    own, peer = f.own("fin_frame"), f.peer("fin_frame")
    late = (peer > 0) & (peer < own) & (f.own("fin_ns") - f.peer("fin_ns") > WIDE_AWAKE_NS)
    return ((own == 0) | late) & (~f.own_reset | (peer > 0))


@of_heartbeats
def last_heartbeats_unanswered(f: Flows) -> Mask:
    """Its heartbeats had been answered, and the last of them was not."""
    return owes_answers(f) & (f.beats("unanswered") > 0)


def _in_vain(case: Case, side: Side) -> Evidence:
    """What was answered, what was not, and how long that end waited.

    What the ends agreed on is left out: it is how long the other end may wait for heartbeats, not this one for answers.
    """
    train = surely_train_of(case, side)
    how, closed, until_ns = ended_by(case, side)
    return frames_of(train.answer_frame, train.silent_frame, train.last_frame, closed), known(
        protocol=train.protocol,
        period_ns=train.period_ns,
        bytes=train.payload_len,
        answered=train.answered,
        unanswered=train.unanswered,
        acked=train.acked,
        slowest_ns=train.slowest_ns,
        answer_frame=train.answer_frame,
        silent_frame=train.silent_frame,
        last_frame=train.last_frame,
        closed_frame=closed,
        closed_by=how,
        waited_ns=until_ns - (train.silent_ns or 0),
        **said_by(case, side),
    )


def _hung_evidence(case: Case) -> Evidence:
    """The last answer, the heartbeats since, and how long its peer waited."""
    return _in_vain(case, case.peer)


def _silent_evidence(case: Case) -> Evidence:
    """Its last heartbeat, what its kernel acknowledged since, and where its peer gave up."""
    train = surely_train_of(case, case.side)
    heard_ns, heard = case.facts.active_ns or 0, case.facts.active_frame
    shows = heard_ns > train.last_ns
    how, closed, closed_ns = ended_by(case, case.peer)
    return frames_of(train.last_frame, heard if shows else None, closed), known(
        protocol=train.protocol,
        limit_ns=train.limit_ns,
        period_ns=train.period_ns,
        sent=train.sent,
        last_frame=train.last_frame,
        heard_frame=heard if shows else None,
        heard_ns=(case.facts.last_ns or 0) - train.last_ns,
        closed_frame=closed,
        closed_by=how,
        waited_ns=closed_ns - train.last_ns,
        **said_by(case, case.peer),
    )


def _missed_evidence(case: Case) -> Evidence:
    """The same of its own heartbeats."""
    return _in_vain(case, case.side)


def _ceased_evidence(case: Case) -> Evidence:
    """The last heartbeat of its peer, and how long it waited for the next."""
    train = surely_train_of(case, case.peer)
    how, closed, until_ns = ended_by(case, case.side)
    return frames_of(train.first_frame, train.last_frame, closed), known(
        protocol=train.protocol,
        limit_ns=train.limit_ns,
        period_ns=train.period_ns,
        sent=train.sent,
        last_frame=train.last_frame,
        closed_frame=closed,
        closed_by=how,
        waited_ns=until_ns - train.last_ns,
        **said_by(case, case.side),
    )


def _then(t: Teller, f: Finding) -> str:
    """Return how the other end ended the connection, if it did."""
    ended = {"RST": "reset", "FIN": "closed"}.get(str(f.data.get("closed_by")))
    return f"; then {t.the(other(side_of(f)))} {ended} the connection" if ended is not None else ""


def _hung_headline(t: Teller, f: Finding) -> str:
    late = side_of(f)
    form = "" if "protocol" in f.data else f" ({by_what(f)})"
    if "sent" in f.data:
        return (
            f"{t.start(late)}'s program fell silent: no heartbeat{form} came for {duration(number(f, 'waited_ns'))},"
            f" though its kernel answered{_then(t, f)}."
        )
    beats = count(number(f, "unanswered"), "heartbeat")
    return (
        f"{t.start(late)}'s program stopped answering: its kernel acknowledged {beats}{form} from"
        f" {t.the(other(late))} in {duration(number(f, 'waited_ns'))}, and the program answered none{_then(t, f)}."
    )


def _ended_line(t: Teller, f: Finding) -> Line | None:
    if "closed_frame" not in f.data:
        return None
    text = f"{t.start(other(side_of(f)))} then ended the connection ({f.data['closed_by']})."
    return Line(text, (number(f, "closed_frame"),))


def _hung_happened(t: Teller, f: Finding) -> list[Line]:
    late = side_of(f)
    asker = t.start(other(late))
    if "sent" in f.data:
        heard = (
            f"{t.start(late)}'s kernel was last heard {duration(number(f, 'heard_ns'))} after that: it went on to"
            f" acknowledge."
        )
        return lines(
            Line(
                f"{t.start(late)}'s program sent {count(number(f, 'sent'), 'heartbeat')} ({by_what(f)}), one every"
                f" {duration(number(f, 'period_ns'))}, the last one here.{agreed_on(f, SOON)}",
                (number(f, "last_frame"),),
            ),
            _first_due(t, f),
            Line(heard, (number(f, "heard_frame") or number(f, "last_frame"),)),
            _ended_line(t, f),
        )
    within = f" in {duration(number(f, 'slowest_ns'))} at most" if "slowest_ns" in f.data else ""
    first = number(f, "silent_frame")
    return lines(
        Line(
            f"{asker}'s program sent a heartbeat ({by_what(f)}) every {duration(number(f, 'period_ns'))}, and"
            f" {t.the(late)}'s program answered {number(f, 'answered')}{within}, the last one here.",
            (number(f, "answer_frame"),),
        ),
        Line(
            f"Since then {count(number(f, 'unanswered'), 'heartbeat')}"
            f"{f', from frame {first:,} on,' if number(f, 'unanswered') > 1 else ''} got no answer, though the kernel"
            f" acknowledged"
            f" {'it' if number(f, 'acked') == 1 else number(f, 'acked')}.",
            tuple(sorted({number(f, "silent_frame"), number(f, "last_frame")})),
        ),
        _ended_line(t, f),
    )


def _first_due(t: Teller, f: Finding) -> Line | None:
    """Return when the first heartbeat that did not come was due."""
    train = train_of(t.record, side_of(f))
    if train is None:
        return None
    text = f"The next was due at about {t.at(train.last_ns + train.period_ns)}: the first that did not come."
    return Line(text, (number(f, "last_frame"),))


def _other_readings(t: Teller, f: Finding) -> Line | None:
    """Return what else may have ended the connection, where the other end did."""
    if "said" in f.data:
        text = f"{t.start(other(side_of(f)))} itself said that it was because of that: {f.data['said']}."
        return Line(text, (number(f, "said_frame"),))
    if "closed_by" not in f.data:
        return None
    text = f"That {t.the(other(side_of(f)))} ended the connection because of that is inferred."
    if f.data["closed_by"] == "RST":
        text += (
            " Other readings are possible: a close or kill with received data unread makes a kernel send RST instead of"
            " FIN, and so does SO_LINGER with time 0."
        )
    return Line(text, (number(f, "closed_frame"),))


def _may_be_poll(t: Teller, f: Finding) -> Line | None:
    """Return that these may be requests, where only their form is known: they are long, or answers took their time."""
    if "protocol" in f.data or "sent" in f.data:
        return None
    bytes_each = number(f, "bytes")
    if number(f, "slowest_ns") >= BEAT_AT_ONCE_NS:
        why = f"Answers had taken up to {duration(number(f, 'slowest_ns'))}"
    elif bytes_each > BEAT_SHORT_OCTETS:
        why = f"These messages have {bytes_each} bytes, room for a request"
    else:
        return None
    text = (
        f"{why}, and only their form is known:"
        f" they may be requests (a poll), and {t.the(side_of(f))}'s program at work on the last."
    )
    return Line(text, (number(f, "answer_frame"),))


def _hung_why(t: Teller, f: Finding) -> list[Line]:
    late = t.the(side_of(f))
    what = "heartbeats" if "sent" in f.data else "answers to heartbeats"
    return lines(
        Line(
            f"Acknowledgements come from {late}'s kernel, {what} from its program. So host and path were"
            " alive; that the program hangs, is stopped or is busy with something else, is inferred.",
            f.frames,
        ),
        Line("Keepalive cannot see this: to it the peer is alive.", (number(f, "last_frame"),)),
        _may_be_poll(t, f),
        _other_readings(t, f),
    )


def _hung_sees(t: Teller, f: Finding) -> list[Line]:
    late, asker = t.start(side_of(f)), t.start(other(side_of(f)))
    behind = {"RST": ", and then ECONNRESET", "FIN": ", and then end of file"}.get(str(f.data.get("closed_by")), "")
    frame = number(f, "last_frame")
    if t.facts(side_of(f)).window_shut_frame is not None:
        waits = "a write waits once its own buffer is full, since the other end's window is closed"
    else:
        waits = "a write succeeds while the other kernel takes what it sends"
    ended = "closed_frame" in f.data
    return [
        Line(f"{late}, once its program goes on: read returns what its kernel took in meanwhile{behind}.", (frame,)),
        Line(
            f"{asker}{', until it ended the connection' if ended else ''}: read returns no answer; {waits}.", (frame,)
        ),
    ]


HUNG: Final = FindingKind(
    code="program-hung",
    rows=(
        Row((peer_beats_in_vain, sent_no_data_since, did_not_close_first, peer_had_room), _hung_evidence),
        Row((peer_gave_up_on_a_heartbeat, sent_no_data_since, did_not_close_first, peer_had_room), _hung_evidence),
        Row((peer_waits_for_an_answer, sent_no_data_since, loses_nothing, peer_had_room), _hung_evidence),
        Row(
            (
                peer_gave_up_on_silence,
                kernel_answered_meanwhile,
                loses_nothing,
                did_not_close_first,
                peer_had_room,
            ),
            _silent_evidence,
        ),
    ),
    text=LongText(
        title="The kernel acknowledges, but the program no longer answers heartbeats, or sends any",
        meaning=(
            "This end's program answered its peer's heartbeats for a while, or sent its own. Then it sent nothing more,"
            " while its kernel went on to acknowledge what came."
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
    lead=Lead(_hung_headline, _hung_happened, _hung_why, overrules=True),
    sees=_hung_sees,
)


def _missed_detail(t: Teller, f: Finding) -> str:
    ended = f"{t.start(side_of(f))} ended the connection {duration(number(f, 'waited_ns'))} after"
    why = f" It said itself why: {f.data['said']}." if "said" in f.data else ""
    if "sent" in f.data:
        beats, often = count(number(f, "sent"), "heartbeat"), duration(number(f, "period_ns"))
        return f"{ended} the last of {beats} of its peer, one every {often} ({by_what(f)}).{agreed_on(f, SOON)}{why}"
    missed = number(f, "unanswered")
    beat = "a heartbeat" if missed == 1 else f"the first of {missed} heartbeats"
    return f"{ended} {beat} ({by_what(f)}) that nothing answered.{why}"


def _tells_why_it_ended(_t: Teller, f: Finding) -> bool:
    """Whether heartbeats that stayed away tell how the flow ended, and nobody said so himself."""
    return "sent" in f.data and "said" not in f.data and "closed_by" in f.data


def _missed_headline(t: Teller, f: Finding) -> str:
    asker = side_of(f)
    ended = {"RST": "reset", "FIN": "closed"}[str(f.data["closed_by"])]
    return (
        f"{t.start(asker)} {ended} the connection {duration(number(f, 'waited_ns'))} after {t.the(other(asker))}'s last"
        f" heartbeat ({by_what(f)}), most likely because none reached it any more."
    )


def _missed_happened(t: Teller, f: Finding) -> list[Line]:
    asker = side_of(f)
    peer = other(asker)
    train = train_of(t.record, peer)
    due = ""
    if train is not None and t.facts(peer).unacked_frame == train.last_frame:
        due = " It was the first that failed: nothing acknowledged it."
    elif train is not None:
        due = f" The next was due at about {t.at(train.last_ns + train.period_ns)}: the first that did not come."
    text = (
        f"{t.start(peer)}'s program sent {count(number(f, 'sent'), 'heartbeat')} ({by_what(f)}), one every"
        f" {duration(number(f, 'period_ns'))}, the last one here.{agreed_on(f, SOON)}{due}"
    )
    ended = Line(f"{t.start(asker)} then ended the connection ({f.data['closed_by']}).", (number(f, "closed_frame"),))
    again = [_sent_again(t, f, asker), _sent_again(t, f, peer)]
    return lines(Line(text, (number(f, "last_frame"),)), *again, ended)


def _sent_again(t: Teller, f: Finding, side: Side) -> Line | None:
    """Return how often an end sent data again in vain since that last heartbeat, before the other end had enough."""
    again = [
        sent.frame
        for sent in t.record.resent
        if sent.sender == side and number(f, "last_frame") < sent.frame < number(f, "closed_frame")
    ]
    if not again:
        return None
    text = f"Since then {t.the(side)}'s data got no acknowledgement: it was sent again {times(len(again))}."
    return Line(text, tuple(again))


def _missed_why(t: Teller, f: Finding) -> list[Line]:
    asker, peer = side_of(f), other(side_of(f))
    sent_again = _sent_again(t, f, asker), _sent_again(t, f, peer)
    if all(sent_again):
        text = (
            f"Inferred: the path failed, both ways. {t.start(peer)} was alive, and sent data again and again, which did"
            f" not reach {t.the(asker)}; what {t.the(asker)} sent got no acknowledgement either."
        )
    elif sent_again[1] is not None:
        text = (
            f"Inferred: the path failed. {t.start(peer)} was alive, and what it sent passed here and did not reach"
            f" {t.the(asker)}, or the acknowledgements did not come back."
        )
    elif sent_again[0] is not None:
        text = (
            f"{t.start(peer)}'s kernel acknowledged nothing any more: its host was gone, or the path lost what either"
            " sent. It was not its program alone."
        )
    else:
        text = f"Whether {t.the(peer)}'s program, its host or the path failed, does not show: nothing was asked of it."
    doubt = f"That {t.the(asker)} ended the connection because of that is inferred from the time."
    return [Line(text, f.frames), Line(doubt, (number(f, "closed_frame"),))]


def _missed_remark(t: Teller) -> str | None:
    """Return where to look, where it was not the program alone."""
    found = t.find(MISSED.code)
    if found is None or t.find(HUNG.code) is not None or not _tells_why_it_ended(t, found):
        return None
    asker = t.the(side_of(found))
    return (
        f"{asker.capitalize()}'s rule did what it should. Find out why nothing came any more: is the other host up, and"
        " does the path pass both ways? A capture at each end shows where packets are lost."
    )


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
    lead=Lead(_missed_headline, _missed_happened, _missed_why, overrules=True, when=_tells_why_it_ended),
    advice=Advice.MINOR,
    remark=_missed_remark,
)
