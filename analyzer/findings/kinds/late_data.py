"""Data to an end that had sent FIN drew a RST: it had closed in full, or a box in between forgot the half-close.

What comes right behind the FIN is a finding of its own: its sender may not have seen the close yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.findings.phrases import CLOSE_IT
from analyzer.judge.record import other
from analyzer.judge.signatures import middleboxes_within
from analyzer.tolerances import CLOSE_NS
from analyzer.words.fins import fin_lines, probes_after_fin
from analyzer.words.model import Line, LongText
from analyzer.words.teller import duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def sent_data_since_peer_fin(f: Flows) -> Mask:
    """It sent new data after its peer's FIN."""
    return ~c.sent_no_data_since_peer_fin(f)


def fin_may_have_arrived(f: Flows) -> Mask:
    """That data did not cross the FIN on its way, or no silence came before the FIN."""
    return ~(c.data_crossed_peer_fin(f) & c.idle_before_peer_fin(f))


def data_soon_after_peer_fin(f: Flows) -> Mask:
    """That data came within a second of that FIN, or two round trips: too soon to show what its program does."""
    fin_ns, acked_ns = f.peer("fin_ns"), f.peer("fin_acked_ns")
    # the way and back: what the FIN took to be acknowledged
    way_ns = np.where(f.peer("fin_acked_frame") > 0, acked_ns - fin_ns, 0)
    soon: Mask = f.own("data_ns") - fin_ns < np.maximum(CLOSE_NS, 2 * way_ns)
    return soon


def data_long_after_peer_fin(f: Flows) -> Mask:
    """That data came a second after that FIN or later, and two round trips: its program could have closed."""
    return ~f.once(data_soon_after_peer_fin)


def _evidence(case: Case) -> Evidence:
    """The peer's FIN, the data sent after it, and the RST."""
    fin, reset = case.peer_fin, case.reset
    assert fin is not None
    assert reset is not None
    return frames_of(fin.frame, case.facts.last_data_frame, reset.frame), known(
        fin_frame=fin.frame,
        data_frame=case.facts.last_data_frame,
        reset_frame=reset.frame,
        since_fin_ns=(case.facts.last_data_ns or fin.ts_ns) - fin.ts_ns,
        silent_ns=max((case.facts.last_data_ns or fin.ts_ns) - (case.peer_facts.last_ns or fin.ts_ns), 0),
    )


def may_be_forgotten(f: Finding) -> bool:
    """Say whether a box in between may have forgotten the half-closed connection: nothing came from it for so long."""
    return bool(middleboxes_within(number(f, "silent_ns"), half_closed=True))


def _headline(t: Teller, f: Finding) -> str:
    """Return data after the peer's close in one line."""
    writer = side_of(f)
    after = duration(number(f, "since_fin_ns"))
    closer = t.the(other(writer))
    if may_be_forgotten(f):
        return (
            f"{t.start(writer)} sent data {after} after {closer}'s FIN, and a RST answered: either {closer} had closed"
            " completely, or a middlebox had forgotten the half-closed connection."
        )
    return f"{t.start(writer)} sent data {after} after {closer}'s FIN; {closer} had closed in full, and a RST answered."


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return FIN, probes, data and RST."""
    writer = side_of(f)
    closer = other(writer)
    probes = t.probes_after_fin_of(closer)
    return [
        *fin_lines(t, closer),
        *(probes_after_fin(t, closer, probes) if probes else []),
        Line(
            f"Then {t.the(writer)} sent data, and a RST in {t.the(closer)}'s name answered it."
            if may_be_forgotten(f)
            else f"Then {t.the(writer)} sent data, and {t.the(closer)}'s kernel answered with a RST: no program is"
            " there to read it.",
            (number(f, "data_frame"), number(f, "reset_frame")),
        ),
    ]


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return why probes are answered where data is not."""
    closer = other(side_of(f))
    if may_be_forgotten(f):
        limits = sorted({row.idle_s for row in middleboxes_within(number(f, "silent_ns"), half_closed=True)})
        text = (
            f"There are two explanations, and nothing shows which is right. If {t.the(closer)} had only sent FIN"
            " (shutdown) and waited for this data, a load balancer, firewall or NAT had forgotten the half-closed"
            f" connection in {duration(number(f, 'silent_ns'))} of silence, and answers in its name; known limits for"
            f" such begin at {limits[0]} s. If its program had closed, its kernel cannot deliver data, and refuses it."
        )
        return [Line(text, f.frames)]
    return [
        Line(
            f"After a full close {t.the(closer)}'s kernel still acknowledges probes, which carry nothing, but it"
            " cannot deliver data. After shutdown() it would have taken it.",
            f.frames,
        )
    ]


