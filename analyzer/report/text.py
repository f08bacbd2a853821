"""The report for a terminal: the order of its parts, services one by one, what was found.

Few flows are shown one by one, many grouped by service. Nothing here is cut off: what does not fit a line gets its own.
What is shown is ``shown.Report``; a line of a flow is made by ``flow_lines``, sums by ``sums``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from analyzer import explain
from analyzer.findings import Advice, kind_of
from analyzer.report.flow_lines import flow_rows
from analyzer.report.headings import headings
from analyzer.report.idle_limits import limits_table
from analyzer.report.screen import columns
from analyzer.report.settings_table import settings_table
from analyzer.report.shown import Report, by_count, number_of, numbered, plural
from analyzer.report.sums import beside_lines, total_lines, uneventful

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.judge.judged import JudgedFlow
    from analyzer.report.screen import Screen
    from analyzer.survey.found import Found


def report(data: Report, screen: Screen) -> Iterator[str]:
    """Yield the lines of a report."""
    if not data.notable:
        yield from uneventful(data, screen)
        return
    yield from headings(data, screen)
    yield from total_lines(data, screen)
    yield ""
    if data.services:
        yield from _services(data, screen)
    yield from flow_rows(data, screen)
    yield from _findings(data, screen)
    yield from settings_table(data.settings, screen)
    yield from limits_table(data.idle_limits, screen)
    yield from beside_lines(data, screen)


IDLE_ADVICE: Final = frozenset({Advice.MINOR, Advice.NONE})
"""Findings with such advice come last, and without it: nobody has to act on them."""


def _services(data: Report, screen: Screen) -> Iterator[str]:
    numbers = (("FLOWS", -9), ("PROBES", -10), ("ANSWERED", -10), ("AFTER FIN", -10))
    room = screen.width - sum(2 - width for _, width in numbers)
    yield screen.paint(columns((("SERVICE", room), *numbers)), "heading")
    for shown in data.services:
        service = shown.service
        sums = (service.flows, service.probes, service.answered, service.after_fin)
        counts = [(f"{count:,}", width) for count, (_, width) in zip(sums, numbers, strict=True)]
        name = str(service.endpoint or f"port {service.port}, {service.addresses:,} addresses")
        if len(name) > room:
            yield name
            name = ""
        yield columns(((name, room), *counts))
        verdicts = ", ".join(f"{count:,} {word}" for word, count in service.verdicts.items())
        worst = ""
        if shown.worst is not None:
            worst = ": ".join([f"; worst flow {number_of(shown.worst, data)}", *_codes(shown.worst.judged)[:1]])
        yield from screen.wrap(f"{verdicts}{worst}", indent="  ")
    for text in rows_add_up(data):
        yield from screen.wrap(text, style="dim")
    yield ""


def rows_add_up(data: Report) -> Iterator[str]:
    """Yield what the rows of services count, so that a reader can add them up to the totals."""
    hidden = data.all_services - len(data.services)
    listed = sum(shown.service.flows for shown in data.services)
    if hidden > 0:
        probes = data.totals.probes - sum(shown.service.probes for shown in data.services)
        flows = data.notable - listed
        yield (
            f"{hidden:,} more {plural(hidden, 'service')}: {flows:,} {plural(flows, 'flow')}, {probes:,}"
            f" {plural(probes, 'probe')}."
        )
    quiet = data.totals.flows - data.notable
    if quiet > 0:
        rest = Counter(data.totals.verdicts)
        for shown in data.services:
            rest.subtract(shown.service.verdicts)
        endings = ", ".join(f"{count:,} {word}" for word, count in by_count(rest) if count)
        others = "the other one was uneventful, sent no probe, and is"
        if quiet > 1:
            others = f"the other {quiet:,} were uneventful, sent no probe, and are"
        yield (
            f"A row counts the flows that have something to say, {data.notable:,} in all; {others} in the totals only"
            f"{f' ({endings})' if hidden <= 0 else ''}."
        )


def _codes(judged: JudgedFlow) -> list[str]:
    return [finding.code for finding in judged.findings]


def _findings(data: Report, screen: Screen) -> Iterator[str]:
    if not data.findings:
        return
    yield screen.paint(columns((("FLOWS", -6), ("FINDING", 0))), "heading")
    for code, found in sorted(data.findings.items(), key=lambda item: kind_of(item[0]).advice in IDLE_ADVICE):
        lead = columns(((f"{found.flows:,}", -6), (code, 0)))
        yield lead + screen.paint(_named(found, data, screen.width - len(lead)), "dim")
        yield from screen.wrap(advice(code), indent=" " * 8)
    yield ""


def _named(found: Found, data: Report, room: int) -> str:
    """Return the numbers of flows, as many as there is room for, or nothing."""
    text = f"  {plural(found.flows, 'flow')}"
    for index, flow in enumerate(found.first):
        more = f" {numbered(*flow, data)}"
        rest = 0 if index == found.flows - 1 else len(" ...")
        if len(text) + len(more) + rest > room:
            return f"{text} ..." if index else ""
        text += more
    return text if len(found.first) == found.flows else f"{text} ..."


def advice(code: str) -> str:
    """Return what a finding is and what to do about it, a sentence each; the latter only if there is any."""
    text = explain.long_text(code)
    first, stop, _ = text.change.partition(". ")
    return f"{text.title}." if kind_of(code).advice in IDLE_ADVICE else f"{text.title}. {first}{stop.strip()}"
