"""What the applications' calls return: never seen in a capture, so always worded as expectation, per system.

Linux was measured, macOS read in its source (field guide 2.5, 2.8, 3.3, 7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.explain.left import Known, left
from analyzer.explain.orderly import crossed
from analyzer.findings import kind_of
from analyzer.findings.kinds import idle_reset, lapses
from analyzer.judge.record import other
from analyzer.judge.signatures import middleboxes_within
from analyzer.judge.untaken import untaken
from analyzer.judge.verdict import Verdict
from analyzer.words.calls import gone, unaware
from analyzer.words.icmp import failed_with
from analyzer.words.model import Line
from analyzer.words.stacks import LINUX, gave_up_error
from analyzer.words.teller import small

if TYPE_CHECKING:
    from analyzer.judge.events import Reset
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def expectations(t: Teller) -> list[Line]:
    """Return what each end's program can expect from read and write."""
    for finding in t.judged.findings:
        sees = kind_of(finding.code).sees
        if sees is not None and (told := sees(t, finding)):
            return told
    reset = t.reset if t.ending.verdict.is_reset else None
    if reset is not None and t.fin(reset.sender) is not None:
        return _after_fin(t, reset.sender)
    if reset is not None:
        return _reset(t, reset.sender)
    others = {
        Verdict.HALF_CLOSED: _half_closed,
        Verdict.CLOSING: _half_closed,
        Verdict.CLOSED: _closed,
        Verdict.OPEN: _open,
        Verdict.UNESTABLISHED: _unestablished,
    }
    words = others.get(t.ending.verdict)
    return [] if words is None else words(t)


def _closed(t: Teller) -> list[Line]:
    """Both sent FIN."""
    first, second = t.record.fins_in_time[:2]
    if crossed(t):
        text = (
            "Both, after shutdown(): read returns end of file from the other's FIN on, write fails with EPIPE. After"
            " close() there is no socket left to call on."
        )
        return [Line(text, (first.frame, second.frame))]
    early, late = t.start(first.sender), t.start(second.sender)
    return [
        Line(
            f"{late}, read: end of file from {t.the(first.sender)}'s FIN on (after any unread data). Write before its"
            " own close: succeeds.",
            (first.frame,),
        ),
        Line(
            f"{early}, after shutdown(): read returns what {t.the(second.sender)} still sends, then end of file; write"
            " fails with EPIPE. After close() it has no socket left to call on.",
            (first.frame, second.frame),
        ),
    ]


def _open(t: Teller) -> list[Line]:
    """Nothing ended it."""
    stopped = t.find(lapses.STOPPED.code)
    if stopped is not None and stopped.about is not None:
        answers, facts = other(stopped.about), t.facts(other(stopped.about))
        text = f"{t.start(answers)}: nothing yet. Its read stays blocked until its own keepalive or a write finds out."
        if facts.unacked_frame is not None:
            text = (
                f"{t.start(answers)}: nothing yet. Its write succeeded, its read stays blocked; if nothing acknowledges"
                " that data, both fail with ETIMEDOUT when its kernel gives up retransmitting."
            )
        return [Line(text, (t.record.last_frame,)), unaware(t, stopped.about, (t.record.last_frame,))]
    kernels = "A"
    if t.record.probes:
        answer = " and answer" if any(probe.answered for probe in t.record.probes) else ""
        kernels = f"Nothing of the probes, which the kernels send{answer}: a"
    text = f"Both: {small(kernels)} read waits for data, a write succeeds while the send buffer has room."
    return [Line(text, (t.record.last_frame,))]


def _unestablished(t: Teller) -> list[Line]:
    """No handshake was completed."""
    opener, record = t.record.initiator, t.record
    if opener is None:
        return []
    frames = (t.facts(opener).syn_frame or record.first_frame,)
    refused = [reset.frame for reset in record.resets if reset.sender == other(opener)]
    if refused:
        return [Line(f"{t.start(opener)}, connect: ECONNREFUSED.", (*frames, refused[0]))]
    if t.facts(other(opener)).syn_frame:
        return [Line(f"{t.start(other(opener))}, accept: does not return this connection.", frames)]
    if failed := failed_with(record.icmp_errors, opener):
        error, frame = failed
        text = (
            f"{t.start(opener)}, connect: {error} at once (Linux), if the ICMP error in frame {frame} reached it and"
            " quotes its SYN. Otherwise ETIMEDOUT when its kernel stops repeating the SYN."
        )
        return [Line(text, (*frames, frame))]
    text = (
        f"{t.start(opener)}, connect: ETIMEDOUT when its kernel stops repeating the SYN (1 to 2 minutes on Linux, 75 s"
        " on macOS, by default), unless the program stops waiting before."
    )
    return [Line(text, frames)]


def _after_fin(t: Teller, closer: Side) -> list[Line]:
    """A FIN, then a RST: reads see the end of file."""
    fin, reset = t.fin(closer), t.reset
    assert fin is not None
    assert reset is not None
    late = t.start(other(closer))
    return [
        Line(
            f"{late}, read: end of file at once from the FIN on, with or without keepalive (after any unread data).",
            (fin.frame,),
        ),
        Line(f"{late}, read after the RST: {_behind(t, other(closer))}.", (reset.frame,)),
        Line(
            f"{late}, write between FIN and RST: succeeds, draws a RST, and the next write fails (EPIPE). Write"
            " after the RST: EPIPE.",
            (fin.frame, reset.frame),
        ),
        Line(_what_the_closer_notices(t, closer), (fin.frame,)),
    ]


