"""Where the capture was not awake, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.track.awake import Hole

MOST_TOLD: Final = 4
"""This many holes are told one by one."""

WHY: Final = {
    "clock": (
        "the senders' own clocks did not count all of it: the capture's clock was set, or the machine they run on slept"
    ),
    "missed": "no frame of any host, though connections went on: capturing was suspended, or frames were lost",
    "paused": (
        "no frame of any host, though probes of several connections were due: the host that probes slept, or the"
        " capture paused"
    ),
    "merged": "no frame of any host; then frames of other connections that had begun before: captures put together",
    "days": "no frame of any host, and no connection from before goes on after it, so the capture may not have run",
    "down": "the captured interface went down",
    "years": "no frame of any host: captures put together, or the clock was set",
}
"""Why a silence is a hole, by ``Hole.why``."""


def hole_words(hole: Hole) -> str:
    """Return where a hole is, how long, and why it is one."""
    passed = hole.to_ns - hole.from_ns
    where = f"between frames {hole.from_frame:,} and {hole.to_frame:,}"
    where = f"from frame {hole.from_frame:,} to the end" if hole.to_end else where
    if hole.packets:
        packets = "1 packet was" if hole.packets == 1 else f"{hole.packets:,} packets were"
        return f"{where} ({format_duration(passed)}) {packets} dropped while capturing, as its drop counter shows"
    if passed < 0:
        return f"{where}, where the capture's clock goes back by {format_duration(-passed)}"
    return f"{where} ({format_duration(passed)}): {WHY[hole.why]}"


def hole_sentences(holes: Sequence[Hole]) -> list[str]:
    """Return what holes are and mean, to follow the capture's name; many as one."""
    silences = [hole for hole in holes if not hole.packets]
    losses = [hole for hole in holes if hole.packets]
    return [*_some(silences, _many_silences), *_some(losses, _many_losses)]


def _some(holes: Sequence[Hole], many: Callable[[Sequence[Hole]], str]) -> list[str]:
    told = holes if len(holes) <= MOST_TOLD else holes[: MOST_TOLD - 1]
    return [
        *(f"{hole_words(hole)}; nothing is measured across it" for hole in told),
        *([many(holes)] if len(told) < len(holes) else []),
    ]


def _many_silences(holes: Sequence[Hole]) -> str:
    back = sum(hole.to_ns < hole.from_ns for hole in holes)
    return f"its time leaps so at {len(holes):,} places or more, at {back:,} of them back; nothing is measured across"


def _many_losses(holes: Sequence[Hole]) -> str:
    packets = sum(hole.packets for hole in holes)
    return (
        f"packets were dropped while capturing at {len(holes):,} places or more, {packets:,} of them, the last between"
        f" frames {holes[-1].from_frame:,} and {holes[-1].to_frame - holes[-1].to_end:,}; nothing is measured across"
    )
