"""The founding question: the FIN-WAIT-2 of the end that closed ran out, and a RST ended what keepalive could not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Row
from analyzer.judge.record import other
from analyzer.judge.signatures import FIN_WAIT_2
from analyzer.tolerances import AT_ONCE_NS
from analyzer.units import nanoseconds
from analyzer.words.fins import fin_lines, probes_after_fin, stub_line, why_keepalive_goes_on
from analyzer.words.model import Line, LongText
from analyzer.words.teller import count, duration, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


UNPROMPTED_NS: Final = (55_000_000_000, 65_000_000_000)
"""When after its FIN was acknowledged macOS 12 and later resets by itself (field guide 3.3, 9.5)."""
_LINUX: Final = next(row for row in FIN_WAIT_2 if row.name == "Linux")
_DEFAULT_NS: Final = (nanoseconds(_LINUX.low_s), nanoseconds(_LINUX.high_s or _LINUX.low_s))
"""How long FIN-WAIT-2 lasts by default on Linux, with the lateness of its timer."""
OLD_MACOS_NS: Final = 600_000_000_000
"""FIN-WAIT-2 of macOS up to 11 with its defaults: 8 probes 75 s apart (field guide 3.3)."""
OLD_MACOS_GO_NS: Final = 120_000_000_000
"""FIN-WAIT-2 of a Go client on macOS up to 11: 8 probes 15 s apart (field guide 7.2)."""

FITS: Final = {
    "default": "which fits Linux's limit of 60 s (net.ipv4.tcp_fin_timeout).",
    "shorter": (
        "which is less than Linux's default of 60 s: net.ipv4.tcp_fin_timeout was changed on that host, or the host"
        " restarted."
    ),
    "either": (
        "which may be Linux's limit of 60 s (net.ipv4.tcp_fin_timeout), the 600 s of macOS up to 11, or any other"
        " between: no probe came in time to tell."
    ),
    "longer": (
        "which is more than the 60 s of Linux and of macOS 12 and later. macOS up to 11 waits count x interval of"
        " the closing socket's keepalive: 8 x 75 s = 600 s by default."
    ),
}
"""How long it lasted beside the limits known, to follow the bounds."""
MACOS: Final = (
    "macOS differs (by its source): version 12 and later send RST+ACK unprompted after 60 s; up to 11 the state lasts"
    " count x interval of the closing socket's keepalive, 600 s by default, and ends silently."
)


def fin_acknowledged(f: Flows) -> Mask:
    """Its FIN was acknowledged."""
    return (f.own("fin_frame") > 0) & (f.own("fin_acked_frame") > 0)


def reset_a_minute_after_fin_acknowledged(f: Flows) -> Mask:
    """That RST bears ACK, answers nothing, and came 55 to 65 s after its FIN was acknowledged."""
    reset_ns, asked_ns = f.ending("reset_ns"), f.peer("last_ns")
    prompted = (f.ending("answers_row") >= 0) | ((asked_ns >= 0) & (reset_ns - asked_ns < AT_ONCE_NS))
    after_ns = reset_ns - f.own("fin_acked_ns")
    due = (after_ns >= UNPROMPTED_NS[0]) & (after_ns <= UNPROMPTED_NS[1])
    return f.own_reset & fin_acknowledged(f) & f.reset_has_ack & ~prompted & due


def _evidence(case: Case) -> Evidence:
    """How long FIN-WAIT-2 was held: at least up to the last answer, at most up to the RST."""
    fin, reset = case.fin, case.own_reset
    assert fin is not None
    assert fin.acked_ns is not None
    assert reset is not None
    heard_ns = case.facts.last_ns
    low = max(heard_ns - fin.acked_ns, 0) if heard_ns is not None else 0
    high = reset.ts_ns - fin.acked_ns
    if high < _DEFAULT_NS[0]:
        fits = "shorter"
    elif low > _DEFAULT_NS[1]:
        fits = "longer"
    elif high >= OLD_MACOS_NS:
        fits = "either"
    else:
        fits = "default"
    return frames_of(fin.frame, fin.acked_frame, reset.answers_probe, reset.frame), known(
        fin_frame=fin.frame,
        acked_frame=fin.acked_frame,
        reset_frame=reset.frame,
        probe_frame=reset.answers_probe,
        how="answer" if reset.answers_probe is not None else "unprompted",
        since_fin_ns=reset.ts_ns - fin.ts_ns,
        held_low_ns=low,
        held_high_ns=high,
        fits=fits,
    )


def _detail(t: Teller, f: Finding) -> str:
    low, high = duration(number(f, "held_low_ns")), duration(number(f, "held_high_ns"))
    how = "then it sent RST+ACK unprompted" if f.data["how"] == "unprompted" else "then a probe drew a RST"
    held = f"for {high}" if f.data["how"] == "unprompted" else f"for at least {low} and less than {high}"
    return f"{t.start(side_of(f))} held FIN-WAIT-2 (derived) {held}; {how}."


def _headline(t: Teller, f: Finding) -> str:
    """Return the answer in one line."""
    closer = side_of(f)
    probes = t.probes_after_fin_of(closer)
    answered = sum(probe.answered for probe in probes)
    after = duration(number(f, "since_fin_ns"))
    who = f"{t.start(closer)} closed, {t.the(other(closer))} never did"
    if f.data["how"] == "unprompted":
        how = (
            f"{count(len(probes), 'probe')} after the FIN, {answered} answered" if probes else "no probe after the FIN"
        )
        return f"{who}: {how}; then {t.the(closer)} sent RST unprompted, {after} after its FIN."
    if not answered:
        return f"{who}: the first probe after the FIN drew a RST, {after} after the FIN."
    return (
        f"{who}: {len(probes)} probes after the FIN, {answered} answered; the last drew a RST, {after} after the FIN."
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return FIN, probes and RST."""
    closer = side_of(f)
    probes = t.probes_after_fin_of(closer)
    after = duration(number(f, "since_fin_ns"))
    reset = number(f, "reset_frame")
    if f.data["how"] == "unprompted":
        text = f"Then {t.the(closer)}'s kernel sent RST+ACK unprompted, {after} after its FIN: the end."
        last = Line(text, (reset,))
    else:
        took = next((probe.answer_ns for probe in probes if probe.answer == "rst"), None)
        within = f" in {duration(took)}" if took is not None else ""
        text = f"The last probe drew a RST{within}, {after} after the FIN: the end."
        last = Line(text, (number(f, "probe_frame"), reset))
    return [*fin_lines(t, closer), *(probes_after_fin(t, closer, probes) if probes else []), last]


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return why keepalive went on, and why it ended when it did."""
    closer = side_of(f)
    goes_on = why_keepalive_goes_on(t, closer, t.probes_after_fin_of(closer))
    limit = _unprompted(t, f) if f.data["how"] == "unprompted" else _on_a_probe(t, f)
    return lines(*goes_on, *limit, stub_line(t, closer))


def _unprompted(t: Teller, f: Finding) -> list[Line]:
    high = duration(number(f, "held_high_ns"))
    frames = (number(f, "acked_frame"), number(f, "reset_frame"))
    return [
        Line(
            f"A kernel keeps FIN-WAIT-2 only for a limited time. {t.start(side_of(f))}'s ended with a RST+ACK {high}"
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


def _on_a_probe(t: Teller, f: Finding) -> list[Line]:
    low, high = number(f, "held_low_ns"), number(f, "held_high_ns")
    bounds = (number(f, "acked_frame"), number(f, "probe_frame"), number(f, "reset_frame"))
    fits = FITS[str(f.data["fits"])]
    if f.data["fits"] == "longer" and low <= OLD_MACOS_GO_NS <= high:
        fits += " 8 x 15 s = 120 s, with Go's settings, fits."
    if f.data["fits"] == "longer":
        fits += " Or its program had only shut down sending, and no such limit ran: that cannot be told from here."
    bare = " without ACK, as here" if t.reset is not None and not t.reset.has_ack else ""
    lasted = f"between {duration(low)} and {duration(high)}" if low else f"less than {duration(high)}"
    macos = f.data["fits"] != "default" and stub_line(t, side_of(f)) is None
    return lines(
        Line(
            "A kernel keeps FIN-WAIT-2 only for a limited time, and it ends without a packet. Only the next probe finds"
            f" that there is no such connection any more: the kernel answers it with a RST{bare}.",
            bounds[1:],
        ),
        Line(f"{t.start(side_of(f))}'s FIN-WAIT-2 lasted {lasted}, {fits}", bounds),
        Line(MACOS, bounds[:1]) if macos else None,
    )


def _unsure(t: Teller, f: Finding) -> list[Line]:
    del t
    if f.data["how"] == "unprompted":
        return []
    return [Line("When exactly FIN-WAIT-2 ran out: that sends nothing, so only the bounds are known.", f.frames)]


EXPIRED: Final = FindingKind(
    code="fin-wait-2-expired",
    rows=(
        Row((c.reset_by_itself, c.verdict_reset_on_probe, fin_acknowledged, c.peer_sent_no_fin), _evidence),
        Row(
            (c.reset_by_itself, c.verdict_aborted, c.peer_sent_no_fin, reset_a_minute_after_fin_acknowledged), _evidence
        ),
    ),
    text=LongText(
        title="The closing end's FIN-WAIT-2 ran out",
        meaning=(
            "This end had closed, its FIN was acknowledged, and the other end never closed. Its kernel held the"
            " connection in FIN-WAIT-2 for a time and answered probes. Then it dropped the connection, and the"
            " next probe drew a RST (macOS 12 and later send the RST unprompted)."
        ),
        why=(
            "This is what ended the connection, not keepalive's count of unanswered probes. The other end had"
            " been in CLOSE-WAIT (derived) all that time."
        ),
        change=("Nothing at this end: that time limit is right. For the other end, see close-wait-held-by-keepalive."),
        doubt=(
            "A restart of this end's host would look the same. FIN-WAIT-2 ends without a packet, so its length"
            " is only known to lie between the last answer and the RST. Linux's default is 60 s"
            " (net.ipv4.tcp_fin_timeout; 60 to 62 s measured), and 60 s is also the cap of macOS 12 and later;"
            " macOS up to 11 waits count x interval of the closing socket."
        ),
        source=("Linux tcp_rcv_state_process, tcp_minisocks.c; XNU tcp_input.c, tcp_timer.c; field guide 2.8, 3.3, 7"),
    ),
    detail=_detail,
    lead=Lead(_headline, _happened, _why),
    advice=Advice.NONE,
    unsure=_unsure,
)
