"""An end ended the connection with a RST in place of a FIN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.beating import gave_up_on_its_peer, peers_heartbeats_ceased
from analyzer.findings.data_limits import no_data_limit_ran_out, no_idle_limit_ran_out
from analyzer.findings.evidence import frames_of, gave_up_resending, given_up_on, known, resent_in_vain_ns
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.findings.phrases import by_what
from analyzer.judge.record import other
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import count, duration, lines, number, side_of, times

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.judge.probe import ZeroWindowProbe
    from analyzer.words.teller import Teller


PROBES_IN_VAIN: Final = 2
"""One unanswered probe shows nothing (RFC 9293 MUST-29)."""


def _waited_in_vain(f: Finding) -> bool:
    """Say whether nothing answered what was sent again and again, or the last probes."""
    return "in_vain_ns" in f.data or "probes_in_vain" in f.data


def reset_is_abort(f: Flows) -> Mask:
    """That RST bears ACK and answers no probe."""
    return f.own_reset & f.reset_has_ack & (f.ending("answers_row") < 0)


def not_behind_a_translation(f: Flows) -> Mask:
    """That end is not beyond a translation of which both sides were captured: the other side shows what came before."""
    is_copy = f.flow("twin_is_first") > 0
    return (f.flow("twin") == 0) | (is_copy == (f.side == 1))


def no_heartbeats_stayed_away(f: Flows) -> Mask:
    """Its peer's heartbeats had not stayed away for as long as their rule allows: then it gave up by that."""
    return ~(peers_heartbeats_ceased(f) & gave_up_on_its_peer(f))


def _evidence(case: Case) -> Evidence:
    """The RST, and whether data can have lain unread."""
    reset = case.own_reset
    assert reset is not None
    sent, resent = case.peer_facts.payload_bytes, case.facts.resent if case.facts.unacked_ns is not None else 0
    if sent:
        unread = "possible"
    elif resent or case.record.starts_with == "midstream":
        unread = "unknown"
    else:
        unread = "impossible"
    given_up, resending, in_vain_ns = given_up_on(case), gave_up_resending(case), resent_in_vain_ns(case)
    silent = None if given_up is None else given_up.silent_frame
    missed: dict[str, int | str | None] = {}
    if given_up is not None:
        missed = {
            "protocol": given_up.protocol,
            "missed": given_up.unanswered,
            "silent_frame": silent,
            "waited_ns": reset.ts_ns - (given_up.silent_ns or 0),
        }
    unacked = (case.facts.unacked_frame, case.facts.resent_frame) if in_vain_ns else ()
    again = tuple(frame for frame in unacked if frame is not None)
    trailing = case.trailing if in_vain_ns is None else ()
    at_window = () if in_vain_ns is not None or trailing else _window_probes_in_vain(case)
    asked = (*(probe.frame for probe in trailing), *(probe.frame for probe in at_window))
    asked = asked if len(asked) >= PROBES_IN_VAIN else ()
    read = case.peer_facts.last_data_frame if sent and not in_vain_ns and not asked else None
    return frames_of(read, silent, again, asked, reset.frame), known(
        reset_frame=reset.frame,
        unread=unread,
        received_bytes=sent,
        resent=resent,
        resent_frame=case.facts.resent_frame if in_vain_ns else None,
        in_vain_ns=in_vain_ns,
        probes_in_vain=len(asked) or None,
        at_window=1 if asked and at_window else None,
        resending_ns=resending,
        data_frame=case.peer_facts.last_data_frame if sent else None,
        **missed,
    )


def _window_probes_in_vain(case: Case) -> tuple[ZeroWindowProbe, ...]:
    """Return its unanswered probes of its peer's closed window since that was last heard."""
    heard_ns = case.peer_facts.last_ns or 0
    sent = (probe for probe in case.record.zero_window_probes if probe.sender == case.side)
    return tuple(probe for probe in sent if probe.answer_frame is None and probe.ts_ns > heard_ns)


