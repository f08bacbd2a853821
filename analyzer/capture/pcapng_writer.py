"""``PcapngWriter``: frames of a live capture into a pcapng file with nanoseconds, and notes of the host between them.

A note is the comment of an interface statistics block (draft-ietf-opsawg-pcapng 4.6), which has a time, is no frame,
and is skipped by whoever does not know it, so that frames keep their numbers. Notes are chained backwards by where
they lie in the file, the last one at its end: who wants them reads them without passing the frames.

This module must not know what is in a frame, or in a note.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.capture.pcap_writer import PcapWriter, put32
from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from analyzer.untyped import Foreign, Octets, Record, Rows

SUFFIX: Final = ".pcapng"
SECTION: Final = 0x0A0D0D0A
INTERFACE: Final = 1
STATISTICS: Final = 5
PACKET: Final = 6
MAGIC: Final = 0x1A2B3C4D
COMMENT: Final = 1
NAME: Final = 2
RESOLUTION: Final = 9
RECEIVED: Final = 4
DROPPED: Final = 5
NANOSECONDS: Final = 9
LONGEST_NOTE: Final = 60_000
"""An option holds 65,535 octets."""
MARK: Final = "keepalive-note previous="
"""A note begins so, with where the one before it lies (0: nowhere), on a line of its own."""


@loop
def put_blocks(data: Octets, frames: Rows, first: int, count: int, out: Octets) -> int:
    """Write enhanced packet blocks of ``count`` frames of an index to ``out``; returns how many octets these are."""
    octets = data["octet"]
    to = 0
    for index in range(first, first + count):
        frame = frames[index]
        at = frame["at"]
        captured = frame["captured"]
        ts_ns = frame["ts_ns"]
        padding = -captured % 4
        length = 32 + captured + padding
        put32(out, to, 6)
        put32(out, to + 4, length)
        put32(out, to + 8, 0)
        put32(out, to + 12, ts_ns // 4294967296)
        put32(out, to + 16, ts_ns % 4294967296)
        put32(out, to + 20, captured)
        put32(out, to + 24, frame["original"])
        to += 28
        for i in range(captured):
            out[to + i] = octets[at + i]
        for i in range(padding):
            out[to + captured + i] = 0
        to += captured + padding
        put32(out, to, length)
        to += 4
    return to


class PcapngWriter(PcapWriter):
    """A pcapng file that grows."""

    def __init__(self, path: str, link_type: int, *, snaplen: int, interface: str = "") -> None:
        """Create the file, or empty the one that is there.

        Raises:
            CaptureError: it cannot be written.
        """
        self._interface = interface
        self._last_note = 0
        super().__init__(path, link_type, snaplen=snaplen)

    def note(self, at_ns: int, text: str, *, received: int, dropped: int) -> None:
        """Append a note, with the interface's counters; one that is too long is left out."""
        comment = f"{MARK}{self._last_note}\n{text}".encode()
        if self.damage or self._file < 0 or len(comment) > LONGEST_NOTE:
            return
        options = [
            (COMMENT, comment),
            (RECEIVED, struct.pack("<Q", received)),
            (DROPPED, struct.pack("<Q", dropped)),
        ]
        before = self._size
        block = _block(STATISTICS, struct.pack("<III", 0, at_ns >> 32, at_ns & 0xFFFFFFFF), options)
        written = self._put(block)
        if written == len(block):
            self._last_note = before
        else:
            self._take_back(written)

    def _head(self, link_type: int, snaplen: int) -> bytes:
        section = _block(SECTION, struct.pack("<IHHq", MAGIC, 1, 0, -1), [])
        options = [(NAME, self._interface.encode()), (RESOLUTION, bytes([NANOSECONDS]))]
        return section + _block(INTERFACE, struct.pack("<HHI", link_type, 0, snaplen), options)

    def _records(self, octets: Octets, view: memoryview, frames: Rows, count: int, *, jit: bool) -> Foreign:
        if not jit:
            return b"".join(part for frame in frames[:count] for part in _packet(view, frame))
        size = sum(map(self._length, frames["captured"][:count].tolist()))
        if len(self._out) < size:
            self._out = np.empty(size, dtype=np.uint8)
        put_blocks.choose(jit=True)(octets, frames, 0, count, self._out)
        return memoryview(self._out)[:size]

    @staticmethod
    def _length(captured: int) -> int:
        return 32 + captured + -captured % 4


def _packet(view: memoryview, frame: Record) -> tuple[bytes, memoryview, bytes]:
    at, captured, ts_ns = int(frame["at"]), int(frame["captured"]), int(frame["ts_ns"])
    padding = -captured % 4
    length = 32 + captured + padding
    fields = (PACKET, length, 0, ts_ns >> 32, ts_ns & 0xFFFFFFFF, captured, int(frame["original"]))
    return struct.pack("<7I", *fields), view[at : at + captured], bytes(padding) + struct.pack("<I", length)


def _block(kind: int, body: bytes, options: list[tuple[int, bytes]]) -> bytes:
    """Return a block with its options, ended as the draft asks."""
    for code, value in options:
        body += struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
    if options:
        body += bytes(4)
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)
