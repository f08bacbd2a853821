"""``keepalive explain``: the story of each flow that has something to say."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner, page
from analyzer.cli import options as shared
from analyzer.cli.steps import steps

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from analyzer.analysis import Analysis
    from analyzer.cli.failing import FailOn
    from analyzer.host_view import HostView
    from analyzer.kept_flows import Flow
    from analyzer.report.screen import Screen
    from analyzer.survey.limits import IdleLimit

EXAMPLES: Final = """\
examples:
  keepalive explain capture.pcap             the flows that need attention
  keepalive explain capture.pcap --flow 3       the story of flow 3
  keepalive explain capture.pcap --host 10.0.0.7 --port 5432
  keepalive explain dump.txt                    what tcpdump or tshark printed
  xclip -o | keepalive explain -
"""
STORIES: Final = 10
"""More stories than this nobody reads at a stretch."""
SMALL_OCTETS: Final = 1 << 20
"""Of a capture below this size a single flow is told of although it has nothing to say: whoever asks wants to know."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EXAMPLES
    shared.add_input(parser)
    shared.add_selection(parser)
    shared.add_dissection(parser)
    group = parser.add_argument_group("output")
    forms = group.add_mutually_exclusive_group()
    forms.add_argument(
        "--json", dest="form", action="store_const", const="json", help="the JSON of report, with each flow's story"
    )
    forms.add_argument("--jsonl", dest="form", action="store_const", const="jsonl", help="the same, one flow a line")
    shared.add_time(group)
    page.add_html(group, forms)
    shared.add_fail_on(group)


def run(options: argparse.Namespace) -> int:
    """Tell the stories; return the exit status."""
    from analyzer.cli.failing import FailOn
    from analyzer.cli.reading import octets_named, read_all, say_warnings

    fail_on = FailOn(options.fail_on)
    if options.force and not options.html:
        shared.ignored("--force", "it lets --html overwrite a file")
    if options.time != "relative" and options.form == "json":
        shared.ignored("--time", "there instants are numbers, in seconds")
    if options.limit is not None and options.flow and not options.html:
        shared.ignored("--limit", "--flow names the flows")
    if options.html:
        return shared.status(options, page.write_html(options, fail_on), fail_on)
    is_small = not options.form and 0 < octets_named(options) < SMALL_OCTETS
    result = read_all(options, keep_all=is_small or shared.wants_all(options, fail_on))
    shared.check_flows(options, result)
    fail_on.count(result)
    flows, more = _picked(options, result, fail_on)
    if options.form:
        _export(options, result, flows)
    else:
        _tell(result, flows, more, manner.screen())
    if options.form or not (sys.stdout.isatty() and sys.stderr.isatty()):
        say_warnings(result)
    return shared.status(options, result, fail_on)


def _picked(options: argparse.Namespace, result: Analysis, fail_on: FailOn) -> tuple[list[Flow], int]:
    """Return the flows to tell of, most important first, and how many more there are."""
    from analyzer.survey import overview

    lines = overview.ranked(result.lines())
    if fail_on.asks_for_findings:
        fail_on.look_at_each(result.flow(line) for line in steps(lines, len(lines), "judging"))
    if not (options.flow or options.only_findings) and (options.form or result.totals.flows > 1):
        lines = lines[lines["notable"] == 1]
    limit = len(lines) if options.limit == 0 or options.flow else options.limit or STORIES
    return [result.flow(line) for line in lines[:limit]], max(len(lines) - limit, 0)


def _host_said(result: Analysis, flow: Flow, views: dict[int, HostView | None], screen: Screen) -> Iterator[str]:
    """Yield what the host said of a flow, where the capture has notes of it."""
    from analyzer.host_view import host_view
    from analyzer.report.host_text import host_lines

    if flow.capture not in views:
        views[flow.capture] = host_view(result.captures[flow.capture].paths)
    if (view := views[flow.capture]) is not None:
        record = flow.judged.record
        yield from host_lines(
            record, view.of(record), view.settings, view.counted, result.start_ns(flow.capture), screen
        )


def _tell(result: Analysis, flows: list[Flow], more: int, screen: Screen) -> None:
    from analyzer.both_sides import BothSides
    from analyzer.report.idle_limits import limits_table
    from analyzer.report.joint_text import both_sides
    from analyzer.report.shown import Report
    from analyzer.report.story_text import story
    from analyzer.report.text import report

    several = len(result.captures) > 1
    views: dict[int, HostView | None] = {}
    sides = BothSides(result.captures)
    for index, flow in enumerate(flows):
        if index:
            sys.stdout.write(screen.paint(screen.rule() * screen.width, "dim") + "\n\n")
        capture = result.captures[flow.capture]
        name, joined = capture.name if several else None, len(capture.parts) > 1
        for line in story(flow.judged, result.start_ns(flow.capture), screen, capture=name, joined=joined):
            sys.stdout.write(line + "\n")
        if (found := sides.of(flow)) is not None:
            for line in both_sides(*found, screen, result.start_ns(flow.capture)):
                sys.stdout.write(line + "\n")
        for line in _host_said(result, flow, views, screen):
            sys.stdout.write(line + "\n")
    for line in limits_table(_limits_of(result, flows), screen):
        sys.stdout.write(line + "\n")
    if more:
        for line in screen.wrap(
            f"{more:,} more {'flow has' if more == 1 else 'flows have'} something to say: --limit 0 tells all, "
            "--flow N one, and keepalive report lists them.",
            style="dim",
        ):
            sys.stdout.write(line + "\n")
    if not flows:
        for line in report(Report(result.captures, result.totals, 0, left_out=result.left_out), screen):
            sys.stdout.write(line + "\n")
        if result.totals.flows:
            for line in screen.wrap("--flow N tells the story of a flow all the same: the first is 0.", style="dim"):
                sys.stdout.write(line + "\n")


def _limits_of(result: Analysis, flows: list[Flow]) -> list[IdleLimit]:
    """Return the limits of idle time, of the services that these flows are of."""
    ends = {(flow.capture, end) for flow in flows for end in (flow.judged.record.a, flow.judged.record.b)}
    hard = result.idle_limits(all_services=False)
    return [limit for limit in hard if limit.service is not None and (limit.capture, limit.service) in ends]


def _export(options: argparse.Namespace, result: Analysis, flows: list[Flow]) -> None:
    from analyzer.report import export
    from analyzer.report.story_text import story_object

    several = len(shared.files(options)) > 1
    if options.form == "json":
        write, limits = sys.stdout.write, result.idle_limits
        export.write_json(
            result.captures, flows, result.totals, write, several=several, more=story_object, limits=limits
        )
        return
    for flow in flows:
        export.write_json_line(flow, result.captures, sys.stdout.write, several=several, more=story_object)
