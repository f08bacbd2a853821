"""``keepalive plot``: pictures of flows, or of all flows that probe."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner, values
from analyzer.cli import options as shared
from analyzer.cli.steps import steps
from analyzer.output import whole
from analyzer.report.screen import printable
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from analyzer.analysis import Analysis
    from analyzer.judge.judged import JudgedFlow
    from analyzer.kept_flows import Flow
    from analyzer.report.plot import Silences
    from analyzer.track.flow import Endpoint

EXAMPLES: Final = """\
examples:
  keepalive plot capture.pcap -o out.svg --flow 3    one flow
  keepalive plot capture.pcap -o out.pdf             a page for each that probes
  keepalive plot capture.pcap -o all.png --overview  all of them in one picture
  keepalive plot capture.pcap -o out.png --theme dark --size 12x6
"""
PICTURES: Final = 20
"""This many flows are drawn, unless --limit says otherwise."""
PROBING: Final = 5_000
"""This many flows that probe are judged for an overview, the most important ones; it draws fewer."""
OTHERS: Final = 5_000
"""This many flows that do not probe are asked how long they were silent."""
SMALLEST_IN: Final = (5.0, 4.0)
LARGEST_IN: Final = (100.0, 100.0)
LIMITS: Final = 12
"""Maximum number of services in a picture of idle limits."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EXAMPLES
    shared.add_input(parser)
    shared.add_selection(parser)
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        type=values.out,
        required=True,
        help="where to, as OUT.png, .svg or .pdf; several flows become pages of a PDF, or OUT-flow3.png and so on",
    )
    group.add_argument("--force", action="store_true", help="overwrite existing files (default: leave them alone)")
    group.add_argument(
        "--overview",
        action="store_true",
        help="one picture of all flows that probe (of many by service), and of how long flows were silent",
    )
    group.add_argument(
        "--idle-limits",
        action="store_true",
        help="one picture of the silences of each service, those that were survived and those that were not",
    )
    shared.add_time(group)
    group.add_argument(
        "--theme",
        choices=values.THEMES,
        default="light",
        help="for a light page, a dark one, or either (default: light)",
    )
    group.add_argument(
        "--size",
        metavar="WxH",
        type=_size,
        default=None,
        help="of a picture, in inches (default: 9.6x6.4 for a flow, as high as needed for --overview)",
    )


@dataclass(frozen=True, slots=True)
class Picture:
    """Something to draw, and the name it gets if it is not a page."""

    name: str
    capture: int
    flow: Flow | None
    """None draws the overview of the capture, or its idle limits."""


def run(options: argparse.Namespace) -> int:
    """Draw, and say what was written where; return the exit status."""
    from analyzer.cli.reading import read_all, say_warnings

    out = Path(options.output)
    if options.limit is not None and (options.flow or options.overview):
        shared.ignored("--limit", "--overview is one picture" if options.overview else "--flow names the flows")
    if out.suffix.lower() not in values.PICTURES:
        raise shared.UsageError(
            f"{out}: pictures are saved as {', '.join(values.PICTURES[:-1])} or {values.PICTURES[-1]}"
        )
    if out.suffix.lower() == ".pdf":
        shared.refuse_overwrite(options.output, force=options.force)
    result = read_all(options, keep_all=bool(options.flow) or options.overview or options.idle_limits)
    shared.check_flows(options, result)
    if options.idle_limits:
        pictures = _limits(options, result)
    else:
        pictures = _overviews(options, result) if options.overview else _flows(options, result)
    paged = out.suffix.lower() == ".pdf"
    for name in [options.output] if paged else [picture.name for picture in pictures]:
        shared.refuse_overwrite(name, force=options.force)
    from analyzer.report.plot import rendered

    figures = _figures(options, result, pictures)
    fmt = out.suffix.lower().removeprefix(".")
    if paged:
        _save(options.output, rendered(figures, fmt), force=options.force)
    else:
        for picture, figure in zip(pictures, figures, strict=True):
            _save(picture.name, rendered([figure], fmt), force=options.force)
    say_warnings(result)
    return shared.status(options, result)


def _flows(options: argparse.Namespace, result: Analysis) -> list[Picture]:
    """Return the flows to draw, most important first."""
    from analyzer.survey import overview

    lines = overview.ranked(result.lines())
    if not options.flow:
        lines = lines[(lines["probes"] > 0) | (lines["zero_window"] > 0) | result.with_heartbeats(lines)]
    limit = len(lines) if options.limit == 0 or options.flow else options.limit or PICTURES
    flows = [result.flow(line) for line in lines[:limit]]
    if not flows:
        raise shared.UsageError(_nothing(options))
    if len(lines) > limit:
        more = len(lines) - limit
        manner.warn(
            f"{more:,} more {'flow is' if more == 1 else 'flows are'} not drawn: --limit 0 draws all, --flow N one, "
            "and --overview puts them into one picture"
        )
    out = Path(options.output)
    if len(flows) == 1:
        return [Picture(str(out), flows[0].capture, flows[0])]
    several = len(result.captures) > 1
    return [
        Picture(str(out.with_stem(f"{out.stem}{which}-flow{flow.number}")), flow.capture, flow)
        for flow in flows
        for which in [f"-capture{flow.capture + 1}" if several else ""]
    ]


