"""Lays out what a host said of a flow's ends beside a capture: a section below the story.

It must not decide anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from analyzer.report.screen import printable
from analyzer.units import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from analyzer.judge.record import FlowRecord
    from analyzer.report.screen import Screen
    from analyzer.track.flow import Side

HEADING: Final = "What the host's own kernel said"
MOST: Final = 24
"""Maximum number of lines that are shown."""


class Said(Protocol):
    """What was said of a socket at an instant."""

    @property
    def ts_ns(self) -> int:
        """When, in nanoseconds since 1970."""
        ...

    @property
    def state(self) -> str:
        """Its state, or gone."""
        ...

    @property
    def timer(self) -> str | None:
        """The timer that runs."""
        ...

    @property
    def timer_ms(self) -> int:
        """Until that runs out."""
        ...

    @property
    def unanswered(self) -> int:
        """Probes or retransmissions since the peer last answered."""
        ...

    @property
    def holders(self) -> str:
        """Processes that have it open."""
        ...


def host_lines(
    record: FlowRecord,
    said: Iterable[tuple[Side, Said]],
    settings: Mapping[str, int],
    counted: Mapping[str, int],
    start_ns: int,
    screen: Screen,
) -> Iterator[str]:
    """Yield the section; nothing if nothing was said of the flow."""
    told = list(said)
    if not told:
        return
    yield screen.paint(HEADING, "heading")
    for side, each in told[:MOST]:
        time = f"{seconds(each.ts_ns - start_ns):.3f} s"
        yield from screen.wrap(f"{record.role(side)} {_sentence(each)}", indent=" " * 14, first=f"{time:>12}  ")
    if len(told) > MOST:
        yield f"  and {len(told) - MOST} more changes"
    if settings:
        named = ", ".join(f"net.ipv4.{name} = {value}" for name, value in settings.items())
        yield from screen.wrap(f"Its settings, where a program sets none of its own: {named}.", indent="  ")
    if grown := ", ".join(f"{name} by {by:,}" for name, by in counted.items() if by > 0):
        yield from screen.wrap(f"Its counters, of all connections, grew meanwhile: {grown}.", indent="  ")
    yield ""


def _sentence(each: Said) -> str:
    """Return what was said at an instant."""
    if each.state == "gone":
        return "has no such socket any more"
    parts = [printable(each.state)]
    if each.timer:
        parts.append(f"{printable(each.timer)} timer, {each.timer_ms / 1000:g} s to go")
    if each.unanswered:
        parts.append(f"{each.unanswered} unanswered")
    parts.append(f"open in process {printable(each.holders)}" if each.holders else "no process seen that has it open")
    return "; ".join(parts)
