"""Writing live packets: what is written is read the same, and a full disk ends the file, not the capture."""

import errno
import os

import numpy as np
import pytest

from analyzer.capture import open_capture
from analyzer.capture.frame import NOTES, empty_frames
from analyzer.capture.packet_queue import PacketQueue
from analyzer.capture.pcap_writer import PcapWriter, put_records
from analyzer.errors import CaptureError
from analyzer.loops.loop import freeze, records
from tests.capture import craft

BOTH = pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["plain", "compiled"])
FRAMES = [
    (craft.ethernet(craft.ipv4(craft.tcp(bytes(at)))), 1_600_000_000_123_456_000 + at, 3000 + at) for at in range(9)
]


def queued(packets, jit):
    """Return a queue with an index of these packets."""
    left = iter(packets)
    queue = PacketQueue(lambda: next(left, None), 1)
    frames = empty_frames(len(packets), jit=jit)
    notes = records(NOTES, 1, jit=False)[0]
    queue.index(frames, len(packets), freeze([notes], NOTES)[0] if jit else notes, jit=jit)
    return queue, frames


def write(writer, packets, *, jit=False):
    """Write packets in one go."""
    queue, frames = queued(packets, jit)
    writer.write(queue.octets(jit=jit), queue.view, frames, len(packets), jit=jit)


def expected(packets):
    """Return the file that another hand writes of the same packets."""
    kept = [craft.Kept(octets, ts_ns, original) for octets, ts_ns, original in packets]
    return craft.pcap(kept, magic=0xA1B23C4D, snaplen=65535)


@BOTH
def test_the_file_is_a_pcap_with_nanoseconds(tmp_path, jit):
    """Header and records stand in the file as the format has them, in as many pieces as they were written."""
    writer = PcapWriter(str(tmp_path / "out.pcap"), 1, snaplen=65535)
    write(writer, FRAMES[:4], jit=jit)
    write(writer, FRAMES[4:], jit=jit)
    writer.close()

    assert expected(FRAMES) == (tmp_path / "out.pcap").read_bytes()
    assert len(FRAMES) == writer.frames


def test_what_is_written_is_read_the_same(tmp_path):
    """The reader finds every frame, its time and its length."""
    writer = PcapWriter(str(tmp_path / "out.pcap"), 1, snaplen=65535)
    write(writer, FRAMES)
    writer.close()

    with open_capture(tmp_path / "out.pcap") as source:
        rows = np.concatenate([batch.rows for batch in source])

    assert [ts_ns for _, ts_ns, _ in FRAMES] == rows["ts_ns"].tolist()
    assert [] == source.warnings


def test_the_file_can_be_read_while_it_grows(tmp_path):
    """What was written is in the file before it is closed."""
    writer = PcapWriter(str(tmp_path / "out.pcap"), 1, snaplen=65535)
    write(writer, FRAMES[:2])

    assert expected(FRAMES[:2]) == (tmp_path / "out.pcap").read_bytes()
    writer.close()


@pytest.mark.parametrize("room", [24, 25, 300, 10_000])
def test_a_full_disk_ends_the_file_at_a_whole_frame(tmp_path, monkeypatch, room):
    """The file holds the whole frames that had room, says so, and takes no more."""
    real_write = os.write

    def write_until_full(file, octets):
        left = room - os.fstat(file).st_size
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_write(file, bytes(octets)[:left])

    monkeypatch.setattr(os, "write", write_until_full)
    writer = PcapWriter(str(tmp_path / "out.pcap"), 1, snaplen=65535)
    for _ in range(20):
        write(writer, FRAMES)
    writer.close()

    assert expected((FRAMES * 20)[: writer.frames]) == (tmp_path / "out.pcap").read_bytes()
    assert room - 100 < (tmp_path / "out.pcap").stat().st_size <= max(room, 24)
    assert f"No space left on device); it ends with frame {writer.frames:,}, the capture went on" in writer.damage


def test_a_file_that_cannot_be_made_is_an_error(tmp_path):
    """A folder that is not there, and a disk that is full from the start, are told at once."""
    with pytest.raises(CaptureError, match="No such file"):
        PcapWriter(str(tmp_path / "no" / "out.pcap"), 1, snaplen=65535)
    with pytest.raises(CaptureError, match="No space left"):
        PcapWriter("/dev/full", 1, snaplen=65535)


def test_closing_twice_is_harmless(tmp_path):
    """A closed file stays closed, and writing to it does nothing."""
    writer = PcapWriter(str(tmp_path / "out.pcap"), 1, snaplen=65535)
    writer.close()
    writer.close()
    write(writer, FRAMES)

    assert expected([]) == (tmp_path / "out.pcap").read_bytes()


def test_the_loop_writes_what_the_writer_writes():
    """Run plainly, the loop that copies records gives the same octets."""
    queue, frames = queued(FRAMES, jit=False)
    out = bytearray(10_000)
    size = put_records(queue.octets(jit=False), frames, 0, len(FRAMES), out)

    assert expected(FRAMES)[24:] == out[:size]
