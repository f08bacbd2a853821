"""What the applications' calls return: never seen in a capture, so always worded as expectation, per system.

Linux was measured, macOS read in its source (field guide 2.5, 2.8, 3.3, 7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.explain.orderly import crossed
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.words.model import Line
from analyzer.words.teller import side_of

if TYPE_CHECKING:
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def expectations(t: Teller) -> list[Line]:
    """Return what each end's program can expect from read and write."""
    dead = t.find("dead-peer-detected") or t.find("answers-lost-behind-capture")
    if dead is not None:
        return _gave_up(t, side_of(dead))
    reset = t.reset
    if reset is not None and t.fin(reset.sender) is not None:
        return _after_fin(t, reset.sender)
    if reset is not None and t.ending.verdict in {Verdict.ABORTED, Verdict.RESET_ON_PROBE}:
        return _reset(t, reset.sender)
    fins = t.record.fins
    if t.ending.verdict is Verdict.HALF_CLOSED:
        return _half_closed(t, fins[0].sender)
    if t.ending.verdict is Verdict.CLOSED and crossed(t):
        return []
    if t.ending.verdict is Verdict.CLOSED:
        return [Line(f"{t.start(other(fins[0].sender))}, read: end of file from the first FIN on.", (fins[0].frame,))]
    if t.find("data-unacknowledged-no-keepalive"):
        return _unacknowledged(t)
    silent = t.find("still-probing-at-end") or t.find("probes-unanswered-then-none")
    if silent is not None:
        return _silent(t, silent)
    return []


def _silent(t: Teller, finding: Finding) -> list[Line]:
    """Probes unanswered so far."""
    prober = side_of(finding)
    who, fin = t.start(prober), t.fin(other(prober))
    if fin is not None:
        text = (
            f"{who}, read: end of file from the FIN on. Write: fails with ETIMEDOUT once the prober has given up"
            " (Linux)."
        )
        return [Line(text, (fin.frame, *finding.frames))]
    text = (
        f"{who}, read: blocks until the prober gives up, then ETIMEDOUT. A write meanwhile succeeds, and on Linux"
        " stops the probes, for its data is outstanding."
    )
    return [Line(text, finding.frames)]


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
        Line(
            f"{late}, read after the RST: Linux still end of file; macOS ECONNRESET once, then end of file.",
            (reset.frame,),
        ),
        Line(
            f"{late}, write between FIN and RST: succeeds, draws a RST, and the next write fails (EPIPE). Write"
            " after the RST: EPIPE.",
            (fin.frame, reset.frame),
        ),
        Line(f"{t.start(closer)}: its program had closed or ended before, and notices nothing.", (fin.frame,)),
    ]


def _half_closed(t: Teller, closer: Side) -> list[Line]:
    fin = t.fin(closer)
    assert fin is not None
    late = t.start(other(closer))
    return [
        Line(
            f"{late}, read: end of file at once from the FIN on, with or without keepalive (after any unread data).",
            (fin.frame,),
        ),
        Line(
            f"{late}, write: succeeds. If {t.the(closer)} has closed in full the data draws a RST, and the next"
            " write fails (EPIPE).",
            (fin.frame,),
        ),
    ]


def _gave_up(t: Teller, prober: Side) -> list[Line]:
    reset = t.reset
    frames = (reset.frame,) if reset is not None else ()
    who, peer = t.start(prober), t.start(other(prober))
    peer_fin = t.fin(other(prober))
    if peer_fin is not None:
        read = Line(
            f"{who}, read: end of file from the FIN on, before and after the RST. Write after it: ETIMEDOUT (Linux).",
            (peer_fin.frame, *frames),
        )
    else:
        read = Line(f"{who}, read: ETIMEDOUT, not end of file (Linux and macOS), when the prober gives up.", frames)
    return [
        read,
        Line(
            f"{peer}, if it still runs: learns of it only if that RST arrives. Else a blocked read stays blocked"
            " until it writes or probes itself.",
            frames,
        ),
    ]


def _reset(t: Teller, sender: Side) -> list[Line]:
    """A RST without a FIN of its sender: reads fail."""
    reset = t.reset
    assert reset is not None
    receiver = other(sender)
    text = f"{t.start(receiver)}, read: ECONNRESET, not end of file"
    if t.fin(receiver) is not None:
        text += " (if its program still holds the socket)"
    elif t.record.starts_with == "midstream":
        text += "; but end of file (on Linux) if a FIN had come before the capture began"
    found = [Line(f"{text}.", (reset.frame,))]
    if t.ending.by == "between":
        found.append(Line(f"{t.start(sender)}: is not told, so a blocked read stays blocked.", (reset.frame,)))
    return found


def _unacknowledged(t: Teller) -> list[Line]:
    finding = t.find("data-unacknowledged-no-keepalive")
    assert finding is not None
    who = t.start(side_of(finding))
    return [
        Line(
            f"{who}, read or write: nothing until Linux gives up retransmitting, then ETIMEDOUT. Writes before that"
            " succeed as long as the send buffer has room.",
            finding.frames,
        )
    ]