def _in_vain(f: Finding) -> str:
    """Return which heartbeats nothing answered."""
    missed = number(f, "missed")
    beats = "a heartbeat" if missed == 1 else f"the first of {missed} heartbeats"
    return f"{duration(number(f, 'waited_ns'))} after {beats} ({by_what(f)}) that nothing answered"


def _headline(t: Teller, f: Finding) -> str:
    """Return an abort in one line."""
    probes = t.record.probes
    before = f"; {count(len(probes), 'probe')} before, {t.answered_text(probes)}" if probes else ""
    if number(f, "resent"):
        before = f"; its data had stayed unacknowledged, retransmitted {times(number(f, 'resent'))}"
    usual = {
        "possible": ", as a close or kill with unread data does",
        "impossible": ", as SO_LINGER 0 does",
    }.get(str(f.data["unread"]), "")
    if "missed" in f.data:
        usual = f", {_in_vain(f)}"
    elif "resending_ns" in f.data:
        usual = ", most likely because its kernel gave up retransmitting"
    elif "in_vain_ns" in f.data:
        return (
            f"Nothing answered {t.the(side_of(f))}'s data, retransmitted {times(number(f, 'resent'))} in"
            f" {duration(number(f, 'in_vain_ns'))}; then it ended the connection with a RST instead of a FIN."
        )
    elif "at_window" in f.data:
        return (
            f"Nothing answered {t.the(side_of(f))}'s last {number(f, 'probes_in_vain')} probes of"
            f" {t.the(other(side_of(f)))}'s closed window; then it ended the connection with a RST instead of a FIN."
        )
    elif "probes_in_vain" in f.data:
        return (
            f"Nothing answered {t.the(side_of(f))}'s last {number(f, 'probes_in_vain')} probes; then it ended the"
            " connection with a RST instead of a FIN, not when the next probe was due."
        )
    return f"{t.start(side_of(f))} ended the connection with a RST instead of a FIN{usual}{before}."


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return the RST and what came before."""
    reset = t.reset
    assert reset is not None
    text = (
        f"{t.start(side_of(f))} sent RST+ACK at {t.at(reset.ts_ns)}, with no FIN of its own before and not in reply to"
        " a probe: the end."
    )
    unanswered = (
        Line(
            f"Nothing answered {t.the(side_of(f))}'s last {count(number(f, 'missed'), 'heartbeat')} ({by_what(f)}).",
            (number(f, "silent_frame"),),
        )
        if "missed" in f.data
        else None
    )
    return lines(
        *probe_summary(t),
        unanswered,
        Line(text, (reset.frame,)),
        Line(f"A RST ends the connection for both ends at once, {_reached(t, f)}.", (reset.frame,)),
    )


def _reached(t: Teller, f: Finding) -> str:
    """Return what a RST means for probing: behind probes or data without an answer it may not have arrived."""
    if "in_vain_ns" in f.data:
        return "if it arrives; whether it did is unknown, as nothing answered what was sent before"
    lost = len(t.record.trailing(side_of(f))) or number(f, "probes_in_vain")
    if not lost:
        return "so nothing is left to probe"
    last = "the last probe" if lost == 1 else f"the last {lost} probes"
    return f"if it arrives; whether it did is unknown, as {last} got no answer"


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return the known causes of a RST in place of a FIN."""
    side = side_of(f)
    reset = number(f, "reset_frame")
    if "missed" in f.data:
        return [
            Line(
                f"That {t.the(side)}'s program gave up on its heartbeats is inferred: it ended the connection"
                f" {_in_vain(f)}.",
                (number(f, "silent_frame"), reset),
            ),
            Line(
                "Other readings are possible: a close or kill with received data unread makes a kernel send RST instead"
                " of FIN, and so does SO_LINGER with time 0.",
                (reset,),
            ),
        ]
    if "resending_ns" in f.data:
        return [
            Line(
                f"Nothing came from {t.the(other(side))} any more, and the RST came"
                f" {duration(number(f, 'resending_ns'))} after the last retransmission, when the next was due. So"
                f" {t.the(side)}'s kernel most likely gave up retransmitting: macOS ends that with a RST (by its"
                " source), and other systems may. Linux sends none.",
                (number(f, "resent_frame"), reset),
            ),
            Line(
                "Other readings are possible: a program that closes with received data unread, or that asks for the RST"
                " (SO_LINGER with time 0), sends the same.",
                (reset,),
            ),
        ]
    if _waited_in_vain(f):
        macos = (
            "; so does the kernel of macOS when it gives up retransmitting (by its source), and Linux sends none then"
        )
        macos = macos if "in_vain_ns" in f.data else ""
        return [
            Line(
                f"Nothing came from {t.the(other(side))} any more. What made {t.the(side)} send the RST does not show:"
                " most likely its program, or who runs it, waited no longer (inferred). A program that closes, or is"
                f" killed, with received data unread, or closes with SO_LINGER 0, sends a RST{macos}.",
                tuple(sorted({*([number(f, "resent_frame")] if "in_vain_ns" in f.data else f.frames), reset})),
            ),
        ]
    if f.data["unread"] == "impossible":
        text = (
            f"{t.start(other(side))} sent no data, so none can have been unread: {t.the(side)}'s program most"
            " likely asked for the RST (SO_LINGER with time 0)."
        )
        return [Line(text, (reset,))]
    cause = Line(
        "A kernel sends RST instead of FIN when a socket is closed, or its process is killed, with received data"
        " still unread. Or the program asked for it (SO_LINGER with time 0).",
        (reset,),
    )
    given_up = None
    if number(f, "resent"):
        given_up = Line(
            "Its own data was unacknowledged and had been retransmitted: macOS ends that with such a RST too (by its"
            " source), Linux does not.",
            (reset,),
        )
    if f.data["unread"] != "possible":
        return lines(cause, given_up)
    text = (
        f"{t.start(other(side))} had sent {count(number(f, 'received_bytes'), 'byte')}; whether they were"
        " read, no capture shows."
    )
    return lines(cause, Line(text, (number(f, "data_frame"),)), given_up)


