"""The founding question: the FIN-WAIT-2 of the end that closed ran out, and a RST ended what keepalive could not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.words.fins import fin_lines, probes_after_fin, stub_line, why_keepalive_goes_on
from analyzer.words.model import Line
from analyzer.words.teller import count, duration, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller

CODE: Final = "fin-wait-2-expired"
OLD_MACOS_GO_NS: Final = 120_000_000_000
"""FIN-WAIT-2 of a Go client on macOS up to 11: 8 probes 15 s apart (field guide 7.2)."""

FITS: Final = {
    "default": "Linux's limit fits: 60 s (net.ipv4.tcp_fin_timeout; measured 60 to 62 s, its timer rounds up).",
    "shorter": (
        "Linux's default of 60 s does not explain that; a changed net.ipv4.tcp_fin_timeout on that host would, or a"
        " restart."
    ),
    "longer": (
        "That is more than the 60 s of Linux and of macOS 12 and later. macOS up to 11 waits count x interval of"
        " the closing socket's keepalive: 8 x 75 s = 600 s by default."
    ),
}
MACOS: Final = (
    "macOS differs (by its source): version 12 and later send RST+ACK unasked after 60 s; up to 11 the state lasts"
    " count x interval of the closing socket's keepalive, 600 s by default, and ends silently."
)


def headline(t: Teller) -> str:
    """Return the answer in one line."""
    finding = t.need(CODE)
    closer = side_of(finding)
    probes = t.probes_after_fin_of(closer)
    answered = sum(probe.answered for probe in probes)
    after = duration(number(finding, "since_fin_ns"))
    who = f"{t.start(closer)} closed, {t.the(other(closer))} never did"
    if finding.data["how"] == "unprompted":
        how = (
            f"{count(len(probes), 'probe')} after the FIN, {answered} answered" if probes else "no probe after the FIN"
        )
        return f"{who}: {how}; then {t.the(closer)} sent RST unasked, {after} after its FIN."
    if not answered:
        return f"{who}: the first probe after the FIN drew a RST, {after} after it."
    return (
        f"{who}: {len(probes)} probes after the FIN, {answered} answered; the last drew a RST, {after} after the FIN."
    )


def happened(t: Teller) -> list[Line]:
    """Return FIN, probes and RST."""
    finding = t.need(CODE)
    closer = side_of(finding)
    probes = t.probes_after_fin_of(closer)
    after = duration(number(finding, "since_fin_ns"))
    reset = number(finding, "reset_frame")
    if finding.data["how"] == "unprompted":
        text = f"Then {t.the(closer)}'s kernel sent RST+ACK, asked by nothing, {after} after its FIN: the end."
        last = Line(text, (reset,))
    else:
        took = next((probe.answer_ns for probe in probes if probe.answer == "rst"), None)
        within = f" within {duration(took)}" if took is not None else ""
        text = f"The last probe drew a RST{within}, {after} after the FIN: the end."
        last = Line(text, (number(finding, "probe_frame"), reset))
    return [*fin_lines(t, closer), *(probes_after_fin(t, closer, probes) if probes else []), last]


def why(t: Teller) -> list[Line]:
    """Return why keepalive went on, and why it ended when it did."""
    finding = t.need(CODE)
    closer = side_of(finding)
    goes_on = why_keepalive_goes_on(t, closer, t.probes_after_fin_of(closer))
    limit = _unprompted(t, finding) if finding.data["how"] == "unprompted" else _on_a_probe(t, finding)
    return lines(*goes_on, *limit, stub_line(t, closer))


def _unprompted(t: Teller, finding: Finding) -> list[Line]:
    high = duration(number(finding, "held_high_ns"))
    frames = (number(finding, "acked_frame"), number(finding, "reset_frame"))
    return [
        Line(
            f"A kernel keeps FIN-WAIT-2 only for a time. {t.start(side_of(finding))}'s ended with a RST+ACK {high}"
            " after its FIN was acknowledged.",
            frames,
        ),
        Line(
            "That is how macOS 12 and later do it, by their source: after 60 s, or count x interval of the closing"
            " socket's keepalive if that is less. Linux ends it silently after 60 s, and a RST then answers the"
            " next probe.",
            frames,
        ),
    ]


def _on_a_probe(t: Teller, finding: Finding) -> list[Line]:
    low, high = number(finding, "held_low_ns"), number(finding, "held_high_ns")
    bounds = (number(finding, "acked_frame"), number(finding, "probe_frame"), number(finding, "reset_frame"))
    fits = FITS[str(finding.data["fits"])]
    if finding.data["fits"] == "longer" and low <= OLD_MACOS_GO_NS <= high:
        fits += " 8 x 15 s = 120 s, with Go's settings, fits."
    least = f"at least {duration(low)} (the last ACK) and " if low else ""
    bare = " without ACK, as here" if t.reset is not None and not t.reset.has_ack else ""
    return [
        Line(
            f"A kernel keeps FIN-WAIT-2 only for a time. {t.start(side_of(finding))}'s lasted, from its FIN's"
            f" acknowledgement, {least}less than {duration(high)} (the RST)."
            f" {fits}",
            bounds,
        ),
        Line(
            "It runs out without a packet. Only the next probe finds that there is no such connection any more,"
            f" and a kernel answers that with a RST{bare}.",
            bounds[1:],
        ),
        Line(MACOS, bounds[:1]),
    ]
