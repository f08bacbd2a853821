"""Sniff while a program runs, and ask what happened to its connections; with any test framework, or with none.

    from analyzer.testing import capture

    with capture(port=12345) as packets:
        ...                                     # exercise the server
        packets.wait_for("fin")
    flow = packets.flow(port=12345)
    assert flow.verdict == "closed", flow.story
    assert not flow.probes_after_fin, flow.story

or ``flow.assert_verdict("closed")``, whose message is the story already. The pytest plugin hands out the same
(``analyzer.pytest_plugin``).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from analyzer.capture.tap import loopback_name, real_sockets
from analyzer.captured import EVENTS, CapturedFlow, ToldError
from analyzer.judge.verdict import Verdict
from analyzer.output import whole
from analyzer.report.screen import printable
from analyzer.survey.selection import checked_ports
from analyzer.watching import Watching, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from analyzer.analysis import Analysis

__all__ = ["Capture", "CapturedFlow", "ToldError", "capture", "free_port"]

TIMEOUT_S: Final = 10.0
STORIES: Final = 5
LOOK_S: Final = 0.05
"""While waiting, time is looked at this often too: silence is an event."""
FIRST_PORT: Final = 20_000
SHARE: Final = 100
WORKERS: Final = 100
"""Workers get so many ports each, and no more workers than this are told apart."""


class Capture:
    """A capture that runs beside a test: a context manager."""

    def __init__(
        self,
        port: int | Iterable[int] | None = None,
        *,
        interface: str | None = None,
        filter_text: str = "",
        timeout_s: float = TIMEOUT_S,
        keep: bool = False,
    ) -> None:
        """Prepare; ``keep`` keeps the packets, so that ``save`` can write them."""
        self.interface = interface or loopback_name()
        self.timeout_s = timeout_s
        __tracebackhide__ = True
        self.ports = checked_ports(port)
        self._filter_text = filter_text
        self._folder = tempfile.mkdtemp(prefix="keepalive-") if keep else None
        self._watching: Watching | None = None
        self._thread: threading.Thread | None = None
        self._news = threading.Condition()
        self._broken: BaseException | None = None

    def __enter__(self) -> Self:
        """Start; the first packet that is sent after this is seen.

        Raises:
            CaptureNotPermittedError: with what would allow it.
            LiveCaptureError: the interface or the filter is wrong.
        """
        if self._watching is not None:
            raise RuntimeError("a capture can be used once; make another")
        self._watching = watch(
            self.interface, ports=self.ports, filter_text=self._filter_text, write=self._kept("packets.pcap")
        )
        self._thread = threading.Thread(target=self._run, name="keepalive-capture", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the capture after what was sent so far; what it saw can still be asked. Harmless when repeated."""
        watching, thread = self._watching, self._thread
        if watching is None or thread is None:
            return
        watching.stop()
        if thread is not threading.current_thread():
            thread.join()
        watching.finish(until_now=True)

    def discard(self) -> None:
        """Stop, and delete the packets that were kept."""
        self.stop()
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def flows(self, port: int | None = None) -> list[CapturedFlow]:
        """Return the connections seen so far, in order of their first segment.

        Raises:
            ValueError: ``port`` is no port.
        """
        __tracebackhide__ = True
        checked_ports(port)
        return [flow for flow in map(CapturedFlow, self._look().flows) if flow.has_port(port)]

    def flow(self, port: int | None = None) -> CapturedFlow:
        """Return the one connection of a port (of either end).

        Raises:
            AssertionError: there is none, or more than one.
        """
        __tracebackhide__ = True
        found = self.flows(port)
        if len(found) == 1:
            return found[0]
        where = "" if port is None else f" with port {port}"
        if not found:
            raise ToldError(f"no connection{where} was captured\n\n{self.story()}", self.flows())
        names = "\n".join(map(repr, found))
        raise AssertionError(f"{len(found)} connections{where} were captured; ask flows() for them\n\n{names}")

    def wait_for(
        self,
        what: str | Callable[[CapturedFlow], object],
        *,
        port: int | None = None,
        count: int = 1,
        timeout_s: float | None = None,
    ) -> CapturedFlow:
        """Wait until something has happened in a flow, and return that flow.

        ``what`` is ``flow``, ``established``, ``data``, ``probe``, ``answer``, ``probe_after_fin``, ``fin``, ``rst``,
        a verdict such as ``closed``, or a function that says of a flow whether it is what is waited for. What has
        happened already counts.

        Raises:
            AssertionError: it did not happen in time.
            ValueError: ``what`` is unknown.
        """
        __tracebackhide__ = True
        happened = self._test(what, count)
        limit_s = self.timeout_s if timeout_s is None else timeout_s
        deadline_s = time.monotonic() + limit_s
        while True:
            found = next((flow for flow in self.flows(port) if happened(flow)), None)
            if found is not None:
                return found
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or self._ended:
                break
            with self._news:
                self._news.wait(min(left_s, LOOK_S))
        name = what if isinstance(what, str) else getattr(what, "__name__", "what was waited for")
        times = f" {count} times" if count > 1 else ""
        told = self.flows(port)
        raise ToldError(f"{name}{times} did not happen within {limit_s:g} s\n\n{self.story(port)}", told)

    def story(self, port: int | None = None, *, beside: frozenset[int] = frozenset()) -> str:
        """Return what happened so far, flow by flow, in words; no more than a few flows.

        Flows of the numbers ``beside`` are left out, and so is everything if there is no other.
        """
        watching = self._need()
        flows = [flow for flow in self.flows(port) if flow.number not in beside]
        if beside and not flows:
            return ""
        stories = [flow.story for flow in flows[:STORIES]]
        if more := flows[STORIES:]:
            stories.append("\n".join(["and also:", *map(repr, more[:50])]))
        where = f" of port {', '.join(map(str, self.ports))}" if self.ports else ""
        frames = watching.summary.frames
        head = f"{frames:,} {'packet' if frames == 1 else 'packets'}{where} captured on {self.interface}"
        warnings = [printable(warning) for warning in watching.reader.warnings]
        return "\n\n".join([head, *warnings, *stories])

    def save(self, folder: str | Path, name: str) -> list[Path]:
        """Stop, and write what was captured to ``folder``: the story as text and, if they were kept, the packets."""
        self.stop()
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        written = [target / f"{name}.txt"]
        with whole(written[0], replace=True) as file:
            file.write(f"{self.story()}\n".encode())
        kept = self._kept("packets.pcap")
        if kept is not None and Path(kept).exists():
            written.append(target / f"{name}.pcap")
            with whole(written[1], replace=True) as file, Path(kept).open("rb") as packets:
                shutil.copyfileobj(packets, file)
        return written

    @property
    def started(self) -> bool:
        """Whether it could be started."""
        return self._watching is not None

    @property
    def _ended(self) -> bool:
        return self._thread is None or not self._thread.is_alive()

    def _kept(self, name: str) -> str | None:
        return None if self._folder is None else str(Path(self._folder) / name)

    def _need(self) -> Watching:
        if self._watching is None:
            raise RuntimeError("the capture was not started: use it in a with statement")
        return self._watching

    def _run(self) -> None:
        """Capture, in a thread of its own."""
        try:
            for _ in self._need().run(every_s=LOOK_S):
                with self._news:
                    self._news.notify_all()
        except BaseException as error:  # noqa: BLE001 - it is raised in the test, which asks next
            self._broken = error
        with self._news:
            self._news.notify_all()

    def _look(self) -> Analysis:
        """Return the flows as they are, with all that was sent before this was called."""
        watching = self._need()
        if not self._ended:
            watching.catch_up()
        if self._broken is not None:
            raise self._broken
        return watching.view()

    @staticmethod
    def _test(what: str | Callable[[CapturedFlow], object], count: int) -> Callable[[CapturedFlow], object]:
        if not isinstance(what, str):
            return what
        if what in EVENTS:
            counter = EVENTS[what]
            return lambda flow: counter(flow) >= count
        verdicts = [verdict.value for verdict in Verdict]
        if what not in verdicts:
            raise ValueError(f"no event is called {what}; there are {', '.join([*EVENTS, *verdicts])}")
        return lambda flow: str(flow.verdict) == what


def capture(
    port: int | Iterable[int] | None = None,
    *,
    interface: str | None = None,
    filter_text: str = "",
    timeout_s: float = TIMEOUT_S,
    keep: bool = False,
) -> Capture:
    """Return a capture of TCP from or to a port, or of all packets, to be used in a ``with`` statement.

    Raises:
        ValueError: ``port`` is no port.
    """
    __tracebackhide__ = True
    return Capture(port, interface=interface, filter_text=filter_text, timeout_s=timeout_s, keep=keep)


def free_port() -> int:
    """Return a port of loopback that nobody listens on, another one for each worker of pytest-xdist.

    Ports from the range that outgoing connections are given would be taken by chance; these are below it.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    share = int(worker) % WORKERS if worker.isdigit() else 0
    for _ in range(SHARE):
        port = FIRST_PORT + share * SHARE + next(_turn) % SHARE
        with real_sockets(), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise RuntimeError(f"no port is free from {FIRST_PORT + share * SHARE} on")


_turn = itertools.count()
