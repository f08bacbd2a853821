"""What calls on a socket return, in sentences that several stories need: never seen in a capture, always expected.

It must not know what ended a flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.words.model import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

CLOSE_IN_GO: Final = " (in Go, defer conn.Close() in the handler itself, not in main)"
"""How a connection is closed where it is handled; a story says it only where something says Go."""


def unaware(t: Teller, side: Side, frames: Sequence[int]) -> Line:
    """Say what the end that fell silent sees, if it is still there: nothing, until it sends something itself."""
    who, fin = t.start(side), t.fin(side)
    if fin is not None:
        text = (
            f"{who}: nothing, if its program has closed. After shutdown() alone its read goes on waiting, and a write"
            " fails with EPIPE."
        )
        return Line(text, tuple(sorted({fin.frame, *frames})))
    if t.fin(other(side)) is not None:
        text = f"{who}, if it still runs: read returns end of file if the FIN reached it; it notices nothing else."
        return Line(text, tuple(frames))
    text = (
        f"{who}, if it still runs: notices nothing. A blocked read stays blocked until its own keepalive or a write"
        " finds out."
    )
    return Line(text, tuple(frames))


def gone(t: Teller, side: Side, frames: Sequence[int]) -> Line:
    """Say what an end sees that has sent its FIN while the other has not: it depends on how it closed."""
    text = (
        f"{t.start(side)}: nothing, if its program has closed. After shutdown() alone its read waits for data or for"
        f" {t.the(other(side))}'s FIN, and a write fails with EPIPE."
    )
    return Line(text, tuple(frames))
