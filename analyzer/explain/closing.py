"""Flows in which a FIN matters: one end closed, the other did not, or late, or on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.model import Line
from analyzer.explain.teller import capital, count, duration, evidence, gaps_of, lines, spacing
from analyzer.record import other

if TYPE_CHECKING:
    from analyzer.explain.teller import Teller
    from analyzer.findings import Finding
    from analyzer.flow import Side
    from analyzer.record import Probe

OLD_MACOS_NS: Final = 120_000_000_000
"""FIN-WAIT-2 of a Go client on macOS up to 11: 8 probes 15 s apart (field guide 7.2)."""


def number(finding: Finding, key: str) -> int:
    """Return a number of a finding's data, 0 if it is not there."""
    value = finding.data.get(key, 0)
    return value if isinstance(value, int) else 0


def side_of(finding: Finding) -> Side:
    """Return the endpoint a finding is about."""
    assert finding.about is not None
    return finding.about


def fin_lines(t: Teller, closer: Side) -> list[Line]:
    """Who sent FIN, that the other did not, and the derived states."""
    fin, late = t.fin(closer), other(closer)
    assert fin is not None
    until = t.end_ns - fin.ts_ns
    ended = "until the RST" if t.reset else "to the capture's end"
    acked = ""
    if fin.acked_ns is not None:
        acked = f", acknowledged {duration(fin.acked_ns - fin.ts_ns)} later"
    frames = tuple(frame for frame in (fin.frame, fin.acked_frame) if frame)
    state = "FIN-WAIT-2" if fin.acked_frame else "FIN-WAIT-1"
    return [
        Line(f"{t.start(closer)} sent FIN at {t.at(fin.ts_ns)}{acked}.", frames),
        Line(f"{t.start(late)} sent none in the {duration(until)} {ended}: its program did not close.", (fin.frame,)),
        Line(f"States derived from that: {t.name(closer)} {state}, {t.name(late)} CLOSE-WAIT.", frames),
    ]


def probes_line(t: Teller, closer: Side, probes: tuple[Probe, ...]) -> list[Line]:
    """The probes after the FIN, and by whom they were answered."""
    prober = other(closer)
    answered = [probe for probe in probes if probe.answer in {"ack", "data"}]
    rhythm = spacing(gaps_of(probes))
    text = f"{t.start(prober)}'s kernel went on probing: {count(len(probes), 'probe')} after the FIN"
    found = [Line(f"{text}, {rhythm}." if rhythm else f"{text}.", tuple(probe.frame for probe in probes))]
    if answered:
        slowest = max(probe.answer_ns or 0 for probe in answered)
        which = "all of them" if len(answered) == len(probes) else f"{len(answered)} of them"
        if len(answered) == len(probes) - 1 and probes[-1].answer == "rst":
            which = "every one but the last"
        text = f"{t.start(closer)}'s kernel answered {which} with ACK, within {duration(slowest)}."
        found.append(Line(text, evidence(answered)))
    return found


def why_keepalive_goes_on(t: Teller, closer: Side, probes: tuple[Probe, ...]) -> list[Line]:
    """Why answered probes can go on for ever."""
    answered = evidence(probe for probe in probes if probe.answer in {"ack", "data"})
    closing, late = t.the(closer), t.the(other(closer))
    return [
        Line(
            f'Keepalive asks one thing: does the peer\'s TCP still answer? It did. A FIN says "I send no more", not "I am gone"; '
            f"{closing}'s kernel answers for the half-closed connection, whether or not a program is behind it.",
            answered,
        ),
        Line(
            f"So none of these probes counted as failed. Keepalive cannot close a connection that answers: out of CLOSE-WAIT "
            f"leads only a close by {late}'s own program.",
            answered,
        ),
    ]


def stub_line(t: Teller, closer: Side) -> Line | None:
    """What the IP ID tells of the closer's socket."""
    fin, zero = t.fin(closer), t.facts(closer).id_zero_frame
    if fin is None or zero is None or zero <= fin.frame:
        return None
    return Line(
        f"From this frame on {t.the(closer)}'s packets have IP ID 0, which Linux does once only a stub of a closed socket is left: "
        f"so its program had most likely closed or gone, and not merely shut down its sending side.",
        (zero,),
    )


# ── FIN-WAIT-2 ran out ──


