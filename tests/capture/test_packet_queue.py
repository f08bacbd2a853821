"""Packets one by one: the same index as from a ring."""

from analyzer.capture.frame import MAX_CAPTURED, NOTES, empty_frames
from analyzer.capture.packet_queue import PacketQueue
from analyzer.loops.loop import records


def index(queue, room):
    """Return the packets of the next index, as (octets, ts_ns, original)."""
    frames = empty_frames(room, jit=False)
    notes = records(NOTES, 1, jit=False)[0]
    count = queue.index(frames, room, notes, jit=False)
    return [
        (bytes(queue.view[each["at"] : each["at"] + each["captured"]]), each["ts_ns"], each["original"])
        for each in frames[:count]
    ]


def test_packets_come_once_and_in_order():
    """What one index has no room for comes with the next, and what was released is gone."""
    packets = [(bytes([at]) * at, 1000 * at, at + 5) for at in range(1, 6)]
    left = iter(packets)
    queue = PacketQueue(lambda: next(left, None), 1)

    first = index(queue, 3)
    queue.release()

    assert packets == first + index(queue, 100)


def test_a_packet_that_is_too_long_is_cut():
    """No more of a packet is kept than any capture keeps; its length on the wire stays."""
    packets = iter([(bytes(MAX_CAPTURED + 1), 1, MAX_CAPTURED + 1)])
    queue = PacketQueue(lambda: next(packets, None), 1)

    assert [(bytes(MAX_CAPTURED), 1, MAX_CAPTURED + 1)] == index(queue, 10)


def test_a_full_buffer_is_indexed_before_more_is_taken():
    """Packets are not written over until they were released."""
    packets = iter([(bytes([at]) * MAX_CAPTURED, at, MAX_CAPTURED) for at in range(200)])
    queue = PacketQueue(lambda: next(packets, None), 1)

    found = []
    while batch := index(queue, 100):
        found += [(octets[0], octets[-1], ts_ns) for octets, ts_ns, _ in batch]
        queue.release()

    assert [(at, at, at) for at in range(200)] == found
    queue.close()
