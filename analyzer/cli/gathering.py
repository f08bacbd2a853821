"""What a report shows of an analysis, as text or as a page: flows by importance, services, findings, probing hosts.

It must not choose which flows are told: each form has room for its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.cli.steps import steps
from analyzer.report.shown import Report, ShownFlow, ShownService
from analyzer.report.sums import HOSTS_NAMED
from analyzer.survey import by_service, overview

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.analysis import Analysis
    from analyzer.cli.failing import FailOn
    from analyzer.survey.found import Findings

SERVICES: Final = 15
"""Beyond so many, small services are taken together by port."""
PORTS: Final = 10
"""This many of those are told."""
LIMITS: Final = 5
"""This many limits of idle time are told."""


def ranked(result: Analysis, fail_on: FailOn) -> NDArray[np.void]:
    """Return the lines of all flows, most important first, once ``--fail-on`` has seen what it asks for."""
    lines = overview.ranked(result.lines())
    if fail_on.asks_for_findings:
        fail_on.look_at_each(result.flow(line) for line in steps(lines, len(lines), "judging"))
    return lines


def gathered(
    result: Analysis,
    lines: NDArray[np.void],
    told: NDArray[np.void],
    services: list[by_service.Service],
    found: Findings,
) -> Report:
    """Return the report of these lines: the flows of ``told``, the first services of ``services``, and what is found.

    Only flows that are shown are judged.
    """
    hosts = result.probing_hosts(HOSTS_NAMED)
    named = services[: SERVICES + PORTS]
    places = [service.first for service in named if service.first is not None]
    each = shown(result, np.concatenate((told, lines[places])))
    firsts = iter(each[len(told) :])
    return Report(
        captures=result.captures,
        totals=result.totals,
        notable=int(lines["flows"].sum()),
        flows=each[: len(told)],
        services=[ShownService(service, None if service.first is None else next(firsts)) for service in named],
        all_services=len(services),
        findings=found.by_code(),
        hosts=hosts,
        other_hosts=result.other_hosts(hosts),
        idle_limits=result.idle_limits(only_worth_telling=True)[:LIMITS],
        settings=result.settings_in_use(),
        left_out=result.left_out,
    )


def shown(result: Analysis, lines: NDArray[np.void]) -> list[ShownFlow]:
    """Return the flows of lines as they are shown."""
    captures = lines["capture"].tolist()
    judged = result.judged(lines)
    return [ShownFlow(at, result.start_ns(at), each) for at, each in zip(captures, judged, strict=True)]
