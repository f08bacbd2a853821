"""Connections that one end had closed when the capture ended: long before it, or just then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.orderly import own_timeout
from analyzer.findings.kinds import half_close
from analyzer.judge.record import other
from analyzer.judge.signatures import FIN_WAIT_2
from analyzer.units import NS_PER_S
from analyzer.words.fins import (
    fin_lines,
    may_have_closed_before,
    probes_after_fin,
    stub_line,
    until,
    why_keepalive_goes_on,
)
from analyzer.words.model import Line
from analyzer.words.probes import probe_summary
from analyzer.words.teller import count, duration, evidence, lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.probe import Probe
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

LINUX: Final = "Linux"
"""Its row in FIN_WAIT_2."""


def headline(t: Teller) -> str:
    """Return how things stand when the capture ends."""
    closer = t.first_closer
    fin = t.fin(closer)
    assert fin is not None
    late, after = t.the(other(closer)), until(t.end_ns - fin.ts_ns, t.its_end)
    if t.find(half_close.IN_USE.code):
        text = f"{t.start(closer)} sent FIN and goes on taking data from {late}: a half-close in use"
    else:
        text = f"{t.start(closer)} sent FIN; {late} sent none {after}"
        if may_have_closed_before(t, other(closer)):
            text += ", and may have closed before it began"
    probes = t.probes_after_fin_of(closer)
    own = [probe for probe in t.probes(closer) if probe.after_fin == "sent"]
    if probes:
        sent = f"{t.start(other(closer))} sent {count(len(probes), 'probe')}"
        return f"{text}. {sent} after the FIN, {t.answered_text(probes)}."
    if own:
        return (
            f"{text}. {t.start(closer)} itself sent {count(len(own), 'probe')} after its FIN, {t.answered_text(own)}."
        )
    before = t.record.probes
    if before:
        return f"{text}. {count(len(before), 'probe')} before the FIN, {t.answered_text(before)}; none after it."
    return f"{text}. Neither end probes."


def closing_headline(t: Teller) -> str:
    """Return a close in flight in one line."""
    closer, probes = t.first_closer, t.record.probes
    fin = t.fin(closer)
    assert fin is not None
    told = f"; {count(len(probes), 'probe')} before, {t.answered_text(probes)}" if probes else ""
    return f"{t.start(closer)} began to close {duration(t.end_ns - fin.ts_ns)} before {t.its_end}{told}."


def closing(t: Teller) -> list[Line]:
    """Return the FIN, and that the capture ended too soon behind it."""
    closer = t.first_closer
    sent, _ = fin_lines(t, closer)
    fin = t.fin(closer)
    assert fin is not None
    text = (
        f"The capture ended {duration(t.end_ns - fin.ts_ns)} after the FIN: too soon to say whether"
        f" {t.the(other(closer))} closes too."
    )
    return [*probe_summary(t), sent, *own_timeout(t, fin), Line(text, (fin.frame, t.record.last_frame))]


def happened(t: Teller) -> list[Line]:
    """Return what happened up to the capture's end."""
    closer = t.first_closer
    sent, none = fin_lines(t, closer)
    used = t.find(half_close.IN_USE.code)
    if used:
        none = Line(f"{t.start(other(closer))} went on sending data, and {t.the(closer)} took it.", used.frames)
    fin = t.fin(closer)
    assert fin is not None
    found = [sent, *own_timeout(t, fin), none]
    probes = t.probes_after_fin_of(closer)
    if probes:
        found += probes_after_fin(t, closer, probes)
    own = [probe for probe in t.probes(closer) if probe.after_fin == "sent"]
    if own:
        text = f"{t.start(closer)} itself sent {count(len(own), 'probe')} after its FIN, {t.answered_text(own)}."
        found.append(Line(text, evidence(own)))
    return found


def why(t: Teller) -> list[Line]:
    """Return why a half-closed connection stays, and what will end it."""
    closer = t.first_closer
    late = t.the(other(closer))
    used, own = t.find(half_close.IN_USE.code), t.find(half_close.FIN_SENDER_PROBES.code)
    if used:
        text = f"A half-closed connection is legal and can last: {t.the(closer)} still takes data after its FIN."
        return [Line(text, used.frames)]
    if own:
        text = (
            f"Linux probes only for a socket that a program still holds. So if that host is Linux, {t.the(closer)}"
            f" used shutdown() and not close(), and waits for {late}."
        )
        return [Line(text, own.frames)]
    probes = t.probes_after_fin_of(closer)
    if not probes:
        fin = t.fin(closer)
        unless = (
            f"Unless {late} had closed before the capture began: " if may_have_closed_before(t, other(closer)) else ""
        )
        nothing = "nothing" if unless else "Nothing"
        text = (
            f"{unless}{nothing} on the wire ends CLOSE-WAIT. Without probes {late}'s kernel never learns that the other"
            " side is gone, and the socket stays until its program closes it."
        )
        return [Line(text, (fin.frame,) if fin else ())]
    if (lasting := _lasts(t, closer, probes)) is not None:
        return lines(*why_keepalive_goes_on(t, closer, probes), lasting, stub_line(t, closer))
    ends = Line(
        f"If {late} never closes: once {t.the(closer)}'s program has closed, its kernel drops the connection after a"
        " time (60 s on Linux), and the next probe draws a RST; macOS 12 and later send one on their own. The capture"
        " stopped before that.",
        (t.record.last_frame,),
    )
    return lines(*why_keepalive_goes_on(t, closer, probes), ends, stub_line(t, closer))


def _lasts(t: Teller, closer: Side, probes: Sequence[Probe]) -> Line | None:
    """Return what it means that an end still answers long after its FIN; None if that is no longer than Linux waits."""
    fin = t.fin(closer)
    answered = [probe for probe in probes if probe.answer == "ack"]
    if fin is None or fin.acked_ns is None or not answered:
        return None
    lasted_ns = answered[-1].ts_ns - fin.acked_ns
    bounded = [(row.name, row.high_s) for row in FIN_WAIT_2 if row.high_s is not None]
    ended = [(name, high_s) for name, high_s in bounded if high_s * NS_PER_S < lasted_ns]
    if LINUX not in dict(ended):
        return None
    sooner = ", ".join(f"{name} in {high_s} s at most" for name, high_s in ended)
    longer = [f"{name} in up to {high_s} s" for name, high_s in bounded if (name, high_s) not in ended]
    longer += [f"{row.name}, where each probe prolongs it" for row in FIN_WAIT_2 if row.high_s is None]
    text = (
        f"{t.start(closer)} still answered {duration(lasted_ns)} after its FIN was acknowledged. Some kernels drop by"
        f" then a connection that their program has closed, unless set otherwise ({sooner}). So most likely"
        f" {t.the(closer)}'s program used shutdown() and still has the socket; or its kernel waits for longer"
        f" ({'; '.join(longer)}). Which of them, the capture does not show."
    )
    return Line(text, (fin.frame, answered[-1].frame))
