"""Large segments that never arrive while the peer is alive: the path's MTU comes to mind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.label.rules import Kind
from analyzer.words.icmp import fits_at_most, fitting, is_too_big
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import duration, number, side_of, times

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.events import Resent
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller

LARGE: Final = 1_000
"""No path that is in use has a smaller MTU by much (RFC 8200 5: 1,280 bytes)."""
OFTEN: Final = 3
"""This many times in a row the same segment is not lost by chance."""


def goes_on(f: Flows) -> Mask:
    """The verdict is open or half_closed."""
    return f.verdict_in(Verdict.OPEN, Verdict.HALF_CLOSED)


def forgot_it_since(f: Flows) -> Mask:
    """By now it knows no such connection: a RST in its name answered a probe (reset_on_probe)."""
    return c.reset_by_itself(f) & c.verdict_reset_on_probe(f)


def large_segment_sent_again(f: Flows) -> Mask:
    """What it sent is unacknowledged at the capture's end, and was sent again 3 times or more, 1,000 bytes each."""
    again = f.once(_again_rows)
    if not again.any():
        return f.none
    small = f.any_row(again & (f.seen("payload_len") < LARGE))
    return (f.own("unacked_ns") >= 0) & (f.count_rows(again) >= OFTEN) & ~small


def peer_is_heard_meanwhile(f: Flows) -> Mask:
    """Its peer, whose window is open, was heard after the third time, and acknowledged nothing of it."""
    opened = f.peer("window_shut_frame") == 0
    heard = f.of_row(f.peer("last_ns"))
    return opened & (f.count_rows(f.once(_again_rows) & (f.seen("ts_ns") < heard)) >= OFTEN)


def _again_rows(f: Flows) -> Mask:
    """Return which rows are what it sent again since its peer last acknowledged anything new."""
    again = f.mine & f.kind_in(Kind.RETRANSMISSION, Kind.OCTET_RETRANSMISSION)
    since = f.of_row(f.own("unacked_ns"))
    return again & (since >= 0) & (f.seen("ts_ns") >= since)


def _again(case: Case) -> list[Resent]:
    """Return what it sent again since the peer last acknowledged anything new."""
    since = case.facts.unacked_ns
    return [r for r in case.record.resent if r.sender == case.side and since is not None and r.ts_ns >= since]


def _evidence(case: Case) -> Evidence:
    """The segment, how often it was sent again, what was heard of the peer, and ICMP's word."""
    again = _again(case)
    heard = [probe for probe in case.record.probes_from(case.peer) if probe.ts_ns > again[0].ts_ns]
    icmp = [error for error in case.record.icmp_errors if error.quotes == case.side and is_too_big(error)]
    return frames_of(
        case.facts.unacked_frame, (r.frame for r in again), numbers_of(heard), (e.frame for e in icmp)
    ), known(
        since_frame=case.facts.unacked_frame,
        last_frame=again[-1].frame,
        bytes=again[-1].payload_len,
        resent=len(again),
        lasted_ns=again[-1].ts_ns - (case.facts.unacked_ns or again[0].ts_ns),
        heard_ns=(case.peer_facts.last_ns or 0) - again[0].ts_ns,
        icmp_frame=icmp[0].frame if icmp else None,
        mtu=fits_at_most(icmp),
        reset_frame=case.own_reset.frame if case.own_reset is not None else None,
    )


def _headline(t: Teller, f: Finding) -> str:
    sender = side_of(f)
    return (
        f"{t.start(sender)}'s segment of {number(f, 'bytes'):,} bytes was retransmitted {times(number(f, 'resent'))} in"
        f" {duration(number(f, 'lasted_ns'))} and never acknowledged, though {t.the(other(sender))} is alive."
        f"{_after(f)}"
    )


def _after(f: Finding) -> str:
    """Return what became of it, if that is known."""
    if "reset_frame" not in f.data:
        return ""
    return " Most likely its kernel gave up without a word; a RST answered the next probe."


def _happened(t: Teller, f: Finding) -> list[Line]:
    sender = side_of(f)
    heard = duration(number(f, "heard_ns"))
    alive = (
        f"{t.start(other(sender))} was heard up to {heard} after the first retransmission, and asked for nothing more."
    )
    return [
        Line(_headline(t, f), (number(f, "since_frame"), number(f, "last_frame"))),
        Line(alive, f.frames),
        *_ended(t, f),
        *(probe_summary(t) if t.record.probes else []),
    ]


def _ended(t: Teller, f: Finding) -> list[Line]:
    """Return how it ended, if it did."""
    if "reset_frame" not in f.data:
        return []
    text = (
        f"A RST in {t.the(side_of(f))}'s name answered a probe: it knows no such connection any more. Most likely its"
        " kernel had given up retransmitting (net.ipv4.tcp_retries2, or TCP_USER_TIMEOUT), which Linux does silently."
    )
    return [Line(text, (number(f, "last_frame"), number(f, "reset_frame")))]


def _why(t: Teller, f: Finding) -> list[Line]:
    del t
    icmp = f.data.get("icmp_frame")
    if isinstance(icmp, int):
        text = (
            "ICMP says so: a segment of this size does not fit the path, and may not be fragmented"
            f"{fitting(number(f, 'mtu'), ': ')}."
        )
        return [Line(text, (icmp,))]
    text = (
        "Inferred: segments of this size do not get through, small ones do. That is so where the path's MTU is smaller"
        " than the ends think (a tunnel, a VPN) and the ICMP messages that would say so are filtered."
    )
    probes = "Keepalive sees nothing of it: its probes are small."
    return [Line(text, f.frames), Line(probes, f.frames)]


LARGE_LOST: Final = FindingKind(
    code="large-segments-lost",
    rows=(
        Row((goes_on, large_segment_sent_again, peer_is_heard_meanwhile), _evidence),
        Row((forgot_it_since, large_segment_sent_again, peer_is_heard_meanwhile), _evidence),
    ),
    text=LongText(
        title="Large segments are lost, though the peer is alive",
        meaning=(
            "A large segment was retransmitted again and again and never acknowledged, while the peer was"
            " heard: the connection hangs although both ends are there."
        ),
        why="Small segments pass, so keepalive and handshakes look healthy; every large answer or upload hangs.",
        change=(
            "Check the path's MTU: lower the interface's MTU, clamp the segment size (MSS) at the tunnel, or"
            " let ICMP fragmentation-needed and packet-too-big pass; on Linux net.ipv4.tcp_mtu_probing adapts by"
            " itself. ping with a given size and no fragmentation shows the limit."
        ),
        doubt=(
            "That size is the reason is inferred. A box that drops one direction's data, or a wrong checksum at one"
            " size, looks the same. Acknowledgements may have passed another way than this capture point."
        ),
        source="RFC 2923 2.1; RFC 1191; RFC 4821; Linux tcp_mtu_probing",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
)
