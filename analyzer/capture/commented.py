"""A copy of a capture, as pcapng, with comments on packets and on the file; all else as it was.

Octets are copied as they pass, so that memory does not grow with the file. Of a pcapng every block without a new
comment stays as it is; a pcap becomes a section with one interface of the same link type, snap length and time unit.
Timestamps keep all their digits. Source: draft-ietf-opsawg-pcapng 3.5, 4.1 to 4.3.

This module must not know what is in a frame, or what comments say.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.capture.frame import MAX_CAPTURED
from analyzer.capture.pcap import HEADER_LEN, MAGICS
from analyzer.capture.pcapng import BYTE_ORDER_MAGIC, MAX_BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.capture.source import Source

    Write = Callable[[bytes], object]

CHUNK: Final = 1 << 20
SECTION: Final = 0x0A0D0D0A
INTERFACE: Final = 1
OBSOLETE_PACKET: Final = 2
SIMPLE_PACKET: Final = 3
ENHANCED_PACKET: Final = 6
PACKETS: Final = {OBSOLETE_PACKET, SIMPLE_PACKET, ENHANCED_PACKET}

LEAST: Final = {SECTION: 28, OBSOLETE_PACKET: 32, SIMPLE_PACKET: 16, ENHANCED_PACKET: 32}
"""Octets of the shortest block of a type."""

COMMENT: Final = 1
APPLICATION: Final = 4
RESOLUTION: Final = 9
FCS_LENGTH: Final = 13
LONGEST: Final = 0xFFFF
"""Octets of an option."""
PADDING: Final = tuple(bytes(count) for count in range(4))
NO_COMMENT: Final = (1 << 62, "")


@dataclass(slots=True)
class Copied:
    """What became of a copy."""

    frames: int = 0
    comments: int = 0
    homeless: int = 0
    """Comments on packets in blocks that can have none (simple packet blocks)."""
    damage: str = ""
    """Why the copy ends before the file does; empty if it does not."""


def copy_with_comments(
    source: Source, write: Write, comments: Iterator[tuple[int, str]], *, about: str, application: str
) -> Copied:
    """Copy a capture; ``comments`` has frame numbers, ascending, ``about`` is the comment on the whole.

    The capture has to be one that ``open_capture`` opens.
    """
    octets, result = _Octets(source), Copied()
    waiting = _Waiting(comments)
    pcap = octets.need(HEADER_LEN) and int.from_bytes(octets.peek(0, 4), "big") in MAGICS
    copier: _Pcap | _Pcapng
    if pcap:
        copier = _Pcap(octets, waiting, result)
        write(copier.head(about, application))
    else:
        copier = _Pcapng(octets, waiting, result, about)
    while some := copier.some():
        write(some)
    if not result.damage and octets.end > octets.at:
        result.damage = f"the last {'record' if pcap else 'block'}, at byte {octets.position}, is cut"
    result.damage = source.damage or result.damage
    return result


class _Octets:
    """A buffer that slides over a source; ``at`` is where the next record begins."""

    def __init__(self, source: Source) -> None:
        """Start empty."""
        self._source = source
        self.buffer = bytearray(2 * CHUNK)
        self.at = 0
        self.end = 0
        self.base = 0

    @property
    def position(self) -> int:
        """Where ``at`` is in the file."""
        return self.base + self.at

    def need(self, count: int) -> bool:
        """Have so many octets from ``at`` on, False if there are not as many."""
        while self.end - self.at < count:
            rest = self.buffer[self.at : self.end]
            self.base += self.at
            self.at, self.end = 0, len(rest)
            if len(self.buffer) < max(count, self.end) + CHUNK:
                self.buffer = bytearray(max(count, self.end) + CHUNK)
            self.buffer[: self.end] = rest
            got = self._source.readinto(memoryview(self.buffer)[self.end : self.end + CHUNK])
            if not got:
                return False
            self.end += got
        return True

    def peek(self, low: int, high: int) -> bytes:
        """Return octets counted from ``at``."""
        return bytes(self.buffer[self.at + low : self.at + high])


class _Waiting:
    """The comments still to be placed."""

    def __init__(self, comments: Iterator[tuple[int, str]]) -> None:
        """Take the first."""
        self._comments = comments
        self.frame, self._text = next(comments, NO_COMMENT)
        """The frame that it is for."""

    def take(self, frame: int) -> bytes:
        """Return the comment of its frame, which is this one, and go on to the next."""
        text = self._text
        self.frame, self._text = next(self._comments, NO_COMMENT)
        while self.frame <= frame:
            self.frame, self._text = next(self._comments, NO_COMMENT)
        return _cut(text)


class _Pcap:
    """Copies a pcap, record by record, as enhanced packet blocks of one interface."""

    def __init__(self, octets: _Octets, waiting: _Waiting, result: Copied) -> None:
        """Read the file header."""
        self._octets = octets
        self._waiting = waiting
        self._result = result
        big, tick_ns, self._record_len = MAGICS[int.from_bytes(octets.peek(0, 4), "big")]
        self.order = ">" if big else "<"
        major, minor, _, _, self.snaplen, self.network = struct.unpack(
            f"{self.order}HHiIII", octets.peek(4, HEADER_LEN)
        )
        self.digits = 9 if tick_ns == 1 else 6
        self._per_second = 1_000_000_000 // tick_ns
        self._swapped = major == 543 or minor <= 3
        octets.at += HEADER_LEN

    def head(self, about: str, application: str) -> bytes:
        """Return section and interface."""
        return _section(about, application) + _interface(self.network, self.snaplen, self.digits)

    def some(self) -> bytes:
        """Return the blocks of the records that are complete in the buffer, at least of one; nothing at the end."""
        octets = self._octets
        if not octets.need(self._record_len):
            return b""
        sizes = struct.unpack(f"{self.order}II", octets.peek(8, 16))
        captured = min(sizes) if self._swapped else sizes[0]
        if captured > MAX_CAPTURED:
            self._result.damage = f"the record at byte {octets.position} claims {captured} captured bytes"
            return b""
        return self._complete() if octets.need(self._record_len + captured) else b""

    def _complete(self) -> bytes:
        octets, result, swapped = self._octets, self._result, self._swapped
        unpack, pack = struct.Struct(f"{self.order}IIII").unpack_from, struct.Struct("<IIIIIII").pack
        buffer, at, end, record_len, per_second = (
            octets.buffer,
            octets.at,
            octets.end,
            self._record_len,
            self._per_second,
        )
        frame, marked = result.frames, self._waiting.frame
        parts: list[bytes | bytearray] = []
        while at + record_len <= end:
            seconds, fraction, captured, original = unpack(buffer, at)
            if swapped and captured > original:
                captured, original = original, captured
            stop = at + record_len + captured
            if captured > MAX_CAPTURED or stop > end:
                break
            frame += 1
            options = b""
            if frame == marked:
                options = _options("<", (COMMENT, self._waiting.take(frame)))
                result.comments += 1
                marked = self._waiting.frame
            padding = -captured % 4
            length = 32 + captured + padding + len(options)
            high, low = divmod(seconds * per_second + fraction, 1 << 32)
            parts += (
                pack(ENHANCED_PACKET, length, 0, high, low, captured, original),
                buffer[at + record_len : stop],
                PADDING[padding] + options + length.to_bytes(4, "little"),
            )
            at = stop
        octets.at, result.frames = at, frame
        return b"".join(parts)


class _Pcapng:
    """Copies a pcapng, block by block."""

    def __init__(self, octets: _Octets, waiting: _Waiting, result: Copied, about: str) -> None:
        """Begin before the first section."""
        self._octets = octets
        self._waiting = waiting
        self._result = result
        self._about: str | None = about
        self._order = "<"

    def some(self) -> bytes:
        """Return the blocks that are complete in the buffer, at least one; nothing at the end."""
        octets, result = self._octets, self._result
        if not octets.need(12):
            return b""
        kind = struct.unpack(f"{self._order}I", octets.peek(0, 4))[0]
        if kind == SECTION:
            self._order = ">" if int.from_bytes(octets.peek(8, 12), "big") == BYTE_ORDER_MAGIC else "<"
        length = struct.unpack(f"{self._order}I", octets.peek(4, 8))[0]
        if length < LEAST.get(kind, 12) or length % 4 or length > MAX_BLOCK:
            result.damage = f"the block at byte {octets.position} claims a length of {length} bytes"
            return b""
        if not octets.need(length):
            return b""
        if octets.peek(length - 4, length) != octets.peek(4, 8):
            result.damage = f"the block at byte {octets.position} has two different lengths"
            return b""
        return self._section(length) if kind == SECTION else self._complete()

    def _section(self, length: int) -> bytes:
        """Return a section header that does not say how long its section is, since that grows."""
        block = self._octets.peek(0, length)
        self._octets.at += length
        if self._about is not None:
            block, self._about = _with_comment(block, 24, _cut(self._about), self._order), None
        return block[:16] + b"\xff" * 8 + block[24:]

    def _complete(self) -> bytes:
        """Return blocks up to one that ``some`` has to look at first."""
        octets, result, order = self._octets, self._result, self._order
        unpack = struct.Struct(f"{order}II").unpack_from
        buffer, at, end = octets.buffer, octets.at, octets.end
        frame, marked = result.frames, self._waiting.frame
        parts: list[bytes | bytearray] = []
        kept = at
        while at + 12 <= end:
            kind, length = unpack(buffer, at)
            sound = LEAST.get(kind, 12) <= length <= MAX_BLOCK and not length % 4
            if kind == SECTION or not sound or at + length > end:
                break
            if buffer[at + length - 4 : at + length] != buffer[at + 4 : at + 8]:
                break
            if kind in PACKETS:
                frame += 1
                if frame == marked:
                    comment = self._waiting.take(frame)
                    marked = self._waiting.frame
                    parts += (buffer[kept:at], _packet(bytes(buffer[at : at + length]), kind, comment, order, result))
                    kept = at + length
            at += length
        parts.append(buffer[kept:at])
        octets.at, result.frames = at, frame
        return b"".join(parts)


def _packet(block: bytes, kind: int, comment: bytes, order: str, result: Copied) -> bytes:
    """Return a packet's block with a comment; as it is if it can have none."""
    captured = 0 if kind == SIMPLE_PACKET else struct.unpack_from(f"{order}I", block, 20)[0]
    if kind == SIMPLE_PACKET or captured > len(block) - 32:
        result.homeless += 1
        return block
    result.comments += 1
    return _with_comment(block, 28 + captured + -captured % 4, comment, order)


