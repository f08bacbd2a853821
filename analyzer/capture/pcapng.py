"""pcapng: sections, interfaces, and the loop that indexes frames.

A stream of blocks, each with its type and its length before and behind. A section header sets the byte order and
forgets the interfaces; an interface description sets link type, snap length and time unit of the frames that name it.
Source: draft-ietf-opsawg-pcapng (all figures of its section 4).

This module must not know what is in a frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.capture.frame import (
    DAMAGED,
    FULL,
    INTERFACE,
    MAX_ORIGINAL,
    MAX_TS_NS,
    MORE,
    SECTION,
    UNKNOWN_LINK,
    Octets,
    file16,
    file32,
    note_length,
    note_odd_time,
    note_time,
)
from analyzer.errors import CaptureError
from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from analyzer.capture.window import Window

MAGIC: Final = b"\x0a\x0d\x0d\x0a"
BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D

MAX_BLOCK: Final = 16 << 20
"""A longer block is damage (libpcap's INITIAL_MAX_BLOCKSIZE)."""

MAX_INTERFACES: Final = 65_536
"""More are not remembered, so that a hostile file cannot fill the memory."""

NO_INTERFACE: Final = 1 << 32
"""Beyond any interface number: a block that belongs to none."""

UNITS: Final = np.dtype(
    [
        ("link_type", np.int64),
        ("snaplen", np.int64),  # 0 for none
        ("multiply", np.int64),  # ticks to ns: times this ...
        ("divide", np.int64),  # ... over this; 0 if the unit is a power of two
        ("shift", np.int64),  # then ticks are 2**-shift seconds
        ("offset_ns", np.int64),  # if_tsoffset
    ],
    align=True,
)
"""What an interface description says, one row an interface of the section."""


@loop
def ticks_to_ns(high: int, low: int, multiply: int, divide: int, shift: int) -> int:
    """Return a timestamp of two 32-bit halves in nanoseconds, MAX_TS_NS if it is later."""
    if high >= 2147483648:
        return MAX_TS_NS
    ticks = high * 4294967296 + low
    if divide != 0:
        if ticks // divide > MAX_TS_NS // multiply:
            return MAX_TS_NS
        return ticks * multiply // divide
    whole = ticks >> min(shift, 63)
    if whole >= MAX_TS_NS // 1000000000:
        return MAX_TS_NS
    part = ticks - (whole << min(shift, 63)) if shift < 63 else ticks
    if shift > 33:  # more bits than a nanosecond needs, and than the product below has room for
        part = part >> min(shift - 33, 63)
    return whole * 1000000000 + (part * 1000000000 >> min(shift, 33))


@loop
def note_untimed(notes: Any) -> None:  # noqa: ANN401
    """Count the frame noted last as one without a timestamp."""
    if notes["untimed"] == 0:
        notes["untimed_frame"] = notes["frames"]
    notes["untimed"] += 1


@loop
def note_homeless(notes: Any) -> None:  # noqa: ANN401
    """Count the frame noted last as one of an interface that the section does not describe."""
    if notes["homeless"] == 0:
        notes["homeless_frame"] = notes["frames"]
    notes["homeless"] += 1


@loop
def index_blocks(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one loop, as headers.py
    data: Octets,
    at: int,
    end: int,
    big: bool,  # noqa: FBT001 - loops take positional arguments
    interfaces: Any,  # noqa: ANN401
    known: int,
    frames: Any,  # noqa: ANN401
    row: int,
    room: int,
    notes: Any,  # noqa: ANN401
) -> tuple[int, int, int]:
    """Index the blocks from ``at`` on in ``frames[row:room]``; ``known`` is how many interfaces the section has.

    Returns:
        The next free row; where the next block begins; what stopped it (FULL, MORE, DAMAGED, SECTION or INTERFACE).
    """
    while row < room:
        if at + 12 > end:
            return row, at, MORE
        kind = file32(data, at, big)
        if kind == 0x0A0D0D0A:
            return row, at, SECTION
        length = file32(data, at + 4, big)
        if length < 12 or length % 4 != 0 or length > 16777216:  # MAX_BLOCK
            return row, at, DAMAGED
        if at + length > end:
            return row, at, MORE
        if file32(data, at + length - 4, big) != length:
            return row, at, DAMAGED
        if kind == 1:
            return row, at, INTERFACE
        header = 0
        which = 0
        captured = 0
        original = 0
        if kind in (6, 2):  # enhanced packet block; the obsolete packet block differs in the interface
            header = 28
            if length < 32:
                return row, at, DAMAGED
            which = file32(data, at + 8, big) if kind == 6 else file16(data, at + 8, big)
            captured = file32(data, at + 20, big)
            original = file32(data, at + 24, big)
            if captured > length - 32:
                return row, at, DAMAGED
        elif kind == 3:  # simple packet block: interface 0, no time, captured length by the rules of the snap length
            header = 12
            if length < 16:
                return row, at, DAMAGED
            original = file32(data, at + 8, big)
            captured = min(original, length - 16)
            if known > 0 and interfaces[0]["snaplen"] > 0:
                captured = min(captured, interfaces[0]["snaplen"])
        elif kind in (9, 0xBAD, 0x40000BAD, 0x204, 0x216, 0x221):
            # Journal entries, custom blocks and system calls: no frames, but Wireshark gives them frame numbers.
            header = 8
            which = NO_INTERFACE
        if header != 0:
            frame = frames[row]
            frame["at"] = at + header
            frame["captured"] = captured
            frame["original"] = min(max(original, captured), MAX_ORIGINAL)
            frame["interface"] = min(which, 2147483647)
            frame["link_type"] = UNKNOWN_LINK
            frame["ts_ns"] = notes["last_ts_ns"]
            if which < known:
                unit = interfaces[which]
                frame["link_type"] = unit["link_type"]
                note_length(notes, captured, unit["snaplen"])
                if kind == 3:
                    note_untimed(notes)
                else:
                    high, low = file32(data, at + 12, big), file32(data, at + 16, big)
                    ts_ns = ticks_to_ns(high, low, unit["multiply"], unit["divide"], unit["shift"])
                    if ts_ns == MAX_TS_NS:
                        note_odd_time(notes)
                    ts_ns = max(min(ts_ns + unit["offset_ns"], MAX_TS_NS), -MAX_TS_NS)
                    frame["ts_ns"] = ts_ns
                    note_time(notes, ts_ns)
            else:
                note_length(notes, captured, 0)
                if which != NO_INTERFACE:
                    note_homeless(notes)
            row += 1
        at += length
    return row, at, FULL


class PcapngFraming:
    """Indexes a pcapng stream to its end or its first damage."""

    format = "pcapng"

    def __init__(self, name: str, window: Window) -> None:
        """Read the first section header.

        Raises:
            CaptureError: the stream ends within it, or it is not one that this reader knows.
        """
        self.link_types: list[int] = []
        """Of all sections, in order of first mention."""
        self.damage = ""
        self._big = False
        self._interfaces = np.zeros(8, dtype=UNITS)
        self._known = 0
        self._plain: list[dict[str, int]] = []  # the same for plain loops
        head = window.head(28)
        if len(head) < 28:
            raise CaptureError(
                name, f"cut within the first section header: pcapng needs 28 bytes, {len(head)} are there"
            )
        while not self._begin_section(window):
            if self.damage or not window.more():
                raise CaptureError(name, self.damage or self.cut(window))

    def index(self, window: Window, frames: Any, row: int, room: int, notes: Any, *, jit: bool) -> int:  # noqa: ANN401
        """Index what the window holds in ``frames[row:room]``; returns the next free row.

        Sets ``damage`` when the stream cannot be followed any further.
        """
        step = index_blocks.choose(jit=jit)
        octets = window.octets(jit=jit)
        while not self.damage:
            row, window.start, stopped = step(
                octets, window.start, window.end, self._big, self._table(jit=jit), self._known, frames, row, room, notes
            )
            if stopped == SECTION:
                if not self._begin_section(window):
                    break
            elif stopped == INTERFACE:
                self._add_interface(window)
            elif stopped == DAMAGED:
                self.damage = self._what_is_wrong(window)
            else:
                break
        return row

    def cut(self, window: Window) -> str:
        """Say what is missing of the last block, where the stream has ended."""
        have = window.rest
        if have < 12:
            return f"the last block, at byte {window.position}, is cut: {have} of at least 12 bytes are there"
        length = self._number(window, 4, 4)
        return f"the last block, at byte {window.position}, is cut: {have} of its {length} bytes are there"

    def _number(self, window: Window, at: int, size: int, *, signed: bool = False) -> int:
        """Return a number of the block that begins at the window's start."""
        octets = window.view[window.start + at : window.start + at + size]
        return int.from_bytes(octets, "big" if self._big else "little", signed=signed)

    def _table(self, *, jit: bool) -> Any:  # noqa: ANN401
        """Return the interfaces in the form that loops take."""
        return self._interfaces if jit else self._plain

    def _begin_section(self, window: Window) -> bool:
        """Read a section header; False if it is not complete or not understood."""
        self._big = True
        self._big = self._number(window, 8, 4) == BYTE_ORDER_MAGIC
        magic, length = self._number(window, 8, 4), self._number(window, 4, 4)
        if magic != BYTE_ORDER_MAGIC or length < 28 or length % 4 or length > MAX_BLOCK:
            found = f"byte-order magic 0x{magic:08x}" if magic != BYTE_ORDER_MAGIC else f"a length of {length}"
            self.damage = f"the section header at byte {window.position} has {found}; what follows was not read"
            return False
        if window.rest < length:
            return False
        if (major := self._number(window, 12, 2)) != 1:
            self.damage = (
                f"the section at byte {window.position} is of pcapng version {major}.{self._number(window, 14, 2)}; "
                "expected 1.0; what follows was not read"
            )
            return False
        if self._number(window, length - 4, 4) != length:
            self.damage = self._what_is_wrong(window)
            return False
        self._known = 0
        self._plain.clear()
        window.start += length
        return True

    def _add_interface(self, window: Window) -> None:
        """Read an interface description, complete in the window."""
        length = self._number(window, 4, 4)
        if length < 20:
            self.damage = self._what_is_wrong(window)
            return
        link_type, snaplen = self._number(window, 8, 2), self._number(window, 12, 4)
        resolution, offset_s = 6, 0
        at = 16
        while at + 4 <= length - 4:
            code, size = self._number(window, at, 2), self._number(window, at + 2, 2)
            if code == 0 or at + 4 + size > length - 4:
                break
            if code == 9 and size >= 1:
                resolution = self._number(window, at + 4, 1)
            elif code == 14 and size >= 8:
                offset_s = self._number(window, at + 4, 8, signed=True)
            at += 4 + (size + 3) // 4 * 4
        window.start += length
        if link_type not in self.link_types:
            self.link_types.append(link_type)
        if self._known == MAX_INTERFACES:
            return
        if self._known == len(self._interfaces):
            self._interfaces = np.concatenate([self._interfaces, np.zeros_like(self._interfaces)])
        offset_ns = max(min(offset_s * 1_000_000_000, MAX_TS_NS), -MAX_TS_NS)
        power = resolution & 0x7F
        multiply, divide, shift = 1, 0, power
        if resolution < 0x80:
            multiply, divide = 10 ** max(9 - power, 0), 10 ** min(max(power - 9, 0), 18)
        unit = (link_type, snaplen, multiply, divide, shift, offset_ns)
        self._interfaces[self._known] = unit
        self._plain.append(dict(zip(UNITS.names or (), unit, strict=True)))
        self._known += 1

    def _what_is_wrong(self, window: Window) -> str:
        """Say why the block at the window's start cannot be true."""
        kind, length = self._number(window, 0, 4), self._number(window, 4, 4)
        what = f"the block of type 0x{kind:08x} at byte {window.position}"
        end = "; what follows was not read"
        if length % 4 or length > MAX_BLOCK or length < 12:
            return f"{what} claims a length of {length} bytes{end}"
        if (behind := self._number(window, length - 4, 4)) != length:
            return f"{what} is {length} bytes long by its head but {behind} by its tail{end}"
        if kind in (2, 6) and length >= 32:
            return f"{what} claims {self._number(window, 20, 4)} captured bytes but has room for {length - 32}{end}"
        return f"{what} has only {length} bytes, too few for its kind{end}"
