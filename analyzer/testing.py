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
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar

from analyzer import explain
from analyzer.capture.tap import loopback_name, real_sockets
from analyzer.findings import CODES
from analyzer.judge.verdict import Verdict
from analyzer.output import whole
from analyzer.report.screen import Screen, printable
from analyzer.report.story_text import story as story_lines
from analyzer.survey.selection import checked_ports
from analyzer.watching import Watching, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from analyzer.analysis import Analysis
    from analyzer.analysis import Flow as AnalysisFlow
    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.record import Fin, Probe, Reset
    from analyzer.track.flow import Side

TIMEOUT_S: Final = 10.0
STORIES: Final = 5
LOOK_S: Final = 0.05
"""While waiting, time is looked at this often too: silence is an event."""
SCREEN: Final = Screen(width=110)
FIRST_PORT: Final = 20_000
SHARE: Final = 100
WORKERS: Final = 100
"""Workers get so many ports each, and no more workers than this are told apart."""


class Word(str):
    """A verdict that can tell the story of its flow, for when a comparison with it fails."""

    __slots__ = ("flow",)
    flow: CapturedFlow

    def __new__(cls, text: str, flow: CapturedFlow) -> Self:
        """Return the word, with its flow."""
        word = super().__new__(cls, text)
        word.flow = flow
        return word


class ToldError(AssertionError):
    """What was expected of a flow is not so; the message ends with the story of it, which need not be told again."""

    def __init__(self, message: str, told: Iterable[CapturedFlow]) -> None:
        """Keep what is wrong, and the flows whose stories the message has."""
        super().__init__(message)
        self.told = frozenset(flow.number for flow in told)


Frame = TypeVar("Frame", bound="Probe | Fin | Reset")


class Counted(tuple[Frame, ...]):
    """Some probes, FINs or RSTs of a flow; as text, how many they are and where.

    Beside a number it is compared as how many it has: ``flow.probes_after_fin == 0`` holds where there are none.
    """

    __slots__ = ()
    name = "frame"
    names = "frames"

    def __repr__(self) -> str:
        """Say how many, and their frames."""
        if not self:
            return f"<no {self.names}>"
        frames = ", ".join(str(each.frame) for each in self[:8])
        return (
            f"<{len(self)} {self.name if len(self) == 1 else self.names}: frame {frames}{' ...' if self[8:] else ''}>"
        )

    def __eq__(self, other: object) -> bool:
        """Compare with a number, or with others of its kind."""
        return len(self) == other if isinstance(other, int) else super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        """Say whether it is not equal."""
        return not self == other

    def __hash__(self) -> int:
        """Return what a tuple has."""
        return super().__hash__()

    def __lt__(self, other: object) -> bool:
        """Compare with a number: fewer than so many."""
        return len(self) < _number(other)

    def __le__(self, other: object) -> bool:
        """Compare with a number: so many at most."""
        return len(self) <= _number(other)

    def __gt__(self, other: object) -> bool:
        """Compare with a number: more than so many."""
        return len(self) > _number(other)

    def __ge__(self, other: object) -> bool:
        """Compare with a number: so many at least."""
        return len(self) >= _number(other)


def _number(other: object) -> int:
    """Return what some frames are compared with.

    Raises:
        TypeError: it is no number of frames.
    """
    if isinstance(other, int):
        return other
    if isinstance(other, Counted):
        return len(other)
    raise TypeError(f"how many frames there are is compared with a number, not with {other!r}")


class Probes(Counted["Probe"]):
    """Some probes of a flow."""

    __slots__ = ()
    name, names = "probe", "probes"


class Fins(Counted["Fin"]):
    """The FINs of a flow."""

    __slots__ = ()
    name, names = "FIN", "FINs"


class Resets(Counted["Reset"]):
    """The RSTs of a flow."""

    __slots__ = ()
    name, names = "RST", "RSTs"


