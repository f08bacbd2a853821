"""Where the capture was not awake, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.track.awake import Hole

MOST_TOLD: Final = 4
"""So many holes are told one by one."""

WHY: Final = {
    "clock": "the capture's clock was set, as the senders' own clocks show",
    "missed": "no frame of any host, though connections went on: capturing was suspended, or frames were lost",
    "merged": "no frame of any host; behind it others go on that were there already: captures put together",
    "days": "no frame of any host, and nothing behind it goes on from before: nothing shows that the capture ran",
    "years": "no frame of any host: captures put together, or the clock was set",
}
"""Why a silence is a hole, by ``Hole.why``."""


def hole_words(hole: Hole) -> str:
    """Return where a hole is, how long, and why it is one."""
    passed = hole.to_ns - hole.from_ns
    where = f"between frames {hole.from_frame:,} and {hole.to_frame:,}"
    if passed < 0:
        return f"{where} the capture's clock goes back by {format_duration(-passed)}"
    return f"{where} ({format_duration(passed)}) {WHY[hole.why]}"


def hole_sentences(holes: Sequence[Hole]) -> list[str]:
    """Return what holes are and mean, to follow the capture's name; many as one."""
    told = holes if len(holes) <= MOST_TOLD else holes[: MOST_TOLD - 1]
    found = [f"{hole_words(hole)}; nothing is measured across it" for hole in told]
    if len(told) < len(holes):
        back = sum(hole.to_ns < hole.from_ns for hole in holes)
        found.append(
            f"its time leaps so at {len(holes):,} places or more, at {back:,} of them back; nothing is measured across"
        )
    return found
