"""What a report shows, ready to lay out: captures, sums, the most important flows and services, findings.

It must not know how any of it is laid out, or what was chosen by.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from analyzer.survey.settings_in_use import NONE_IN_USE, SettingsInUse
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.judge.judged import JudgedFlow
    from analyzer.survey.by_service import Service
    from analyzer.survey.found import Found
    from analyzer.survey.hosts import ProbingHost
    from analyzer.survey.limits import IdleLimit
    from analyzer.survey.overview import CaptureSummary, Totals


@dataclass(frozen=True, slots=True)
class ShownFlow:
    """A flow that is printed."""

    capture: int
    start_ns: int
    judged: JudgedFlow


@dataclass(frozen=True, slots=True)
class ShownService:
    """A service that is printed, with its most important flow if that can still be looked at."""

    service: Service
    worst: ShownFlow | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report shows, ready to lay out."""

    captures: Sequence[CaptureSummary]
    totals: Totals
    notable: int
    """How many flows have something to say."""
    flows: Sequence[ShownFlow] = ()
    """The most important of them."""
    services: Sequence[ShownService] = ()
    """Filled when there are too many flows to show each."""
    all_services: int = 0
    findings: dict[str, Found] = field(default_factory=dict)
    """By code, in how many flows it is."""
    hosts: Sequence[ProbingHost] = ()
    other_hosts: tuple[int, int] = (0, 0)
    """How many more sent probes, and how many probes."""
    idle_limits: Sequence[IdleLimit] = ()
    """What trials say of limits of idle time, of services: hard ones first, then where they show none."""
    settings: SettingsInUse = NONE_IN_USE
    left_out: int = 0
    """Flows that --host, --port or --flow left out."""


def number_of(shown: ShownFlow, data: Report) -> str:
    """Return a flow's number, with that of its capture if there are several."""
    return numbered(shown.capture, shown.judged.record.number, data)


def numbered(capture: int, number: int, data: Report) -> str:
    """Return a flow's number, with that of its capture if there are several."""
    return f"{capture}:{number}" if len(data.captures) > 1 else str(number)


def by_count(counts: dict[str, int]) -> Iterable[tuple[str, int]]:
    """Return what was counted, the most first."""
    return sorted(counts.items(), key=lambda item: -item[1])


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a word for so many."""
    return one if count == 1 else many or f"{one}s"
