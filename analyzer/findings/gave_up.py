"""What the programs of both ends see, once a prober's kernel gave up with a RST of its own.

It is said as expectation. It must not say why nothing was heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.judge.record import other
from analyzer.judge.untaken import reached, sent_behind
from analyzer.words import stacks
from analyzer.words.model import Line
from analyzer.words.teller import number, side_of

if TYPE_CHECKING:
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def sees(t: Teller, f: Finding) -> list[Line]:
    """Return what reads and writes of both programs give."""
    prober, reset = side_of(f), t.reset
    frames = (reset.frame,) if reset is not None else ()
    who, peer = t.start(prober), t.start(other(prober))
    peer_fin = t.fin(other(prober))
    if peer_fin is not None:
        read = Line(
            f"{who}, read: end of file from the FIN on, before and after the RST. Write after it: ETIMEDOUT (Linux).",
            (peer_fin.frame, *frames),
        )
    else:
        settings = t.judged.settings(prober)
        read = Line(f"{who}{stacks.gave_up_error(settings.stack if settings else None)}", frames)
    return [
        read,
        Line(
            f"{peer}, which was alive: learns of it when that RST arrives, or when its next probe or data draws one:"
            " ECONNRESET."
            if number(f, "peer_probes")
            else f"{peer}, if it still runs: {_learns(t, prober)} until its own keepalive or a write finds out.",
            frames,
        )
        if (again := _went_on(t, prober)) is None
        else again,
    ]


def _went_on(t: Teller, prober: Side) -> Line | None:
    """Return what the other end sees where it was heard behind the RST: it lived, and that RST had not reached it."""
    reset, peer = t.reset, other(prober)
    sent = sent_behind(t.record, peer, reset) if reset is not None else []
    if reset is None or not sent:
        return None
    frame, ts_ns = sent[-1]
    drawn = [later.frame for later in t.record.resets if later.sender == prober and later.frame > frame]
    then = "A blocked read stays blocked until its own keepalive or a write finds out."
    if drawn:
        then = f"What it sent drew another (frame {drawn[0]}): read and write fail with ECONNRESET if that one arrives."
    text = (
        f"{t.start(peer)} was alive, and still held the connection at {t.at(ts_ns)} (frame {frame}): that RST had not"
        f" reached it. {then}"
    )
    return Line(text, (reset.frame, frame, *drawn[:1]))


def _learns(t: Teller, prober: Side) -> str:
    """Return what becomes of a read at the other end: whether the RST got through, ICMP may say."""
    refused = [error.frame for error in t.record.errors_about(prober) if error.fits == "reset"]
    if refused:
        return f"the RST did not get through (frame {refused[0]}), so a blocked read stays blocked"
    if t.reset is not None and reached(t.record, t.reset):
        return (
            "read and write fail with ECONNRESET, for that RST was seen on its own link, where it had just answered a"
            " probe. Should its own host have refused that RST, a blocked read stays blocked"
        )
    return "read and write fail with ECONNRESET if that RST arrives. Otherwise a blocked read stays blocked"