def _soon_headline(t: Teller, f: Finding) -> str:
    """Return that the last data met a close, in one line."""
    writer = side_of(f)
    return (
        f"{t.start(other(writer))} closed, and {t.the(writer)}'s last data, {duration(number(f, 'since_fin_ns'))} after"
        " its FIN, met a connection that was closed already: a RST answered."
    )


def _soon_happened(t: Teller, f: Finding) -> list[Line]:
    """Return FIN, data and RST, and whether the other end closed as well."""
    writer = side_of(f)
    sent, closed = fin_lines(t, other(writer))
    text = (
        f"Data of {t.the(writer)} passed here {duration(number(f, 'since_fin_ns'))} after that FIN, and"
        f" {t.the(other(writer))}'s kernel answered with a RST: no program is there to read it."
    )
    return [sent, Line(text, (number(f, "data_frame"), number(f, "reset_frame"))), closed]


def _soon_why(t: Teller, f: Finding) -> list[Line]:
    """Return that such a RST shows no fault."""
    return [
        Line(
            f"{t.start(other(side_of(f)))} had closed in full: after shutdown() its kernel would have taken that data."
            f" {t.start(side_of(f))}'s program may not have seen the close yet: nothing shows a fault of it. Such a"
            " RST is usual at the end of TLS and HTTP connections, where the last data (as of TLS, its close_notify) is"
            " written while the peer closes.",
            f.frames,
        )
    ]


def _change(f: Finding) -> str | None:
    """Return what to change where a box in between may have forgotten the half-closed connection."""
    if not may_be_forgotten(f):
        return None
    return (
        "If the other end waits half-closed, answer it within the middleboxes' limit, or let keepalive keep"
        " the connection in their tables. If it had closed, read before writing more, and take end of file as its"
        " close."
    )


LATE_DATA: Final = FindingKind(
    code="data-after-peer-closed",
    rows=(
        Row(
            (
                c.verdict_aborted,
                c.peer_sent_fin,
                c.peer_reset_answers_data,
                sent_data_since_peer_fin,
                fin_may_have_arrived,
                data_long_after_peer_fin,
            ),
            _evidence,
        ),
    ),
    text=LongText(
        title="Data sent to an end that had closed",
        meaning="The peer's FIN had come; data sent after it was answered with a RST.",
        why=(
            "The data is lost. The program that wrote it learns this only from its next call: the write that"
            " drew the RST succeeded."
        ),
        change="Read before writing more, and take end of file as the peer's close. " + CLOSE_IT,
        doubt=(
            "After shutdown(SHUT_WR) a peer would have taken the data; the RST shows that it had closed in full (or"
            " its process was gone)."
        ),
        source="RFC 9293 3.10.7; Linux tcp_rcv_state_process; field guide 2.8, 7.1",
    ),
    detail=_headline,
    change=_change,
    lead=Lead(_headline, _happened, _why),
)
MET_CLOSE: Final = FindingKind(
    code="last-data-met-close",
    rows=(
        Row(
            (
                c.verdict_aborted,
                c.peer_sent_fin,
                c.peer_refused_data,
                sent_data_since_peer_fin,
                fin_may_have_arrived,
                data_soon_after_peer_fin,
            ),
            _evidence,
        ),
    ),
    text=LongText(
        title="The last data met a connection that was closed already",
        meaning=(
            "One end closed, and data of the other, within a second of that FIN or two round trips, was answered with"
            " a RST: its program may not have seen the close yet, or have closed as well."
        ),
        why="That data was not delivered. Often it is of no use any more, as TLS's close_notify.",
        change=(
            "Nothing has to be changed unless data was lost that mattered. If it was, let the end that closed first"
            " read until end of file before it closes."
        ),
        doubt="An end that closes while it still gets data that it asked for looks the same.",
        source="RFC 9112 9.6; RFC 8446 6.1; RFC 9293 3.6",
    ),
    detail=_soon_headline,
    advice=Advice.READER,
    lead=Lead(_soon_headline, _soon_happened, _soon_why),
)
