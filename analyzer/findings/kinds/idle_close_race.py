"""A request that crosses the close of an idle connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.judge.record import other
from analyzer.words.model import Line, LongText
from analyzer.words.teller import capital, duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def peer_fin_met_data(f: Flows) -> Mask:
    """Its data, the first after a second or more of silence, passed within a second before that FIN, unacknowledged."""
    before_ns = f.peer("fin_ns") - f.own("data_ns")
    sent = (f.peer("fin_frame") > 0) & (f.own("data_ns") >= 0) & (f.own("unacked_ns") >= 0)
    idle = (f.flow("silence_to") == f.own("data_frame")) & (f.flow("silence_ns") >= c.IDLE_CLOSE_NS)
    return sent & idle & (before_ns > 0) & (before_ns <= c.CROSSED_NS)


def data_is_unacknowledged(f: Flows) -> Mask:
    """Data of its own was never acknowledged."""
    mask: Mask = f.own("unacked_ns") >= 0
    return mask


def _evidence(case: Case) -> Evidence:
    """The silence, the FIN, the data that crossed it, and the RST."""
    fin, reset, record = case.peer_fin, case.reset, case.record
    assert fin is not None
    assert reset is not None
    return frames_of(record.silence_from, fin.frame, case.facts.last_data_frame, reset.frame), known(
        idle_ns=record.silence_ns,
        from_frame=record.silence_from,
        fin_frame=fin.frame,
        data_frame=case.facts.last_data_frame,
        reset_frame=reset.frame,
        since_fin_ns=(case.facts.last_data_ns or fin.ts_ns) - fin.ts_ns,
    )


def _headline(t: Teller, f: Finding) -> str:
    writer = side_of(f)
    return (
        f"{t.start(other(writer))} closed after {duration(number(f, 'idle_ns'))} idle, and"
        f" {t.the(writer)}'s next request crossed its FIN (a race of idle timeouts); a RST answered the request."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    writer = side_of(f)
    closer, after = t.start(other(writer)), number(f, "since_fin_ns")
    crossed = (
        f"{capital(duration(after))} later {t.the(writer)}'s data passed here. It does not acknowledge that FIN, so it"
        " was sent before the FIN arrived."
        if after >= 0
        else f"{t.start(writer)}'s data had passed here {duration(-after)} before. The FIN does not acknowledge it, so"
        " the FIN was sent before the data arrived."
    )
    return [
        Line(
            f"{closer} sent FIN after {duration(number(f, 'idle_ns'))} of silence.",
            (number(f, "from_frame"), number(f, "fin_frame")),
        ),
        Line(crossed, (number(f, "data_frame"),)),
        Line(
            f"{closer}'s kernel answered that data with a RST: no program was left to read it.",
            (number(f, "reset_frame"),),
        ),
    ]


def _why(t: Teller, f: Finding) -> list[Line]:
    writer = side_of(f)
    return [
        Line(
            f"Neither program did anything wrong: {t.the(other(writer))}'s idle timeout ran out while"
            f" {t.the(writer)} still considered the connection good. The end that sends requests must be the first to"
            " close an idle connection.",
            f.frames,
        )
    ]


def _change(finding: Finding) -> str:
    idle = duration(number(finding, "idle_ns"))
    return (
        f"Close idle connections sooner than the other end, which did so after {idle}. The idle timeout (keep-alive"
        " timeout) of the end that sends requests must be shorter than that of the end that answers them, by more than"
        " a round trip. Repeat requests on a new connection where that is safe."
    )


RACE: Final = FindingKind(
    code="idle-close-race",
    rows=(
        Row(
            (
                c.verdict_aborted,
                c.peer_sent_fin,
                c.peer_reset_answers_data,
                c.data_crossed_peer_fin,
                c.idle_before_peer_fin,
            ),
            _evidence,
        ),
        # captured between the two: its acknowledgement of the FIN passes before the RST
        Row(
            (
                c.verdict_aborted,
                c.peer_sent_fin,
                c.peer_refused_data,
                c.data_crossed_peer_fin,
                c.idle_before_peer_fin,
                data_is_unacknowledged,
            ),
            _evidence,
        ),
        Row((c.verdict_aborted, c.sent_no_fin, peer_fin_met_data, c.peer_refused_data), _evidence),
    ),
    text=LongText(
        title="A request crossed the close of an idle connection",
        meaning=(
            "One end closed a connection that had been idle, and at that moment the other sent its next request: it"
            " does not acknowledge the FIN, so it left before the FIN arrived. A RST answered it."
        ),
        why=(
            "The request is lost, now and then and with no pattern in the programs' logs: a proxy reports it as"
            " a 502 or as a reset by peer."
        ),
        change=(
            "Make the idle (keep-alive) timeout of the end that answers requests longer than that of the end"
            " that sends them, by more than a round trip, so that the sender closes first. Retry requests that"
            " are safe to repeat."
        ),
        doubt=(
            "That an idle timeout made it close is inferred from the silence before the FIN; a restart may"
            " close at such a moment by chance. Many such races after the same silence are not chance."
        ),
        source="RFC 9112 9.3, 9.5; RFC 9293 3.6",
    ),
    detail=_headline,
    change=_change,
    lead=Lead(_headline, _happened, _why),
)
