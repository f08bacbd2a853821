"""Data that its receiver still waits for never passed this point, though both ends are alive: lost before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.evidence import frames_of, known, numbers_of
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.label.reset_acceptance import SCALE_MOST
from analyzer.track.uncaptured import HOLE
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import count, duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller

LONG_NS: Final = 10_000_000_000
"""By then a sender has retransmitted several times (RFC 6298 2: from a second on, each wait twice the one before)."""
UNSCALED_MOST: Final = 0xFFFF
LARGE: Final = 1_000
"""Full segments have about as much on every path in use (RFC 8200 5: 1,280 bytes at least)."""


def data_before_it_awaited(f: Flows) -> Mask:
    """Octets that it sent before later data were never captured, and its peer still acknowledges nothing of them."""
    skipped = (f.flow("odd_kind") == HOLE) & (f.flow("odd_side") == f.side) & (f.own("missed") > 0)
    return skipped & (f.own("unacked_ns") >= 0) & (f.own("snd_una") == f.flow("odd_from"))


def it_fits_the_window(f: Flows) -> Mask:
    """No more is outstanding than its peer's window allows (what jumps further is of another connection)."""
    scale = f.peer("window_scale").astype(np.int64)
    scale = np.where(scale >= 0, scale, np.where(f.peer("syn_frame") > 0, 0, SCALE_MOST))
    window = np.maximum(f.peer("window").astype(np.int64), 0) << scale
    return f.own("snd_nxt") - f.own("snd_una") <= np.maximum(window, UNSCALED_MOST)


def peer_heard_long_after(f: Flows) -> Mask:
    """Its peer was heard 10 s or more after that later data."""
    return (f.own("unacked_ns") >= 0) & (f.peer("last_ns") - f.own("unacked_ns") >= LONG_NS)


def goes_on(f: Flows) -> Mask:
    """The verdict is open, half_closed or silent."""
    return f.verdict_in(Verdict.OPEN, Verdict.HALF_CLOSED, Verdict.SILENT)


def _evidence(case: Case) -> Evidence:
    """The data behind what is missing, how much that is, and what was heard of the receiver since."""
    facts = case.facts
    assert facts.unacked_ns is not None
    since_ns = facts.unacked_ns
    heard = [probe for probe in case.record.probes if probe.ts_ns > since_ns]
    return frames_of(facts.unacked_frame, numbers_of(heard)), known(
        later_frame=facts.unacked_frame,
        bytes=facts.awaited_bytes,
        lasted_ns=case.record.end_ns - since_ns,
        heard_ns=(case.peer_facts.last_ns or since_ns) - since_ns,
    )


def _headline(t: Teller, f: Finding) -> str:
    sender = side_of(f)
    return (
        f"{t.start(sender)}'s data hangs: {count(number(f, 'bytes'), 'byte')} of it never passed here, in"
        f" {duration(number(f, 'lasted_ns'))} not even by retransmission, and {t.the(other(sender))} still waits for"
        " it, though both ends are alive."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    sender = side_of(f)
    later = (number(f, "later_frame"),)
    jump = (
        f"{t.start(sender)}'s numbers jump by {count(number(f, 'bytes'), 'byte')} before frame {later[0]}: what lies"
        " between was never captured."
    )
    waits = (
        f"{t.start(other(sender))} was heard up to {duration(number(f, 'heard_ns'))} later, and acknowledged nothing"
        " of it: so it did not get it either, and this capture did not merely miss it."
    )
    return [Line(jump, later), Line(waits, f.frames), *(probe_summary(t) if t.record.probes else [])]


def _why(t: Teller, f: Finding) -> list[Line]:
    sender = t.the(side_of(f))
    lost = f"It was lost between {sender} and this capture point: a retransmission that got this far would be here."
    size = (
        "Inferred: full segments do not get through, small ones do. That is so where a link before this point takes no"
        " packets of that size (path MTU: a tunnel, a VPN), and the ICMP messages that would say so are filtered or not"
        " heeded."
    )
    probes = "Keepalive sees nothing of it: its probes are small, pass, and are answered."
    large = number(f, "bytes") >= LARGE
    return [Line(lost, f.frames), *([Line(size, f.frames)] if large else []), Line(probes, f.frames)]


def _sees(t: Teller, f: Finding) -> list[Line]:
    sender = side_of(f)
    return [
        Line(
            f"{t.start(sender)}, write: succeeds as long as the send buffer has room, until its kernel gives up"
            " retransmitting (about a quarter of an hour on Linux by default); then ETIMEDOUT.",
            f.frames,
        ),
        Line(f"{t.start(other(sender))}, read: waits for the missing data.", f.frames),
    ]


NEVER_PASSED: Final = FindingKind(
    code="data-lost-before-capture",
    rows=(Row((goes_on, data_before_it_awaited, it_fits_the_window, peer_heard_long_after), _evidence),),
    text=LongText(
        title="Data was lost before this point, and never came",
        meaning=(
            "Data of this end was captured, but not what comes before it in its numbers; its peer does not"
            " acknowledge that either, though it is heard. No retransmission passed here."
        ),
        why=(
            "The connection hangs although both ends are there and probes are answered: the receiver cannot hand"
            " on what came behind the gap."
        ),
        change=(
            "Capture at the sender, and look at the way from there to this point. If only large packets are lost, check"
            " the path's MTU: lower the interface's MTU, clamp the segment size (MSS), or let ICMP"
            " fragmentation-needed and packet-too-big pass."
        ),
        doubt=(
            "Retransmissions may have taken another way than this capture point, or the capture may have lost them; and"
            " so may the acknowledgements."
        ),
        source="RFC 9293 3.8.1; RFC 6298 5; RFC 2923 2.1",
    ),
    detail=_headline,
    lead=Lead(_headline, _happened, _why),
    advice=Advice.READER,
    sees=_sees,
)
