"""Flows that a RST ended without a FIN, and those that silence ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.closing import number, probe_summary, side_of
from analyzer.explain.model import Line
from analyzer.explain.teller import count, duration, evidence, setting
from analyzer.record import other
from analyzer.units import format_offset

if TYPE_CHECKING:
    from analyzer.explain.teller import Teller
    from analyzer.findings import Finding
    from analyzer.flow import Side
    from analyzer.record import Probe

COUNTS: Final = ((9, "Linux's default"), (8, "the default of macOS and FreeBSD"))
"""After how many unanswered probes a prober gives up, unless told otherwise (field guide 5)."""


def _need(t: Teller, code: str) -> Finding:
    finding = t.find(code)
    assert finding is not None
    return finding


def _last_word(t: Teller, side: Side) -> Line | None:
    """Return when an endpoint was last heard."""
    facts = t.facts(side)
    if facts.last_ns is None:
        return None
    answered = [p for p in t.probes(other(side)) if p.answer in {"ack", "data"} and p.answer_frame]
    frames = (answered[-1].answer_frame,) if answered and answered[-1].answer_frame else ()
    kept = frames[0] if frames and frames[0] >= (facts.active_frame or 0) else facts.active_frame
    return Line(f"{t.start(side)} was last heard at {t.at(facts.last_ns)}.", (kept,) if kept else ())


# ── the prober gave up ──


def dead_headline(t: Teller) -> str:
    """Return a dead peer in one line."""
    finding = _need(t, "dead-peer-detected")
    prober = side_of(finding)
    peer = t.the(other(prober))
    after = duration(number(finding, "detection_ns")) if "detection_ns" in finding.data else "an unknown time"
    n = number(finding, "unanswered")
    return f"{t.start(prober)} gave up on {peer}: {count(n, 'probe')} unanswered, its own RST {after} after {peer}'s last word."


def dead(t: Teller) -> list[Line]:
    """Return the last word, the probes, the RST."""
    finding = _need(t, "dead-peer-detected")
    prober = side_of(finding)
    trailing = _trailing(t, prober)
    reset = number(finding, "reset_frame")
    found = [line for line in (_last_word(t, other(prober)),) if line]
    found.append(
        Line(
            f"{t.start(prober)}'s next {count(len(trailing), 'probe')} got no answer that the capture shows.",
            tuple(p.frame for p in trailing),
        )
    )
    took = (
        f", {duration(number(finding, 'detection_ns'))} after that last word" if "detection_ns" in finding.data else ""
    )
    found.append(
        Line(
            f"One interval after the last, {t.the(prober)}'s kernel gave up and sent RST+ACK{took}. The RST comes from the prober, not from the peer.",
            (reset,),
        )
    )
    icmp = t.find("icmp-errors-end-nothing")
    if icmp and icmp.about == prober:
        found.append(
            Line(
                f"{count(number(icmp, 'errors'), 'ICMP error')} came back meanwhile and ended nothing: Linux and macOS ignore one that quotes a probe. They do say "
                f"that the path or the host was gone.",
                icmp.frames,
            )
        )
    return found


def dead_why(t: Teller) -> list[Line]:
    """Return what the silence can mean and how long detection takes."""
    finding = _need(t, "dead-peer-detected")
    prober = side_of(finding)
    found = [
        Line(
            f"This is keepalive doing its work: {t.the(other(prober))}, or the path to it, stopped answering. A capture cannot tell a dead host from a "
            f"dropped flow or lost packets.",
            finding.frames,
        )
    ]
    found += detection(finding)
    if t.record.fins:
        closer = t.record.fins[0].sender
        if closer == other(prober):
            found.append(
                Line(
                    f"A FIN of {t.the(closer)} had come before: {t.the(prober)} was in CLOSE-WAIT (derived), its program had not closed.",
                    (t.record.fins[0].frame,),
                )
            )
    return found


def detection(finding: Finding) -> list[Line]:
    """Return how long it takes by the settings seen."""
    idle, interval, unanswered = (number(finding, key) for key in ("idle_ns", "interval_ns", "unanswered"))
    if not (idle and interval):
        return []
    total = setting(idle + unanswered * interval)
    return [
        Line(
            f"By the settings seen it takes idle {setting(idle)} + {unanswered} x interval {setting(interval)} = {total}, and Linux timers run up to "
            f"an eighth late. To notice sooner, lower these on the probing side.",
            finding.frames,
        )
    ]


def _trailing(t: Teller, prober: Side) -> list[Probe]:
    heard_ns = t.facts(other(prober)).last_ns
    return [p for p in t.probes(prober) if p.answer is None and (heard_ns is None or p.ts_ns > heard_ns)]


# ── answers that did not arrive ──


def belied_headline(t: Teller) -> str:
    """Return lost answers in one line."""
    finding = _need(t, "answers-lost-behind-capture")
    prober = side_of(finding)
    return f"{t.start(prober)} gave up although the capture shows answers: they were lost between the capture point and {t.the(prober)}."


def belied(t: Teller) -> list[Line]:
    """Return the answers and the RST that belies them."""
    finding = _need(t, "answers-lost-behind-capture")
    prober = side_of(finding)
    answered = [p for p in t.probes(prober) if p.answer in {"ack", "data"}]
    return [
        Line(f"{t.start(other(prober))} answered {count(len(answered), 'probe')}, as seen here.", evidence(answered)),
        Line(
            f"Yet {t.the(prober)} went over to the rhythm of unanswered probes and in the end sent RST+ACK, as a prober does that hears nothing.",
            (number(finding, "reset_frame"),),
        ),
    ]


def belied_why(t: Teller) -> list[Line]:
    """Return where to look."""
    finding = _need(t, "answers-lost-behind-capture")
    prober = side_of(finding)
    return [
        Line(
            f"So the answers were lost behind this capture point, on the way to {t.the(prober)}. This is inferred from its probes' rhythm and the RST.",
            finding.frames,
        )
    ]


# ── no such connection ──


def forgot_headline(t: Teller) -> str:
    """Return a forgotten connection in one line."""
    finding = _need(t, "peer-forgot-connection")
    peer = side_of(finding)
    what = "a probe" if finding.data["what"] == "probe" else "data"
    return f"{t.start(peer)}'s address answered {what} of {t.the(other(peer))} with a RST: it knows no such connection any more, and no FIN was seen."


def forgot(t: Teller) -> list[Line]:
    """Return the last good word and the RST."""
    finding = _need(t, "peer-forgot-connection")
    peer = side_of(finding)
    good = [p for p in t.probes(other(peer)) if p.answer in {"ack", "data"}]
    found = []
    if good:
        found.append(
            Line(
                f"{t.start(peer)} answered {count(len(good), 'probe')} of {t.the(other(peer))}, the last at {t.at(good[-1].ts_ns)}.",
                evidence(good),
            )
        )
    what = "probe" if finding.data["what"] == "probe" else "data"
    silent = (
        f", {duration(number(finding, 'silent_ns'))} after {t.the(peer)}'s last word"
        if "silent_ns" in finding.data
        else ""
    )
    found.append(Line(f"The next {what} drew a RST{silent}; that ended the connection.", finding.frames))
    if finding.data["bare"]:
        found.append(
            Line(
                'That RST has no ACK and window 0, and takes its number from what it answers: the form of "no such connection" (RFC 9293 3.10.7.1).',
                (number(finding, "reset_frame"),),
            )
        )
    return found


def forgot_why(t: Teller) -> list[Line]:
    """Return what can make a host forget."""
    finding = _need(t, "peer-forgot-connection")
    peer = t.the(side_of(finding))
    if finding.data["midstream"]:
        return [
            Line(
                f"The capture began in mid-connection. So either {peer} had sent its FIN before that and its FIN-WAIT-2 ran out (60 s on Linux), or its host "
                f"restarted, or a box on the way forgot the flow and answers in its name. The capture cannot tell which.",
                finding.frames,
            )
        ]
    return [
        Line(
            f"No FIN of {peer} came before, so its program did not close in the ordinary way. Inferred causes, the likelier first: its host restarted or "
            f"was replaced; its address moved to another host; a NAT or firewall forgot the flow and answers in its name.",
            finding.frames,
        )
    ]


# ── somebody in between ──


def between_headline(t: Teller) -> str:
    """Return a foreign RST in one line."""
    finding = _need(t, "reset-from-between")
    side = side_of(finding)
    what = "answering a probe " if "probe_frame" in finding.data else ""
    return f"A RST {what}in {t.the(side)}'s name ended the connection, but it does not look like {t.the(side)}'s packets: a box in between sent it."


def between(t: Teller) -> list[Line]:
    """Return the RST and in what it differs."""
    finding = _need(t, "reset-from-between")
    side = side_of(finding)
    reset = number(finding, "reset_frame")
    found = probe_summary(t)
    answers = "It answers the probe; " if "probe_frame" in finding.data else ""
    found.append(
        Line(
            f"{answers}the connection ended with a RST that came in {t.the(side)}'s name.".capitalize()
            if not answers
            else f"The RST came in {t.the(side)}'s name, in answer to the probe, and ended the connection.",
            finding.frames,
        )
    )
    differs = str(finding.data["differs"]).split()
    low, high = number(finding, "own_ttl_low"), number(finding, "own_ttl_high")
    if "ttl" in differs:
        own = str(low) if low == high else f"{low} to {high}"
        found.append(
            Line(f"Its TTL is {number(finding, 'ttl')}; {t.the(side)}'s own packets arrive with {own}.", (reset,))
        )
    if "mac" in differs:
        found.append(Line(f"Its source MAC address is not the one that {t.the(side)}'s own packets have.", (reset,)))
    return found


def between_why(t: Teller) -> list[Line]:
    """Return what kind of box does that."""
    finding = _need(t, "reset-from-between")
    side = side_of(finding)
    return [
        Line(
            f"Inferred: a firewall, NAT or load balancer on the way has dropped the flow or forbids it, and answers in {t.the(side)}'s name. {t.start(side)} itself "
            f"probably knows nothing of it and still holds the connection.",
            finding.frames,
        )
    ]


# ── abort ──


def abort_headline(t: Teller) -> str:
    """Return an abort in one line."""
    finding = _need(t, "abort-without-fin")
    side = side_of(finding)
    probes = len(t.record.probes)
    before = f"; {count(probes, 'probe')} before" if probes else ""
    if finding.data["unread"] == "possible":
        return f"{t.start(side)} ended the connection with a RST in place of a FIN: typical of a close or kill with unread data{before}."
    return f"{t.start(side)} ended the connection with a RST in place of a FIN{before}."


def abort(t: Teller) -> list[Line]:
    """Return the RST and what came before."""
    finding = _need(t, "abort-without-fin")
    side = side_of(finding)
    reset = t.reset
    assert reset is not None
    return [
        *probe_summary(t),
        Line(
            f"{t.start(side)} sent RST+ACK at {t.at(reset.ts_ns)}, and no FIN. It answers no probe: {t.the(side)}'s own kernel chose to.",
            (reset.frame,),
        ),
        Line("That ended the connection at once for both ends; nothing is left to probe.", (reset.frame,)),
    ]


def abort_why(t: Teller) -> list[Line]:
    """Return the known causes of a RST in place of FIN."""
    finding = _need(t, "abort-without-fin")
    side = side_of(finding)
    reset = number(finding, "reset_frame")
    if finding.data["unread"] == "possible":
        data = number(finding, "data_frame")
        sent = count(number(finding, "received_bytes"), "byte")
        return [
            Line(
                f"A kernel sends RST in place of FIN when a socket is closed, or its process dies, while received data is still unread. {t.start(other(side))} had "
                f"sent {sent}, so that can be the case here; whether they were read, no capture shows.",
                (data, reset),
            ),
            Line("Otherwise the program asked for it (SO_LINGER with time 0).", (reset,)),
        ]
    if finding.data["unread"] == "impossible":
        return [
            Line(
                f"{t.start(other(side))} never sent data, so none can have been unread: {t.the(side)}'s program most likely asked for the RST (SO_LINGER with time 0).",
                (reset,),
            )
        ]
    return [
        Line(
            "A kernel sends RST in place of FIN when data was left unread, or when the program asked for it (SO_LINGER with time 0).",
            (reset,),
        )
    ]


# ── silence ──


def silent_headline(t: Teller) -> str:
    """Return unanswered probes in one line."""
    finding = _need(t, "still-probing-at-end")
    prober = side_of(finding)
    n = number(finding, "unanswered")
    heard = f", {duration(number(finding, 'silent_ns'))} of silence" if "silent_ns" in finding.data else ""
    return f"{t.start(other(prober))} stopped answering: {count(n, 'probe')} of {t.the(prober)} unanswered when the capture ended{heard}."


def silent(t: Teller) -> list[Line]:
    """Return the last word and the probes since."""
    finding = _need(t, "still-probing-at-end")
    prober = side_of(finding)
    found = [line for line in (_last_word(t, other(prober)),) if line]
    n = number(finding, "unanswered")
    return [
        *found,
        Line(
            f"Since then {count(n, 'probe')} of {t.the(prober)} got no answer, and no RST came from either end.",
            finding.frames,
        ),
        *gives_up(t, finding),
    ]


def gives_up(t: Teller, finding: Finding) -> list[Line]:
    """Return when the prober would have given up, by the usual counts."""
    gap = number(finding, "interval_ns") or number(finding, "gap_ns")
    if not gap:
        return []
    first = number(finding, "first_ns") - t.start_ns
    n = number(finding, "unanswered")
    whens = [f"{format_offset(first + many * gap)} with {many} probes ({whose})" for many, whose in COUNTS if many >= n]
    if not whens:
        return []
    return [
        Line(
            f"At an interval of {duration(gap)} it would have given up with a RST at about {', or at '.join(whens)}.",
            finding.frames,
        )
    ]


def silent_why(t: Teller) -> list[Line]:
    """Return what the silence can be."""
    finding = _need(t, "still-probing-at-end")
    peer = t.the(other(side_of(finding)))
    return [
        Line(
            f"{peer[:1].upper() + peer[1:]}, or the path, is gone, or answers are lost on the way here. Until its count is full a prober must not conclude anything (RFC 9293 MUST-29).",
            finding.frames,
        )
    ]


def unacked_headline(t: Teller) -> str:
    """Return outstanding data in one line."""
    finding = _need(t, "data-unacknowledged-no-keepalive")
    side = side_of(finding)
    return (
        f"{t.start(side)}'s data stayed unacknowledged for {duration(number(finding, 'unacked_ns'))} to the capture's end, sent again "
        f"{count(number(finding, 'resent'), 'time')}; keepalive does not run meanwhile."
    )


def unacked(t: Teller) -> list[Line]:
    """Return the data and its retransmissions."""
    finding = _need(t, "data-unacknowledged-no-keepalive")
    side = side_of(finding)
    since, last = number(finding, "since_frame"), number(finding, "last_frame")
    found = [line for line in (_last_word(t, other(side)),) if line]
    found.append(
        Line(
            f"{t.start(side)} sent data that nothing acknowledges, and sent it again {count(number(finding, 'resent'), 'time')}.",
            (since, last),
        )
    )
    probes = t.probes(side)
    if probes:
        found.append(
            Line(f"Before that it had sent {count(len(probes), 'keepalive probe')}; since then none.", evidence(probes))
        )
    return found


def unacked_why(t: Teller) -> list[Line]:
    """Return why there are no probes, and what ends it."""
    finding = _need(t, "data-unacknowledged-no-keepalive")
    return [
        Line(
            "Linux sends no keepalive probe while data is unacknowledged (RFC 9293 MUST-26): the retransmission timer has its turn, and only that can find the peer dead.",
            finding.frames,
        ),
        Line(
            "When it gives up (Linux: net.ipv4.tcp_retries2, by default after many minutes) it sends no RST, so on the wire the end looks like this silence.",
            finding.frames,
        ),
    ]