def _overviews(options: argparse.Namespace, result: Analysis) -> list[Picture]:
    """Return the captures to draw."""
    lines = result.lines()
    probing = lines[(lines["probes"] > 0) | (lines["zero_window"] > 0)]
    captures = sorted({int(capture) for capture in probing["capture"]})
    if not captures:
        raise shared.UsageError(_nothing(options))
    out = Path(options.output)
    if len(captures) == 1:
        return [Picture(str(out), captures[0], None)]
    return [Picture(str(out.with_stem(f"{out.stem}-capture{capture + 1}")), capture, None) for capture in captures]


def _limits(options: argparse.Namespace, result: Analysis) -> list[Picture]:
    """Return the captures whose idle limits are drawn: those in which a silence was not survived."""
    captures = sorted({limit.capture for limit in result.idle_limits() if limit.service is not None})
    if not captures:
        raise shared.UsageError("nothing to draw: no silence of 3 s or more was broken in vain")
    out = Path(options.output)
    if len(captures) == 1:
        return [Picture(str(out), captures[0], None)]
    return [Picture(str(out.with_stem(f"{out.stem}-capture{capture + 1}")), capture, None) for capture in captures]


def _nothing(options: argparse.Namespace) -> str:
    asked = options.host or options.port or options.flow or options.display_filter or options.only_findings
    where = "no flow that was asked for" if asked else "no flow"
    return f"nothing to draw: {where} sent keepalive or zero-window probes (--flow N draws any flow)"


def _figures(options: argparse.Namespace, result: Analysis, pictures: list[Picture]) -> Iterator[Figure]:
    """Yield the pictures one by one: a figure takes much memory."""
    from analyzer.report.plot import Ended, flow_figure, idle_limits_figure, overview_figure

    for picture in steps(pictures, len(pictures), "drawing"):
        start_ns = result.start_ns(picture.capture)
        if options.idle_limits:
            yield idle_limits_figure(_silences(result, picture.capture), theme=options.theme)
        elif picture.flow is not None:
            yield flow_figure(picture.flow.judged, start_ns, theme=options.theme, size_in=options.size)
        else:
            ended = [
                Ended(service, last_ns - start_ns, verdict, first_ns - start_ns)
                for service, first_ns, last_ns, verdict in result.endings(picture.capture)
            ]
            flows = _all_of(result, picture.capture)
            yield overview_figure(flows, start_ns, theme=options.theme, size_in=options.size, ended=ended)


def _silences(result: Analysis, capture: int) -> list[Silences]:
    """Return the services of a capture in which a silence was not survived, the most telling first, with silences."""
    from analyzer.report.plot import Silences

    of_capture = [limit for limit in result.idle_limits() if limit.service is not None and limit.capture == capture]
    limits = of_capture[:LIMITS]
    if len(of_capture) > len(limits):
        manner.warn(f"the picture is of {len(limits)} services of {len(of_capture)}")
    silences: dict[tuple[Endpoint | None, bool], tuple[list[int], list[int]]] = {
        (limit.service, limit.half_closed): ([], []) for limit in limits
    }
    for trial in result.silences(capture):
        found = silences.get((trial.service, trial.half_closed))
        if found is not None:
            found[trial.died].append(trial.ns)
    return [Silences(limit, *silences[limit.service, limit.half_closed]) for limit in limits]


def _all_of(result: Analysis, capture: int) -> list[JudgedFlow]:
    """Return a capture's flows, judged: so many of those that probe, and of the others, as take a few seconds."""
    from analyzer.survey import overview

    lines = result.lines()
    lines = lines[lines["capture"] == capture]
    is_probing = (lines["probes"] > 0) | (lines["zero_window"] > 0)
    probing, others = lines[is_probing], lines[~is_probing]
    if len(probing) > PROBING:
        manner.warn(f"the silences are those of the {PROBING:,} most important of {len(probing):,} flows that probe")
        probing = overview.ranked(probing)[:PROBING]
    if len(others) > OTHERS:
        manner.warn(f"the silences are those of {OTHERS:,} of the {len(others):,} flows that do not probe")
    asked = [probing, others[:OTHERS]]
    flows = (flow for part in asked for flow in result.each(part))
    return [flow.judged for flow in steps(flows, sum(map(len, asked)), "judging")]


def _save(name: str, content: bytes, *, force: bool) -> None:
    """Write a file and say so; nobody else's file is written over, even if it came meanwhile.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        with whole(name, replace=force) as file:
            file.write(content)
    except OSError as error:
        raise shared.UsageError(f"{name}: {error.strerror}") from error
    sys.stdout.write(f"{printable(str(name))}\n")


def _size(text: str) -> tuple[float, float]:
    try:
        width, height = (float(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a size such as 9.6x6.4") from None
    bounds = zip(SMALLEST_IN, (width, height), LARGEST_IN, strict=True)
    if not all(low <= side <= high for low, side, high in bounds):
        low, high = (f"{side[0]:g}x{side[1]:g}" for side in (SMALLEST_IN, LARGEST_IN))
        raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
    return width, height
