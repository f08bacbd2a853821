"""What is written of flows, some at a time: JSON lines, JSON or tables, by this process and by one beside it.

Most of what an export costs is Python, which one process runs on one processor. So of a large capture some flows go to
a second process; which of both has time makes the next text. Texts come in order, and are the same whoever made them:
if the second process fails, the first makes what it owes, and says why the other failed.

This module must not know what is in a text.
"""

from __future__ import annotations

import os
import signal
import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from analyzer.cli import manner
from analyzer.cli.behind import made_behind
from analyzer.loops import choice
from analyzer.report.bulk import JsonWriter
from analyzer.report.csv_text import CsvWriter
from analyzer.report.tables import Told
from analyzer.survey.overview import CaptureSummary

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from analyzer.together import FlowsTogether
    from analyzer.untyped import Foreign, PassedOn

    Some = tuple[FlowsTogether, NDArray[Any] | None]
    """Flows, and the places that put them in the order wanted, if they are not."""

WORTH_OCTETS: Final = 256 << 20
"""From so much on a second process is worth the half second that it takes to start."""
GIVEN: Final = 2
"""So often it is given flows before it has returned a text: one to work on, and the next."""
WAITING: Final = 3
"""This many texts, and flows, may wait for one before them."""
SIZE: Final = 8
"""Octets of a length."""
LEAVE_S: Final = 1.0
"""How long to wait for a process that has been told to end."""


class Texts:
    """Makes one form of text: ``jsonl``, ``json``, or one of the tables of CSV; or Arrow tables, for ``parquet``."""

    def __init__(self, form: str, captures: list[CaptureSummary], *, several: bool = False) -> None:
        """Begin; ``several`` says whether flows name their capture."""
        self.form = form
        self.several = several
        self.captures = captures
        self._table = None if form in {"json", "jsonl", "parquet"} else CsvWriter(form)
        self._told = Told()
        self._json = JsonWriter(captures, several=several)

    @property
    def header(self) -> str:
        """What stands before all texts."""
        return "" if self._table is None else self._table.header

    @property
    def found(self) -> Counter[str]:
        """In how many of the flows that were written as JSON each finding is."""
        return self._json.found

    def later(self, flows: FlowsTogether, order: NDArray[Any] | None = None) -> Callable[[], Any]:
        """Return what makes the text of flows."""
        start_ns = self.captures[flows.capture].start_ns or 0
        if self.form == "parquet":
            from analyzer.report import tabular

            tables = tabular.arrow_tables(flows, start_ns, order, self._told)
            return lambda: tables
        if self._table is not None:
            return self._table.rows(flows, start_ns)
        return self._json.lines(flows) if order is None else self._json.page(flows, order)

    def of(self, some: Iterable[Some], *, at_once: bool = False, octets: int = 0) -> Iterator[Any]:
        """Yield the texts of flows, in order; ``at_once`` waits for no next ones.

        ``octets`` is how large the captures are.
        """
        if (
            at_once
            or octets < WORTH_OCTETS
            or (os.cpu_count() or 1) == 1
            or not (choice.jit_allowed() and choice.kept())
        ):
            yield from made_behind((self.later(*each) for each in some), at_once=at_once)
            return
        from concurrent.futures import ThreadPoolExecutor

        waiting: deque[tuple[Future[Any], Some | None]] = deque()
        with _Helper(self) as helper, ThreadPoolExecutor(1, thread_name_prefix="keepalive-behind") as thread:
            for each in some:
                is_given = helper.is_free
                made: Future[Any] = helper.ask(*each) if is_given else thread.submit(self.later(*each))
                waiting.append((made, each if is_given else None))
                while waiting and (len(waiting) > WAITING or waiting[0][0].done()):
                    yield self._text(*waiting.popleft())
            while waiting:
                yield self._text(*waiting.popleft())

    def _text(self, made: Future[Any], given: Some | None) -> PassedOn:
        """Return a text when it is made; of flows that were given away it is made here if there it failed."""
        if given is None:
            return made.result()
        try:
            text, found = made.result()
        except _HelperError as failure:
            if str(failure):
                manner.warn(f"a second process that helps to write failed ({failure}): this one writes alone")
            return self.later(*given)()
        self.found.update(found)
        return text


class _HelperError(Exception):
    """The second process makes no more texts; says why, the first time."""


