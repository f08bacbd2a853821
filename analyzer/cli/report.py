"""``keepalive report``: which flows need attention, as text, JSON, JSON lines, CSV, a page or Parquet tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner, page
from analyzer.cli import options as shared
from analyzer.report.columns import FLOW_COLUMNS, PROBE_COLUMNS, described

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from analyzer.analysis import Analysis
    from analyzer.cli.failing import FailOn
    from analyzer.report.screen import Screen
    from analyzer.report.shown import Report
    from analyzer.together import FlowsTogether

EXAMPLES: Final = """\
examples:
  keepalive report capture.pcap             what happened, most important first
  keepalive report *.pcap --json > report.json
  keepalive report capture.pcap --host 10.0.0.0/8 --port 5432,8000-8099
  keepalive report capture.pcap --from 14:05 --to 14:10
  keepalive report capture.pcap --html ticket.html
  keepalive report capture.pcap --csv --table probes > probes.csv
  keepalive report capture.pcap --fail-on silent,close-wait-held-by-keepalive
  ssh host tcpdump -w - tcp | keepalive report -
"""
FLOWS: Final = 30
"""More flows than this are grouped by service."""
WORST: Final = 6
"""This many single flows are shown below the services, one of each kind."""
KEPT: Final = 500
"""This many flows of each rank are kept whole while reading; of the others a line, so that memory stays flat."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = "\n".join(
        (
            EXAMPLES,
            "columns of --csv:",
            *described(FLOW_COLUMNS),
            "",
            "columns of --csv --table probes:",
            *described(PROBE_COLUMNS),
        )
    )
    shared.add_input(parser)
    shared.add_selection(parser)
    shared.add_dissection(parser)
    group = parser.add_argument_group("output")
    forms = group.add_mutually_exclusive_group()
    forms.add_argument("--json", dest="form", action="store_const", const="json", help="one JSON object (schema 1)")
    forms.add_argument(
        "--jsonl", dest="form", action="store_const", const="jsonl", help="one JSON object per flow, as flows finish"
    )
    forms.add_argument("--csv", dest="form", action="store_const", const="csv", help="a table, one row per flow")
    group.add_argument(
        "--table", choices=("flows", "probes"), default=None, help="what --csv has a row for (default: flows)"
    )
    shared.add_time(group)
    page.add_html(group, forms)
    page.add_parquet(forms)
    shared.add_fail_on(group)


def run(options: argparse.Namespace) -> int:
    """Write the report; return the exit status."""
    from analyzer.cli.failing import FailOn

    fail_on = FailOn(options.fail_on)
    _say_ignored(options)
    if options.form in {"jsonl", "csv"}:
        result = _stream(options, fail_on)
    elif options.form == "json":
        result = _json(options, fail_on)
    elif options.html:
        result = page.write_html(options, fail_on)
    elif options.parquet:
        result = page.write_parquet(options, fail_on)
    else:
        result = _text(options, fail_on)
    return shared.status(options, result, fail_on)


def _say_ignored(options: argparse.Namespace) -> None:
    """Say which options have no effect beside the others."""
    if options.table is not None and options.form != "csv":
        shared.ignored("--table", "it says what --csv has a row for")
    if options.force and not (options.html or options.parquet):
        shared.ignored("--force", "it lets --html and --parquet overwrite files")
    if options.keylog is not None and (options.form in {"jsonl", "csv"} or options.parquet or not options.dissect):
        shared.ignored("--keylog", "heartbeats are not dissected here")
    if options.time != "relative" and (options.form in {"json", "jsonl", "csv"} or options.parquet):
        shared.ignored("--time", "there instants are numbers, in seconds")
    if options.limit is not None and options.parquet:
        shared.ignored("--limit", "--parquet writes all flows")


def _stream(options: argparse.Namespace, fail_on: FailOn) -> Analysis:
    """Write flows as they finish; memory does not grow with their number."""
    from analyzer.analysis import Analysis
    from analyzer.capture.source import is_stream
    from analyzer.cli.reading import octets_named, say_warnings, stream_all
    from analyzer.cli.texts import Texts

    result = Analysis(
        select=shared.selection(options), only_findings=options.only_findings, limits=shared.limits(options)
    )
    live = any(map(is_stream, shared.files(options)))
    form = "jsonl" if options.form == "jsonl" else options.table or "flows"
    texts = Texts(form, result.captures, several=several_named(options))
    some = _listed(options, _looked_at(fail_on, stream_all(options, result)), to_the_end=bool(fail_on.words))
    sys.stdout.write(texts.header)
    for text in texts.of(((flows, None) for flows in some), at_once=live, octets=octets_named(options)):
        sys.stdout.write(text)
        if live:
            sys.stdout.flush()
    shared.check_flows(options, result)
    say_warnings(result)
    return result


