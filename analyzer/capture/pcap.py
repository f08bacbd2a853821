"""Classic pcap: the file header, and the loop that indexes its records.

A file header of 24 octets, then records of 16 (24 in "modified" pcap) octets and a frame; both in the byte
order of the host that wrote them. Sources: draft-ietf-opsawg-pcap; libpcap's sf-pcap.c for what old versions wrote.

This module must not know what is in a frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer.capture.frame import (
    DAMAGED,
    FULL,
    LEAP_NS,
    MAX_CAPTURED,
    MAX_ORIGINAL,
    MORE,
    file32,
    note_frame,
    note_odd_time,
    touch,
)
from analyzer.capture.losses import Losses
from analyzer.errors import CaptureError
from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from analyzer.capture.window import Window
    from analyzer.untyped import Octets, Record, Rows

HEADER_LEN: Final = 24
RECORD_LEN: Final = 16

AHEAD: Final = 768
"""This many octets ahead the processor is told to fetch; records are found one by one, which it could not guess."""

# magic as a big-endian number -> (big-endian file, nanoseconds of a tick, octets of a record header)
MAGICS: Final = {
    0xA1B2C3D4: (True, 1000, 16),
    0xD4C3B2A1: (False, 1000, 16),
    0xA1B23C4D: (True, 1, 16),
    0x4D3CB2A1: (False, 1, 16),
    0xA1B2CD34: (True, 1000, 24),  # Kuznetsov's patches: interface, protocol and packet type follow the lengths
    0x34CDB2A1: (False, 1000, 24),
}


@loop
def index_records(  # noqa: PLR0913, PLR0917 - loops take positional arguments
    data: Octets,
    at: int,
    end: int,
    big: bool,  # noqa: FBT001
    tick_ns: int,
    record_len: int,
    swapped: bool,  # noqa: FBT001
    snaplen: int,
    link_type: int,
    frames: Rows,
    row: int,
    room: int,
    notes: Record,
) -> tuple[int, int, int]:
    """Index the records from ``at`` on in ``frames[row:room]``.

    ``swapped`` says that the lengths may stand the other way round: then the smaller one is what was captured.

    Returns:
        The next free row; where the next record begins; what stopped it (FULL, MORE or DAMAGED).
    """
    rest = (snaplen, link_type, frames, row, room, notes)
    if big or swapped or record_len != RECORD_LEN:
        return index_as_told(data, at, end, big, tick_ns, record_len, swapped, *rest)
    # what nearly every file is, as constants: machine code need not look at each record
    return index_as_told(data, at, end, False, tick_ns, RECORD_LEN, False, *rest)  # noqa: FBT003


@loop
def index_as_told(  # noqa: PLR0913, PLR0917 - as index_records
    data: Octets,
    at: int,
    end: int,
    big: bool,  # noqa: FBT001
    tick_ns: int,
    record_len: int,
    swapped: bool,  # noqa: FBT001
    snaplen: int,
    link_type: int,
    frames: Rows,
    row: int,
    room: int,
    notes: Record,
) -> tuple[int, int, int]:
    """Index records of the form that the arguments tell, as ``index_records`` says."""
    seen = notes["frames"]
    timed = notes["timed"]
    last_ns = notes["last_ts_ns"]
    stopped = FULL
    while row < room:
        if at + record_len > end:
            stopped = MORE
            break
        touch(data, at + AHEAD)
        fraction = file32(data, at + 4, big)
        captured = file32(data, at + 8, big)
        original = file32(data, at + 12, big)
        if swapped and captured > original:
            captured, original = original, captured
        if captured > MAX_CAPTURED:
            stopped = DAMAGED
            break
        if at + record_len + captured > end:
            stopped = MORE
            break
        ts_ns = file32(data, at, big) * 1000000000 + fraction * tick_ns
        frame = frames[row]
        frame["at"] = at + record_len
        frame["captured"] = captured
        frame["original"] = min(max(original, captured), MAX_ORIGINAL)
        frame["ts_ns"] = ts_ns
        frame["interface"] = 0
        frame["link_type"] = link_type
        odd = fraction * tick_ns >= 1000000000
        if odd or timed == 0 or ts_ns < last_ns or ts_ns > last_ns + LEAP_NS or captured > snaplen > 0:
            notes["frames"] = seen
            notes["timed"] = timed
            notes["last_ts_ns"] = last_ns
            note_frame(notes, ts_ns, captured, snaplen)
            if odd:
                note_odd_time(notes)
        seen += 1
        timed += 1
        last_ns = ts_ns
        at += record_len + captured
        row += 1
    notes["frames"] = seen
    notes["timed"] = timed
    notes["last_ts_ns"] = last_ns
    return row, at, stopped


class PcapFraming:
    """Indexes a pcap stream, from behind its magic number to its end or its first damage."""

    format = "pcap"

    def __init__(self, name: str, window: Window) -> None:
        """Read the file header.

        Raises:
            CaptureError: the stream ends within it, or its version is not 2.
        """
        head = window.head(HEADER_LEN)
        if len(head) < HEADER_LEN:
            raise CaptureError(
                name, f"cut within the file header: pcap needs {HEADER_LEN} bytes, {len(head)} are there"
            )
        self.big, self.tick_ns, self.record_len = MAGICS[int.from_bytes(head[:4], "big")]
        order: Any = "big" if self.big else "little"
        major, minor = (int.from_bytes(head[at : at + 2], order) for at in (4, 6))
        if major not in (2, 543):
            raise CaptureError(name, f"is of pcap version {major}.{minor}; expected 2.4", 4)
        # Up to version 2.3, and in DG/UX's 543.0, some programs wrote the original length first (libpcap).
        self.losses = Losses()
        self.filters: list[str] = []
        """This format does not say."""
        """None: a pcap has no drop counters."""
        self.swapped = major == 543 or minor <= 3
        self.snaplen = int.from_bytes(head[16:20], order)
        # Bits 28 to 31 hold the length of the frame check sequence, bit 26 says that they do; 16 to 25 are reserved.
        network = int.from_bytes(head[20:24], order)
        self.link_types = [network & 0xFFFF]
        self.fcs_octets = (network >> 28) * 2 if network & 0x04000000 else None
        """Of the frame check sequence, where the header says."""
        self.damage = ""
        window.start += HEADER_LEN

    def index(self, window: Window, frames: Rows, row: int, room: int, notes: Record, *, jit: bool) -> int:
        """Index what the window holds in ``frames[row:room]``; returns the next free row.

        Sets ``damage`` when the stream cannot be followed any further.
        """
        row, window.start, stopped = index_records.choose(jit=jit)(
            window.octets(jit=jit), window.start, window.end, self.big, self.tick_ns, self.record_len, self.swapped,
            self.snaplen, self.link_types[0], frames, row, room, notes,
        )  # fmt: skip
        if stopped == DAMAGED:
            at = window.start + 8
            captured = int.from_bytes(window.view[at : at + 4], "big" if self.big else "little")
            self.damage = (
                f"the record at byte {window.position} claims {captured} captured bytes, more than the "
                f"{MAX_CAPTURED} that any capture program keeps; what follows was not read"
            )
        return row

    def cut(self, window: Window) -> str:
        """Say what is missing of the last record, where the stream has ended."""
        have = window.rest
        if have < self.record_len:
            return (
                f"the last record, at byte {window.position}, is cut: {have} of its header's {self.record_len} bytes "
                "are there"
            )
        lengths = [file32(window.octets(jit=False), window.start + at, self.big) for at in (8, 12)]
        wanted = min(lengths) if self.swapped else lengths[0]
        return (
            f"the last record, at byte {window.position}, is cut: {have - self.record_len} of its {wanted} bytes "
            "are there"
        )
