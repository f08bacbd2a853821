"""Capturing on loopback for real: everything once, nothing missed, and an end that waits for what was sent."""

import os
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from analyzer.capture import open_capture
from analyzer.capture.live_reader import BATCH_ROWS, LiveReader
from analyzer.segment import SYN
from tests.capture import craft
from tests.loopback import connected, exchange, host, send_datagrams, within  # noqa: F401 - host is a fixture

pytestmark = pytest.mark.live


def drained(reader):
    """Stop a reader and return everything it captured, as one array."""
    reader.stop()
    return rows_of(reader)


def rows_of(source):
    """Return all rows of a source."""
    return np.concatenate([batch.rows for batch in source])


def no_tcp(batch):
    """Return how many frames of a batch are no TCP segments."""
    return batch.frames - len(batch)


def test_the_first_packet_after_the_start_is_seen(host):  # noqa: F811
    """A SYN sent as soon as the reader exists is frame 1, and every packet of loopback comes once."""
    with LiveReader("lo") as reader:
        exchange()
        rows = drained(reader)

    assert SYN == rows["flags"][0]
    assert 1 == rows["frame"][0]
    assert 2 == (rows["flags"] & SYN != 0).sum()
    assert len(rows) == reader.taken == len(np.unique(rows[["src_port", "seq", "ack", "flags", "payload_len"]]))


def test_the_time_is_the_kernels(host):  # noqa: F811
    """Packets bear the instants at which they were sent, not at which they were read."""
    with LiveReader("lo") as reader:
        before_ns = time.time_ns()
        exchange()
        after_ns = time.time_ns()
        time.sleep(0.2)
        rows = drained(reader)

    assert before_ns <= rows["ts_ns"].min()
    assert rows["ts_ns"].max() <= after_ns
    assert reader.start_ns == rows["ts_ns"].min()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_filter_keeps_other_traffic_out(host, address):  # noqa: F811
    """Only the port that was asked for is captured; the rest is not even counted."""
    with LiveReader("lo", ports=[4001]) as reader:
        exchange(4002, address)
        send_datagrams(100)
        exchange(4001, address)
        rows = drained(reader)

    assert {4001} == set(np.minimum(rows["src_port"], rows["dst_port"]).tolist())
    assert len(rows) == reader.taken


def test_a_filter_expression_is_the_kernels_work(host):  # noqa: F811
    """What libpcap compiled holds in the kernel."""
    with LiveReader("lo", filter_text="udp") as reader:
        exchange()
        send_datagrams(7)
        reader.stop()
        batches = list(reader)

    assert 7 == sum(batch.frames for batch in batches) == sum(batch.skipped[0] for batch in batches)


def test_a_stop_waits_for_what_was_sent(host):  # noqa: F811
    """Thousands of packets that nobody has read when stop is called are all there."""
    with LiveReader("lo") as reader:
        send_datagrams(20_000)
        reader.stop()
        frames = sum(batch.frames for batch in reader)

    assert (20_000, 0) == (frames, reader.lost)


def test_nothing_that_is_sent_after_a_stop_is_captured(host):  # noqa: F811
    """The batches end although packets keep coming."""
    stopped = threading.Event()

    def send():
        while not stopped.is_set():
            send_datagrams(50)

    sender = threading.Thread(target=send)
    with LiveReader("lo") as reader:
        with host.inside():
            sender.start()
        reader.stop()
        batches = list(reader)
        stopped.set()
        sender.join()

    assert reader.taken == sum(batch.frames for batch in batches)


def test_a_limit_ends_the_capture_at_that_packet(host):  # noqa: F811
    """This many packets are captured and no more."""
    with LiveReader("lo", limit=5) as reader:
        send_datagrams(50)
        frames = sum(batch.frames for batch in reader)

    assert (5, "limit") == (frames, reader.ended)


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["plain", "compiled"])
def test_what_is_written_is_what_was_decoded(host, tmp_path, jit):  # noqa: F811
    """The rows of the file are the rows that came live, to the octet and the nanosecond."""
    with LiveReader("lo", write=str(tmp_path / "out.pcap")) as reader:
        if jit:
            reader.compile()
        exchange(4001)
        exchange(4002, "::1")
        send_datagrams(3)
        live = drained(reader)
    with open_capture(tmp_path / "out.pcap") as source:
        read = rows_of(source)

    assert live.tobytes() == read.tobytes()
    assert reader.link_types == source.link_types
    assert reader.start_ns == source.start_ns
    assert [] == reader.warnings == source.warnings


