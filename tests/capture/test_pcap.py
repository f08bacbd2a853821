import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.frame import DAMAGED, FULL, MORE, NOTES, empty_frames
from analyzer.capture.pcap import index_records
from analyzer.errors import CaptureError
from analyzer.loops.loop import records
from tests.capture.craft import Kept, ethernet, ipv4, pcap, read, tcp

FRAME = ethernet(ipv4(tcp(b"abc")))


@pytest.fixture
def kept_as(tmp_path):
    """Writes octets to a file and returns its path."""

    def write(octets, name="made.pcap"):
        path = tmp_path / name
        path.write_bytes(octets)
        return str(path)

    return write


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "ts_ns"),
    [(0xA1B2C3D4, 1_600_000_000_123_456_000), (0xA1B23C4D, 1_600_000_000_123_456_789), (0xA1B2CD34, 999_000)],
)
def test_byte_orders_and_units(kept_as, order, magic, ts_ns):
    """Both byte orders, micro- and nanoseconds and Kuznetsov's longer record headers give the same rows."""
    found = read(kept_as(pcap([Kept(FRAME, ts_ns), Kept(FRAME, ts_ns + 1000)], order=order, magic=magic)))

    assert ("pcap", ["EN10MB"], [], ts_ns) == (found.format, found.link_types, found.warnings, found.start_ns)
    assert [ts_ns, ts_ns + 1000] == found.column("ts_ns")
    assert [1, 2] == found.column("frame")


def test_seconds_are_unsigned(kept_as):
    """A capture of 2100 is after 1970."""
    ts_ns = 4_102_444_800_000_000_000

    assert [ts_ns] == read(kept_as(pcap([Kept(FRAME, ts_ns)]))).column("ts_ns")


@pytest.mark.parametrize("word", [0x1000_0001, 0xF400_0001, 0x03FF_0001])
def test_frame_check_sequence_bits(kept_as, word):
    """The upper half of the link type word says other things than the link type."""
    octets = bytearray(pcap([FRAME]))
    octets[20:24] = struct.pack("<I", word)

    assert ["EN10MB"] == read(kept_as(octets)).link_types


@pytest.mark.parametrize("version", [(2, 1), (2, 3), (543, 0)])
def test_old_versions_may_swap_the_lengths(kept_as, version):
    """In versions that some programs wrote wrongly, the smaller length is what was captured."""
    octets = pcap([Kept(FRAME, 0, 1500), FRAME], version=version)
    swapped = octets[:32] + octets[36:40] + octets[32:36] + octets[40:]

    for capture in (octets, swapped):
        assert [3, 3] == read(kept_as(capture)).column("payload_len")


def test_other_versions_are_refused(kept_as):
    """A version that no program writes is named, with its offset."""
    path = kept_as(pcap([FRAME], version=(3, 0)))
    with pytest.raises(CaptureError) as caught:
        read(path)

    assert f"{path}: is of pcap version 3.0; expected 2.4 at byte 4" == str(caught.value)


@pytest.mark.parametrize("keep", [4, 23])
def test_a_cut_file_header(kept_as, keep):
    """Less than a file header is an error that counts the bytes."""
    path = kept_as(pcap([])[:keep])
    with pytest.raises(CaptureError) as caught:
        read(path)

    assert f"{path}: cut within the file header: pcap needs 24 bytes, {keep} are there" == str(caught.value)


def test_no_frames(kept_as):
    """A capture of no frames is a capture."""
    found = read(kept_as(pcap([])))

    assert (0, None, [], ["EN10MB"]) == (found.frames, found.start_ns, found.warnings, found.link_types)


@pytest.mark.parametrize("jit", [False, True])
def test_a_cut_last_record(kept_as, jit):
    """A cut last record costs that record, and a warning with its offset, wherever it is cut."""
    octets = pcap([FRAME, FRAME])
    at = len(octets) - 16 - len(FRAME)
    for cut in range(1, 16 + len(FRAME)):
        found = read(kept_as(octets[:-cut]), jit=jit)
        left = 16 + len(FRAME) - cut
        there = f"{left} of its header's 16" if left < 16 else f"{left - 16} of its {len(FRAME)}"

        assert 1 == found.frames
        assert [f"the last record, at byte {at}, is cut: {there} bytes are there"] == found.warnings


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("claim", [262_145, 0xFFFFFFFF])
def test_a_record_that_cannot_be(kept_as, claim, jit):
    """A record longer than any capture program keeps ends the reading, and a warning says where."""
    octets = bytearray(pcap([FRAME, FRAME, FRAME]))
    at = 24 + 16 + len(FRAME)
    octets[at + 8 : at + 12] = struct.pack("<I", claim)
    found = read(kept_as(octets), jit=jit)

    assert 1 == found.frames
    assert [
        (
            f"the record at byte {at} claims {claim} captured bytes, more than the 262144 that any capture program "
            "keeps; what follows was not read"
        )
    ] == found.warnings


def test_longer_than_the_snap_length(kept_as):
    """A frame longer than the snap length is read, and a warning counts such frames."""
    found = read(kept_as(pcap([FRAME, FRAME[:54], FRAME], snaplen=54)))

    assert 3 == len(found.rows)
    assert ["2 frames are longer than the snap length of the capture; the first is frame 1"] == found.warnings


def test_times_that_are_none(kept_as):
    """A fraction of a second or more is taken as it stands, and counted."""
    octets = bytearray(pcap([FRAME, FRAME]))
    octets[28:32] = struct.pack("<I", 1_500_000)
    found = read(kept_as(octets))

    assert 1_600_000_001_500_000_000 == found.column("ts_ns")[0]
    assert "frame 1 has an impossible timestamp" in found.warnings


def test_times_that_go_back(kept_as):
    """Steps of time are counted, and the order of the file stays."""
    found = read(kept_as(pcap([Kept(FRAME, 5_000_000_000), Kept(FRAME, 4_998_000_000), Kept(FRAME, 9 * 10**17)])))

    assert [1, 2, 3] == found.column("frame")
    assert [
        "frame 2 is older than its predecessor (by 2 ms)",
        "frame 3 is later than the frame before (by 10416 d 16 h)",
    ] == found.warnings


def test_original_length_is_at_least_what_was_captured(kept_as):
    """An original length that is too small, or too large to be true, does no harm."""
    offloaded = ethernet(ipv4(tcp(b"y" * 100), total=0))
    found = read(kept_as(pcap([Kept(offloaded, 1, 20), Kept(offloaded, 2, 0xFFFFFFFF)])))

    assert [100, 0x7FFFFFFF - 54] == found.column("payload_len")


@given(octets=st.binary(max_size=200), big=st.booleans(), swapped=st.booleans(), record_len=st.sampled_from([16, 24]))
def test_any_octets_stay_within_bounds(octets, big, swapped, record_len):
    """Whatever the octets are, the loop ends, moves on, and reads and points to nothing outside."""
    frames, notes = empty_frames(20, jit=False), records(NOTES, 1, jit=False)[0]
    row, at, stopped = index_records(
        {"octet": octets}, 0, len(octets), big, 1000, record_len, swapped, 96, 1, frames, 0, 20, notes
    )

    assert stopped in {FULL, MORE, DAMAGED}
    assert row == notes["frames"]
    assert 0 <= at <= len(octets)
    for frame in frames[:row]:
        assert record_len <= frame["at"] <= frame["at"] + frame["captured"] <= at
        assert frame["captured"] <= frame["original"] < 1 << 31