def _looked_at(fail_on: FailOn, some: Iterator[FlowsTogether]) -> Iterator[FlowsTogether]:
    """Let flows pass, once --fail-on has seen them."""
    for flows in some:
        fail_on.look_at_all(flows)
        yield flows


def _json(options: argparse.Namespace, fail_on: FailOn) -> Analysis:
    from analyzer.cli.reading import octets_named, read_all, say_warnings
    from analyzer.cli.texts import Texts
    from analyzer.report import export, objects

    result = read_all(options, keep_all=True)
    shared.check_flows(options, result)
    texts = Texts("json", result.captures, several=several_named(options))
    if fail_on.words and options.limit:
        fail_on.count(result)
        for flows, _ in result.together():
            fail_on.look_at_all(flows)

    def some() -> Iterator[tuple[FlowsTogether, NDArray[np.int64]]]:
        for flows, order in result.together(options.limit or None):
            fail_on.look_at_all(flows)
            yield flows, order

    export.write_json_of(
        result.captures,
        texts.of(some(), octets=octets_named(options)),
        lambda: objects.summary_object(result.totals, texts.found, result.idle_limits(), result.settings_in_use()),
        sys.stdout.write,
    )
    say_warnings(result)
    return result


def several_named(options: argparse.Namespace) -> bool:
    """Say whether flows have to name their capture."""
    return len(shared.files(options)) > 1


def _listed(options: argparse.Namespace, some: Iterator[FlowsTogether], *, to_the_end: bool) -> Iterator[FlowsTogether]:
    """Yield flows, at most --limit; what comes then is read only if that is wanted."""
    import numpy as np

    left = options.limit or sys.maxsize
    for flows in some:
        if left > 0:
            yield flows if len(flows) <= left else flows.take(np.arange(left))
        left -= len(flows)
        if left <= 0 and not to_the_end:
            return


def _text(options: argparse.Namespace, fail_on: FailOn) -> Analysis:
    from analyzer.cli.reading import read_all, say_same_traffic, say_warnings

    few = options.limit is None or 0 < options.limit <= KEPT
    result = read_all(
        options,
        keep_all=shared.wants_all(options, fail_on),
        most=KEPT if few else None,
        count_findings=True,
        meanwhile=_import_words,
    )
    shared.check_flows(options, result)
    write_text(options, result, fail_on)
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        say_warnings(result)
    else:
        say_same_traffic(result)
    return result


def _import_words() -> None:
    """Import what finds, judges and tells: nobody waits for that while packets are read."""
    import analyzer.causes.table
    import analyzer.findings.table
    import analyzer.judge.alike
    import analyzer.judge.recording
    import analyzer.judge.timers.many
    import analyzer.report.text  # noqa: F401


def write_text(options: argparse.Namespace, result: Analysis, fail_on: FailOn) -> None:
    """Write the report of an analysis as text."""
    from analyzer.report.text import report

    fail_on.count(result)
    screen = manner.screen()
    told = _report(options, result, fail_on)
    for line in report(told, screen):
        sys.stdout.write(line + "\n")
    for line in _both_sides(result, told, screen):
        sys.stdout.write(line + "\n")


def _both_sides(result: Analysis, told: Report, screen: Screen) -> Iterator[str]:
    """Yield what both sides of the capturing host show of the flows that are told, where the captures have both."""
    from analyzer.both_sides import BothSides

    sides = BothSides(result.captures)
    for flow in told.flows:
        if (found := sides.of(flow)) is not None:
            from analyzer.report.joint_text import both_sides_words

            words = f"Flow {flow.judged.record.number}, before and behind this host: {both_sides_words(*found)}"
            yield from screen.wrap(f"{words} keepalive explain has the frames.", indent="  ", first="")


def _report(options: argparse.Namespace, result: Analysis, fail_on: FailOn) -> Report:
    """Return what the report shows: only these flows are judged."""
    from analyzer.cli.gathering import SERVICES, gathered, ranked
    from analyzer.survey import by_service, overview

    lines = ranked(result, fail_on)
    if not (options.flow or options.only_findings):
        lines = lines[lines["notable"] == 1]
    found = result.count_findings(notable=not (options.flow or options.only_findings))
    notable = int(lines["flows"].sum())
    limit = notable if options.limit == 0 else options.limit or FLOWS
    services = by_service.services(lines, SERVICES) if notable > limit else []
    told = overview.one_of_each(lines)[:WORST] if services and options.limit is None else lines[:limit]
    return gathered(result, lines, told, services, found)
