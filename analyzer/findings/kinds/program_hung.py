"""A program no longer answers heartbeats, or sends any, while its kernel goes on to acknowledge."""

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
)
from analyzer.findings.evidence import ended_by, frames_of, in_vain, known, said_by, surely_train_of, train_of
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.findings.notable import BEATS_OVERDUE
from analyzer.findings.phrases import agreed_on, by_what
from analyzer.judge.record import other
from analyzer.tolerances import BEAT_AT_ONCE_NS, BEAT_SHORT_OCTETS
from analyzer.track.beats import SLOW_ANSWERS
from analyzer.units import NS_PER_S
from analyzer.words.model import Line, LongText
from analyzer.words.teller import count, duration, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller

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


def _hung_evidence(case: Case) -> Evidence:
    """The last answer, the heartbeats since, and how long its peer waited."""
    return in_vain(case, case.peer)


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
