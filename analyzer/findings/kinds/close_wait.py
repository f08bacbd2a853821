"""An end that got a FIN and does not close, or takes its time: CLOSE-WAIT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import count_answered, end_ns, frames_of, known, numbers_of
from analyzer.findings.kind import FindingKind, Row, Told
from analyzer.findings.notable import LONG_NS
from analyzer.findings.phrases import CLOSE_IT
from analyzer.judge.probe import AFTER_FIN_WORDS
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.tolerances import AT_ONCE_NS
from analyzer.words.model import LongText
from analyzer.words.teller import count, duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def peer_fin_acknowledged(f: Flows) -> Mask:
    """Its peer's FIN was acknowledged: it arrived."""
    return (f.peer("fin_frame") > 0) & (f.peer("fin_acked_frame") > 0)


def probed_after_peer_fin(f: Flows) -> Mask:
    """It probed after its peer's FIN."""
    return f.run("after_peer_fin") > 0


def _held_evidence(case: Case) -> Evidence:
    """After the peer's FIN: how long, and the probes."""
    fin, probes = case.peer_fin, case.after_peer_fin
    assert fin is not None
    return frames_of(fin.frame, numbers_of(probes)), known(
        fin_frame=fin.frame,
        probes=len(probes),
        answered=count_answered(probes),
        half_closed_ns=end_ns(case) - fin.ts_ns,
    )


def _held_detail(t: Teller, f: Finding) -> str:
    late = side_of(f)
    probes = number(f, "probes")
    return (
        f"{t.start(late)} did not close in the {duration(number(f, 'half_closed_ns'))} after {t.the(other(late))}'s"
        f" FIN; its kernel sent {count(probes, 'probe')} meanwhile, {number(f, 'answered')} answered."
    )


def _remark(t: Teller) -> str | None:
    """Say that keepalive's settings are not the remedy, unless it was keepalive that noticed."""
    if t.ending.verdict in {Verdict.TIMED_OUT, Verdict.SILENT}:
        return None
    return (
        "Other keepalive settings would not close it: they change only how many probes are sent, and how soon one finds"
        " the other end gone."
    )


HELD: Final = FindingKind(
    code="close-wait-held-by-keepalive",
    rows=(
        Row(
            (peer_fin_acknowledged, c.sent_no_fin, probed_after_peer_fin, c.sent_no_data_since_peer_fin), _held_evidence
        ),
    ),
    text=LongText(
        title="The application never closed; keepalive goes on in CLOSE-WAIT",
        meaning=(
            "The peer's FIN came, this end sent no FIN and no data, and its kernel goes on probing: its socket"
            " is in CLOSE-WAIT (derived). As long as the peer's kernel answers, keepalive sees nothing wrong."
        ),
        why=(
            "Each such connection keeps a socket and a file descriptor. Keepalive cannot free it: probes test"
            " whether the peer's TCP answers, and it does. End of file was there to read since the FIN, with or"
            " without keepalive."
        ),
        change=CLOSE_IT,
        doubt=(
            "It may be a deliberate half-close whose answer takes long (shutdown(SHUT_WR) at the other end). The"
            " program's calls are not in the capture."
        ),
        source="RFC 9293 3.6; Linux tcp_keepalive_timer, XNU tcp_timer.c; field guide 7",
    ),
    detail=_held_detail,
    told=Told.STORY,
    remark=_remark,
)


def nobody_probes_half_closed(f: Flows) -> Mask:
    """Neither end probed after that FIN."""
    return f.run("after_fin") + f.peer_run("after_fin") == 0


def half_closed_for_a_minute(f: Flows) -> Mask:
    """The capture went on for at least 60 s after that FIN."""
    return (f.peer("fin_frame") > 0) & (f.ends_ns - f.peer("fin_ns") >= LONG_NS)


def reset_by_the_closer_unasked(f: Flows) -> Mask:
    """A minute or more after that FIN its sender ended the flow with RST and ACK, unasked."""
    told = f.from_peer.own_reset & f.reset_has_ack & (f.peer("fin_frame") > 0)
    unasked = (f.own("last_ns") >= 0) & (f.ending("reset_ns") - f.own("last_ns") >= AT_ONCE_NS)
    return told & unasked & (f.ending("reset_ns") - f.peer("fin_ns") >= LONG_NS)


