"""Reads the captures that were named: the others still if one cannot be read, with a progress bar if it takes long."""

from __future__ import annotations

import os
import shlex
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows, read_into
from analyzer.capture.ahead import nothing
from analyzer.capture.rotation import in_folders, series_of
from analyzer.capture.source import is_stream
from analyzer.cli import manner
from analyzer.cli.manner import complain, warn
from analyzer.cli.options import files, keylog, limits, selection
from analyzer.errors import AnalyzerError, CaptureError
from analyzer.loops import choice, notices
from analyzer.loops.choice import finish, jit_allowed, ready
from analyzer.report.screen import printable
from analyzer.units import Clock

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from analyzer.capture.rotation import RotatedReader
    from analyzer.survey.selection import Selection
    from analyzer.together import FlowsTogether
    from analyzer.track.held import Limits

MOST_JOINED: Final = 10
"""Of more captures nobody looks for those that hold the same connections."""
PATIENCE_S: Final = 1.0
"""What takes less needs no bar."""

EVERY_S: Final = 0.1
"""This often it is looked how much is compiled."""

WORTH_PROCESSES: Final = 32 << 20
"""From so many bytes on, capture points are read in processes of their own; a process takes half a second to start."""

SAFE_PATH: Final = "PYTHONSAFEPATH"
"""Environment variable with which Python, multiprocessing's helpers too, does not import from the current folder."""


class NothingReadError(AnalyzerError):
    """None of the captures could be read; why, was said for each."""


COMPILING: Final = "compiling for this machine: about five seconds, only once"


class Progress:
    """A bar on stderr, when that is a terminal and reading takes more than a second.

    It appears by itself, from a thread: the first segments may be long in coming, from a pipe, or while loops are
    compiled for the first time, which is said, terminal or not.
    """

    def __init__(self, path: str, *, wanted: bool = True) -> None:
        """Start the clock; where it is not ``wanted``, nothing is ever drawn."""
        self.path = path
        self._since_s = time.monotonic()
        self._bar: Any = None
        self._task: Any = None
        self._drawn = wanted and sys.stderr.isatty() and not manner.Manner.quiet
        self._over = threading.Event()
        self._timer = threading.Timer(PATIENCE_S, self._start)

    def __enter__(self) -> Self:
        """Return the bar; nothing is drawn yet."""
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._timer.cancel()
        self._over.set()
        self._timer.join()
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, source: RotatedReader, frames: int) -> None:
        """Show how far reading has come; a part of the series that does not go on begins anew."""
        if source.path != self.path:
            self.path, self._since_s = source.path, time.monotonic()
            if self._bar is not None:
                self._bar.update(self._task, description=printable(self.path))
        if self._bar is not None:
            rate = frames / max(time.monotonic() - self._since_s, 1e-9)
            self._bar.update(self._task, completed=source.bytes_read, total=source.size, rate=f"{rate:,.0f} packets/s")

    def _start(self) -> None:
        if choice.progress() is not None:
            warn(COMPILING)
        if not self._drawn:
            return
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
        self._show_compiling()

    def _show_compiling(self) -> None:
        """Show how much is compiled, as long as something is."""
        compiled = None
        while (now := choice.progress()) is not None and not self._over.wait(EVERY_S):
            if now != compiled:
                compiled = now
                self._bar.update(self._task, rate=f"compiled {now[0]} of {now[1]} loops")


def read_all(
    options: argparse.Namespace,
    *,
    keep_all: bool,
    most: int | None = None,
    count_findings: bool = False,
    meanwhile: Callable[[], object] = nothing,
) -> Analysis:
    """Read every capture and return the analysis; several large capture points are read side by side.

    ``most`` bounds how many flows of each rank are kept of those with something to say; lines are left of the others,
    whose findings are counted as they finish if ``count_findings`` says so. ``meanwhile`` is called while the first
    packets are read, if that takes long enough for a thread of its own.

    Raises:
        NothingReadError: not one could be read.
    """
    todo = all_series(options)
    result = Analysis(
        keep_all=keep_all,
        most=None if keep_all else most,
        select=selection(options),
        limits=limits(options),
        only_findings=options.only_findings,
        count_findings=count_findings and not keep_all,
        clock=Clock(getattr(options, "time", Clock.RELATIVE.value)),
        alone=sum(map(len, todo)) == 1,  # files of one series may turn out to be points of one traffic
    )
    secrets = keylog(options) if getattr(options, "dissect", False) else None
    refused = _refusing(options)
    # another process cannot open a stream, and does not know which number its captures have among all
    here = any(is_stream(series[0]) for series in todo) or bool(result.select.flows)
    if len(todo) > 1 and not here and sum(map(octets_of, todo)) >= WORTH_PROCESSES:
        _side_by_side(options, result, todo, refused)
    else:
        for series in todo:
            with Progress(series[0]) as progress, _timed(result):
                read_into(
                    result, series, reader=options.reader, refused=refused, progress=progress, meanwhile=meanwhile
                )
    if not result.captures:
        raise NothingReadError
    result.compare_heartbeats()
    if getattr(options, "dissect", False):
        _name_heartbeats(result, secrets)
    return result


def _name_heartbeats(result: Analysis, secrets: str | None) -> None:
    """Have tshark say which protocols heartbeats are of, and read farewells, if there are any; say what kept it."""
    if next(result.beating(), None) is None and next(result.parting(), None) is None:
        return
    from analyzer.dissecting import name_heartbeats

    for sentence in name_heartbeats(result, secrets):
        warn(f"note: {sentence}")


