"""``Ring``: packets from the kernel through shared memory (TPACKET_V3), with a loop that indexes them as frames.

The kernel fills blocks and hands them over one by one: when full, or after a while. What is in a block goes to
``headers.decode`` where it lies, so a packet is never touched by interpreted Python. The ring is one or more OCTETS
buffers, side by side.

Source: Documentation/networking/packet_mmap.rst and include/uapi/linux/if_packet.h of Linux.

This module must not know what is in a frame, or where frames go.
"""

from __future__ import annotations

import mmap
import struct
import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.capture.frame import CAPACITY, OCTETS, file16, file32, note_frame, octets_of
from analyzer.loops.loop import loop

if TYPE_CHECKING:
    import socket

    from analyzer.untyped import Octets, Record, Rows

SOL_PACKET: Final = 263
PACKET_RX_RING: Final = 5
PACKET_STATISTICS: Final = 6
PACKET_VERSION: Final = 10
TPACKET_V3: Final = 2

SMALL_BLOCK: Final = 1 << 16
"""Octets of a block when frames are cut short. A block is handed over after RETIRE_MS however empty it is, so few
large blocks would be used up within a second by a few packets."""
LARGE_BLOCK: Final = 1 << 18
"""When frames are kept whole: a block holds the largest (all but a few octets of MAX_CAPTURED)."""
LARGEST_IN_SMALL: Final = 1 << 15
RETIRE_MS: Final = 30

ADDRESS: Final = 48
"""Where the struct sockaddr_ll of a packet is, behind its struct tpacket3_hdr and well before its IP header."""
COOKED: Final = 20
"""Octets of a LINUX_SLL2 header (tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html)."""
BIG_ENDIAN: Final = sys.byteorder == "big"


@loop
def index_blocks(  # noqa: PLR0913, PLR0917
    data: Octets,
    big: bool,  # noqa: FBT001 - loops take positional arguments
    block_len: int,
    blocks: int,
    block: int,
    at: int,
    left: int,
    from_network: bool,  # noqa: FBT001
    link_type: int,
    frames: Rows,
    row: int,
    room: int,
    notes: Record,
) -> tuple[int, int, int, int]:
    """Index the packets from ``at`` on, of which the current block has ``left``, in ``frames[row:room]``.

    ``from_network`` leaves the link layer out of the frames; where their link type is LINUX_SLL2, its header stands in
    place of it.

    Returns:
        The next free row; the current block (which is ``blocks`` behind the last), position and packets left in it.
    """
    while row < room:
        if left == 0:
            base = block * block_len
            if block == blocks or file32(data, base + 8, big) % 2 == 0:  # TP_STATUS_USER: it is ours
                break
            left = file32(data, base + 12, big)
            at = base + file32(data, base + 16, big)
            if left == 0:
                block += 1
                continue
        start = at + file16(data, at + 24, big)
        captured = file32(data, at + 12, big)
        original = file32(data, at + 16, big)
        ts_ns = file32(data, at + 4, big) * 1000000000 + file32(data, at + 8, big)
        status = file32(data, at + 20, big)
        if from_network:
            skipped = file16(data, at + 26, big) - file16(data, at + 24, big)
            start += skipped
            captured = max(captured - skipped, 0)
            original = max(original - skipped, 0)
            if link_type == 276:
                put_cooked(data, start - COOKED, at + ADDRESS, big)
                start -= COOKED
                captured += COOKED
                original += COOKED
        elif status // 16 % 2 == 1:  # TP_STATUS_VLAN_VALID: the tag was taken out of the frame
            protocol = 0x8100
            if status // 64 % 2 == 1:  # TP_STATUS_VLAN_TPID_VALID
                protocol = file16(data, at + 36, big)
            put_tag_back(data, start, protocol, file32(data, at + 32, big))
            start -= 4
            captured += 4
            original += 4
        frame = frames[row]
        frame["at"] = start
        frame["captured"] = captured
        frame["original"] = original
        frame["ts_ns"] = ts_ns
        frame["interface"] = 0
        frame["link_type"] = link_type
        note_frame(notes, ts_ns, captured, 0)
        row += 1
        left -= 1
        if left == 0:
            block += 1
        else:
            at += file32(data, at, big)
    return row, block, at, left


