"""A connection that was closed just when a limit would run out that counts data alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.data_limits import closed_at_a_data_limit, limit_ns
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Row
from analyzer.units import NS_PER_S
from analyzer.words.model import LongText
from analyzer.words.teller import capital, count, duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def _evidence(case: Case) -> Evidence:
    """The last data, what closed, and how many probes were answered between."""
    closing = case.fin or case.own_reset
    assert closing is not None
    last_ns, last_frame = max(
        (ns, frame or 0)
        for each in (case.facts, case.peer_facts)
        for ns, frame in ((each.last_data_ns, each.last_data_frame), (each.resent_ns, each.resent_frame))
        if ns is not None
    )
    answered = sum(p.answer == "ack" and last_ns < p.ts_ns < closing.ts_ns for p in case.record.probes)
    reset = None if case.fin is not None else case.own_reset
    # without ACK a host's own has none either
    bare = reset is not None and reset.has_ack and case.facts.timestamps and not reset.has_options
    quiet_ns = closing.ts_ns - last_ns
    return frames_of(last_frame or None, closing.frame), known(
        quiet_ns=quiet_ns,
        limit_ns=limit_ns(quiet_ns),
        probes=answered,
        closing_frame=closing.frame,
        by="FIN" if reset is None else "RST",
        bare=int(bare) or None,
    )


def _detail(t: Teller, f: Finding) -> str:
    who = t.the(side_of(f))
    bare = (
        ", and lacks the timestamps of its other packets, as a RST does that a box between sends"
        if "bare" in f.data
        else ""
    )
    return (
        f"{capital(who)}'s {f.data['by']} came {duration(number(f, 'quiet_ns'))} after the last data, though"
        f" {count(number(f, 'probes'), 'probe')} had been answered since{bare}. That fits a limit of"
        f" {number(f, 'limit_ns') // NS_PER_S:,} s which counts only data: of a load balancer or proxy, or of {who}'s"
        " program."
    )


def _change(f: Finding) -> str | None:
    """A FIN may be just what the program wanted."""
    if f.data["by"] == "RST":
        return None
    return (
        f"Nothing, if this close was meant. If not, a limit of {number(f, 'limit_ns') // NS_PER_S:,} s which counts"
        " only data fits: raise it (in the load balancer, the proxy, or the program that closed), or let the programs"
        " send heartbeats more often; keepalive does not help there."
    )


LIMIT: Final = FindingKind(
    code="data-idle-limit",
    rows=(Row((closed_at_a_data_limit,), _evidence),),
    text=LongText(
        title="Closed when a limit that counts only data would run out",
        meaning=(
            "The end came a usual time limit (60 s, 350 s, 1 h and the like) after the last data, although keepalive"
            " probes passed and were answered until then."
        ),
        why=(
            "Probes carry no data and end at the next TCP endpoint. A load balancer, a proxy or a program that waits"
            " for data closes however often keepalive asks; other keepalive settings do not help."
        ),
        change=(
            "Let the programs send heartbeats (a WebSocket or HTTP/2 PING, MQTT keep-alive) more often than this limit,"
            " or raise it: in the load balancer, the proxy, or the program that closed. Or expect the close and connect"
            " anew."
        ),
        doubt=(
            "One close at such a time may be chance: a program may have been done, or have closed with data unread"
            " (which makes a RST). Several connections that end after the same time are not chance."
        ),
        source="AWS edit-load-balancer-attributes; nginx proxy_timeout, keepalive_timeout; field guide 6",
    ),
    detail=_detail,
    change=_change,
    advice=Advice.READER,
)
