"""What the applications' calls return: never seen in a capture, so always worded as expectation, per system.

Linux was measured, macOS read in its source (field guide 2.5, 2.8, 3.3, 7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.explain.orderly import crossed
from analyzer.findings import kind_of
from analyzer.judge.record import other
from analyzer.judge.signatures import middleboxes_within
from analyzer.judge.verdict import Verdict
from analyzer.words.model import Line

if TYPE_CHECKING:
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def expectations(t: Teller) -> list[Line]:
    """Return what each end's program can expect from read and write."""
    for finding in t.judged.findings:
        sees = kind_of(finding.code).sees
        if sees is not None:
            return sees(t, finding)
    reset = t.reset
    if reset is not None and t.fin(reset.sender) is not None:
        return _after_fin(t, reset.sender)
    if reset is not None and t.ending.verdict in {Verdict.ABORTED, Verdict.RESET_ON_PROBE}:
        return _reset(t, reset.sender)
    fins = t.record.fins_in_time
    if t.ending.verdict is Verdict.HALF_CLOSED:
        return _half_closed(t, fins[0].sender)
    if t.ending.verdict is Verdict.CLOSED and crossed(t):
        return []
    if t.ending.verdict is Verdict.CLOSED:
        first, second = fins[:2]
        return [
            Line(f"{t.start(other(first.sender))}, read: end of file from the first FIN on.", (first.frame,)),
            Line(
                f"{t.start(first.sender)}, read, if it still reads: end of file from the other's FIN on.",
                (second.frame,),
            ),
        ]
    return []


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
            f"{late}, read after the RST: still end of file on Linux; on macOS ECONNRESET once, then end of file.",
            (reset.frame,),
        ),
        Line(
            f"{late}, write between FIN and RST: succeeds, draws a RST, and the next write fails (EPIPE). Write"
            " after the RST: EPIPE.",
            (fin.frame, reset.frame),
        ),
        Line(_what_the_closer_notices(t, closer), (fin.frame,)),
    ]


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
            f"{late}, write: succeeds. If {t.the(closer)} has closed in full, the data draws a RST and the next"
            " write fails (EPIPE).",
            (fin.frame,),
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
        text += "; but end of file (on Linux) if a FIN came before the capture began"
    found = [Line(f"{text}.", (reset.frame,))]
    back = t.record.reset_back
    if t.ending.by == "between" and back is not None:
        text = f"{t.start(sender)}, read: ECONNRESET, if the RST in {t.the(receiver)}'s name arrives and fits."
        found.append(Line(text, (back.frame,)))
    elif t.ending.by == "between":
        found.append(Line(f"{t.start(sender)}: learns nothing of it, so a blocked read stays blocked.", (reset.frame,)))
    return found