def _change(f: Finding) -> str | None:
    """Without data of the peer nothing can have been unread; who gave up on its peer did not read too little."""
    if "probes_in_vain" in f.data and "missed" not in f.data:
        return (
            "Look at the other end and the path first: why did nothing answer these probes? A capture at the other end"
            " shows whether they arrived there."
        )
    if "in_vain_ns" in f.data:
        return (
            "Look at the other end and the path first: why did nothing acknowledge this data? A capture at the other"
            " end shows whether it arrived there."
        )
    if "missed" in f.data:
        return (
            "Look at the other end and the path first: why did nothing answer the heartbeats? To give up with a RST"
            " does no harm then."
        )
    return "Leave SO_LINGER alone, unless an abort is meant." if f.data["unread"] == "impossible" else None


ABORT: Final = FindingKind(
    code="abort-without-fin",
    rows=(
        Row(
            (
                c.reset_by_itself,
                c.verdict_aborted,
                reset_is_abort,
                c.sent_no_fin,
                not_behind_a_translation,
                no_data_limit_ran_out,
                no_idle_limit_ran_out,
                no_heartbeats_stayed_away,
            ),
            _evidence,
        ),
    ),
    text=LongText(
        title="A RST instead of a FIN",
        meaning="This end ended the connection with RST+ACK, unprompted, without a FIN.",
        why=(
            "The other end's program reads ECONNRESET where it would have read end of file, and data in flight is lost."
        ),
        change=(
            "Read what has arrived before closing, and leave SO_LINGER alone. A kill with unread data does the"
            " same, and no program can prevent it."
        ),
        doubt="Unread data, SO_LINGER with time 0 and a kill look alike on the wire.",
        source="Linux tcp_close; XNU tcp_usrreq.c; field guide 2.8, 3.3",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
    change=_change,
)
