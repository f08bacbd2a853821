"""Flows in which something stayed unanswered: the prober gave up or had not yet, or data is outstanding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.orderly import probe_summary
from analyzer.judge.record import other
from analyzer.units import format_offset
from analyzer.words.icmp import icmp_text
from analyzer.words.model import Line
from analyzer.words.teller import answered_text, count, duration, evidence, lines, number, setting, side_of, times

if TYPE_CHECKING:
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

DEAD: Final = "dead-peer-detected"
BELIED: Final = "answers-lost-behind-capture"
SILENT: Final = "still-probing-at-end"
STOPPED: Final = "probes-unanswered-then-none"
UNACKED: Final = "data-unacknowledged-no-keepalive"

WHAT: Final = {"data": "data", "FIN": "a FIN"}
COUNTS: Final = ((9, "the default of Linux"), (8, "that of macOS and FreeBSD"))
"""After how many unanswered probes a prober gives up, unless told otherwise (field guide 5)."""


def last_word(t: Teller, side: Side) -> Line | None:
    """Return when an endpoint was last heard."""
    facts = t.facts(side)
    if facts.last_ns is None:
        return None
    answers = [probe.answer_frame for probe in t.probes(other(side)) if probe.answered]
    own = [probe.frame for probe in t.probes(side)]
    frame = max([frame for frame in (*answers, *own, facts.active_frame) if frame], default=0)
    return Line(f"{t.start(side)} was last heard at {t.at(facts.last_ns)}.", (frame,) if frame else ())


# ── the prober gave up ──


def dead_headline(t: Teller) -> str:
    """Return a dead peer in one line."""
    finding = t.need(DEAD)
    prober = side_of(finding)
    peer = t.the(other(prober))
    text = (
        f"{t.start(prober)} gave up on {peer}: {count(number(finding, 'unanswered'), 'probe')} unanswered, then its"
        " own RST"
    )
    if "detection_ns" in finding.data:
        text += f", {duration(number(finding, 'detection_ns'))} after {peer}'s last word"
    return f"{text}."


def dead(t: Teller) -> list[Line]:
    """Return the last word, the probes, the RST."""
    finding = t.need(DEAD)
    prober = side_of(finding)
    trailing = count(number(finding, "unanswered"), "probe")
    reset = number(finding, "reset_frame")
    probed = tuple(frame for frame in finding.frames if frame != reset)
    took = (
        f", {duration(number(finding, 'detection_ns'))} after that last word" if "detection_ns" in finding.data else ""
    )
    icmp = t.find("icmp-errors-end-nothing")
    return lines(
        last_word(t, other(prober)),
        Line(f"Then {trailing} of {t.the(prober)} got no answer that the capture shows.", probed),
        Line(
            f"One interval after the last, {t.the(prober)}'s kernel gave up and sent RST+ACK{took}. That RST comes"
            " from the prober, not from its peer.",
            (reset,),
        ),
        _icmp(icmp) if icmp is not None and icmp.about == prober else None,
    )


def _icmp(icmp: Finding) -> Line:
    what = (
        f" ({icmp_text(number(icmp, 'version'), number(icmp, 'type'), number(icmp, 'code'))})"
        if "version" in icmp.data
        else ""
    )
    text = (
        f"{count(number(icmp, 'errors'), 'ICMP error')}{what} came back and ended nothing: Linux and macOS ignore"
        " one that quotes a probe."
    )
    return Line(text, icmp.frames)


def dead_why(t: Teller) -> list[Line]:
    """Return what the silence can mean and how long noticing takes."""
    finding = t.need(DEAD)
    prober = side_of(finding)
    peer_fin = t.fin(other(prober))
    closed = None
    if peer_fin is not None:
        text = (
            f"{t.start(other(prober))}'s FIN had come before: {t.the(prober)} was in CLOSE-WAIT (derived), and its"
            " program had not closed."
        )
        closed = Line(text, (peer_fin.frame,))
    return lines(
        Line(
            f"Keepalive did its work: {t.the(other(prober))}, or the path to it, stopped answering. A capture"
            " cannot tell a dead host from a dropped flow or lost packets.",
            finding.frames,
        ),
        detection(finding),
        closed,
    )


def detection(finding: Finding) -> Line | None:
    """Return how long noticing takes by the settings seen, or None if they are not known."""
    wait, interval, unanswered = (number(finding, key) for key in ("wait_ns", "interval_ns", "unanswered"))
    if not (wait and interval):
        return None
    total = setting(wait + unanswered * interval)
    text = (
        f"By the settings inferred it takes {setting(wait)} to the first of these probes, then {unanswered} x"
        f" {setting(interval)}: {total}. Linux timers run late by up to an eighth."
    )
    return Line(text, finding.frames)


# ── answers that did not arrive ──


def belied_headline(t: Teller) -> str:
    """Return lost answers in one line."""
    prober = side_of(t.need(BELIED))
    return (
        f"{t.start(prober)} gave up although the capture shows answers: they did not get from here to {t.the(prober)}."
    )


def belied(t: Teller) -> list[Line]:
    """Return the answers and the RST that belies them."""
    finding = t.need(BELIED)
    prober = side_of(finding)
    return [
        *probe_summary(t),
        Line(
            f"Yet {t.the(prober)}'s probes fell into the rhythm of unanswered ones, and in the end it sent RST+ACK,"
            " as a prober does that hears nothing.",
            finding.frames,
        ),
    ]


def belied_why(t: Teller) -> list[Line]:
    """Return where to look."""
    finding = t.need(BELIED)
    text = (
        "Inferred from that rhythm and the RST: the answers were lost behind this capture point, on the way to "
        f"{t.the(side_of(finding))}."
    )
    return [Line(text, finding.frames)]


# ── silence ──


def silent_headline(t: Teller) -> str:
    """Return unanswered probes in one line."""
    return silent_text(t, _silent(t))


def _silent(t: Teller) -> Finding:
    return t.find(SILENT) or t.need(STOPPED)


def silent_text(t: Teller, finding: Finding) -> str:
    """Return the same of one finding, for both ends can have one."""
    prober = side_of(finding)
    unanswered = count(number(finding, "unanswered"), "probe")
    text = (
        f"{t.start(other(prober))} stopped answering: {unanswered} of {t.the(prober)} unanswered when the capture ended"
    )
    if "silent_ns" in finding.data:
        text += f", {duration(number(finding, 'silent_ns'))} after its last word"
    return f"{text}."


def silent(t: Teller) -> list[Line]:
    """Return the last word, the probes since, and when the prober would have given up."""
    finding = _silent(t)
    prober = side_of(finding)
    text = (
        f"Since then {count(number(finding, 'unanswered'), 'probe')} of {t.the(prober)} got no answer, and no RST came."
    )
    return lines(last_word(t, other(prober)), Line(text, finding.frames), gives_up(t, finding))


def gives_up(t: Teller, finding: Finding) -> Line | None:
    """Return when the prober would have given up, by the usual counts."""
    gap = number(finding, "interval_ns") or number(finding, "gap_ns")
    first = number(finding, "first_ns") - t.start_ns
    whens = [
        f"at about {format_offset(first + many * gap)} if its count is {many} ({whose})"
        for many, whose in COUNTS
        if first + many * gap > t.record.end_ns - t.start_ns
    ]
    if not gap:
        return None
    if finding.code == STOPPED:
        text = (
            f"They came {duration(gap)} apart, then no more for {duration(number(finding, 'waited_ns'))}: the"
            " prober is gone as well, or its RST was not captured."
        )
        return Line(text, finding.frames)
    return (
        Line(f"With {duration(gap)} between them it gives up and sends RST {', '.join(whens)}.", finding.frames)
        if whens
        else None
    )


def silent_why(t: Teller) -> list[Line]:
    """Return what the silence can be."""
    finding = _silent(t)
    peer = t.start(other(side_of(finding)))
    text = (
        f"{peer}, or the path, is gone, or answers are lost on the way here. A prober may conclude nothing before"
        " its count is full (RFC 9293 MUST-29)."
    )
    return [Line(text, finding.frames)]


# ── outstanding data ──


def unacked_headline(t: Teller) -> str:
    """Return outstanding data in one line."""
    return unacked_text(t, t.need(UNACKED))


def unacked_text(t: Teller, finding: Finding) -> str:
    """Return the same of one finding, for both ends can have one."""
    lasted, again = duration(number(finding, "unacked_ns")), times(number(finding, "resent"))
    who = t.start(side_of(finding))
    return (
        f"{who}'s {finding.data['what']} stayed unacknowledged for {lasted} to the capture's end, sent again"
        f" {again}; no keepalive probe in that time."
    )


def unacked(t: Teller) -> list[Line]:
    """Return the data, its retransmissions, and the probes before it."""
    finding = t.need(UNACKED)
    side = side_of(finding)
    probes = t.probes(side)
    resent = times(number(finding, "resent"))
    text = (
        f"{t.start(side)} then sent {WHAT[str(finding.data['what'])]} that nothing acknowledges, and sent it again"
        f" {resent}."
    )
    before = f"It had sent {count(len(probes), 'keepalive probe')} before, {answered_text(probes)}; since then none."
    return lines(
        last_word(t, other(side)),
        Line(text, (number(finding, "since_frame"), number(finding, "last_frame"))),
        Line(before, evidence(probes)) if probes else None,
    )


def unacked_why(t: Teller) -> list[Line]:
    """Return why there are no probes, and what ends it."""
    frames = t.need(UNACKED).frames
    return [
        Line(
            "Linux sends no probe while anything sent is unacknowledged (RFC 9293 MUST-26). It is the"
            " retransmission timer's turn, and keepalive's settings do not shorten that.",
            frames,
        ),
        Line(
            "When Linux gives up on it (net.ipv4.tcp_retries2; 15 by default, about a quarter of an hour) it sends"
            " no RST: on the wire the end looks like this silence.",
            frames,
        ),
    ]
