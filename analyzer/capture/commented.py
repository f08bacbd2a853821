"""A copy of a capture, as pcapng, with comments on packets and on the file; all else as it was.

Octets are copied as they pass, so that memory does not grow with the file. Of a pcapng every block without a new
comment stays as it is; a pcap becomes a section with one interface of the same link type, snap length and time unit.
Timestamps keep all their digits. Source: draft-ietf-opsawg-pcapng 3.5, 4.1 to 4.3.

This module must not know what is in a frame, or what comments say.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from analyzer.capture.decoder import BATCH_ROWS
from analyzer.capture.formats import open_framing
from analyzer.capture.frame import FRAME, NOTES, empty_frames
from analyzer.capture.pcapng import BYTE_ORDER_MAGIC, PcapngFraming
from analyzer.capture.reader import HUGE, LARGE
from analyzer.capture.window import Window
from analyzer.loops.choice import jit_wanted
from analyzer.loops.loop import freeze, records
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.capture.formats import Framing
    from analyzer.capture.source import Source
    from analyzer.untyped import Record, Rows

    Write = Callable[[bytes], object]

SECTION: Final = 0x0A0D0D0A
INTERFACE: Final = 1
OBSOLETE_PACKET: Final = 2
ENHANCED_PACKET: Final = 6

COMMENT: Final = 1
APPLICATION: Final = 4
RESOLUTION: Final = 9
FCS_LENGTH: Final = 13
LONGEST: Final = 0xFFFF
"""Octets of an option."""
PADDING: Final = tuple(bytes(count) for count in range(4))
END_OF_OPTIONS: Final = bytes(4)
NO_COMMENT: Final = (1 << 62, "")


@dataclass(slots=True)
class Copied:
    """What became of a copy."""

    frames: int = 0
    comments: int = 0
    homeless: int = 0
    """Comments on packets in blocks that can have none (simple packet blocks)."""
    lost: int = 0
    """Comments for which there was no packet: this is not the capture that they were made for."""
    damage: str = ""
    """Why the copy ends before the file does; empty if it does not."""


def copy_with_comments(
    source: Source,
    write: Write,
    comments: Iterator[tuple[int, str]],
    *,
    about: str,
    application: str,
    jit: bool | None = None,
) -> Copied:
    """Copy a capture; ``comments`` has frame numbers, ascending, ``about`` is the comment on the whole.

    What a frame is, and which number it has, is decided by the framing that the reader uses as well (``formats``).

    Raises:
        CaptureError: it is no capture, or cut within its header.
    """
    window, waiting, result = Window(source), _Waiting(comments), Copied()
    framing = open_framing("", window)
    octets = HUGE if source.compression or source.size is None else source.size
    compiled = jit_wanted(large=octets >= LARGE, huge=octets >= HUGE, asked=jit)
    frames, notes = empty_frames(BATCH_ROWS, jit=compiled), records(NOTES, 1, jit=compiled)[0]
    copy: _Pcapng | _Frames
    if isinstance(framing, PcapngFraming):
        copy = _Pcapng(window, framing, waiting, result)
    else:
        copy = _Frames(window, framing, waiting, result)
    write(copy.head(about, application))
    while True:
        while some := copy.some(frames, notes, jit=compiled):
            write(some)
        if framing.damage or not window.more():
            break
    result.lost = waiting.lost()
    if framing.damage or (window.rest and not source.damage):
        result.damage = framing.damage or framing.cut(window)
    result.damage = source.damage or result.damage
    return result


class _Waiting:
    """The comments still to be placed."""

    def __init__(self, comments: Iterator[tuple[int, str]]) -> None:
        """Take the first."""
        self._comments = comments
        self._lost = 0
        self.frame, self._text = next(comments, NO_COMMENT)
        """The frame that it is for."""

    def take(self, frame: int) -> bytes:
        """Return the comment of its frame, which is this one, and go on to the next."""
        text = self._text
        self.frame, self._text = next(self._comments, NO_COMMENT)
        while self.frame <= frame:
            self._lost += 1
            self.frame, self._text = next(self._comments, NO_COMMENT)
        return _cut(text)

    def lost(self) -> int:
        """Return how many were not placed; none of them is left."""
        waiting = self.frame != NO_COMMENT[0]
        self.frame = NO_COMMENT[0]
        return self._lost + waiting + sum(1 for _ in self._comments)


class _Frames:
    """Copies what has frames and nothing else that is kept, as enhanced packet blocks of an interface a link type."""

    def __init__(self, window: Window, framing: Framing, waiting: _Waiting, result: Copied) -> None:
        """Begin behind the header."""
        self._window = window
        self._framing: Any = framing
        self._waiting = waiting
        self._result = result
        self._digits = 6 if getattr(framing, "tick_ns", 1) == 1000 else 9
        self._interfaces: dict[int, int] = {}

    def head(self, about: str, application: str) -> bytes:
        """Return section and interface."""
        return section_block(about, application) + b"".join(map(self._interface, self._framing.link_types))

    def _interface(self, link_type: int) -> bytes:
        """Return the description of an interface of this link type, which has the next number."""
        self._interfaces[link_type] = len(self._interfaces)
        snaplen, fcs = getattr(self._framing, "snaplen", 0), getattr(self._framing, "fcs_octets", None)
        return interface_block(link_type, snaplen, self._digits, fcs)

    def some(self, frames: Rows, notes: Record, *, jit: bool) -> bytes:
        """Return the blocks of frames that are complete in the window; nothing if there are none."""
        window, result, waiting = self._window, self._result, self._waiting
        count = self._framing.index(window, frames, 0, len(frames), notes, jit=jit)
        pack, option = struct.Struct("<IIIIIII").pack, struct.Struct("<HH").pack
        view, tick_ns = window.view, 10 ** (9 - self._digits)
        parts: list[bytes | memoryview] = []
        for frame in freeze(frames[:count], FRAME).tolist():
            at, captured, original, ts_ns, _, link_type = frame
            result.frames += 1
            options = b""
            if result.frames == waiting.frame:
                comment = waiting.take(result.frames)
                options = option(COMMENT, len(comment)) + comment + PADDING[-len(comment) % 4] + END_OF_OPTIONS
                result.comments += 1
            if link_type not in self._interfaces:
                parts.append(self._interface(link_type))
            padding = -captured % 4
            length = 32 + captured + padding + len(options)
            ticks = divmod(ts_ns // tick_ns, 1 << 32)
            head = pack(ENHANCED_PACKET, length, self._interfaces[link_type], *ticks, captured, original)
            parts += (head, view[at : at + captured], PADDING[padding] + options + length.to_bytes(4, "little"))
        return b"".join(parts)


class _Pcapng:
    """Copies a pcapng, block by block."""

    def __init__(self, window: Window, framing: PcapngFraming, waiting: _Waiting, result: Copied) -> None:
        """Begin behind the first section header, which the framing has passed."""
        self._window = window
        self._framing = framing
        self._framing.stop_at_sections = True
        self._waiting = waiting
        self._result = result

    @property
    def _order(self) -> str:
        return ">" if self._framing.big else "<"

    def head(self, about: str, application: str) -> bytes:  # noqa: ARG002 - the file says what wrote it
        """Return the first section header, with a comment on the whole."""
        first = bytes(self._window.view[: self._window.start])
        return _any_length(_with_comment(first, 24, _cut(about), self._order))

    def some(self, frames: Rows, notes: Record, *, jit: bool) -> bytes:
        """Return the blocks that are complete in the window; nothing if there are none."""
        window, result, waiting, framing = self._window, self._result, self._waiting, self._framing
        parts: list[bytes] = []
        while True:
            at = window.start
            room = min(len(frames), waiting.frame - result.frames)
            count = framing.index(window, frames, 0, room, notes, jit=jit)
            result.frames += count
            stop = window.start
            if count and result.frames == waiting.frame:  # the last block passed is that of the last frame
                block = bytes(window.view[stop - _tail(window, stop, self._order) : stop])
                parts.append(bytes(window.view[at : stop - len(block)]))
                parts.append(_packet(block, waiting.take(result.frames), self._order, result))
            else:
                parts.append(bytes(window.view[at:stop]))
            if count < room:
                if not framing.pass_section(window):
                    break
                parts.append(_any_length(bytes(window.view[stop : window.start])))
        return b"".join(parts)


def _tail(window: Window, stop: int, order: str) -> int:
    """Return the length that a block which ends at ``stop`` says behind."""
    (length,) = struct.unpack_from(f"{order}I", window.view, stop - 4)
    return int(length)


def _any_length(block: bytes) -> bytes:
    """Return a section header that does not say how long its section is, since that grows."""
    return block[:16] + b"\xff" * 8 + block[24:]


def _packet(block: bytes, comment: bytes, order: str, result: Copied) -> bytes:
    """Return a packet's block with a comment; as it is if it can have none."""
    if struct.unpack_from(f"{order}I", block, 0)[0] not in {OBSOLETE_PACKET, ENHANCED_PACKET}:
        result.homeless += 1
        return block
    captured = struct.unpack_from(f"{order}I", block, 20)[0]
    result.comments += 1
    return _with_comment(block, 28 + captured + -captured % 4, comment, order)


