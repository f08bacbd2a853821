"""``watch(interface)``: what ``analyze`` does for a file, for an interface, while packets come.

    with analyzer.watch("lo", ports=[4001]) as watching:
        for _ in watching.run(every_s=1):
            print(watching.view().totals)
    print(watching.result.flows)

Captures in whichever thread runs ``run``; ``view``, ``stop`` and ``close`` may be called from any other.

A busy interface needs compiled loops. They take some five seconds to compile, once; until they are there (another
process compiles them meanwhile) plain ones do what they can, some 30,000 packets/s, and the ring in the kernel holds a
few seconds of the rest.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from analyzer.analysis import Analysis
from analyzer.analyzing import SYN, analyze
from analyzer.capture.live_reader import LiveReader
from analyzer.capture.tap import loopback_name
from analyzer.intake import Intake
from analyzer.loops import machine, versions
from analyzer.loops.choice import finish, jit_allowed, ready
from analyzer.loops.elsewhere import started
from analyzer.loops.notices import tell
from analyzer.survey.overview import CaptureSummary

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from analyzer.segment import SegmentBatch
    from analyzer.survey.selection import Selection
    from analyzer.track.batch import FlowBatch

BUSY: Final = 3000
"""Frames in a second from which compiled loops are worth waiting for."""
SELDOM: Final = 3
"""This many times as long as somebody looked, nobody looks again."""
SWEEP_S: Final = 30.0
MARK: Final = "live"
"""What the cache has once all loops of a live capture are in it."""
NOT_COMPILED: Final = "this watch goes on with plain loops, which read some 30,000 packets/s: none could be compiled"


class Watching:
    """An interface being watched: a context manager."""

    def __init__(
        self, reader: LiveReader, *, select: Selection | None = None, keep_all: bool = True, eager: bool = False
    ) -> None:
        """Take a reader that is capturing; ``eager`` starts with compiled loops if they are there."""
        self.reader = reader
        self.result = Analysis(keep_all=keep_all, select=select)
        """The flows that are over; all of them, once the watch has ended."""
        self.summary = CaptureSummary([reader.path])
        self.result.captures.append(self.summary)
        self._intake = Intake(self.summary, reader)
        self._lock = threading.Lock()
        self._finished = False
        self.see: Callable[[FlowBatch], None] | None = None
        """What else gets the flows that are over, as they are handed over; called by who runs this."""
        self._gear = _Gear(reader, eager=eager)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, every_s: float = 0.25) -> Iterator[None]:
        """Capture until ``stop``; yields about every ``every_s``, so that the caller may look.

        A slow caller, who has much to look at, is called less often: packets do not wait.
        """
        yielded_s = swept_s = time.monotonic()
        wait_s = every_s
        for batch in self.reader.batches(every_s):
            with self._lock:
                self._take(self._intake.feed(batch))
                now_s = time.monotonic()
                if now_s - swept_s > SWEEP_S:
                    swept_s = now_s
                    self._take(self._intake.sweep())
            self._gear.consider(batch, now_s)
            if now_s - yielded_s >= wait_s:
                yield
                yielded_s = time.monotonic()
                wait_s = max(every_s, SELDOM * (yielded_s - now_s))

    def _take(self, flows: FlowBatch | None) -> None:
        """Keep flows that are over."""
        self.result.add(0, flows)
        if flows is not None and self.see is not None:
            self.see(flows)

    def view(self, now_ns: int | None = None) -> Analysis:
        """Return all flows as they stand, judged as if the capture ended now."""
        now_ns = time.time_ns() if now_ns is None else now_ns
        with self._lock:
            if self._finished:
                return self.result
            return self.result.with_live(0, self._living(now_ns))

    def living(self) -> FlowBatch | None:
        """Return the flows that live as they stand, as if the capture ended now; None once it has."""
        with self._lock:
            return None if self._finished else self._living(time.time_ns())

    def _living(self, now_ns: int) -> FlowBatch | None:
        flows = self._intake.snapshot()
        return None if flows is None else replace(flows, end_ns=max(flows.end_ns, now_ns))

    def catch_up(self, at_most_s: float = 1.0) -> bool:
        """Wait until everything that the kernel has seen so far was fed; say whether that came to be."""
        deadline_s = time.monotonic() + at_most_s
        wanted = self.reader.look()
        while self.summary.frames < wanted - self.reader.lost:
            if time.monotonic() > deadline_s or self._finished:
                return False
            time.sleep(0.002)
        return True

    def stop(self) -> None:
        """Make ``run`` end, after what was sent so far; harmless when repeated."""
        self.reader.stop()

    def finish(self, *, until_now: bool = False) -> Analysis:
        """End the watch, when ``run`` has ended, and return what it showed.

        As in a file the capture ends with its last frame, so that the same packets read again give the same;
        ``until_now`` counts the silence since then too.
        """
        with self._lock:
            if not self._finished:
                self._finished = True
                for batch in self._intake.close(time.time_ns() if until_now else -1):
                    self._take(batch)
        self.close()
        return self.result

    def close(self) -> None:
        """Let go of the interface."""
        self._gear.close()
        self.reader.close()


def watch(  # noqa: PLR0913 - a capture has as many properties
    interface: str | None = None,
    *,
    filter_text: str = "",
    ports: Sequence[int] = (),
    snaplen: int | None = None,
    write: str | None = None,
    limit: int | None = None,
    select: Selection | None = None,
    keep_all: bool = True,
    eager: bool = False,
) -> Watching:
    """Start to watch an interface (loopback unless told otherwise); everything sent after this returns is seen.

    ``filter_text`` is a pcap-filter(7) expression, ``ports`` narrows it to TCP from or to these; ``write`` keeps the
    packets in a pcap file, ``limit`` ends after so many packets.

    Raises:
        LiveCaptureError: the interface or the filter is wrong.
        CaptureNotPermittedError: with what would allow it.
        CaptureError: the file cannot be written.
    """
    reader = LiveReader(
        interface or loopback_name(), filter_text=filter_text, ports=ports, snaplen=snaplen, write=write, limit=limit
    )
    try:
        return Watching(reader, select=select, keep_all=keep_all, eager=eager)
    except BaseException:
        reader.close()
        raise


class _Gear:
    """Changes a watch to compiled loops when it gets busy."""

    def __init__(self, reader: LiveReader, *, eager: bool) -> None:
        """Begin; plain unless compiled loops are wanted and at hand."""
        self._reader = reader
        self._frames = 0
        self._since_s = time.monotonic()
        self._child: subprocess.Popen[bytes] | None = None
        self._allowed = jit_allowed()
        if eager and self._allowed and _all_compiled() and ready():
            compile_all()  # loads them: the ring holds what comes meanwhile, but the first batch need not wait
            reader.compile()

    def consider(self, batch: SegmentBatch, now_s: float) -> None:
        """Take a batch into account; between two batches the reader may change."""
        if self._reader.jit or not self._allowed:
            return
        self._frames += batch.frames
        if self._child is not None:
            if self._child.poll() is not None:
                if self._child.returncode:
                    self._allowed = False
                    tell(NOT_COMPILED)
                else:
                    self._change()
                self._child = None
        elif self._frames > BUSY and not _can_compile_elsewhere():
            self._allowed = False
            tell(NOT_COMPILED)
        elif self._frames > BUSY and _all_compiled():
            self._change()
        elif self._frames > BUSY:
            self._child = _compile_elsewhere()
        if now_s - self._since_s > 1:
            self._frames, self._since_s = 0, now_s

    def _change(self) -> None:
        self._allowed = ready()
        if self._allowed:
            self._reader.compile()

    def close(self) -> None:
        """End the process that compiles, if it still does."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait()
            self._child = None