def test_loops_may_change_between_batches(host):  # noqa: F811
    """A reader that goes on compiled numbers its frames on."""
    with LiveReader("lo", ports=[4001]) as reader:
        batches = reader.batches(0.05)
        exchange()
        rows = [next(batches).rows]
        reader.compile()
        exchange()
        reader.stop()
        rows += [batch.rows for batch in batches]

    assert list(range(1, reader.taken + 1)) == np.concatenate(rows)["frame"].tolist()


def test_packets_that_had_no_room_are_counted(host):  # noqa: F811
    """A burst beyond the ring is reported as lost, to the packet, and the capture goes on."""
    with LiveReader("lo", snaplen=60_000) as reader:
        send_datagrams(1500, b"x" * 40_000)
        reader.stop()
        frames = sum(batch.frames for batch in reader)

    assert 1500 == frames + reader.lost
    assert reader.lost > 0
    (warning,) = reader.warnings
    assert f"packets that came faster than they could be read, and are missing: {reader.lost:,} of 1,500" == warning


def test_when_packets_had_no_room_is_told(host):  # noqa: F811
    """Between two looks at the drop counter, the frames of the burst among them."""
    with LiveReader("lo", snaplen=60_000) as reader:
        send_datagrams(1)
        reader.look()
        send_datagrams(1500, b"x" * 40_000)
        reader.look()
        send_datagrams(1)
        reader.stop()
        losses = [loss for batch in reader for loss in batch.losses.tolist()]

    assert losses
    assert reader.lost == sum(packets for *_, packets, _ in losses)
    assert 1 == min(from_frame for _, _, from_frame, *_ in losses)


def test_stopping_twice_and_elsewhere_is_harmless(host):  # noqa: F811
    """Stop and close may be called again and again, from any thread, before and after the end."""
    reader = LiveReader("lo")
    threads = [threading.Thread(target=each) for each in (reader.stop, reader.close, reader.stop, reader.close) * 5]
    for thread in threads:
        thread.start()
    batches = list(reader)
    for thread in threads:
        thread.join()
    reader.close()
    reader.stop()

    assert [] == [batch for batch in batches if batch.frames]


def test_closing_while_another_thread_reads_ends_it(host):  # noqa: F811
    """Close waits for the batch that is being made, and nothing reads memory that is gone."""
    reader = LiveReader("lo")
    batches = []
    thread = threading.Thread(target=lambda: batches.extend(reader))
    thread.start()
    send_datagrams(5000)
    reader.close()
    thread.join(120)

    assert not thread.is_alive()


def test_a_waiting_reader_ends_at_once(host):  # noqa: F811
    """A reader on an idle interface notices a stop without waiting for a packet."""
    with LiveReader("lo") as reader:
        threading.Timer(0.1, reader.stop).start()
        batches = list(reader.batches(tick_s=120))

    assert [] == batches


def test_an_idle_reader_ticks(host):  # noqa: F811
    """Without packets an empty batch comes, so that the caller may look at the time."""
    with LiveReader("lo") as reader:
        batch = next(reader.batches(tick_s=0.05))

    assert (0, 0) == (batch.frames, len(batch))


def test_an_interface_that_goes_down_and_comes_back_is_noted(host):  # noqa: F811
    """The capture goes on when the interface comes up again, and says what is missing."""
    with LiveReader("lo") as reader:
        batches = reader.batches(0.05)
        send_datagrams(3)
        next(batches)
        host.ip("link", "set", "lo", "down")
        within(lambda: next(batches) is not None and reader.warnings)
        host.ip("link", "set", "lo", "up")
        send_datagrams(4)
        reader.stop()
        rest = list(batches)

    assert [(3, 4, -1)] == [
        tuple(loss[name] for name in ("from_frame", "to_frame", "packets")) for batch in rest for loss in batch.losses
    ]
    assert 4 <= sum(batch.frames for batch in rest)  # an interface that comes up may say something itself
    assert ["lo went down after frame 3; what passed until it came up is missing"] == reader.warnings