def _behind(t: Teller, late: Side) -> str:
    """Return what a read gives behind a FIN and a RST, by the system of the end that reads."""
    settings = t.judged.settings(late)
    if settings is not None and settings.stack == LINUX:
        return "still end of file (Linux)"
    return "still end of file on Linux; on macOS ECONNRESET once, then end of file"


def _what_the_closer_notices(t: Teller, closer: Side) -> str:
    """Return what the program behind a FIN learns of the RST in its name: nothing, unless it waited half-closed."""
    reset, heard_ns = t.reset, t.facts(closer).last_ns
    assert reset is not None
    silent_ns = reset.ts_ns - heard_ns if heard_ns is not None else 0
    if reset.answers_probe is None and middleboxes_within(silent_ns, half_closed=True):
        return (
            f"{t.start(closer)}: nothing, if its program had closed. If it had only shut down sending and waits"
            " for data, its read goes on waiting: the capture shows no RST sent to it."
        )
    return f"{t.start(closer)}: nothing, if its program had closed or ended before, as it most likely had."


def _half_closed(t: Teller) -> list[Line]:
    closer = t.first_closer
    fin = t.fin(closer)
    assert fin is not None
    late = t.start(other(closer))
    return [
        Line(
            f"{late}, read: end of file at once from the FIN on, with or without keepalive (after any unread data).",
            (fin.frame,),
        ),
        Line(
            f"{late}, write: succeeds. If {t.the(closer)} has closed in full, the data draws a RST and the next"
            " write fails (EPIPE).",
            (fin.frame,),
        ),
        gone(t, closer, (fin.frame,)),
    ]


def _reset(t: Teller, sender: Side) -> list[Line]:
    """A RST without a FIN of its sender: reads fail."""
    reset = t.reset
    assert reset is not None
    receiver = other(sender)
    if t.ending.verdict is Verdict.TIMED_OUT or reset.kind == "gave_up":
        return [_gave_up(t, sender, reset.frame), unaware(t, receiver, (reset.frame,))]
    last = left(t.judged, receiver)
    text = f"{t.start(receiver)}, read: ECONNRESET, not end of file"
    if last is not None and last.known is Known.HELD:
        text += ", once a RST reaches it (this one did not: it sends again later)"
    elif last is not None and last.known is Known.UNKNOWN:
        text += ", if that RST arrives"
    if t.fin(receiver) is not None:
        text += " (if its program still holds the socket)"
    elif t.record.starts_with == "midstream":
        text += "; but end of file (on Linux) if a FIN came before the capture began"
    found = [Line(f"{text}. Write: ECONNRESET if it comes first, then EPIPE.", (reset.frame,))]
    back = t.record.reset_back
    if t.ending.by != "between":
        return [*found, _sender(t, reset)]
    again_ns = max(untaken(t.record, sender).values(), default=None)
    if back is not None and again_ns is not None:
        text = (
            f"{t.start(sender)}, read: still blocked at {t.at(again_ns)}, for no RST had closed its end. If none"
            " reaches it, its own keepalive ends it: ETIMEDOUT."
        )
        return [*found, Line(text, (back.frame,))]
    if back is not None:
        text = f"{t.start(sender)}, read: ECONNRESET, if the RST in {t.the(receiver)}'s name arrives and fits."
        return [*found, Line(text, (back.frame,))]
    until = "until its own keepalive finds out" if t.probes(sender) else "for as long as nothing is sent"
    text = f"{t.start(sender)}, if a middlebox sent that RST: learns nothing of it, and a blocked read waits {until}."
    return [*found, Line(text, (reset.frame,))]


def _gave_up(t: Teller, sender: Side, frame: int) -> Line:
    settings = t.judged.settings(sender)
    return Line(f"{t.start(sender)}{gave_up_error(settings.stack if settings else None)}", (frame,))


def _sender(t: Teller, reset: Reset) -> Line:
    """Say what the end sees whose kernel sent the RST, as its form tells."""
    there = t.record.translation
    if there is not None and t.record.is_beyond_translation(reset.sender):
        between = "router" if t.record.is_routed else "translation"
        text = f"flow {there.flow}, on its side of the {between}, may show why it sent that RST."
    elif any("resending_ns" in found.data for found in t.judged.findings):
        text = "read or write: an error (ETIMEDOUT on macOS), if its kernel gave up retransmitting."
    elif any({"in_vain_ns", "probes_in_vain"} & found.data.keys() for found in t.judged.findings):
        text = "nothing, if its program closed the socket, or ended; an error (ETIMEDOUT) if its kernel gave up."
    elif any("resent_ns" in found.data for found in t.judged.findings):
        text = "read or write: ETIMEDOUT, when its kernel gave up retransmitting, before that RST (Linux)."
    elif t.find(idle_reset.AT_LIMIT.code) is not None:
        text = (
            "nothing yet, if a box sent that RST: a blocked read waits until something is sent. Nothing either, if its"
            " own program closed the socket at its limit."
        )
    elif reset.has_ack:
        text = "nothing; most likely its program closed the socket with data unread or with SO_LINGER 0, or ended."
    else:
        text = "nothing, if that RST was its own: its kernel had no such connection any more, nor a program on it."
    return Line(f"{t.start(reset.sender)}: {text}", (reset.frame,))
