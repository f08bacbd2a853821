"""``LiveReader``: an interface as ``SegmentBatch`` after ``SegmentBatch``, like ``reader.CaptureReader`` a file.

From the moment it exists, nothing that passes the filter is missed, unless it comes faster than it can be read; what
the kernel had to drop is counted. ``stop``, from anywhere, ends the batches after what was sent before it.

This module must not know protocols or flows.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from analyzer.capture.bpf import MAX_SNAPLEN
from analyzer.capture.decoder import BATCH_ROWS, Decoder
from analyzer.capture.frame import NOTES, empty_frames, times_of
from analyzer.capture.linktypes import link_name
from analyzer.capture.losses import TimedLosses
from analyzer.capture.pcap_writer import PcapWriter
from analyzer.capture.pcapng_writer import SUFFIX, PcapngWriter
from analyzer.capture.tap import expression, open_tap
from analyzer.loops.choice import jit_wanted
from analyzer.loops.loop import freeze, records
from analyzer.segment import SEGMENT, SegmentBatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

HEADERS: Final = 256
"""Snap length unless frames are kept: all headers, with tunnels and options."""
WHOLE: Final = MAX_SNAPLEN - 4
"""Snap length when they are kept; a VLAN tag that was taken out still fits."""
TICK_S: Final = 0.25
PAUSE_S: Final = 0.01
"""Under load packets are gathered for so long, that a batch is worth its price."""
DRAIN_S: Final = 1.0
"""Longest wait, after a stop, for what the kernel counted but has not handed over."""
DRAIN_POLL_S: Final = 0.005


class LiveReader:
    """A capture in progress: a context manager, and an iterable (once) of batches."""

    def __init__(
        self,
        interface: str,
        *,
        filter_text: str = "",
        ports: Sequence[int] = (),
        snaplen: int | None = None,
        write: str | None = None,
        limit: int | None = None,
        promiscuous: bool = True,
        only_tcp: bool = False,
    ) -> None:
        """Start to capture; ``write`` keeps the packets in a pcap file, ``limit`` ends after so many.

        Raises:
            LiveCaptureError: the interface or the filter is wrong.
            CaptureNotPermittedError: with what would allow it.
            CaptureError: the file cannot be written.
        """
        self.path = interface
        self.start_ns: int | None = None
        """Time of the first frame; None until there is one."""
        self.lost = 0
        """Packets that passed the filter, but which the kernel had to drop."""
        self.taken = 0
        """Packets captured."""
        self._passed = 0
        self._losses = TimedLosses(time.time_ns())
        self.jit = jit_wanted(large=False)
        """Whether the loops in use are compiled; ``compile`` changes it."""
        self.ended = ""
        """Why the capture ended by itself: ``limit`` or ``gone``; empty otherwise."""
        self.writer: PcapWriter | None = None
        snaplen = snaplen or (HEADERS if write is None else WHOLE)
        self._limit = limit
        self._decoder = Decoder()
        self._notes: Any = records(NOTES, 1, jit=self.jit)[0]
        self._frames = empty_frames(BATCH_ROWS, jit=self.jit)
        self._stopping = threading.Event()
        self._in_use = threading.Lock()
        self._closed = False
        wanted = expression(filter_text, ports, only_tcp=only_tcp)
        self._filters = [wanted] if wanted else []
        self._tap = open_tap(
            interface,
            filter_text=filter_text,
            ports=ports,
            snaplen=min(snaplen, WHOLE),
            promiscuous=promiscuous,
            only_tcp=only_tcp,
        )
        try:
            if write is not None:
                self.writer = _writer(write, self._tap.link_type, interface)
            self._wake_end, self._wake = os.pipe()
            os.set_blocking(self._wake, False)
            self._selector = selectors.DefaultSelector()
            self._selector.register(self._tap.fileno, selectors.EVENT_READ)
            self._selector.register(self._wake_end, selectors.EVENT_READ)
        except BaseException:
            self._tap.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[SegmentBatch]:
        """Yield batches as packets come."""
        return self.batches()

    @property
    def format(self) -> str:
        """What the packets would be written as."""
        return "pcap"

    @property
    def link_types(self) -> list[str]:
        """The name of the link type, as tcpdump prints it."""
        return [link_name(self._tap.link_type)]

    @property
    def dropped(self) -> int:
        """The same as ``lost``, as a reader of files calls it."""
        return self.lost

    @property
    def filters(self) -> list[str]:
        """The expression that packets have to pass, if there is one."""
        return self._filters

    @property
    def warnings(self) -> list[str]:
        """Exact sentences about what is wrong with the capture."""
        lost = (
            [f"packets that came faster than they could be read, and are missing: {self.lost:,} of {self._passed:,}"]
            if self.lost
            else []
        )
        file = [f"{self.writer.path}: {self.writer.damage}"] if self.writer and self.writer.damage else []
        return [*self._decoder.notices.sentences(self._notes), *lost, *file]

    def compile(self) -> None:
        """Go on with compiled loops; only between two batches."""
        if self.jit:
            return
        self.jit = True
        self._notes = freeze([self._notes], NOTES)[0]
        self._frames = empty_frames(BATCH_ROWS, jit=True)

    def stop(self) -> None:
        """End the batches after what was sent so far; may be called twice, and from any thread or signal handler."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            os.write(self._wake, b"!")

    def close(self) -> None:
        """Stop, and let go of everything; waits for a batch that is being made in another thread."""
        self.stop()
        with self._in_use:
            if self._closed:
                return
            self._closed = True
            self._selector.close()
            self._tap.close()
            if self.writer is not None:
                self.writer.close()
            wake, self._wake = self._wake, -1
            os.close(wake)
            os.close(self._wake_end)

    def note(self, text: str) -> None:
        """Keep a text among the packets that are kept, at this instant; only a pcapng file has room for it."""
        with self._in_use:
            if isinstance(self.writer, PcapngWriter) and not self._closed:
                self.writer.note(time.time_ns(), text, received=self.taken + self.lost, dropped=self.lost)

    def batches(self, tick_s: float = TICK_S) -> Iterator[SegmentBatch]:
        """Yield batches as packets come, and an empty one whenever none came for ``tick_s``."""
        looked_s = time.monotonic()
        idle = False
        while not self._stopping.is_set():
            batch = self._next()
            if batch is not None:
                yield batch
            if time.monotonic() - looked_s >= tick_s:
                looked_s = time.monotonic()
                self.look()
                if batch is None:
                    yield nothing()
            if self.ended:
                break
            if batch is None:
                if self._wait(tick_s) and idle:  # ready, and yet there is nothing: it is an error
                    self.look()
            elif batch.frames < BATCH_ROWS:
                self._stopping.wait(PAUSE_S)
            idle = batch is None
        yield from self._drain()

    def _next(self) -> SegmentBatch | None:
        """Return what has come, or None."""
        room = BATCH_ROWS if self._limit is None else min(BATCH_ROWS, self._limit - self.taken)
        with self._in_use:
            if self._closed:
                return None
            packets, jit = self._tap.packets, self.jit
            count = packets.index(self._frames, room, self._notes, jit=jit)
            if not count:
                return None
            octets = packets.octets(jit=jit)
            if self.writer is not None:
                self.writer.write(octets, packets.view, self._frames, count, jit=jit)
            batch = self._decoder.decode(octets, self._frames, count, jit=jit)
            batch = self._losses.found(batch, times_of(self._frames, count, jit=jit))
            packets.release()
        if self.start_ns is None:
            self.start_ns = int(self._frames[0]["ts_ns"])
        self.taken += count
        if self.taken == self._limit:
            self.ended = "limit"
        return batch

    def _wait(self, at_most_s: float) -> bool:
        """Wait for packets or a stop; say whether the socket has something to tell."""
        try:
            ready = self._selector.select(at_most_s)
        except (OSError, ValueError, RuntimeError):  # closed meanwhile
            return False
        return any(key.fd == self._tap.fileno for key, _ in ready)

    def look(self) -> int:
        """Ask how many packets were lost, and whether the interface is still there; return how many passed so far."""
        with self._in_use:
            if self._closed:
                return self._passed
            looked_ns = time.time_ns()  # frames bear the same clock's time
            self._passed, self.lost = self._tap.passed()
            self._losses.look(looked_ns, self.lost)
            trouble = self._tap.trouble()
            if trouble == "down":
                self._losses.went_down(looked_ns)
        notices = self._decoder.notices
        if trouble == "down":
            notices.say(f"{self.path} went down after frame {self.taken:,}; what passed until it came up is missing")
        elif trouble == "gone":
            notices.say(f"{self.path} was removed after frame {self.taken:,}; that ended the capture")
            self.ended = "gone"
        return self._passed

    def _drain(self) -> Iterator[SegmentBatch]:
        """Yield what the kernel has already counted; nothing new comes in."""
        with self._in_use:
            if not self._closed:
                self._tap.shut()
        deadline_s = time.monotonic() + DRAIN_S
        while not self._closed and self.ended != "limit":
            batch = self._next()
            if batch is not None:
                yield batch
                continue
            self.look()
            if self.taken >= self._passed - self.lost or time.monotonic() > deadline_s:
                break
            time.sleep(DRAIN_POLL_S)
        self.look()
        if (rest := self._losses.rest()) is not None:
            yield rest


def nothing() -> SegmentBatch:
    """Return a batch without frames."""
    return SegmentBatch(np.empty(0, dtype=SEGMENT), 0)


def _writer(path: str, link_type: int, interface: str) -> PcapWriter:
    """Return what keeps packets: as pcapng, if the file is called so."""
    if path.lower().endswith(SUFFIX):
        return PcapngWriter(path, link_type, snaplen=MAX_SNAPLEN, interface=interface)
    return PcapWriter(path, link_type, snaplen=MAX_SNAPLEN)
