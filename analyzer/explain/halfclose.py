"""Half-closed connections that no RST of FIN-WAIT-2 ended: still so at the capture's end, or ended by data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.words.fins import fin_lines, probes_after_fin, stub_line, why_keepalive_goes_on
from analyzer.words.model import Line
from analyzer.words.teller import answered_text, count, duration, evidence, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.words.teller import Teller

LATE_DATA: Final = "data-after-peer-closed"


def headline(t: Teller) -> str:
    """Return how things stand when the capture ends."""
    closer = t.first_closer
    fin = t.fin(closer)
    assert fin is not None
    late, after = t.the(other(closer)), duration(t.end_ns - fin.ts_ns)
    if t.find("half-close-in-use"):
        text = f"{t.start(closer)} sent FIN and goes on taking data from {late}: a half-close in use"
    else:
        text = f"{t.start(closer)} sent FIN, {late} none in the {after} to the capture's end"
    probes = t.probes_after_fin_of(closer)
    own = [probe for probe in t.probes(closer) if probe.after_fin == "sent"]
    if probes:
        return f"{text}; {late} sent {count(len(probes), 'probe')} after the FIN, {answered_text(probes)}."
    if own:
        return f"{text}; {t.the(closer)} itself sent {count(len(own), 'probe')} after it, {answered_text(own)}."
    return f"{text}; nobody probes."


def happened(t: Teller) -> list[Line]:
    """Return what happened up to the capture's end."""
    closer = t.first_closer
    sent, none = fin_lines(t, closer)
    used = t.find("half-close-in-use")
    if used:
        none = Line(f"{t.start(other(closer))} went on sending data, and {t.the(closer)} took it.", used.frames)
    found = [sent, none]
    probes = t.probes_after_fin_of(closer)
    if probes:
        found += probes_after_fin(t, closer, probes)
    own = [probe for probe in t.probes(closer) if probe.after_fin == "sent"]
    if own:
        text = f"{t.start(closer)} itself sent {count(len(own), 'probe')} after its FIN, {answered_text(own)}."
        found.append(Line(text, evidence(own)))
    return found


def why(t: Teller) -> list[Line]:
    """Return why a half-closed connection stays, and what will end it."""
    closer = t.first_closer
    late = t.the(other(closer))
    used, own = t.find("half-close-in-use"), t.find("fin-sender-still-probes")
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
        text = (
            f"Nothing on the wire ends CLOSE-WAIT. Without probes {late}'s kernel never learns that the other side"
            " is gone, and the socket stays until its program closes it."
        )
        return [Line(text, (fin.frame,) if fin else ())]
    ends = Line(
        f"What ends it, if {late}'s program does not: if {t.the(closer)}'s program has closed, its kernel forgets"
        " the connection after a time (60 s on Linux), and the next probe draws a RST; macOS 12 and later send one"
        " unasked. The capture stopped before.",
        (t.record.last_frame,),
    )
    return lines(*why_keepalive_goes_on(t, closer, probes), ends, stub_line(t, closer))


def late_data_headline(t: Teller) -> str:
    """Return data after the peer's close in one line."""
    finding = t.need(LATE_DATA)
    writer = side_of(finding)
    after = duration(number(finding, "since_fin_ns"))
    closer = t.the(other(writer))
    return f"{t.start(writer)} sent data {after} after {closer}'s FIN; {closer} had closed in full, and a RST answered."


def late_data(t: Teller) -> list[Line]:
    """Return FIN, probes, data and RST."""
    finding = t.need(LATE_DATA)
    writer = side_of(finding)
    closer = other(writer)
    probes = t.probes_after_fin_of(closer)
    return [
        *fin_lines(t, closer),
        *(probes_after_fin(t, closer, probes) if probes else []),
        Line(
            f"Then {t.the(writer)} sent data, and {t.the(closer)}'s kernel answered with a RST: nobody is there to"
            " take it.",
            (number(finding, "data_frame"), number(finding, "reset_frame")),
        ),
    ]


def late_data_why(t: Teller) -> list[Line]:
    """Return why probes are answered where data is not."""
    finding = t.need(LATE_DATA)
    closer = other(side_of(finding))
    return [
        Line(
            f"After a full close {t.the(closer)}'s kernel still acknowledges probes, which carry nothing, but it"
            " cannot deliver data. After shutdown() it would have taken it.",
            finding.frames,
        )
    ]
