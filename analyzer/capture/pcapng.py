"""pcapng: a stream of sections, and what is said where it ends or is damaged.

A stream of blocks, each with its type and its length before and behind. A section header sets the byte order and
forgets the interfaces. Source: draft-ietf-opsawg-pcapng (all figures of its section 4). The loop that indexes frames
is in ``pcapng_blocks``.

This module must not know what is in a frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.capture.frame import DAMAGED, GROWN, INTERFACE, SECTION
from analyzer.capture.losses import Losses
from analyzer.capture.pcapng_blocks import (
    LINK_TYPES,
    MAX_BLOCK,
    MAX_INTERFACES,
    SECTION_STATE,
    UNITS,
    filter_of,
    index_blocks,
)
from analyzer.errors import CaptureError
from analyzer.loops.loop import freeze, records

if TYPE_CHECKING:
    from analyzer.capture.window import Window
    from analyzer.untyped import Record, Rows

MAGIC: Final = b"\x0a\x0d\x0d\x0a"

BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D

SECTION_TYPE: Final = 0x0A0D0D0A

MOST_FILTERS: Final = 16
"""So many different filters of a file are remembered."""

LONGEST_FILTER: Final = 1024
"""A longer expression is cut."""

NOT_TEXT: Final = "a filter that is not written out"
"""In place of an expression, where there is only the program that a filter was compiled to."""

MOST_LOSSES: Final = 4096
"""This many stretches with drops are told apart, so that a hostile file does not cost more than its octets."""


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
        self.losses = Losses()
        """Where drop counters grew."""
        self.filters: list[str] = []
        """Expressions that packets had to pass, by interface descriptions, each once."""
        self.stop_at_sections = False
        """Whether ``index`` returns before each section header, which ``pass_section`` then passes."""
        self._section: Any = records(SECTION_STATE, 1, jit=False)[0]
        self._interfaces: Any = records(UNITS, 8, jit=False)
        self._named: Any = [0] * LINK_TYPES
        head = window.head(28)
        if len(head) < 28:
            raise CaptureError(
                name, f"cut within the first section header: pcapng needs 28 bytes, {len(head)} are there"
            )
        while not self._begin_section(window):
            if self.damage or not window.more():
                raise CaptureError(name, self.damage or self.cut(window))

    @property
    def big(self) -> bool:
        """Whether the section at hand is big-endian."""
        return bool(self._section["big"])

    def index(self, window: Window, frames: Rows, row: int, room: int, notes: Record, *, jit: bool) -> int:
        """Index what the window holds in ``frames[row:room]``; returns the next free row.

        Sets ``damage`` when the stream cannot be followed any further.
        """
        self._change_mode(jit=jit)
        step = index_blocks.choose(jit=jit)
        octets = window.octets(jit=jit)
        self._section["stop"] = int(self.stop_at_sections)
        while not self.damage:
            row, window.start, stopped = step(
                octets, window.start, window.end, self._section, self._interfaces, self._named, frames, row, room, notes
            )
            if stopped == SECTION:
                if self.stop_at_sections or not self._begin_section(window):
                    break
            elif stopped == INTERFACE:
                self._make_room(window, jit=jit)
                self._take_filter(window)
            elif stopped == GROWN:
                self._note_loss(notes)
            elif stopped == DAMAGED:
                self.damage = self._what_is_wrong(window)
            else:
                break
        return row

    def _note_loss(self, notes: Record) -> None:
        """Take what the last statistics block showed."""
        packets = int(notes["grown"])
        notes["dated"] += packets
        self.losses.add(int(notes["grown_from"]), int(notes["grown_from_ns"]), int(notes["frames"]), packets)
        self._section["undated"] = int(self.losses.taken >= MOST_LOSSES)

    def pass_section(self, window: Window) -> bool:
        """Pass a section header at the window's start; False if there is none, or none that is complete and sound."""
        at_section = window.rest >= 12 and self._number(window, 0, 4) == SECTION_TYPE
        return at_section and not self.damage and self._begin_section(window)

    def cut(self, window: Window) -> str:
        """Say what is missing of the last block, where the stream has ended."""
        have = window.rest
        if have < 12:
            return f"the last block, at byte {window.position}, is cut: {have} of at least 12 bytes are there"
        length = self._number(window, 4, 4)
        return f"the last block, at byte {window.position}, is cut: {have} of its {length} bytes are there"

    def _number(self, window: Window, at: int, size: int) -> int:
        """Return a number of the block that begins at the window's start."""
        octets = window.view[window.start + at : window.start + at + size]
        return int.from_bytes(octets, "big" if self.big else "little")

    def _change_mode(self, *, jit: bool) -> None:
        """Bring what was remembered into the form that loops of this mode take."""
        if jit and isinstance(self._interfaces, list):
            self._interfaces = freeze(self._interfaces, UNITS)
            self._section = freeze([self._section], SECTION_STATE)[0]
            self._named = np.array(self._named, dtype=np.int64)

    def _begin_section(self, window: Window) -> bool:
        """Read a section header; False if it is not complete or not understood."""
        self._section["big"] = 1
        self._section["big"] = int(self._number(window, 8, 4) == BYTE_ORDER_MAGIC)
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
        self._section["known"] = 0
        window.start += length
        return True

    def _make_room(self, window: Window, *, jit: bool) -> None:
        """Note the link type of the interface description at the window's start, and make room for it."""
        link_type = self._number(window, 8, 2)
        if not self._named[link_type]:
            self._named[link_type] = 1
            self.link_types.append(link_type)
        count = len(self._interfaces)
        if self._section["known"] == count < MAX_INTERFACES:
            more = records(UNITS, count, jit=jit)
            self._interfaces = np.concatenate([self._interfaces, more]) if jit else self._interfaces + more

    def _take_filter(self, window: Window) -> None:
        """Note the filter of the interface description at the window's start: an expression, or that there is one."""
        if self._section["filters"] == 2:
            return
        self._section["filters"] = 1
        at = filter_of.choose(jit=False)(window.octets(jit=False), window.start, self.big)
        if not at:
            return
        size = self._number(window, at + 2 - window.start, 2)
        kind, text = window.view[at + 4], bytes(window.view[at + 5 : at + 4 + size])
        read = text.decode("ascii", "replace").rstrip("\0")
        read = " ".join("".join(each if each.isprintable() else " " for each in read).split())[:LONGEST_FILTER]
        said = read if kind == 0 else NOT_TEXT
        if said and said not in self.filters:
            self.filters.append(said)
        if len(self.filters) >= MOST_FILTERS:
            self._section["filters"] = 2

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
