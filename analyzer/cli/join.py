"""``keepalive join``: captures of the same traffic from several points, as one story."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner
from analyzer.cli import options as shared
from analyzer.report.screen import printable

if TYPE_CHECKING:
    import argparse

    from analyzer.vantage.joint import Joined

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
        help="one capture of each point (pcap, pcapng, also gzip or zstd)",
    )
    group.add_argument("-r", dest="more_files", metavar="FILE", action="append", default=[], help="the same")
    shared.add_reader(group)
    group = parser.add_argument_group("which connections")
    group.add_argument(
        "--flow", metavar="N", action="extend", default=[], type=shared.numbers, help="only these connections"
    )
    group.add_argument("--limit", metavar="N", type=shared.count, default=None, help="tell at most N; 0 tells all")
    group = parser.add_argument_group("output")
    forms = group.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="one JSON object")
    group.add_argument("--force", action="store_true", help="overwrite existing files")


def run(options: argparse.Namespace) -> int:
    """Join, and tell; return the exit status."""
    from analyzer.report import joint_json, joint_text

    result = _joined(options)
    if options.flow and not any(flow.number in options.flow for flow in result.flows):
        last = len(result.flows) - 1
        having = f"the connections are 0 to {last}" if last else "there is only connection 0"
        raise shared.UsageError(f"no connection {', '.join(map(str, options.flow))} here: {having}")
    if options.json:
        joint_json.write_json(result, sys.stdout.write)
    else:
        screen = manner.screen()
        for line in joint_text.text(result, screen, limit=options.limit, flows=tuple(options.flow)):
            sys.stdout.write(line + "\n")
    return 0


def _joined(options: argparse.Namespace) -> Joined:
    """Read and join what was named."""
    from analyzer.cli.reading import Progress
    from analyzer.cli.spool import as_file
    from analyzer.joining import join

    named = shared.files(options)
    with ExitStack() as stack:
        paths = [stack.enter_context(as_file(path)) for path in named]
        progress = stack.enter_context(Progress(paths[0]))
        result = join(*paths, reader=options.reader, progress=progress)
    for point in result.points:
        point.path = named[point.capture]
    for at, warning in result.warnings:
        manner.warn(f"warning: {printable(result.points[at].path)}: {warning}")
    return result
