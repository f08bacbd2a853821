"""``keepalive fleet``: many capture points, on this machine or a cluster, into tables."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from analyzer.cli import ending, manner, values
from analyzer.report.screen import printable

if TYPE_CHECKING:
    import argparse

    from analyzer.fleet.running import Fleet, Progress

EPILOG: Final = """\
A point is a series of rotated files: those of one folder whose names differ
only in digits, or what --points says. Each point is read as one stream. A
second run reads what is new and goes on where the first stopped; a run that was
killed is repeated with the same command.

Credentials are those that the store's library finds (environment, files,
roles); none is taken from the command line, and none is written. Whoever can
reach the scheduler can run programs on its workers, so use tls://
(docs/fleet.md).

examples:
  keepalive fleet captures/ --out tables
  keepalive fleet s3://bucket/captures --out s3://bucket/tables --workers 8
  keepalive fleet s3://bucket/in --out tables --points '{host}/*.pcap.gz'
  keepalive fleet s3://bucket/in --out tables --scheduler tls://scheduler:8786
"""
MIB: Final = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EPILOG
    group = parser.add_argument_group("input")
    group.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="+",
        help="a folder, a file, or a URL: s3://, gs://, abfs://; of a file, http(s):// too",
    )
    group.add_argument(
        "--points",
        metavar="PATTERN",
        default="",
        help="which files are one point: a path with {word} where the point's name stands, *, ? and **",
    )
    group = parser.add_argument_group("output")
    group.add_argument("--out", metavar="TABLES", required=True, help="where the tables are: a folder, or a URL")
    group.add_argument("--resume", action="store_true", help="go on with existing tables; refuse to start new ones")
    group.add_argument("--anew", action="store_true", help="discard existing tables and make all of them again")
    group = parser.add_argument_group("who works")
    who = group.add_mutually_exclusive_group()
    who.add_argument("--scheduler", metavar="URL", default="", help="an existing Dask cluster")
    who.add_argument(
        "--workers",
        metavar="N",
        type=values.count,
        default=None,
        help="processes on this machine (default: one per processor); 0 works in this one",
    )
    group.add_argument(
        "--shards",
        metavar="N",
        type=values.count,
        default=1,
        help="split each point by its pairs of hosts, for points larger than a worker (default: 1)",
    )


def run(options: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from analyzer.cli import Running
    from analyzer.fleet import forked

    if Running.alone and options.workers != 0 and not options.scheduler:
        forked.begin(
            (*options.sources, options.out)
        )  # before the imports of this process, so that both are done at once
    from analyzer.fleet import running

    with Bar() as bar:
        done = running.run(
            options.sources,
            options.out,
            scheduler=options.scheduler,
            workers=options.workers,
            points=options.points,
            shards=options.shards,
            resume=options.resume,
            anew=options.anew,
            progress=bar,
        )
    for note in done.notes:
        manner.warn(note)
    for error in done.errors:
        manner.complain(error)
    sys.stdout.write(f"{_sentence(options.out, done)}\n")
    return ending.UNREADABLE if done.errors else 0


def _sentence(out: str, done: Fleet) -> str:
    """Return what was done."""
    from analyzer.fleet.storage import named

    name = printable(named(out)[1])
    left = f"; {_count(done.left, 'file')} of no point left out" if done.left else ""
    return (
        f"{name}: {done.done:,} of {_count(done.points, 'point')} done, {_count(done.flows, 'flow')}; "
        f"read now: {_count(done.files, 'file')}, {done.octets / MIB:,.1f} MiB{left}"
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


class Bar:
    """A bar on standard error, where that is a terminal: points, bytes, and the time that is left."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._bar: Any = None
        self._task: Any = None
        self._told = False
        self._lock = threading.Lock()

    def __enter__(self) -> Bar:  # noqa: PYI034 - no subclass
        """Return the bar."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, state: Progress) -> None:
        """Show how far it has come."""
        if state.dashboard and not self._told:
            self._told = True
            manner.detail(f"dashboard: {state.dashboard}")
        # once there is a bar, rich before 15 has put a stream of its own there, which is no terminal
        if self._bar is None and (manner.Manner.quiet or not sys.stderr.isatty()):
            return
        with self._lock:
            if self._bar is None:
                self._begin(state)
            points = f"{state.points_done:,}/{state.points:,} points"
            self._bar.update(self._task, completed=state.octets_read, total=state.octets, points=points)

    def _begin(self, state: Progress) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.fields[points]}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=state.octets, points="")
        self._bar.start()