def _unprobed_evidence(case: Case) -> Evidence:
    """The FIN, and how long the other end has not closed."""
    fin = case.peer_fin
    assert fin is not None
    return (fin.frame,), known(
        fin_frame=fin.frame,
        half_closed_ns=end_ns(case) - fin.ts_ns,
        reset_frame=case.reset.frame if case.reset else None,
    )


def _unprobed_change(f: Finding) -> str | None:
    """Return that the program must close; behind a RST keepalive has nothing left to notice."""
    return CLOSE_IT if "reset_frame" in f.data else None


def _unprobed_detail(t: Teller, f: Finding) -> str:
    late = side_of(f)
    return (
        f"{t.start(late)} did not close in the {duration(number(f, 'half_closed_ns'))} after {t.the(other(late))}'s"
        " FIN, and no probe came after it."
    )


UNPROBED: Final = FindingKind(
    code="close-wait-without-probes",
    rows=(
        Row(
            (
                c.verdict_half_closed,
                peer_fin_acknowledged,
                c.sent_no_fin,
                c.sent_no_data_since_peer_fin,
                nobody_probes_half_closed,
                half_closed_for_a_minute,
            ),
            _unprobed_evidence,
        ),
        Row(
            (
                c.verdict_aborted,
                peer_fin_acknowledged,
                c.sent_no_fin,
                c.sent_no_data_since_peer_fin,
                nobody_probes_half_closed,
                reset_by_the_closer_unasked,
            ),
            _unprobed_evidence,
        ),
    ),
    text=LongText(
        title="The application did not close, and no probe came after the FIN",
        meaning=(
            "The peer's FIN came, this end sent none in the minute or more until the capture ended or the peer reset"
            " the connection, and neither end probes."
        ),
        why=(
            "Only a RST can end CLOSE-WAIT from outside, if the peer's kernel sends one. The socket stays until"
            " the program closes it or exits."
        ),
        change=CLOSE_IT + " Keepalive as well lets the kernel notice that the peer is gone.",
        doubt="It may be a deliberate half-close, or the close came after the capture ended.",
        source="RFC 9293 3.6; field guide 7.3",
    ),
    detail=_unprobed_detail,
    told=Told.STORY,
    change=_unprobed_change,
)


def peer_sent_fin_first(f: Flows) -> Mask:
    """Both ends sent FIN, its peer first."""
    return (f.own("fin_frame") > f.peer("fin_frame")) & (f.peer("fin_frame") > 0)


def probed_before_closing(f: Flows) -> Mask:
    """It probed between the two FINs."""
    return f.any_row(f.probing & (f.seen("after_fin") == AFTER_FIN_WORDS.index("received")))


def closed_a_minute_later(f: Flows) -> Mask:
    """It sent its FIN a minute or more after the peer's."""
    return (f.own("fin_frame") > 0) & (f.own("fin_ns") - f.peer("fin_ns") >= LONG_NS)


def _slow_evidence(case: Case) -> Evidence:
    """Both FINs and the probes between."""
    fin, late = case.peer_fin, case.fin
    assert fin is not None
    assert late is not None
    probes = [probe for probe in case.probes if probe.after_fin == "received"]
    return frames_of(fin.frame, numbers_of(probes), late.frame), known(
        fin_frame=fin.frame,
        own_fin_frame=late.frame,
        half_closed_ns=late.ts_ns - fin.ts_ns,
        probes=len(probes),
    )


def _slow_detail(t: Teller, f: Finding) -> str:
    late = side_of(f)
    between = f", with {count(number(f, 'probes'), 'probe')} of its own between" if number(f, "probes") else ""
    return f"{t.start(late)} closed {duration(number(f, 'half_closed_ns'))} after {t.the(other(late))}'s FIN{between}."


SLOW: Final = FindingKind(
    code="slow-to-close",
    rows=(
        Row((peer_sent_fin_first, probed_before_closing, c.sent_no_data_since_peer_fin), _slow_evidence),
        Row((peer_sent_fin_first, closed_a_minute_later, c.sent_no_data_since_peer_fin), _slow_evidence),
    ),
    text=LongText(
        title="A long time in CLOSE-WAIT before closing",
        meaning="The peer's FIN came, and this end closed only after it had probed, or a minute or more later.",
        why="Until then its program had not noticed the end of file, or had not acted on it.",
        change=CLOSE_IT,
        doubt="The program may have been working for the peer; the capture does not show that.",
        source="RFC 9293 3.6; field guide 7.3",
    ),
    detail=_slow_detail,
    told=Told.STORY,
)