def test_an_interface_that_is_removed_ends_the_capture(host):  # noqa: F811
    """The batches end by themselves, and say why."""
    host.ip("link", "add", "brief0", "type", "veth", "peer", "other0")
    host.ip("link", "set", "brief0", "up")
    with LiveReader("brief0") as reader:
        threading.Timer(0.1, host.ip, ("link", "del", "brief0")).start()
        list(reader.batches(0.05))

    assert "gone" == reader.ended
    assert any("brief0 was removed after frame" in warning for warning in reader.warnings)


def test_a_clock_that_steps_back_is_noted_as_in_a_file(host, tmp_path):  # noqa: F811
    """Frames older than the one before them are counted in the same words live and from the file."""
    with LiveReader("lo", write=str(tmp_path / "out.pcap")) as reader:
        index = reader._tap.packets.index

        def stepping(frames, room, notes, *, jit):
            count = index(frames, room, notes, jit=jit)
            for at, frame in enumerate(frames[:count]):
                if at >= 2:
                    frame["ts_ns"] -= 3_600_000_000_000
            notes["back"], notes["back_frame"], notes["back_ns"] = 1, 3, 3_600_000_000_000
            return count

        reader._tap.packets.index = stepping
        exchange()
        rows = drained(reader)
    with open_capture(tmp_path / "out.pcap") as source:
        read = rows_of(source)

    assert rows["ts_ns"].tolist() == read["ts_ns"].tolist()
    assert np.diff(rows["ts_ns"]).min() < -3_000_000_000_000
    assert len(source.warnings) == len(reader.warnings) == 1


def test_vlan_tags_are_part_of_the_frames(host, tmp_path):  # noqa: F811
    """A tag that the kernel takes out of a frame is there again, live and in the file."""
    host.ip("link", "add", "left0", "type", "veth", "peer", "right0")
    host.ip("link", "set", "left0", "up")
    host.ip("link", "set", "right0", "up")
    frame = craft.ethernet(craft.ipv4(craft.tcp(ports=(4001, 9))), vlans=[(0x8100, 7)])
    with (
        LiveReader("right0", write=str(tmp_path / "out.pcap")) as reader,
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw,
    ):
        raw.bind(("left0", 0))
        raw.send(frame)
        rows = drained(reader)

    assert [7] == [int(row["tag"]) for row in rows if row["src_port"] == 4001]
    assert frame in (tmp_path / "out.pcap").read_bytes()


@pytest.mark.slow
def test_a_hundred_thousand_packets_a_second_lose_nothing(host):  # noqa: F811
    """A bounded load of small packets, as fast as one process sends them, is captured to the last."""
    code = "from tests.loopback import send_datagrams; send_datagrams(200_000)"
    with LiveReader("lo") as reader:
        reader.compile()
        batches = reader.batches(0.05)
        exchange()
        within(lambda: next(batches).frames > 0)
        datagrams = 0  # rather than packets: more of the exchange may still come
        load = subprocess.Popen(
            ["ip", "netns", "exec", host.name, sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": "."},
        )
        while load.poll() is None:
            datagrams += no_tcp(next(batches))
        reader.stop()
        datagrams += sum(no_tcp(batch) for batch in batches)

    assert 0 == load.returncode
    assert (200_000, 0) == (datagrams, reader.lost)


def test_a_batch_is_no_larger_than_agreed(host):  # noqa: F811
    """Batches stay small enough for the processor's cache."""
    with LiveReader("lo") as reader, connected() as (client, server):
        client.sendall(b"x")
        send_datagrams(3 * BATCH_ROWS)
        server.recv(1)
        reader.stop()
        sizes = [batch.frames for batch in reader]

    assert max(sizes) <= BATCH_ROWS
