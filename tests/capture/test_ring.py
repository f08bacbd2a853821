"""The ring: blocks as the kernel fills them become an index of frames, plain and compiled alike."""

import struct

import numpy as np
import pytest

from analyzer.capture.frame import FRAME, NOTES, OCTETS, empty_frames, octets_of
from analyzer.capture.ring import ADDRESS, BIG_ENDIAN, index_blocks
from analyzer.loops.loop import freeze, records
from tests.capture import craft

BLOCK = 4096
BLOCKS = 4
TO_MAC = 96 - 14
"""Where a frame begins behind its header: tpacket3_hdr, sockaddr_ll, and room."""
VLAN, VLAN_TPID = 0x10, 0x40
BOTH = pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["plain", "compiled"])


class Memory:
    """The memory of a ring, written as the kernel writes it."""

    def __init__(self):
        self.buffer = np.zeros(1, dtype=OCTETS)
        self.octets = self.buffer.view(np.uint8)

    def fill(self, block, frames, *, status=0, tag=0, protocol=0):
        """Hand over a block with these frames, given as (octets, seconds, nanoseconds, length on the wire)."""
        at = block * BLOCK + 48
        for number, (octets, seconds, rest, original) in enumerate(frames):
            size = -(-(TO_MAC + len(octets)) // 8) * 8
            following = 0 if number == len(frames) - 1 else size
            head = struct.pack("=IIIIIIHH", following, seconds, rest, len(octets), original, status, TO_MAC, 96)
            head += struct.pack("=IIH", 0, tag, protocol)
            self.put(at, head)
            self.put(at + TO_MAC, octets)
            at += size
        self.put(block * BLOCK, struct.pack("=IIIII", 1, 0, 1, len(frames), 48))

    def put(self, at, octets):
        """Write some octets."""
        self.octets[at : at + len(octets)] = np.frombuffer(octets, dtype=np.uint8)

    def index(self, place=(0, 0, 0), *, room=100, from_network=False, link_type=1, jit=False):
        """Return the frames indexed, as (octets, ts_ns, original), and where it goes on."""
        frames = empty_frames(room, jit=jit)
        notes = records(NOTES, 1, jit=False)[0]
        notes = freeze([notes], NOTES)[0] if jit else notes
        count, block, at, left = index_blocks.choose(jit=jit)(
            octets_of(self.buffer, jit=jit),
            BIG_ENDIAN,
            BLOCK,
            BLOCKS,
            *place,
            from_network,
            link_type,
            frames,
            0,
            room,
            notes,
        )
        rows = freeze(frames[:count], FRAME)
        found = [
            (bytes(self.octets[row["at"] : row["at"] + row["captured"]]), int(row["ts_ns"]), int(row["original"]))
            for row in rows
        ]
        assert count == int(notes["frames"])
        return found, (int(block), int(at), int(left))


@BOTH
def test_frames_come_in_order_across_blocks(jit):
    """Every packet of the blocks that were handed over is indexed, with its time and both lengths."""
    memory = Memory()
    memory.fill(0, [(b"one" * 20, 7, 5, 60), (b"two" * 25, 8, 999_999_999, 4000)])
    memory.fill(1, [(b"three" * 9, 9, 0, 45)])

    found, place = memory.index(jit=jit)

    assert [
        (b"one" * 20, 7_000_000_005, 60),
        (b"two" * 25, 8_999_999_999, 4000),
        (b"three" * 9, 9_000_000_000, 45),
    ] == found
    assert 2 == place[0]


@BOTH
def test_a_full_index_goes_on_where_it_stopped(jit):
    """What has no room in the index is indexed the next time, once."""
    memory = Memory()
    memory.fill(3, [(bytes([n]) * 20, n, 0, 20) for n in range(5)])

    first, place = memory.index((3, 0, 0), room=2, jit=jit)
    second, place = memory.index(place, jit=jit)

    assert [0, 1, 2, 3, 4] == [frame[0][0] for frame in first + second]
    assert BLOCKS == place[0]


@BOTH
def test_a_buffer_that_is_full_is_walked_to_its_end(jit):
    """With every block handed over and none given back, each packet is indexed once."""
    memory = Memory()
    for block in range(BLOCKS):
        memory.fill(block, [(bytes([block]) * 20, block, 0, 20)])

    found, place = memory.index(jit=jit)
    again, _ = memory.index(place, jit=jit)

    assert [0, 1, 2, 3] == [frame[0][0] for frame in found]
    assert [] == again


@BOTH
def test_a_block_without_packets_is_passed_over(jit):
    """An empty block does not stop what follows it."""
    memory = Memory()
    memory.fill(0, [])
    memory.fill(1, [(b"x" * 20, 1, 0, 20)])

    assert [b"x" * 20] == [frame[0] for frame in memory.index(jit=jit)[0]]


@BOTH
@pytest.mark.parametrize(
    ("status", "protocol", "expected"), [(VLAN | VLAN_TPID, 0x88A8, 0x88A8), (VLAN, 0, 0x8100)], ids=["802.1ad", "old"]
)
def test_a_vlan_tag_is_put_back(status, protocol, expected, jit):
    """The tag that the kernel takes out of a frame stands in it again, behind the addresses."""
    packet = craft.ipv4(craft.tcp())
    memory = Memory()
    memory.fill(0, [(craft.ethernet(packet), 1, 0, 200)], status=status, tag=42, protocol=protocol)

    assert [(craft.ethernet(packet, vlans=[(expected, 42)]), 1_000_000_000, 204)] == memory.index(jit=jit)[0]


@BOTH
def test_the_link_layer_can_be_left_out(jit):
    """From an interface without Ethernet, or from all at once, frames begin with IP."""
    packet = craft.ipv4(craft.tcp())
    memory = Memory()
    memory.fill(0, [(craft.ethernet(packet), 1, 0, 14 + 100)])

    assert [(packet, 1_000_000_000, 100)] == memory.index(from_network=True, jit=jit)[0]


@BOTH
def test_frames_of_all_interfaces_have_a_cooked_header(jit):
    """From all interfaces at once a LINUX_SLL2 header stands in place of the link layer: so ARP can be among them."""
    packet = craft.ipv4(craft.tcp())
    memory = Memory()
    memory.fill(0, [(craft.ethernet(packet), 1, 0, 14 + 100)])
    station = bytes([2, 0, 0, 0, 0, 1])
    address = struct.pack("=H", 17) + struct.pack("!H", 0x0800) + struct.pack("=iHBB8s", 7, 1, 4, 6, station)
    memory.put(48 + ADDRESS, address)

    ((octets, ts_ns, original),) = memory.index(from_network=True, link_type=276, jit=jit)[0]

    head = struct.pack("!HHIHBB8s", 0x0800, 0, 7, 1, 4, 6, station)
    assert (head + packet, 1_000_000_000, 100 + len(head)) == (octets, ts_ns, original)
