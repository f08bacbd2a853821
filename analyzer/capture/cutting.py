"""``CutWriter`` and ``frames_of``: some frames of a capture, as they are, into a small one for a program beside us.

A frame is asked for by its SEGMENT row while its batch is at hand. Where its data begins is found by the first twelve
octets of the TCP header, which the row has, whatever link layer or tunnel stands before it. The copy is a pcapng with
an interface for each link type; it has nothing of the file but these frames.

This module must not know flows, or why frames are wanted.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.capture.commented import ENHANCED_PACKET, PADDING, interface_block, section_block
from analyzer.segment import NOTE_TCP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from analyzer.capture.reader import CaptureReader

SNAPLEN: Final = 262_144
DIGITS: Final = 9
"""Of a second, in the copy."""


class CutFrame(NamedTuple):
    """A frame that was wanted."""

    row: np.void
    """Its SEGMENT record."""
    octets: bytes
    original: int
    """How long it was on the wire."""
    link_type: int

    @property
    def data(self) -> bytes:
        """What is captured of its TCP payload; nothing if it cannot be found."""
        row = self.row
        numbers = int(row["seq"]), int(row["ack"])
        header = struct.pack("!HHII", int(row["src_port"]), int(row["dst_port"]), *numbers)
        at = self.octets.find(header)
        if at < 0:
            return b""
        begin = at + int(row["header_len"])
        return self.octets[begin : begin + int(row["payload_len"])]


def frames_of(
    reader: CaptureReader, wanted: Callable[[NDArray[np.void]], NDArray[np.bool_]]
) -> Iterator[tuple[NDArray[np.int64], Iterator[CutFrame]]]:
    """Yield batch after batch which TCP segments are ``wanted`` (indices of its rows), and their frames.

    The frames of a batch have to be taken before the next is asked for.
    """
    for batch in reader:
        rows = batch.rows
        picked = np.flatnonzero(wanted(rows) & (rows["note"] == NOTE_TCP))
        if len(picked):
            yield picked, (CutFrame(rows[at], *reader.frame_at(int(rows["frame"][at]))) for at in picked.tolist())


class CutWriter:
    """A pcapng that grows by frames."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Begin with the header of a section."""
        self.frames = 0
        """How many are in it: the number of the last, as Wireshark counts."""
        self.octets = 0
        """Octets of these frames."""
        self._write = write
        self._interfaces: dict[int, int] = {}
        write(section_block("", "keepalive"))

    def add(self, frame: CutFrame) -> int:
        """Append a frame, and return its number in the copy."""
        if frame.link_type not in self._interfaces:
            self._interfaces[frame.link_type] = len(self._interfaces)
            self._write(interface_block(frame.link_type, SNAPLEN, DIGITS, None))
        captured = len(frame.octets)
        padding = PADDING[-captured % 4]
        length = 32 + captured + len(padding)
        ticks = divmod(int(frame.row["ts_ns"]), 1 << 32)
        interface = self._interfaces[frame.link_type]
        head = struct.pack("<7I", ENHANCED_PACKET, length, interface, *ticks, captured, frame.original)
        self._write(head + frame.octets + padding + length.to_bytes(4, "little"))
        self.frames += 1
        self.octets += captured
        return self.frames
