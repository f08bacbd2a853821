"""``--html OUT`` of report and explain, and ``--parquet OUT`` of report: reports that are files."""

from __future__ import annotations

import sys
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.cli import options as shared
from analyzer.cli import values
from analyzer.cli.steps import steps
from analyzer.output import whole
from analyzer.report.screen import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from analyzer.analysis import Analysis
    from analyzer.cli.failing import FailOn
    from analyzer.report.html import Page
    from analyzer.together import FlowsTogether

STORIES: Final = 30
"""This many flows are told with a picture, as many of each kind as there are, and the worst of each service; each takes
a fifth of a second."""
SEARCHED: Final = 5_000
"""This many flows are asked for their findings; it takes a few seconds at most."""


def add_html(group: argparse._ActionsContainer, forms: argparse._ActionsContainer) -> None:
    """Add --html and --force."""
    forms.add_argument(
        "--html",
        metavar="OUT",
        type=values.out,
        help="one HTML file to attach to a ticket; needs nothing but a browser",
    )
    group.add_argument("--force", action="store_true", help="overwrite existing files")


def add_parquet(forms: argparse._ActionsContainer) -> None:
    """Add --parquet."""
    forms.add_argument(
        "--parquet",
        metavar="OUT",
        type=values.out,
        help="a folder with flows, probes and findings as Parquet tables (needs the extra parquet)",
    )


def write_html(options: argparse.Namespace, fail_on: FailOn) -> Analysis:
    """Write the page and say where; return what it is about."""
    shared.refuse_overwrite(options.html, force=options.force)
    from analyzer.cli.reading import read_all, say_warnings
    from analyzer.report.html import page

    result = read_all(options, keep_all=True)
    shared.check_flows(options, result)
    fail_on.count(result)
    shown = _page(options, result, fail_on)
    content = "".join(steps(page(shown), None, "drawing")).encode()
    try:
        with whole(options.html, replace=options.force) as file:
            file.write(content)
    except FileExistsError:
        shared.refuse_overwrite(options.html, force=False)
    except OSError as error:
        raise shared.UsageError(f"{options.html}: {error.strerror}") from error
    sys.stdout.write(f"{printable(options.html)}\n")
    say_warnings(result)
    return result


def write_parquet(options: argparse.Namespace, fail_on: FailOn) -> Analysis:
    """Write the tables as flows finish, and say where; memory does not grow with their number."""
    from analyzer.analysis import Analysis
    from analyzer.cli.reading import octets_named, say_warnings, stream_all
    from analyzer.cli.texts import Texts
    from analyzer.report import tabular
    from analyzer.report.tables import TABLES

    folder = Path(options.parquet)
    for name in TABLES:
        shared.refuse_overwrite(str(folder / f"{name}.parquet"), force=options.force)
    result = Analysis(
        select=shared.selection(options), only_findings=options.only_findings, limits=shared.limits(options)
    )
    some = stream_all(options, result)
    first = list(islice(some, 1))  # who can read nothing makes no folder

    def checked() -> Iterator[tuple[FlowsTogether, None]]:
        """Yield the flows; a number that none had is said before the files are there."""
        for flows in chain(first, some):
            fail_on.look_at_all(flows)
            yield flows, None
        shared.check_flows(options, result)

    make = partial(Texts("parquet", result.captures).of, octets=octets_named(options))
    try:
        for path in tabular.write_parquet(checked(), result.start_ns, folder, replace=options.force, make=make):
            sys.stdout.write(f"{printable(str(path))}\n")
    except OSError as error:
        raise shared.UsageError(f"{folder}: {error.strerror or error}") from error
    say_warnings(result)
    return result


def _page(options: argparse.Namespace, result: Analysis, fail_on: FailOn) -> Page:
    """Return what the page shows: only flows that are told, or have a headline in the table, are judged."""
    import numpy as np

    from analyzer import explain
    from analyzer.cli.gathering import PORTS, SERVICES, gathered, ranked
    from analyzer.report.html import Known, Page
    from analyzer.survey import by_service, overview

    lines = ranked(result, fail_on)
    found = result.count_findings(notable=not (options.flow or options.only_findings))
    notable = lines if options.flow or options.only_findings else lines[lines["notable"] == 1]
    asked = overview.mixed(notable, SEARCHED)
    known: dict[tuple[int, int], Known] = {}
    begin_ns = min((result.start_ns(at) for at in range(len(result.captures))), default=0)
    for flow in steps(result.each(notable[np.sort(asked)]), len(asked), "judging"):
        headline = explain.headline(flow.judged, result.start_ns(flow.capture))
        ended_ns = flow.judged.record.last_ns - begin_ns
        known[flow.capture, flow.number] = Known(headline, tuple(flow.codes), ended_ns)
    services = by_service.services(notable, SERVICES) if len(notable) > 1 else []
    told = set(overview.mixed(notable, len(notable) if options.limit == 0 else options.limit or STORIES).tolist())
    if options.limit is None:
        told |= {service.first for service in services[: SERVICES + PORTS] if service.first is not None}
    return Page(gathered(result, notable, notable[sorted(told)], services, found), lines, known)
