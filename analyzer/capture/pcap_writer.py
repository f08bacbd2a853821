"""``PcapWriter``: frames of a live capture into a pcap file with nanoseconds.

Whole records are written at once, without a buffer of our own: the file can be read while it grows. A disk that is
full ends the file at a whole record, not the capture.

This module must not know what is in a frame.
"""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.errors import CaptureError
from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from analyzer.untyped import Foreign, Octets, Record, Rows

MAGIC_NS: Final = 0xA1B23C4D
RECORD_LEN: Final = 16
NS_PER_S: Final = 1_000_000_000


@loop
def put32(out: Octets, at: int, value: int) -> None:
    """Write a number of 32 bits at ``at``, least significant octet first."""
    out[at] = value % 256
    out[at + 1] = value // 256 % 256
    out[at + 2] = value // 65536 % 256
    out[at + 3] = value // 16777216 % 256


@loop
def put_records(data: Octets, frames: Rows, first: int, count: int, out: Octets) -> int:
    """Write the pcap records of ``count`` frames of an index to ``out``; returns how many octets these are."""
    octets = data["octet"]
    to = 0
    for index in range(first, first + count):
        frame = frames[index]
        at = frame["at"]
        captured = frame["captured"]
        ts_ns = frame["ts_ns"]
        put32(out, to, ts_ns // 1000000000)
        put32(out, to + 4, ts_ns % 1000000000)
        put32(out, to + 8, captured)
        put32(out, to + 12, frame["original"])
        to += 16
        for i in range(captured):
            out[to + i] = octets[at + i]
        to += captured
    return to


class PcapWriter:
    """A pcap file that grows."""

    def __init__(self, path: str, link_type: int, *, snaplen: int) -> None:
        """Create the file, or empty the one that is there.

        Raises:
            CaptureError: it cannot be written.
        """
        self.path = path
        self.frames = 0
        """How many frames are in the file."""
        self.damage = ""
        """Why the file ends before the capture, as a sentence; empty while it does not."""
        self._size = 0
        self._out: Any = np.empty(0, dtype=np.uint8)
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0), 0o644)
        except (OSError, ValueError) as error:
            raise CaptureError(path, f"cannot be written ({getattr(error, 'strerror', None) or error})") from error
        self._put(self._head(link_type, snaplen))
        if self.damage:
            os.close(self._file)
            raise CaptureError(path, self.damage)

    def write(self, octets: Octets, view: memoryview, frames: Rows, count: int, *, jit: bool) -> None:
        """Append the first ``count`` frames of an index; ``view`` is the memory that ``octets`` is."""
        if self.damage or self._file < 0 or not count:
            return
        records = self._records(octets, view, frames, count, jit=jit)
        written = self._put(records)
        if written == len(records):
            self.frames += count
        else:
            self._cut(frames, count, written)

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, -1
        if file >= 0:
            try:
                os.close(file)
            except OSError as error:  # a network file system may tell only now
                self.damage = self.damage or f"writing it failed ({error.strerror})"

    def _head(self, link_type: int, snaplen: int) -> bytes:
        """Return what the file begins with."""
        return struct.pack("<IHHiIII", MAGIC_NS, 2, 4, 0, 0, snaplen, link_type)

    def _records(self, octets: Octets, view: memoryview, frames: Rows, count: int, *, jit: bool) -> Foreign:
        """Return frames as the file has them."""
        if not jit:
            return b"".join(part for frame in frames[:count] for part in _record(view, frame))
        size = int(frames["captured"][:count].sum()) + RECORD_LEN * count
        if len(self._out) < size:
            self._out = np.empty(size, dtype=np.uint8)
        put_records.choose(jit=True)(octets, frames, 0, count, self._out)
        return memoryview(self._out)[:size]

    @staticmethod
    def _length(captured: int) -> int:
        """Return how long the record of a frame is."""
        return RECORD_LEN + captured

    def _put(self, octets: Octets) -> int:
        """Write, and return how much of it was."""
        view = memoryview(octets)
        written = 0
        while written < len(view):
            try:
                written += os.write(self._file, view[written:])
            except OSError as error:
                self.damage = f"writing it failed ({error.strerror})"
                break
        self._size += written
        return written

    def _cut(self, frames: Rows, count: int, written: int) -> None:
        """Take back the record that was written in part, and say where the file ends."""
        whole = 0
        for frame in frames[:count]:
            record = self._length(int(frame["captured"]))
            if whole + record > written:
                break
            whole += record
            self.frames += 1
        self._take_back(written - whole)
        self.damage += f"; it ends with frame {self.frames:,}, the capture went on"

    def _take_back(self, octets: int) -> None:
        """Take away what was written last."""
        self._size -= octets
        with contextlib.suppress(OSError):  # a FIFO; its reader sees a cut record, and says so
            os.ftruncate(self._file, self._size)


def _record(view: memoryview, frame: Record) -> tuple[bytes, memoryview]:
    seconds, fraction = divmod(frame["ts_ns"], NS_PER_S)
    at, captured = frame["at"], frame["captured"]
    head = struct.pack("<4I", seconds & 0xFFFFFFFF, fraction, captured, frame["original"])
    return head, view[at : at + captured]