@loop
def put_cooked(data: Octets, start: int, at: int, big: bool) -> None:  # noqa: FBT001 - as index_blocks
    """Write a LINUX_SLL2 header at ``start`` from the struct sockaddr_ll ``at``, which ends before it."""
    octets = data["octet"]
    octets[start] = octets[at + 2]  # the protocol, in network order in both
    octets[start + 1] = octets[at + 3]
    octets[start + 2] = 0
    octets[start + 3] = 0
    index = file32(data, at + 4, big)
    kind = file16(data, at + 8, big)
    for place in range(4):
        octets[start + 4 + place] = index >> (24 - 8 * place) & 255
    octets[start + 8] = kind >> 8
    octets[start + 9] = kind & 255
    for place in range(10):  # type of packet, length of the address, and the address
        octets[start + 10 + place] = octets[at + 10 + place]


@loop
def put_tag_back(data: Octets, start: int, protocol: int, tag: int) -> None:
    """Move the two MAC addresses at ``start`` to the front, where there is room, and write the VLAN tag behind them."""
    octets = data["octet"]
    for at in range(start, start + 12):
        octets[at - 4] = octets[at]
    octets[start + 8] = protocol // 256
    octets[start + 9] = protocol % 256
    octets[start + 10] = tag // 256 % 256
    octets[start + 11] = tag % 256


class Ring:
    """The ring of a packet socket. What was indexed stays until ``release``."""

    def __init__(
        self, sock: socket.socket, link_type: int, *, from_network: bool, snaplen: int, buffers: int = 1
    ) -> None:
        """Set up and map the ring, of so many OCTETS buffers; the socket's ordinary queue is emptied by that.

        Raises:
            OSError: this system has no such rings.
        """
        self._link_type = link_type
        self._from_network = from_network
        self.block_len = SMALL_BLOCK if snaplen <= LARGEST_IN_SMALL else LARGE_BLOCK
        self.blocks = CAPACITY // self.block_len
        """Blocks of a buffer."""
        total = self.blocks * buffers
        request = struct.pack("=7I", self.block_len, total, self.block_len, total, RETIRE_MS, 0, 0)
        sock.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
        sock.setsockopt(SOL_PACKET, PACKET_RX_RING, request)
        self._map = mmap.mmap(sock.fileno(), CAPACITY * buffers, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._buffers: list[Any] = [np.frombuffer(self._map, OCTETS, 1, CAPACITY * at) for at in range(buffers)]
        self._views = [buffer.view(np.uint8).data for buffer in self._buffers]
        self._octets: dict[tuple[int, bool], Octets] = {}
        self._marks = np.ndarray((buffers, self.blocks), np.uint32, self._map, 8, (CAPACITY, self.block_len))
        self._current = 0
        self._place = (0, 0, 0)
        self._released = 0

    @property
    def view(self) -> memoryview:
        """The memory in which the frames of the last index lie."""
        return self._views[self._current]

    def octets(self, *, jit: bool) -> Octets:
        """Return that memory as loops take it."""
        key = self._current, jit
        if key not in self._octets:
            self._octets[key] = octets_of(self._buffers[self._current], jit=jit)
        return self._octets[key]

    def index(self, frames: Rows, room: int, notes: Record, *, jit: bool) -> int:
        """Index up to ``room`` packets that have come, and return how many."""
        count = self._index(frames, room, notes, jit=jit)
        if not count and self._place[0] == self.blocks:  # behind the last block of this buffer
            self.release()
            self._current = (self._current + 1) % len(self._buffers)
            self._place, self._released = (0, 0, 0), 0
            count = self._index(frames, room, notes, jit=jit)
        return count

    def _index(self, frames: Rows, room: int, notes: Record, *, jit: bool) -> int:
        """Index packets of the current buffer."""
        block, at, left = self._place
        count, block, at, left = index_blocks.choose(jit=jit)(
            self.octets(jit=jit),
            BIG_ENDIAN,
            self.block_len,
            self.blocks,
            block,
            at,
            left,
            self._from_network,
            self._link_type,
            frames,
            0,
            room,
            notes,
        )
        self._place = (int(block), int(at), int(left))
        return int(count)

    def release(self) -> None:
        """Give the blocks back whose packets were all indexed; their memory changes from now on."""
        block = self._place[0]
        self._marks[self._current, self._released : block] = 0
        self._released = block

    def close(self) -> None:
        """Unmap the memory; the views handed out must not be used any more."""
        self._octets.clear()
        for view in self._views:
            view.release()
        self._buffers.clear()
        self._marks = np.empty((0, 0), dtype=np.uint32)
        try:
            self._map.close()
        except BufferError:  # somebody still holds a view; it goes with that
            return


def counts(sock: socket.socket, *, ring: bool) -> tuple[int, int]:
    """Return how many packets passed the filter since the last call, and how many of these were dropped."""
    size = 12 if ring else 8  # struct tpacket_stats_v3 or tpacket_stats
    octets = sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, size)
    passed, dropped = struct.unpack_from("=2I", octets)
    return passed, dropped
