"""Blocks of pcapng: the loop that indexes frames, and what a section and its interfaces are remembered as.

An interface description sets link type, snap length and time unit of the frames that name it; a statistics block says
how many packets were dropped. Source: draft-ietf-opsawg-pcapng (all figures of its section 4).

This module must not know what is in a frame, or what is told of damage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.capture.frame import (
    DAMAGED,
    FULL,
    GROWN,
    INTERFACE,
    MAX_ORIGINAL,
    MAX_TS_NS,
    MORE,
    SECTION,
    UNKNOWN_LINK,
    file16,
    file32,
    note_early,
    note_length,
    note_odd_time,
    note_time,
    octet,
)
from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from analyzer.untyped import Foreign, Octets, Record, Rows

MAX_BLOCK: Final = 16 << 20
"""A longer block is damage (libpcap's INITIAL_MAX_BLOCKSIZE)."""

MAX_INTERFACES: Final = 65_536
"""More are not remembered, so that a hostile file cannot fill the memory."""

NO_INTERFACE: Final = 1 << 32
"""Beyond any interface number: a block that belongs to none."""

LINK_TYPES: Final = 1 << 16
"""This many link types an interface description can name."""

UNITS: Final = np.dtype(
    [
        ("link_type", np.int64),
        ("snaplen", np.int64),  # 0 for none
        ("multiply", np.int64),  # ticks to ns: times this ...
        ("divide", np.int64),  # ... over this; 0 if the unit is a power of two
        ("shift", np.int64),  # then ticks are 2**-shift seconds
        ("offset_ns", np.int64),  # if_tsoffset
        ("dropped", np.int64),  # packets dropped so far, by its statistics
        ("looked", np.int64),  # 1 once there were any that count them
        ("look_frame", np.int64),  # how many frames there were at the latest of these
        ("look_ns", np.int64),  # the time then
    ],
    align=True,
)
"""What an interface description says, one row an interface of the section."""

SECTION_STATE: Final = np.dtype(
    [("big", np.int64), ("known", np.int64), ("stop", np.int64), ("undated", np.int64), ("filters", np.int64)],
    align=True,
)
"""The section at hand: its byte order, how many interfaces it has so far, whether to stop before the next, and whether
drops are no longer dated, because they were too often; and whether a filter of an interface is wanted (0), was just
taken (1), or is wanted no more (2).
"""


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
def note_untimed(notes: Record) -> None:
    """Count the frame noted last as one without a timestamp."""
    if notes["untimed"] == 0:
        notes["untimed_frame"] = notes["frames"]
    notes["untimed"] += 1


@loop
def note_homeless(notes: Record) -> None:
    """Count the frame noted last as one of an interface that the section does not describe."""
    if notes["homeless"] == 0:
        notes["homeless_frame"] = notes["frames"]
    notes["homeless"] += 1


@loop
def holds_frame(kind: int) -> bool:
    """Say whether a block of this type has a frame number: THE definition of a frame of a pcapng.

    Packets have, and so have, in Wireshark, systemd's journal entries, custom blocks and system calls, which hold no
    packet. Whoever numbers frames asks here.
    """
    return kind in (6, 2, 3, 9, 0xBAD, 0x40000BAD, 0x204, 0x216, 0x221)


@loop
def describe(data: Octets, at: int, big: bool, unit: Foreign) -> None:  # noqa: FBT001 - loops take positional arguments
    """Fill a UNITS row from the interface description ``at``, of at least 20 octets and complete."""
    stop = at + file32(data, at + 4, big) - 4
    resolution = 6
    unit["link_type"] = file16(data, at + 8, big)
    unit["snaplen"] = file32(data, at + 12, big)
    unit["offset_ns"] = 0
    unit["dropped"] = 0
    unit["looked"] = 0
    at += 16
    while at + 4 <= stop:
        code = file16(data, at, big)
        size = file16(data, at + 2, big)
        if code == 0 or at + 4 + size > stop:
            break
        if code == 9 and size >= 1:
            resolution = octet(data, at + 4)
        elif code == 14 and size >= 8:
            high, low = file32(data, at + 4, big), file32(data, at + 8, big)
            if not big:
                high, low = low, high
            if high >= 2147483648:
                high -= 4294967296
            unit["offset_ns"] = seconds_to_ns(high, low)
        at += 4 + (size + 3) // 4 * 4
    power = resolution & 0x7F
    unit["multiply"] = 1
    unit["divide"] = 0
    unit["shift"] = power
    if resolution < 0x80:
        unit["divide"] = 1
        for _ in range(power, 9):
            unit["multiply"] = unit["multiply"] * 10
        for _ in range(9, min(power, 27)):
            unit["divide"] = unit["divide"] * 10


@loop
def filter_of(data: Octets, at: int, big: bool) -> int:  # noqa: FBT001 - loops take positional arguments
    """Return where the option with the filter is (if_filter) of the interface description ``at``, 0 where it is not."""
    stop = at + file32(data, at + 4, big) - 4
    at += 16
    while at + 4 <= stop:
        code = file16(data, at, big)
        size = file16(data, at + 2, big)
        if code == 0 or at + 4 + size > stop:
            return 0
        if code == 11 and size > 1:
            return at
        at += 4 + (size + 3) // 4 * 4
    return 0


@loop
def count_drops(data: Octets, at: int, big: bool, unit: Foreign, notes: Record) -> bool:  # noqa: FBT001 - as describe
    """Add to ``notes`` what the statistics block ``at``, complete and of at least 24 octets, says more than the last.

    It counts from the beginning of the capture what the interface (isb_ifdrop) and the operating system (isb_osdrop)
    dropped, in 64 bits with all set for unknown. A count past 2**48 is none. Returns whether it shows when packets were
    dropped: since the block before it of the same interface, and frames came between them.
    """
    stop = at + file32(data, at + 4, big) - 4
    at += 20
    dropped = 0
    counted = False
    while at + 4 <= stop:
        code = file16(data, at, big)
        size = file16(data, at + 2, big)
        if code == 0 or at + 4 + size > stop:
            break
        if code in (5, 7) and size == 8:
            high, low = file32(data, at + 4, big), file32(data, at + 8, big)
            if not big:
                high, low = low, high
            if high < 65536:
                dropped += high * 4294967296 + low
                counted = True
        at += 4 + (size + 3) // 4 * 4
    if not counted:
        return False
    shown = False
    if dropped > unit["dropped"]:
        shown = unit["looked"] == 1 and unit["look_frame"] < notes["frames"]
        grown = dropped - unit["dropped"]
        notes["dropped"] = min(notes["dropped"] + grown, 1 << 48)
        unit["dropped"] = dropped
        if shown:
            notes["grown"] = grown
            notes["grown_from"] = unit["look_frame"]
            notes["grown_from_ns"] = unit["look_ns"]
    unit["looked"] = 1
    unit["look_frame"] = notes["frames"]
    unit["look_ns"] = notes["last_ts_ns"]
    return shown


@loop
def seconds_to_ns(high: int, low: int) -> int:
    """Return the signed seconds of two 32-bit halves in nanoseconds, cut to what a time can be."""
    if high > 1 or high < -2:
        return MAX_TS_NS if high > 0 else -MAX_TS_NS
    seconds = high * 4294967296 + low
    return max(min(seconds, MAX_TS_NS // 1000000000), -(MAX_TS_NS // 1000000000)) * 1000000000


@loop
def time_of(high: int, low: int, unit: Foreign, notes: Record) -> int:
    """Return the time of the frame noted last, from 1970 to MAX_TS_NS, and count what had to be cut to that.

    Where the first time is before 1970, all are moved so that it is 1970: elsewhere times below 0 stand for none.
    """
    ts_ns = ticks_to_ns(high, low, unit["multiply"], unit["divide"], unit["shift"])
    offset_ns = unit["offset_ns"]
    if ts_ns == MAX_TS_NS or ts_ns > MAX_TS_NS - max(offset_ns, 0):
        note_odd_time(notes)
        return MAX_TS_NS
    ts_ns += offset_ns
    if ts_ns < 0 and notes["timed"] == 0:
        notes["moved_ns"] = -ts_ns
    moved_ns = notes["moved_ns"]
    if ts_ns > MAX_TS_NS - moved_ns:
        note_odd_time(notes)
        return MAX_TS_NS
    if ts_ns + moved_ns < 0:
        note_early(notes)
        return 0
    return ts_ns + moved_ns


@loop
def sound_section(data: Octets, at: int, end: int) -> int:
    """Return 1 if the section header ``at`` is complete, sound and big-endian, 0 if it is little-endian, else -1."""
    if at + 28 > end:
        return -1
    big = file32(data, at + 8, True) == 0x1A2B3C4D  # noqa: FBT003
    length = file32(data, at + 4, big)
    if file32(data, at + 8, big) != 0x1A2B3C4D or length < 28 or length % 4 != 0 or length > 16777216:
        return -1
    if at + length > end or file16(data, at + 12, big) != 1 or file32(data, at + length - 4, big) != length:
        return -1
    return 1 if big else 0


@loop
def index_blocks(  # noqa: C901, PLR0911, PLR0912, PLR0913, PLR0915, PLR0917 - one loop, as headers.py
    data: Octets,
    at: int,
    end: int,
    section: Foreign,
    interfaces: Rows,
    named: Foreign,
    frames: Rows,
    row: int,
    room: int,
    notes: Record,
) -> tuple[int, int, int]:
    """Index the blocks from ``at`` on in ``frames[row:room]``; ``section`` and ``interfaces`` go on with what they say.

    ``named[n]`` is 1 if link type ``n`` was met before. Sections and interfaces are passed here, because a file may
    have millions of them; only what needs more is left to the caller: a section header that is not sound, an interface
    for which there is no room or whose link type is new.

    Returns:
        The next free row; where the next block begins; what stopped it (FULL, MORE, DAMAGED, SECTION, INTERFACE or
        GROWN).
    """
    big = section["big"] == 1
    known = section["known"]
    while row < room:
        if at + 12 > end:
            return row, at, MORE
        kind = file32(data, at, big)
        if kind == 0x0A0D0D0A:
            order = sound_section(data, at, end)
            if order < 0 or section["stop"] == 1:
                return row, at, SECTION
            big = order == 1
            known = 0
            section["big"] = order
            section["known"] = 0
            at += file32(data, at + 4, big)
            continue
        length = file32(data, at + 4, big)
        if length < 12 or length % 4 != 0 or length > 16777216:  # MAX_BLOCK
            return row, at, DAMAGED
        if at + length > end:
            return row, at, MORE
        if file32(data, at + length - 4, big) != length:
            return row, at, DAMAGED
        if kind == 1:
            if length < 20:
                return row, at, DAMAGED
            if named[file16(data, at + 8, big)] == 0 or (known == len(interfaces) and known < MAX_INTERFACES):
                return row, at, INTERFACE
            if section["filters"] == 0 and filter_of(data, at, big) > 0:
                return row, at, INTERFACE
            if section["filters"] == 1:
                section["filters"] = 0
            if known < MAX_INTERFACES:
                describe(data, at, big, interfaces[known])
                known += 1
                section["known"] = known
            at += length
            continue
        if holds_frame(kind):
            header = 8
            which = NO_INTERFACE
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
            elif kind == 3:  # simple packet block: interface 0, no time, captured length by the rules of snap length
                header = 12
                if length < 16:
                    return row, at, DAMAGED
                which = 0
                original = file32(data, at + 8, big)
                captured = min(original, length - 16)
                if known > 0 and interfaces[0]["snaplen"] > 0:
                    captured = min(captured, interfaces[0]["snaplen"])
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
                    ts_ns = time_of(file32(data, at + 12, big), file32(data, at + 16, big), unit, notes)
                    frame["ts_ns"] = ts_ns
                    note_time(notes, ts_ns)
            else:
                note_length(notes, captured, 0)
                if which != NO_INTERFACE:
                    note_homeless(notes)
            row += 1
        elif kind == 5 and length >= 24 and file32(data, at + 8, big) < known:
            shown = count_drops(data, at, big, interfaces[file32(data, at + 8, big)], notes)
            if shown and section["undated"] == 0:
                return row, at + length, GROWN
        at += length
    return row, at, FULL
