"""What the kernel says of the way to the hosts of open flows while ``keepalive watch --sockets`` goes on, as events.

Only what is cut is told, and when it no longer is. It must not judge flows.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from analyzer.cli.seldom import Seldom
from analyzer.judge.judged import Witness
from analyzer.judge.verdict import Verdict
from analyzer.units import NS_PER_S
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.judge.judged import JudgedFlow
    from analyzer.neighbours import Way
    from analyzer.track.flow import Side

ASK_S: Final = 0.5
"""The kernel is asked no more often."""
MOST_EVENTS: Final = 8
"""This many of a host are kept."""
FORGET: Final = 1024
"""Maximum number of hosts that are remembered."""


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """Something new about the way to a host."""

    ts_ns: int
    way: Way
    text: str
    before: Way | None = None
    """The way while it was cut, of one that no longer is."""

    def witness(self, side: Side) -> Witness:
        """Return the event as a witness about an end of a flow."""
        way = self.before or self.way
        since_ns = self.ts_ns if self.before is not None or way.since_ns is None else way.since_ns
        data: dict[str, int | str] = {
            "address": way.address,
            "gateway": self.way.gateway or "",
            "interface": self.way.interface or "",
            "state": self.way.state or "",
        }
        if way.interface is None:
            return Witness("route", "path", (), since_ns, "none" if self.before is None else "back", data)
        about = side if way.gateway is None else "path"
        return Witness("neighbour", about, (), since_ns, "failed" if self.before is None else "back", data)

    @property
    def line(self) -> str:
        """The event as a line of plain text, with the time of day."""
        clock = datetime.fromtimestamp(self.ts_ns // NS_PER_S).astimezone()
        return f"{clock:%H:%M:%S}.{self.ts_ns % NS_PER_S // 1_000_000:03d}  {self.text}"

    @property
    def object(self) -> dict[str, Any]:
        """The event as a JSON object."""
        return {
            "event": "neighbour",
            "time": _instant(self.ts_ns),
            "address": self.way.address,
            "gateway": self.way.gateway,
            "interface": self.way.interface,
            "state": self.way.state,
            "since": None if self.way.since_ns is None else _instant(self.way.since_ns),
            "text": self.text,
        }


def way_text(way: Way) -> str:
    """Return how a host is reached, in one sentence without an end: ``10.0.0.7: neighbour FAILED since 12:03:11``."""
    if way.interface is None:
        return f"{way.address}: no route leads there"
    hop = "neighbour" if way.gateway is None else f"next hop {way.gateway}"
    if way.state is None:
        return f"{way.address}: {hop} unknown ({way.interface})"
    clock = "" if way.since_ns is None else f" since {_clock(way.since_ns)}"
    return f"{way.address}: {hop} {way.state}{clock} ({way.interface})"


class Link:
    """The ways to hosts, asked for now and then."""

    def __init__(self) -> None:
        """Begin; ``self.why_not`` says why nothing can be asked."""
        from analyzer import neighbours

        self.why_not = neighbours.missing()
        self._cut: dict[str, Way] = {}
        self._told: dict[str, list[LinkEvent]] = {}
        self._open: dict[int, tuple[str, str]] = {}
        self._asking = Seldom(ASK_S)

    def news(self, changed: Iterable[JudgedFlow], now_ns: int) -> Iterator[LinkEvent]:
        """Yield what is new about the ways to the hosts of flows that are not over; ``changed`` ones are new here."""
        from dataclasses import replace

        from analyzer import neighbours

        for judged in changed:
            number, ends = judged.record.number, (judged.record.a.address, judged.record.b.address)
            if judged.ending.verdict.is_over:
                self._open.pop(number, None)
            elif number in self._open or len(self._open) < FORGET:
                self._open[number] = ends
        wanted = [*dict.fromkeys([*self._cut, *(end for ends in self._open.values() for end in ends)])]
        if self.why_not or not wanted or not self._asking.is_due:
            return
        ways: dict[str, Way] = {}
        with self._asking.doing(), suppress(OSError):
            ways = neighbours.ways(wanted, now_ns)
        for address, way in ways.items():
            before = self._cut.get(address)
            if way.is_cut and before is None and len(self._cut) < FORGET:
                self._cut[address] = way
                yield self._keep(LinkEvent(now_ns, way, way_text(way)))
            elif not way.is_cut and before is not None:
                del self._cut[address]
                yield self._keep(LinkEvent(now_ns, way, way_text(way), before))
            elif way.is_cut and before is not None:  # the kernel tries again and again: it is cut since the first time
                self._cut[address] = replace(way, since_ns=before.since_ns)

    def _keep(self, event: LinkEvent) -> LinkEvent:
        """Keep an event as a witness, of each host the last few."""
        events = self._told.setdefault(event.way.address, [])
        events.append(event)
        del events[:-MOST_EVENTS]
        return event

    def witnesses(self, judged: JudgedFlow) -> list[Witness]:
        """Return what the kernel said meanwhile of the ways to the hosts of a flow that did not end in order."""
        if judged.ending.verdict in {Verdict.CLOSED, Verdict.ABORTED, Verdict.RESET_ON_PROBE}:
            return []
        record = judged.record
        sides: dict[str, Side] = {record.a.address: "a", record.b.address: "b"}
        return [
            event.witness(side)
            for address, side in sides.items()
            for event in self._told.get(address, [])
            if event.ts_ns >= record.first_ns
        ]

    def standing(self) -> list[str]:
        """Return which ways are cut, a sentence each."""
        return [way_text(way) for way in self._cut.values()]


def _clock(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns // NS_PER_S).astimezone():%H:%M:%S}"


def _instant(ts_ns: int) -> str:
    instant = datetime.fromtimestamp(ts_ns // NS_PER_S, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{ts_ns % NS_PER_S:09d}Z"