def expired_headline(t: Teller) -> str:
    """Return the founding question's answer in one line."""
    finding = t.find("fin-wait-2-expired")
    assert finding is not None
    closer = side_of(finding)
    probes = t.probes_after_fin_of(closer)
    answered = sum(probe.answer in {"ack", "data"} for probe in probes)
    after = duration(number(finding, "since_fin_ns"))
    who = f"{t.start(closer)} closed, {t.the(other(closer))} never did"
    if finding.data["how"] == "unprompted":
        return f"{who}: {count(len(probes), 'probe')} after the FIN, {answered} answered; then {t.the(closer)} sent RST unasked, {after} after its FIN."
    if not answered:
        return f"{who}: the first probe after the FIN drew a RST, {after} after it."
    return (
        f"{who}: {len(probes)} probes after the FIN, {answered} answered; the last drew a RST, {after} after the FIN."
    )


def expired(t: Teller) -> list[Line]:
    """Return what happened: FIN, probes, RST."""
    finding = t.find("fin-wait-2-expired")
    assert finding is not None
    closer = side_of(finding)
    probes = t.probes_after_fin_of(closer)
    after = duration(number(finding, "since_fin_ns"))
    reset = number(finding, "reset_frame")
    if finding.data["how"] == "unprompted":
        last = Line(
            f"Then {t.the(closer)}'s kernel sent RST+ACK, asked by nothing, {after} after its FIN: the end.", (reset,)
        )
    else:
        took = next((p.answer_ns for p in probes if p.answer == "rst"), None)
        within = f" within {duration(took)}" if took is not None else ""
        last = Line(
            f"The last probe drew a RST{within}, {after} after the FIN, and that ended the connection.",
            (number(finding, "probe_frame"), reset),
        )
    return [*fin_lines(t, closer), *probes_line(t, closer, probes), last]


def expired_why(t: Teller) -> list[Line]:
    """Return why keepalive went on, and why it ended when it did."""
    finding = t.find("fin-wait-2-expired")
    assert finding is not None
    closer = side_of(finding)
    probes = t.probes_after_fin_of(closer)
    return lines(*why_keepalive_goes_on(t, closer, probes), *_limit(t, finding), stub_line(t, closer))


def _limit(t: Teller, finding: Finding) -> list[Line]:
    """Which FIN-WAIT-2 limit fits, bracketed by the last answer and the RST."""
    closer = side_of(finding)
    low, high = number(finding, "held_low_ns"), number(finding, "held_high_ns")
    frames = tuple(
        f for f in (number(finding, "acked_frame"), number(finding, "probe_frame"), number(finding, "reset_frame")) if f
    )
    held = f"A kernel keeps FIN-WAIT-2 only for a time. Counted from the FIN's acknowledgement, {t.the(closer)}'s "
    if finding.data["how"] == "unprompted":
        return [
            Line(f"{held}ended with a RST+ACK after {duration(high)}.", frames),
            Line(
                "That is how macOS 12 and later do it, by their source: after 60 s, or count x interval of the closing socket's keepalive "
                "if that is less. Linux ends it silently after 60 s, and the RST then answers the next probe.",
            ),
        ]
    fits = {
        "default": "Linux's limit fits: 60 s (net.ipv4.tcp_fin_timeout; measured 60 to 62 s, for its timer rounds up).",
        "shorter": "Linux's default of 60 s does not explain that; a changed net.ipv4.tcp_fin_timeout on that host would, or a restart.",
        "longer": "That is more than the 60 s of Linux and of macOS 12 and later. macOS up to 11 waits count x interval of the closing "
        "socket's keepalive: 8 x 75 s = 600 s by default.",
    }[str(finding.data["fits"])]
    if finding.data["fits"] == "longer" and low <= OLD_MACOS_NS <= high:
        fits += " 8 x 15 s = 120 s, Go's default there, fits."
    return [
        Line(
            f"{held}lasted at least {duration(low)} (the last ACK) and less than {duration(high)} (the RST). {fits}",
            frames,
        ),
        Line(
            "Its end sends nothing. Only the next probe finds that there is no such connection any more, and a kernel answers that with a RST"
            + (" without ACK, as here." if t.reset is not None and not t.reset.has_ack else "."),
            frames[1:],
        ),
        Line(
            "On macOS (by its source) it would differ: version 12 and later send RST+ACK unasked after 60 s; up to 11 the state lasts count x "
            "interval of the closing socket's keepalive and ends silently."
        )
        if finding.data["fits"] != "longer"
        else Line(
            "On macOS 12 and later the closing side would have sent RST+ACK by itself after 60 s (by its source)."
        ),
    ]


