"""``keepalive annotate``: a copy of a capture that shows our labels in Wireshark."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner, values
from analyzer.cli import options as shared
from analyzer.report.screen import printable

if TYPE_CHECKING:
    import argparse

    from analyzer.annotating import Annotated


EXAMPLES: Final = """\
examples:
  keepalive annotate capture.pcap out.pcapng
  keepalive annotate capture.pcap - | wireshark -k -i -
  tshark -r out.pcapng -Y 'frame.comment contains "no answer"'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EXAMPLES
    group = parser.add_argument_group("input and output")
    group.add_argument("file", metavar="IN", help="a capture (pcap, pcapng, also gzip or zstd); - is stdin")
    group.add_argument("out", metavar="OUT", type=values.out, help="the copy, a pcapng; - is stdout")
    group.add_argument("--force", action="store_true", help="overwrite an existing OUT")
    shared.add_reader(group)
    shared.add_flows(parser.add_argument_group("which flows"))


def run(options: argparse.Namespace) -> int:
    """Write the copy, and say what it holds; return the exit status."""
    from analyzer.annotating import annotate
    from analyzer.cli.reading import Progress
    from analyzer.cli.spool import as_file

    _check(options)
    with as_file(options.file) as path, Progress(options.file) as progress:
        try:
            done = annotate(
                path,
                options.out,
                force=options.force,
                reader=options.reader,
                select=shared.selection(options),
                progress=progress,
            )
        except BrokenPipeError:
            raise
        except OSError as error:
            name = "standard output" if options.out == "-" else options.out
            raise shared.UsageError(f"{name}: {error.strerror or error}") from None
    _say(options.out, done)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse what would destroy something.

    Raises:
        UsageError: OUT is IN, is there, or is a terminal.
    """
    shared.refuse_terminal([options.file])
    if options.out == "-":
        if sys.stdout.isatty():
            raise shared.UsageError("standard output is a terminal; name a file, or pipe it: ... - | wireshark -k -i -")
        return
    there = Path(options.out).exists()
    if there and options.file != "-" and Path(options.file).exists() and Path(options.out).samefile(options.file):
        raise shared.UsageError(f"{options.out} is the capture itself")
    shared.refuse_overwrite(options.out, force=options.force)


def _say(out: str, done: Annotated) -> None:
    copied = done.copied
    stream = sys.stderr if out == "-" else sys.stdout
    name = "standard output" if out == "-" else printable(out)
    stream.write(f"{name}: {copied.frames:,} packets, {copied.comments:,} with a comment\n")
    if copied.homeless:
        manner.warn(f"warning: {copied.homeless:,} packets are in blocks that cannot have a comment")
    for warning in done.analysis.captures[0].warnings:
        manner.warn(f"warning: {warning}")
    if copied.damage:
        manner.warn(f"warning: the copy ends where the capture could not be read further: {copied.damage}")
