"""``keepalive join``: captures of the same traffic from several points, as one story."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner, page, values
from analyzer.cli import options as shared
from analyzer.output import whole
from analyzer.report.screen import printable

if TYPE_CHECKING:
    import argparse

    from analyzer.vantage.joint import Joined

PICTURES: Final = 20
"""Maximum number of connections that are drawn, unless --limit says otherwise."""
EPILOG: Final = """\
The points are called A, B, C, in the order in which they are named; times are
those of A. One capture alone is joined with itself, if it holds packets before
and behind a router, a NAT or a load balancer.

examples:
  keepalive join client.pcap server.pcap
  keepalive join client.pcap middle.pcap server.pcap --json > joined.json
  keepalive join router.pcap --flow 3
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EPILOG
    group = parser.add_argument_group("input")
    group.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        default=[],
        help="one capture of each point (pcap, pcapng, also gzip or zstd), or its rotated files",
    )
    group.add_argument("-r", dest="more_files", metavar="FILE", action="append", default=[], help="the same")
    shared.add_reader(group)
    group = parser.add_argument_group("which connections")
    group.add_argument(
        "--flow", metavar="N", action="extend", default=[], type=values.numbers, help="only these connections"
    )
    group.add_argument("--limit", metavar="N", type=values.count, default=None, help="tell at most N; 0 tells all")
    group = parser.add_argument_group("output")
    shared.add_time(group)
    forms = group.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="one JSON object")
    page.add_html(group, forms)
    group.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        type=values.out,
        help="also a ladder of each connection, as OUT.png, .svg or .pdf (all its pages)",
    )
    group.add_argument(
        "--theme", choices=values.THEMES, default="light", help="of the ladder: for a light page, a dark one"
    )


def run(options: argparse.Namespace) -> int:
    """Join, and tell; return the exit status."""
    from analyzer.report import joint_json, joint_text

    for path in filter(None, (options.html, options.output)):
        shared.refuse_overwrite(path, force=options.force)
    if options.output and Path(options.output).suffix.lower() not in values.PICTURES:
        raise shared.UsageError(f"{options.output}: the picture is .png, .svg or .pdf")
    if options.time != "relative" and options.json:
        shared.ignored("--time", "there instants are numbers, in seconds")
    result = _joined(options)
    if options.flow and not all(number < len(result.flows) for number in options.flow):
        last = len(result.flows) - 1
        having = f"the connections are 0 to {last}" if last else "there is only connection 0"
        raise shared.UsageError(f"no connection {', '.join(map(str, options.flow))} here: {having}")
    if options.output:
        _draw(options, result)
    if options.html:
        from analyzer.report.joint_html import page as joint_page

        content = joint_page(result, limit=options.limit, flows=tuple(options.flow))
        _write(options.html, content.encode(), force=options.force)
    elif options.json:
        joint_json.write_json(result, sys.stdout.write, _told(options, result))
    else:
        screen = manner.screen()
        for line in joint_text.text(result, screen, limit=options.limit, flows=tuple(options.flow)):
            sys.stdout.write(line + "\n")
    return 0


def _told(options: argparse.Namespace, result: Joined) -> list[int] | None:
    """Return the numbers of the connections that JSON has, if not of all."""
    if options.flow:
        return sorted(set(options.flow))
    return result.eventful[: options.limit] if options.limit else None


def _most(options: argparse.Namespace) -> int | None:
    """Return how many connections are looked at in full, None for all: those that are told, and what others rest on."""
    from analyzer.report import joint_html, joint_text
    from analyzer.vantage.gaps import FEW

    if options.limit is not None:
        return max(options.limit, FEW) if options.limit else None
    return joint_html.TOLD if options.html else joint_text.TOLD


def _joined(options: argparse.Namespace) -> Joined:
    """Read and join what was named."""
    from analyzer.cli.reading import Progress
    from analyzer.cli.spool import as_file
    from analyzer.errors import CaptureError
    from analyzer.joining import join
    from analyzer.refusing import NotJoinedError

    named = shared.files(options)
    for path in named:
        if Path(path).is_dir():
            raise CaptureError(path, "is a directory; name the capture of each point")
    with ExitStack() as stack:
        paths = [stack.enter_context(as_file(path)) if path == "-" else path for path in named]  # each is read once
        progress = stack.enter_context(Progress(paths[0]))
        keep_all = bool(options.flow or options.output or (options.json and not options.limit))
        most = _most(options)
        called = dict(zip(paths, named, strict=True))
        try:
            result = join(
                *paths, reader=options.reader, progress=progress, keep_all=keep_all, most=most, time=options.time
            )
        except NotJoinedError as error:
            for path, warning in error.warnings:
                manner.warn(f"warning: {printable(called[path])}: {warning}")
            raise
    for point in result.points:
        point.path, point.paths = called[point.path], tuple(called[path] for path in point.paths)
    for at, warning in result.warnings:
        manner.warn(f"warning: {printable(result.points[at].path)}: {warning}")
    return result


def _draw(options: argparse.Namespace, result: Joined) -> None:
    """Write the ladders of the connections that are told: the pages of one PDF, or a file for each."""
    from analyzer.report.plot import ladder_figure, rendered

    picked = sorted(set(options.flow)) or result.eventful or [0]
    told = [result.flows[at] for at in picked[: len(picked) if options.limit == 0 else options.limit or PICTURES]]
    start_ns = result.zero
    figures = (ladder_figure(flow, result.points, start_ns, theme=options.theme) for flow in told)
    out = Path(options.output)
    if out.suffix == ".pdf":
        _write(options.output, rendered(figures, "pdf"), force=options.force)
        return
    for flow, figure in zip(told, figures, strict=True):
        path = out if len(told) == 1 else out.with_name(f"{out.stem}-{flow.number}{out.suffix}")
        _write(str(path), rendered([figure], out.suffix[1:]), force=options.force)


def _write(path: str, content: bytes, *, force: bool) -> None:
    """Write a file and say where."""
    try:
        with whole(path, replace=force) as file:
            file.write(content)
    except FileExistsError:
        shared.refuse_overwrite(path, force=False)
    except OSError as error:
        raise shared.UsageError(f"{path}: {error.strerror}") from error
    sys.stderr.write(f"{printable(path)}\n")