# ── half closed to the end ──


def half_closed_headline(t: Teller) -> str:
    """Return how things stand when the capture ends."""
    closer = _closer(t)
    fin = t.fin(closer)
    assert fin is not None
    after = duration(t.end_ns - fin.ts_ns)
    probes = t.probes_after_fin_of(closer)
    own = [probe for probe in t.probes(closer) if probe.after_fin == "sent"]
    text = f"{t.start(closer)} closed, {t.the(other(closer))} had not when the capture ended {after} later"
    if t.find("half-close-in-use"):
        text = f"{t.start(closer)} sent FIN and goes on taking data from {t.the(other(closer))}: half-closed, in use"
    if probes:
        answered = sum(probe.answer in {"ack", "data"} for probe in probes)
        return f"{text}; {count(len(probes), 'probe')} after the FIN, {'all' if answered == len(probes) else answered} answered."
    if own:
        return f"{text}; the closing end itself sent {count(len(own), 'probe')}."
    return f"{text}; nobody probes."


def _closer(t: Teller) -> Side:
    return min(t.record.fins, key=lambda fin: fin.frame).sender


def half_closed(t: Teller) -> list[Line]:
    """Return what happened up to the capture's end."""
    closer = _closer(t)
    found = fin_lines(t, closer)
    probes = t.probes_after_fin_of(closer)
    if probes:
        found += probes_line(t, closer, probes)
    own = tuple(probe for probe in t.probes(closer) if probe.after_fin == "sent")
    if own:
        answered = sum(probe.answer in {"ack", "data"} for probe in own)
        text = f"{t.start(closer)} itself sent {count(len(own), 'probe')} after its FIN, {answered} answered."
        found.append(Line(text, evidence(own)))
    used = t.find("half-close-in-use")
    if used:
        found[1] = Line(
            f"{t.start(other(closer))} went on sending data, and {t.the(closer)} acknowledged it.", used.frames
        )
    return found


def half_closed_why(t: Teller) -> list[Line]:
    """Return why a half-closed connection stays, and what will end it."""
    closer = _closer(t)
    late = t.the(other(closer))
    probes = t.probes_after_fin_of(closer)
    found: list[Line] = []
    if t.find("half-close-in-use"):
        return [
            Line(
                f"A half-closed connection is legal and can last: {t.the(closer)} still takes data after its FIN.",
                used_frames(t),
            )
        ]
    own = t.find("fin-sender-still-probes")
    if own:
        found.append(
            Line(
                f"Linux probes only for a socket that a program still holds, so on Linux {t.the(closer)} used shutdown() and not close(): it waits "
                f"for {late}, on purpose or not.",
                own.frames,
            )
        )
    elif probes:
        found += why_keepalive_goes_on(t, closer, probes)
        found.append(
            Line(
                f"What ends it, if {late}'s program does not: {t.the(closer)}'s kernel gives FIN-WAIT-2 up (60 s on Linux and on macOS 12 and "
                f"later if the program has closed), and the probe after that draws a RST. The capture stopped before.",
                (t.record.last_frame,),
            )
        )
        found += lines(stub_line(t, closer))
    else:
        fin = t.fin(closer)
        found.append(
            Line(
                f"Nothing on the wire ends CLOSE-WAIT: without probes {late}'s kernel never learns that the other side is gone, and the socket "
                f"stays until its program closes it.",
                (fin.frame,) if fin else (),
            )
        )
    return found


def used_frames(t: Teller) -> tuple[int, ...]:
    """Return the frames that show the half-close in use."""
    finding = t.find("half-close-in-use")
    return finding.frames if finding else ()


# ── closed ──


def closed_headline(t: Teller) -> str:
    """Return a plain close in one line, with what was notable before it."""
    first = _closer(t)
    total = len(t.record.probes)
    used, slow = t.find("half-close-in-use"), t.find("slow-to-close")
    if used or slow:
        finding = used or slow
        assert finding is not None
        gap = duration(number(finding, "half_closed_ns"))
        between = count(number(finding, "probes"), "probe")
        if used:
            return f"Closed by both ends; half-closed on purpose for {gap}, with {between} and data in it."
        return f"Closed by both ends, {t.the(side_of(finding))} {gap} after {t.the(first)}, with {between} between."
    text = f"Closed by both ends in order, {t.the(first)} first"
    if not total:
        return f"{text}; no keepalive probes."
    answered = sum(probe.answer in {"ack", "data"} for probe in t.record.probes)
    return f"{text}; {count(total, 'probe')} before, {'all' if answered == total else answered} answered."


