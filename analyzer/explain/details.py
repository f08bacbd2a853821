"""One or two sentences about each finding, made from its data: the ``detail`` of the JSON report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain import gaveup, halfclose, resets
from analyzer.judge.record import other
from analyzer.words.icmp import icmp_text
from analyzer.words.teller import Teller, count, duration, number, side_of, times

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.judge.judged import Finding

PER_MINUTE_NS: Final = 60_000_000_000
LOOKS: Final = {
    "retransmission": ("octet sent again", "octets sent again"),
    "stale_ack": ("overtaken ACK", "overtaken ACKs"),
    "not_idle": ("segment in the middle of activity", "segments in the middle of activity"),
    "keepalive_or_zero_window_probe": ("undecided probe of a closed window", "undecided probes of a closed window"),
}


def _fin_wait_2(t: Teller, f: Finding) -> str:
    low, high = duration(number(f, "held_low_ns")), duration(number(f, "held_high_ns"))
    how = "then it sent RST+ACK unasked" if f.data["how"] == "unprompted" else "then a probe drew a RST"
    held = f"for {high}" if f.data["how"] == "unprompted" else f"for at least {low} and less than {high}"
    return f"{t.start(side_of(f))} held FIN-WAIT-2 (derived) {held}; {how}."


def _dead(t: Teller, f: Finding) -> str:
    prober = side_of(f)
    took = (
        f" {duration(number(f, 'detection_ns'))} after {t.the(other(prober))}'s last word"
        if "detection_ns" in f.data
        else ""
    )
    return f"{t.start(prober)} gave up{took}: {count(number(f, 'unanswered'), 'probe')} unanswered, then its own RST."


def _close_wait(t: Teller, f: Finding) -> str:
    late = side_of(f)
    probes = number(f, "probes")
    return (
        f"{t.start(late)} did not close in the {duration(number(f, 'half_closed_ns'))} after {t.the(other(late))}'s"
        f" FIN; its kernel sent {count(probes, 'probe')} meanwhile, {number(f, 'answered')} answered."
    )


def _close_wait_unprobed(t: Teller, f: Finding) -> str:
    late = side_of(f)
    return (
        f"{t.start(late)} did not close in the {duration(number(f, 'half_closed_ns'))} after {t.the(other(late))}'s"
        " FIN, and nobody probes."
    )


def _half_close(t: Teller, f: Finding) -> str:
    writer = side_of(f)
    return (
        f"{t.start(other(writer))} took data of {t.the(writer)} after its own FIN: a half-close in use, for"
        f" {duration(number(f, 'half_closed_ns'))}."
    )


def _slow(t: Teller, f: Finding) -> str:
    late = side_of(f)
    return (
        f"{t.start(late)} closed {duration(number(f, 'half_closed_ns'))} after {t.the(other(late))}'s FIN, with"
        f" {count(number(f, 'probes'), 'probe')} of its own between."
    )


def _fin_sender(t: Teller, f: Finding) -> str:
    return (
        f"{t.start(side_of(f))} sent {count(number(f, 'probes'), 'probe')} after its own FIN,"
        f" {number(f, 'answered')} answered."
    )


def _middlebox(t: Teller, f: Finding) -> str:
    return (
        f"Nothing had passed for {duration(number(f, 'silence_ns'))} before {t.the(side_of(f))}'s probe that"
        f" failed. Boxes that forget an idle flow sooner: {f.data['limits']}."
    )


def _lost(t: Teller, f: Finding) -> str:
    return (
        f"{number(f, 'lost')} of {t.the(side_of(f))}'s {number(f, 'probes')} probes got no answer here, at most"
        f" {number(f, 'longest_run')} in a row; a later one was answered."
    )


def _stopped(t: Teller, f: Finding) -> str:
    return (
        f"{t.start(side_of(f))} never waited longer than {duration(number(f, 'due_ns'))} before it probed, yet"
        f" nothing came in the last {duration(number(f, 'silent_ns'))} of the capture."
    )


def _window(t: Teller, f: Finding) -> str:
    receiver = side_of(f)
    if not number(f, "probes"):
        return f"{t.start(receiver)}'s receive window stayed closed; its peer sent no window probe."
    text = f"{t.start(other(receiver))} probed {t.the(receiver)}'s closed window {times(number(f, 'probes'))}"
    if number(f, "span_ns"):
        text += f" within {duration(number(f, 'span_ns'))}"
    return text + ("; it opened again." if "opened_frame" in f.data else ".")


def _icmp(t: Teller, f: Finding) -> str:
    what = f" ({icmp_text(number(f, 'version'), number(f, 'type'), number(f, 'code'))})" if "version" in f.data else ""
    return (
        f"{count(number(f, 'errors'), 'ICMP error')}{what} came back to {t.the(side_of(f))},"
        f" {number(f, 'quote_probes')} for a probe; none ended the connection."
    )


def _ignored(t: Teller, f: Finding) -> str:
    return f"{count(number(f, 'resets'), 'RST')} in {t.the(side_of(f))}'s name had no effect."


def _unprobed(t: Teller, f: Finding) -> str:
    del t
    return (
        f"Nothing passed for {duration(number(f, 'idle_ns'))}, no probe either: keepalive is off at both ends, or"
        " its idle time is longer."
    )


def _often(t: Teller, f: Finding) -> str:
    rate = PER_MINUTE_NS / number(f, "gap_ns")
    return (
        f"{t.start(side_of(f))} probes about every {duration(number(f, 'gap_ns'))}, {rate:.0f} a minute; the"
        " shortest idle limit known of a box on the way is 60 s."
    )


def _both(t: Teller, f: Finding) -> str:
    a, b = number(f, "probes_a"), number(f, "probes_b")
    return (
        f"Keepalive is on at both ends: {count(a, 'probe')} from {t.the('a')}, {b} from {t.the('b')}, each by its"
        " own timer."
    )


def _lookalikes(t: Teller, f: Finding) -> str:
    parts = ", ".join(count(number(f, kind), *words) for kind, words in LOOKS.items() if kind in f.data)
    return f"From {t.the(side_of(f))} {parts}: not keepalive, though Wireshark may label such segments so."


def _between(t: Teller, _: Finding) -> str:
    return f"{resets.between_headline(t)} {' '.join(line.text for line in resets.differences(t))}"


def _one_sided(t: Teller, f: Finding) -> str:
    unseen = "a" if f.data["unseen"] == "a" else "b"
    return f"Nothing of {t.record.a if unseen == 'a' else t.record.b} was captured, so answers cannot be seen."


def _cut(t: Teller, f: Finding) -> str:
    del t
    return f"Of {count(number(f, 'segments'), 'segment')} the snap length left little more than the ports."


def _midstream(t: Teller, f: Finding) -> str:
    del t, f
    return "No SYN was captured: the capture began in mid-connection."


def _clock(t: Teller, f: Finding) -> str:
    del t
    return (
        f"The capture's clock went back {times(number(f, 'times'))} within this flow; spacings there are"
        " not to be trusted."
    )


DETAILS: Final[dict[str, Callable[[Teller, Finding], str]]] = {
    "fin-wait-2-expired": _fin_wait_2,
    "dead-peer-detected": _dead,
    "answers-lost-behind-capture": lambda t, _: gaveup.belied_headline(t),
    "reset-from-between": _between,
    "peer-forgot-connection": lambda t, _: resets.forgot_headline(t),
    "data-after-peer-closed": lambda t, _: halfclose.late_data_headline(t),
    "abort-without-fin": lambda t, _: resets.abort_headline(t),
    "still-probing-at-end": gaveup.silent_text,
    "probes-unanswered-then-none": gaveup.silent_text,
    "close-wait-held-by-keepalive": _close_wait,
    "close-wait-without-probes": _close_wait_unprobed,
    "half-close-in-use": _half_close,
    "slow-to-close": _slow,
    "fin-sender-still-probes": _fin_sender,
    "data-unacknowledged-no-keepalive": gaveup.unacked_text,
    "idle-beyond-middlebox-limit": _middlebox,
    "probes-stopped": _stopped,
    "probes-lost-but-recovered": _lost,
    "window-closed": _window,
    "icmp-errors-end-nothing": _icmp,
    "reset-ignored": _ignored,
    "idle-without-probes": _unprobed,
    "aggressive-probing": _often,
    "both-ends-probe": _both,
    "not-keepalive-lookalikes": _lookalikes,
    "one-sided-capture": _one_sided,
    "headers-cut": _cut,
    "midstream-start": _midstream,
    "clock-went-back": _clock,
}


def detail_of(t: Teller, finding: Finding) -> str:
    """Return one or two sentences about a finding."""
    return DETAILS[finding.code](t, finding)