class CapturedFlow:
    """One connection, as a test asks about it."""

    def __init__(self, flow: AnalysisFlow) -> None:
        """Take a flow of an analysis."""
        self._flow = flow

    def __repr__(self) -> str:
        """Name the flow and its verdict."""
        record = self.judged.record
        return f"<flow {record.number} {record.a} - {record.b}: {self._flow.verdict}>"

    @cached_property
    def judged(self) -> JudgedFlow:
        """Everything there is to know of it."""
        return self._flow.judged

    @property
    def number(self) -> int:
        """Its number among the flows of the capture, from 0."""
        return self._flow.number

    @property
    def verdict(self) -> str:
        """How it ended: one of the words of ``keepalive rules``, such as ``closed`` or ``half_closed``."""
        return Word(self._flow.verdict, self)

    @property
    def ended_by(self) -> str | None:
        """Who ended it: ``client``, ``server``, ``a`` or ``b`` if no handshake was seen, ``between``, or None."""
        by = self.judged.ending.by
        return self._role(by) if by in ("a", "b") else by

    @property
    def probes(self) -> Probes:
        """All keepalive probes."""
        return Probes(self.judged.record.probes)

    @property
    def probes_after_fin(self) -> Probes:
        """The probes that came after a FIN: keepalive that keeps a half-closed connection."""
        return Probes(self.judged.record.probes_after_fin)

    @property
    def unanswered_probes(self) -> Probes:
        """The probes that nothing answered."""
        return Probes(probe for probe in self.judged.record.probes if probe.answer is None)

    @property
    def fins(self) -> Fins:
        """The FINs."""
        return Fins(self.judged.record.fins)

    @property
    def resets(self) -> Resets:
        """The RSTs."""
        return Resets(self.judged.record.resets)

    @property
    def findings(self) -> tuple[str, ...]:
        """The codes of what was found, such as ``close-wait-held-by-keepalive``."""
        return tuple(finding.code for finding in self.judged.findings)

    @property
    def states(self) -> dict[str, str]:
        """The derived states, by role: ``{"client": "FIN-WAIT-2", "server": "CLOSE-WAIT"}``."""
        a, b = self.judged.record.states
        return {self._role("a"): a.value, self._role("b"): b.value}

    @property
    def headline(self) -> str:
        """What happened, in a sentence."""
        return explain.headline(self.judged, self._start_ns)

    @property
    def story(self) -> str:
        """What happened, in words, with frame numbers."""
        return "\n".join(story_lines(self.judged, self._start_ns, SCREEN, live=True)).rstrip()

    def assert_verdict(self, *words: str) -> None:
        """Fail with the story unless the flow ended in one of these ways.

        Raises:
            ValueError: a word is no verdict.
            AssertionError: it ended otherwise.
        """
        __tracebackhide__ = True
        known = [verdict.value for verdict in Verdict]
        if unknown := [word for word in words if word not in known]:
            raise ValueError(f"no verdict is called {' or '.join(unknown)}; the verdicts are {', '.join(known)}")
        if self._flow.verdict not in words:
            raise self._told(f"the flow is {self._flow.verdict}, not {' or '.join(words)}")

    def assert_closed(self) -> None:
        """Fail with the story unless both ends sent FIN."""
        __tracebackhide__ = True
        self.assert_verdict("closed")

    def assert_no_probes_after_fin(self) -> None:
        """Fail with the story if keepalive went on after one end had closed."""
        __tracebackhide__ = True
        if probes := self.probes_after_fin:
            raise self._told(f"{probes!r} after a FIN")

    def assert_probes(self, *, at_least: int = 1) -> None:
        """Fail with the story if keepalive was not seen to work, with answered probes."""
        __tracebackhide__ = True
        answered = len(self.probes) - len(self.unanswered_probes)
        if answered < at_least:
            raise self._told(f"{answered} answered probes, expected at least {at_least}")

    def assert_no_finding(self, *codes: str) -> None:
        """Fail with the story if something of these was found; without codes, if anything was.

        Raises:
            ValueError: a code is no finding's.
            AssertionError: something was found.
        """
        __tracebackhide__ = True
        if unknown := [code for code in codes if code not in CODES]:
            raise ValueError(f"no finding is called {' or '.join(unknown)}; keepalive rules lists them")
        if met := [code for code in self.findings if not codes or code in codes]:
            raise self._told(f"found {', '.join(met)}")

    def _told(self, what: str) -> ToldError:
        """Return the error that says what is wrong, and tells the story."""
        return ToldError(f"{what}\n\n{self.story}", [self])

    def has_port(self, port: int | None) -> bool:
        """Say whether one end has this port; None is any."""
        record = self.judged.record
        return port is None or port in (record.a.port, record.b.port)

    @property
    def _start_ns(self) -> int:
        return self._flow.analysis.start_ns(self._flow.capture)

    def _role(self, side: Side | str) -> str:
        initiator = self.judged.record.initiator
        if initiator is None:
            return side
        return "client" if side == initiator else "server"


EVENTS: Final[dict[str, Callable[[CapturedFlow], int]]] = {
    "flow": lambda flow: 1,  # noqa: ARG005
    "established": lambda flow: all(end.ack_frame for end in (flow.judged.record.facts_a, flow.judged.record.facts_b)),
    "data": lambda flow: flow.judged.record.facts_a.payload_bytes + flow.judged.record.facts_b.payload_bytes > 0,
    "probe": lambda flow: len(flow.probes),
    "answer": lambda flow: len(flow.probes) - len(flow.unanswered_probes),
    "probe_after_fin": lambda flow: len(flow.probes_after_fin),
    "fin": lambda flow: len(flow.fins),
    "rst": lambda flow: len(flow.resets),
    "reset": lambda flow: len(flow.resets),
}
"""What ``wait_for`` knows by name, besides the verdicts; each counts how often it happened in a flow."""


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