def _with_comment(block: bytes, at: int, comment: bytes, order: str) -> bytes:
    """Return a block with one more comment, before its other options, which begin ``at``."""
    options = block[at:-4]
    added = _options(order, (COMMENT, comment), end=not options)
    length = struct.pack(f"{order}I", len(block) + len(added))
    return block[:4] + length + block[8:at] + added + options + length


def _section(about: str, application: str) -> bytes:
    options = _options("<", (COMMENT, _cut(about)), (APPLICATION, application.encode()))
    length = (28 + len(options)).to_bytes(4, "little")
    body = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)
    return struct.pack("<I", SECTION) + length + body + options + length


def _interface(network: int, snaplen: int, digits: int) -> bytes:
    """Return an interface; ``network`` is the field of the pcap header, with what it says of check sequences."""
    options = [(RESOLUTION, bytes([digits]))]
    if network & 0x04000000:
        options.append((FCS_LENGTH, bytes([(network >> 28) * 2])))
    body = struct.pack("<HHI", network & 0xFFFF, 0, snaplen) + _options("<", *options)
    length = (12 + len(body)).to_bytes(4, "little")
    return struct.pack("<I", INTERFACE) + length + body + length


def _options(order: str, *options: tuple[int, bytes], end: bool = True) -> bytes:
    parts = [struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in options]
    return b"".join(parts) + (bytes(4) if end else b"")


def _cut(text: str) -> bytes:
    """Return a comment as UTF-8 that fits an option."""
    return text.encode("utf-8", "backslashreplace")[:LONGEST].decode("utf-8", "ignore").encode()
