"""Which keepalive settings are in use: over many flows, by how many hosts and for how many services.

What is inferred of each prober (idle, interval, count) is gathered where it is the same, with the gaps that were
measured beside it.

It must not infer, or hold a word for the user.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from analyzer.track.flow import SIDES
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.timers.timer import Timer
    from analyzer.track.flow import Endpoint, Side

MOST_FLOWS: Final = 100
"""This many flows that probe are asked for their settings, as evenly of each rank as there are: each is judged for it,
which takes half a millisecond. A thousand took a quarter of the time of a report of ten million segments."""


@dataclass(slots=True)
class InUse:
    """One combination of settings. A number is None where the probes do not show it."""

    idle_ns: int | None
    interval_ns: int | None
    count: int | None
    flows: int = 0
    hosts: set[str] = field(default_factory=set)
    """Who probes so."""
    services: set[Endpoint] = field(default_factory=set)
    shortest_ns: int | None = None
    """The shortest gap that was measured, before a first probe and between probes; None without any."""
    longest_ns: int | None = None


@dataclass(frozen=True, slots=True)
class SettingsInUse:
    """All that is known of the settings in use."""

    rows: tuple[InUse, ...] = ()
    """Most flows first."""
    asked: int = 0
    """This many flows that probe were asked."""
    flows: int = 0
    """Of this many."""


NONE_IN_USE: Final = SettingsInUse()


def gathered(judged_flows: Iterable[JudgedFlow], flows: int) -> SettingsInUse:
    """Return the settings in use by some of the ``flows`` flows that probe."""
    found: dict[tuple[int | None, int | None, int | None], InUse] = {}
    asked = 0
    for judged in judged_flows:
        asked += 1
        for side in SIDES:
            _take(found, judged, side)
    rows = sorted(found.values(), key=lambda row: (-row.flows, row.idle_ns or 0, row.interval_ns or 0))
    return SettingsInUse(tuple(rows), asked, flows)


def _take(found: dict[tuple[int | None, int | None, int | None], InUse], judged: JudgedFlow, side: Side) -> None:
    """Take what one end's probes show into account."""
    from analyzer.words.probes import each_waited

    settings, record = judged.settings(side), judged.record
    if settings is None:
        return
    count = settings.count.value or settings.count.gave_up_after if settings.count is not None else None
    key = (_value(settings.idle), _value(settings.interval), count)
    row = found.setdefault(key, InUse(*key))
    row.flows += 1
    row.hosts.add(record.endpoint(side).address)
    row.services.add(record.endpoint(record.responder) if record.responder is not None else min(record.a, record.b))
    gaps = [each.ns for each in each_waited(record, side) if each is not None and each.since != "packet" and each.ns]
    if gaps:
        row.shortest_ns = min([*gaps, *([row.shortest_ns] if row.shortest_ns else [])])
        row.longest_ns = max([*gaps, *([row.longest_ns] if row.longest_ns else [])])


def _value(timer: Timer | None) -> int | None:
    return timer.value_ns if timer is not None else None