def all_series(options: argparse.Namespace) -> list[list[str]]:
    """Return what to read, in series of rotated files."""
    found = in_folders(files(options))
    return [[path] for path in found] if options.separate else series_of(found)


def _refusing(options: argparse.Namespace) -> Callable[[AnalyzerError], None]:
    """Return what says which captures cannot be read, and leaves those that were named in ``options.unread``."""
    named = set(files(options))
    options.unread = []

    def refused(error: AnalyzerError) -> None:
        complain(str(error))
        if isinstance(error, CaptureError) and error.path in named:
            options.unread.append(error.path)

    return refused


@contextmanager
def _timed(result: Analysis) -> Iterator[None]:
    """Say, if asked to be verbose, what was read meanwhile and how long it took."""
    if not manner.Manner.verbose:
        yield
        return
    since_s, before = time.monotonic(), len(result.captures)
    yield
    took_s = time.monotonic() - since_s
    for capture in result.captures[before:]:
        manner.detail(
            f"{capture.name}: {capture.format}, {capture.frames:,} packets, {capture.tcp_segments:,} TCP segments, "
            f"read in {took_s:.2f} s"
        )


def octets_named(options: argparse.Namespace) -> int:
    """Return how large the captures are that were named; 0 where only few of their flows are wanted."""
    return 0 if options.limit else sum(map(octets_of, all_series(options)))


def octets_of(series: list[str]) -> int:
    """Return how large the files of a series are; 0 for what cannot be asked."""
    try:
        return sum(Path(path).stat().st_size for path in series)
    except OSError:
        return 0


def _side_by_side(
    options: argparse.Namespace, result: Analysis, todo: list[list[str]], refused: Callable[[AnalyzerError], None]
) -> None:
    """Read series of files in processes of their own, and take over what they found in the order of the series."""
    given = (options.reader, result.keep_all, result.most, result.select, result.only_findings)
    work = [(*given, result.counts_findings, result.limits, series) for series in todo]
    # costs nothing of a report of one capture: here alone are these needed
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    processes = min(len(todo), os.cpu_count() or 1)
    with Progress(todo[0][0], wanted=False):
        if jit_allowed() and ready():  # once, for all of them
            finish()
    with imports_from_elsewhere(), ProcessPoolExecutor(processes, get_context("spawn")) as pool, _ended_early():
        for part, errors, told in pool.map(_in_process, work):
            for sentence in told:
                notices.tell(sentence)
            for path, sentence in errors:
                refused(_RefusedError(path, sentence))
            result.merge(part)


@contextmanager
def _ended_early() -> Iterator[None]:
    """Let nobody wait for processes whose work is not wanted any more."""
    try:
        yield
    except BaseException:
        from multiprocessing import active_children

        for process in active_children():
            process.terminate()
        raise


@contextmanager
def imports_from_elsewhere() -> Iterator[None]:
    """Let no process that is started meanwhile import from the current folder, where others may have put modules."""
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before


def _in_process(
    work: tuple[str, bool, int | None, Selection, bool, bool, Limits, list[str]],
) -> tuple[Analysis, list[tuple[str, str]], list[str]]:
    """Read one series of files; return the analysis, what could not be read and why, and what to say of loops."""
    reader, keep_all, most, select, only, counting, limits_, series = work
    result = Analysis(
        keep_all=keep_all, most=most, select=select, only_findings=only, count_findings=counting, limits=limits_
    )
    errors: list[AnalyzerError] = []
    read_into(result, series, reader=reader, refused=errors.append)
    return result, [(getattr(error, "path", ""), str(error)) for error in errors], notices.told()


class _RefusedError(CaptureError):
    """What another process could not read, in its words."""

    def __str__(self) -> str:
        """Return the sentence as it came."""
        return self.reason


def stream_all(options: argparse.Namespace, result: Analysis) -> Iterator[FlowsTogether]:
    """Read every capture, yielding flows as they finish, some at a time, and keeping none.

    There is no bar where the flows scroll by on the same terminal.

    Raises:
        NothingReadError: not one could be read.
    """
    refused = _refusing(options)
    for series in all_series(options):
        with Progress(series[0], wanted=not sys.stdout.isatty()) as progress, _timed(result):
            flows = read_flows(series, result, reader=options.reader, refused=refused, progress=progress)
            for capture, batch in flows:
                yield from result.pass_through(capture, batch, wait=not is_stream(series[0]))
            yield from result.passed()
    if not result.captures:
        raise NothingReadError


def say_warnings(result: Analysis) -> None:
    """Say on stderr what is wrong with the captures, and which of them should be joined."""
    for capture in result.captures:
        for warning in capture.warnings:
            warn(f"warning: {capture.name}: {warning}")
    say_same_traffic(result)


def say_same_traffic(result: Analysis) -> None:
    """Say on stderr which captures are of the same traffic."""
    if len(result.captures) < MOST_JOINED and (same := result.same_traffic()):
        if any(is_stream(path) for capture in same for path in capture.paths):
            return  # nothing can be read of that once more
        names = " ".join(shlex.quote(capture.paths[0]) for capture in same)
        warn(
            "note: these captures hold the same connections, each of which counts in every capture here; joined, they"
            f" tell each once: keepalive join {names}"
        )