class _Helper:
    """A process that makes texts, in the order in which it is given flows."""

    def __init__(self, texts: Texts) -> None:
        """Start it."""
        from concurrent.futures import ThreadPoolExecutor
        from multiprocessing import get_context

        from analyzer.cli.reading import imports_from_elsewhere

        context = get_context("spawn")
        self._texts = texts
        self._ours, theirs = socket.socketpair()
        self._given = 0
        self._failed = False
        self._why = ""
        self._process = context.Process(target=_help, args=(theirs, texts.form, texts.several), daemon=True)
        try:
            with imports_from_elsewhere():
                self._process.start()
        except OSError as error:  # no more processes may be had here
            self._failed = True
            manner.detail(f"no second process helps to write: {error.strerror or type(error).__name__}")
        theirs.close()
        # what sends waits until the process has time, and what receives until it is done
        self._sends = ThreadPoolExecutor(1, thread_name_prefix="keepalive-sends")
        self._receives = ThreadPoolExecutor(1, thread_name_prefix="keepalive-receives")

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever it does."""
        if self._process.pid is not None:
            self._process.terminate()
            self._process.join(LEAVE_S)
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)  # whoever waits at it goes on
        self._ours.close()
        self._sends.shutdown(wait=False, cancel_futures=True)
        self._receives.shutdown(wait=False, cancel_futures=True)

    @property
    def is_free(self) -> bool:
        """Whether it can be given flows."""
        return self._given < GIVEN and not self._failed

    def ask(self, flows: FlowsTogether, order: NDArray[Any] | None) -> Future[tuple[Any, dict[str, int]]]:
        """Give it flows; return what will be their text, and in how many of them each finding is."""
        self._given += 1
        self._sends.submit(self._send, flows, order)
        return self._receives.submit(self._receive)

    def _send(self, flows: FlowsTogether, order: NDArray[Any] | None) -> None:
        known = self._texts.captures[flows.capture]
        capture = CaptureSummary([], start_ns=known.start_ns, parts=list(known.parts))
        try:
            _put(self._ours, (capture, flows.alone(), order))
        except Exception as error:  # noqa: BLE001 - whatever it is, the text is made here, and who waits for it goes on
            self._why = self._why or _said(error)
            with suppress(OSError):
                self._ours.shutdown(socket.SHUT_RDWR)

    def _receive(self) -> tuple[Any, dict[str, int]]:
        try:
            text, found, wrong = _got(self._ours)
        except Exception as error:
            raise self._no_more(self._why or self._how_it_ended() or _said(error)) from error
        finally:
            self._given -= 1
        if wrong:
            raise self._no_more(wrong)
        return text, found

    def _no_more(self, why: str) -> _HelperError:
        """Note that no more texts come, and return the error; the first has the reason."""
        is_known, self._failed = self._failed, True
        return _HelperError("" if is_known else why)

    def _how_it_ended(self) -> str:
        """Say how the process ended, if it has by itself."""
        self._process.join(LEAVE_S)
        status = self._process.exitcode
        return "" if status is None else f"it ended with status {status}"


def _put(way: socket.socket, what: Foreign) -> None:
    """Send something: how long it is, then it."""
    from multiprocessing.reduction import ForkingPickler

    octets = ForkingPickler.dumps(what)
    way.sendall(len(octets).to_bytes(SIZE, "little"))
    way.sendall(octets)


def _got(way: socket.socket) -> PassedOn:
    """Receive it, in as few calls as will do: after each a thread has to wait for Python's lock.

    Raises:
        EOFError: nothing more comes.
    """
    from multiprocessing.reduction import ForkingPickler

    octets = bytearray(SIZE)
    for size in (SIZE, 0):
        view = memoryview(octets)
        while view:
            count = way.recv_into(view, 0, socket.MSG_WAITALL)
            if not count:
                raise EOFError
            view = view[count:]
        if size:
            octets = bytearray(int.from_bytes(octets, "little"))
    return ForkingPickler.loads(octets)


def _help(pipe: socket.socket, form: str, several: bool) -> None:  # noqa: FBT001 - as a process takes it
    """Make texts of the flows that come, until no more do; an error ends it, is told, and who waits makes the text."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is asked to stop ends us
    captures: list[CaptureSummary] = []
    texts = Texts(form, captures, several=several)
    with pipe, suppress(EOFError, OSError):  # nobody asks any more
        while True:
            try:
                capture, flows, order = _got(pipe)
                captures += [capture] * (flows.capture + 1 - len(captures))
                captures[flows.capture] = capture
                made = texts.later(flows, order)(), dict(texts.found), ""
            except (EOFError, OSError):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the first process is told
                _put(pipe, (None, {}, _said(error)))
                return
            _put(pipe, made)
            texts.found.clear()


def _said(error: Exception) -> str:
    """Return an error on one line: its kind, and what it says."""
    return ": ".join(filter(None, [type(error).__name__, *str(error).splitlines()[:1]]))