def _can_compile_elsewhere() -> bool:
    """Say whether another process can compile for this one: with a compiler, and a folder to leave it in."""
    return not versions.unfit() and machine.store() is not None


def _all_compiled() -> bool:
    """Say whether all loops of a live capture are in the cache."""
    store = None if versions.unfit() else machine.store()
    return store is not None and store.kept(MARK) is not None


def _compile_elsewhere() -> subprocess.Popen[bytes]:
    """Start a process that fills the cache of compiled loops."""
    store = machine.store()
    environment = {machine.CACHE_VARIABLE: str(store.folder.parent)} if store else {}
    return started("from analyzer.watching import compile_all; compile_all()", environment=environment)


def compile_all() -> None:
    """Run every loop of a live capture once, compiled, so that the cache has it."""
    from analyzer.capture.frame import NOTES, empty_frames
    from analyzer.capture.packet_queue import PacketQueue
    from analyzer.capture.pcap_writer import PcapWriter
    from analyzer.capture.pcapng_writer import PcapngWriter
    from analyzer.capture.ring import index_blocks
    from analyzer.loops.loop import freeze, records

    if not ready():
        sys.exit(1)
    frames, notes = empty_frames(1, jit=True), freeze(records(NOTES, 1, jit=False), NOTES)[0]
    packets = iter([SYN])
    queue = PacketQueue(lambda: next(((packet, 1, len(packet)) for packet in packets), None), 1)
    queue.index(frames, 1, notes, jit=True)
    octets = queue.octets(jit=True)
    with tempfile.TemporaryDirectory() as folder:
        writer = PcapWriter(f"{folder}/one.pcap", 1, snaplen=65535)
        writer.write(octets, queue.view, frames, 1, jit=True)
        writer.close()
        analyze(writer.path, jit=True)
        writer = PcapngWriter(f"{folder}/one.pcapng", 1, snaplen=65535)
        writer.write(octets, queue.view, frames, 1, jit=True)
        writer.close()
    index_blocks.compiled(octets, False, 65536, 1, 0, 0, 0, False, 1, frames, 0, 0, notes)  # noqa: FBT003
    finish()
    if store := machine.store():
        store.keep(MARK, {}, b"")
