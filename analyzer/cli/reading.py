"""Reads the captures that were named: the others still if one cannot be read, with a progress bar if it takes long."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Self

from analyzer.analysis import Analysis, read_flows
from analyzer.cli.options import files, selection, warn
from analyzer.errors import AnalyzerError
from analyzer.report.screen import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from types import TracebackType

    from analyzer.analysis import Flow
    from analyzer.capture import CaptureReader

PATIENCE_S: Final = 1.0
"""What takes less needs no bar."""


class NothingReadError(AnalyzerError):
    """None of the captures could be read; why, was said for each."""


class Progress:
    """A bar on stderr, when that is a terminal and reading takes more than a second.

    It appears by itself, from a thread: the first segments may be long in coming, from a pipe, or while kernels are
    compiled for the first time.
    """

    def __init__(self, path: str, *, wanted: bool = True) -> None:
        """Start the clock; where it is not ``wanted``, nothing is ever drawn."""
        self.path = path
        self._since_s = time.monotonic()
        self._bar: Any = None
        self._task: Any = None
        self._timer = threading.Timer(PATIENCE_S, self._start) if wanted and sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        """Return the bar; nothing is drawn yet."""
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, source: CaptureReader, frames: int) -> None:
        """Show how far reading has come."""
        if self._bar is not None:
            rate = frames / max(time.monotonic() - self._since_s, 1e-9)
            self._bar.update(self._task, completed=source.bytes_read, total=source.size, rate=f"{rate:,.0f} packets/s")

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = bar.add_task(printable(self.path), total=None, rate="")
        bar.start()
        self._bar = bar


def read_all(options: argparse.Namespace, *, keep_all: bool) -> Analysis:
    """Read every capture and return the analysis.

    Raises:
        NothingReadError: not one could be read.
    """
    result = Analysis(keep_all=keep_all, select=selection(options))
    for path in files(options):
        try:
            with Progress(path) as progress:
                for capture, batch in read_flows(path, result, reader=options.reader, progress=progress):
                    result.add(capture, batch)
        except AnalyzerError as error:
            warn(str(error))
    if not result.captures:
        raise NothingReadError
    return result


def stream_all(options: argparse.Namespace, result: Analysis) -> Iterator[Flow]:
    """Read every capture, yielding flows as they finish and keeping none.

    There is no bar where the flows scroll by on the same terminal.

    Raises:
        NothingReadError: not one could be read.
    """
    for path in files(options):
        try:
            with Progress(path, wanted=not sys.stdout.isatty()) as progress:
                for capture, batch in read_flows(path, result, reader=options.reader, progress=progress):
                    yield from result.pass_through(capture, batch)
        except AnalyzerError as error:
            warn(str(error))
    if not result.captures:
        raise NothingReadError


def say_warnings(result: Analysis) -> None:
    """Say on stderr what is wrong with the captures."""
    for capture in result.captures:
        for warning in capture.warnings:
            warn(f"warning: {capture.name}: {warning}")