def closed(t: Teller) -> list[Line]:
    """Return the two FINs and what lay between them."""
    first, second = sorted(t.record.fins, key=lambda fin: fin.frame)[:2]
    between = second.ts_ns - first.ts_ns
    crossed = first.acked_frame is not None and first.acked_frame > second.frame and second.acked_frame is not None
    found = [
        Line(
            f"{t.start(first.sender)} sent FIN at {t.at(first.ts_ns)}, {t.the(second.sender)} {duration(between)} later: an orderly close.",
            (first.frame, second.frame),
        )
    ]
    if crossed and t.record.states[0] is t.record.states[1]:
        found = [
            Line(
                f"Both sent FIN at {t.at(first.ts_ns)}, before either had the other's: a simultaneous close.",
                (first.frame, second.frame),
            )
        ]
    used = t.find("half-close-in-use")
    if used:
        found.append(
            Line(
                f"Between the two {t.the(second.sender)} still sent data, and {t.the(first.sender)} took it: the half-close was in use, and the "
                f"{count(number(used, 'probes'), 'probe')} in it are in order.",
                used.frames,
            )
        )
    slow = t.find("slow-to-close")
    if slow:
        found.append(
            Line(
                f"For {duration(number(slow, 'half_closed_ns'))} {t.the(side_of(slow))} was in CLOSE-WAIT (derived), with the other side's FIN in "
                f"hand; {count(number(slow, 'probes'), 'probe')} passed meanwhile.",
                slow.frames,
            )
        )
    return [*found, *probe_summary(t)]


def probe_summary(t: Teller) -> list[Line]:
    """Return a line per prober: how many, how many answered."""
    found = []
    for side in ("a", "b"):
        probes = t.probes(side)
        if probes:
            answered = [probe for probe in probes if probe.answer in {"ack", "data"}]
            verb = "was" if len(probes) == 1 else "were"
            how = f"all {verb} answered" if len(answered) == len(probes) else f"{len(answered)} of them answered"
            if len(probes) == 1:
                how = "answered" if answered else "not answered"
            found.append(
                Line(f"{t.start(side)} sent {count(len(probes), 'keepalive probe')}: {how}.", evidence(probes))
            )
    return found or [Line("No keepalive probe in this flow.")]


def closed_why(t: Teller) -> list[Line]:
    """Return nothing for a plain close; a word on a half-close."""
    used = t.find("half-close-in-use")
    if used:
        return [
            Line(
                "A FIN closes one direction only. Probes after it are as good as before it, as long as both programs know what they do.",
                used.frames,
            )
        ]
    slow = t.find("slow-to-close")
    if slow:
        return [
            Line(
                f"Why {t.the(side_of(slow))} took its time cannot be seen: a program that was busy, or one that did not look for the end of file.",
                slow.frames,
            )
        ]
    return []


# ── data to a closed peer ──


def late_data_headline(t: Teller) -> str:
    """Return data after the peer's FIN in one line."""
    finding = t.find("data-after-peer-closed")
    assert finding is not None
    writer = side_of(finding)
    return (
        f"{t.start(writer)} wrote {duration(number(finding, 'since_fin_ns'))} after {t.the(other(writer))}'s FIN, to a connection that was closed "
        f"there: RST."
    )


def late_data(t: Teller) -> list[Line]:
    """Return FIN, probes, data, RST."""
    finding = t.find("data-after-peer-closed")
    assert finding is not None
    writer = side_of(finding)
    closer = other(writer)
    probes = t.probes_after_fin_of(closer)
    data, reset = number(finding, "data_frame"), number(finding, "reset_frame")
    return [
        *fin_lines(t, closer),
        *(probes_line(t, closer, probes) if probes else []),
        Line(
            f"Then {t.the(writer)} sent data, and {t.the(closer)}'s kernel answered it with a RST: nobody is there to take it.",
            (data, reset),
        ),
    ]


def late_data_why(t: Teller) -> list[Line]:
    """Return why probes were answered and data was not."""
    finding = t.find("data-after-peer-closed")
    assert finding is not None
    closer = t.the(other(side_of(finding)))
    return [
        Line(
            f"After a full close {closer}'s kernel still acknowledges probes, for they carry nothing, but it cannot deliver data. "
            f"{capital(closer)}'s program had closed, and not merely shut down its sending side.",
            finding.frames,
        )
    ]
