"""``keepalive compare``: Wireshark's labels beside ours, and who is right where they differ."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner, values
from analyzer.cli import options as shared

if TYPE_CHECKING:
    import argparse

EXAMPLES: Final = """\
examples:
  keepalive compare capture.pcap               each difference, and who is right
  keepalive compare capture.pcap --flow 3 --limit 0
  keepalive compare capture.pcap --json > differences.json
"""
LISTED: Final = 40
"""This many differences are listed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EXAMPLES
    shared.add_one_input(parser)
    group = parser.add_argument_group("which flows")
    shared.add_flows(group)
    group = parser.add_argument_group("output")
    group.add_argument(
        "--limit",
        metavar="N",
        type=values.count,
        default=LISTED,
        help=f"list at most N differences; 0 lists all (default: {LISTED})",
    )
    group.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> int:
    """Compare, and print the differences; return the exit status."""
    from analyzer.cli.reading import Progress
    from analyzer.cli.spool import as_file
    from analyzer.comparing import compare
    from analyzer.report import differences
    from analyzer.wireshark.tshark import JUDGED, dotted

    named = shared.one_file(options)
    with as_file(named) as path, Progress(named) as progress:
        comparison = compare(path, reader=options.reader, select=shared.selection(options), progress=progress)
    if options.json:
        differences.write_json(comparison, sys.stdout.write)
    else:
        for line in differences.text(comparison, named, manner.screen(), limit=options.limit):
            sys.stdout.write(line + "\n")
    for said in comparison.labels.warnings:
        manner.warn(f"warning: tshark: {said}")
    if comparison.labels.version[:2] != JUDGED[:2]:
        manner.warn(
            f"note: this tshark is version {dotted(comparison.labels.version)}; the reasons were written for "
            f"{dotted(JUDGED)}, and another version may label otherwise"
        )
    return 0