def _with_comment(block: bytes, at: int, comment: bytes, order: str) -> bytes:
    """Return a block with one more comment, before its other options, which begin ``at``."""
    options = block[at:-4]
    added = _options(order, (COMMENT, comment), end=not options)
    length = struct.pack(f"{order}I", len(block) + len(added))
    return block[:4] + length + block[8:at] + added + options + length


def section_block(about: str, application: str) -> bytes:
    """Return the header of a section, with a comment on the whole if there is one."""
    comment = ((COMMENT, _cut(about)),) if about else ()
    options = _options("<", *comment, (APPLICATION, application.encode()))
    length = (28 + len(options)).to_bytes(4, "little")
    body = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)
    return struct.pack("<I", SECTION) + length + body + options + length


def interface_block(link_type: int, snaplen: int, digits: int, fcs_octets: int | None) -> bytes:
    """Return the description of an interface."""
    options = [(RESOLUTION, bytes([digits]))]
    if fcs_octets is not None:
        options.append((FCS_LENGTH, bytes([fcs_octets])))
    body = struct.pack("<HHI", link_type, 0, snaplen) + _options("<", *options)
    length = (12 + len(body)).to_bytes(4, "little")
    return struct.pack("<I", INTERFACE) + length + body + length


def _options(order: str, *options: tuple[int, bytes], end: bool = True) -> bytes:
    parts = [struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in options]
    return b"".join(parts) + (END_OF_OPTIONS if end else b"")


def _cut(text: str) -> bytes:
    """Return a comment as UTF-8 that fits an option."""
    octets = text.encode("utf-8", "backslashreplace")
    return octets if len(octets) <= LONGEST else octets[:LONGEST].decode("utf-8", "ignore").encode()
