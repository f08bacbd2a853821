"""Reads the captures that were named: the others still if one cannot be read, with a progress bar if it takes long."""

from __future__ import annotations

import sys
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
    """A bar on stderr, when that is a terminal and reading takes more than a second."""

    def __init__(self, path: str) -> None:
        """Start the clock."""
        self.path = path
        self._since_s = time.monotonic()
        self._wanted = sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        """Return the bar; nothing is drawn yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, source: CaptureReader, frames: int) -> None:
        """Show how far reading has come."""
        passed_s = time.monotonic() - self._since_s
        if not self._wanted or passed_s < PATIENCE_S:
            return
        if self._bar is None:
            self._start(source)
        self._bar.update(self._task, completed=source.bytes_read, rate=f"{frames / passed_s:,.0f}")

    def _start(self, source: CaptureReader) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rate]} packets/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(printable(self.path), total=source.size, rate="")
        self._bar.start()


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

    Raises:
        NothingReadError: not one could be read.
    """
    for path in files(options):
        try:
            with Progress(path) as progress:
                for capture, batch in read_flows(path, result, reader=options.reader, progress=progress):
                    yield from result.pass_through(capture, batch)
        except AnalyzerError as error:
            warn(str(error))
    if not result.captures:
        raise NothingReadError


def say_warnings(result: Analysis) -> None:
    """Say on stderr what is wrong with the captures, unless the same terminal shows it in the report."""
    for capture in result.captures:
        for warning in capture.warnings:
            warn(f"warning: {warning}")
