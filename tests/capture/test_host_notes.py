"""Reading notes of files that may hold anything."""

import struct

import pytest

from analyzer.capture.host_notes import host_notes
from analyzer.capture.pcapng_writer import MARK, PcapngWriter
from tests.capture.test_pcap_writer import FRAMES, write


@pytest.fixture
def noted(tmp_path):
    """A file with two notes and frames behind the last, as a kill leaves it."""
    path = tmp_path / "out.pcapng"
    writer = PcapngWriter(str(path), 1, snaplen=65535)
    writer.note(1, "one", received=0, dropped=0)
    writer.note(2, "two", received=0, dropped=0)
    write(writer, FRAMES)
    writer.close()
    return path


def test_a_file_that_was_cut_short_has_its_notes(noted):
    """Where frames follow the last note it is found by going back."""
    assert [(1, "one"), (2, "two")] == host_notes(str(noted))


def test_a_loop_of_notes_ends(noted):
    """A note that names itself, or one behind it, as the one before is the first."""
    octets = noted.read_bytes()
    at = octets.index(f"{MARK}".encode(), octets.index(b"two") - 60)
    for place in (b"9999999", str(octets.index(b"two")).encode()):
        head, rest = octets[: at + len(MARK)], octets[at + len(MARK) :]
        number, _, behind = rest.partition(b"\n")
        noted.write_bytes(head + place[: len(number)].ljust(len(number), b"9") + b"\n" + behind)
        assert [(2, "two")] == host_notes(str(noted))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x0a\x0d\x0d\x0a",
        b"\x0a\x0d\x0d\x0a" + bytes(40),
        b"\xd4\xc3\xb2\xa1" + bytes(60),
        struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) + struct.pack("<I", 1 << 31),
        struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) + struct.pack("<7I", 5, 28, 0, 0, 0, 9, 28),
    ],
)
def test_other_files_have_none(tmp_path, octets):
    """Empty, cut, foreign and inconsistent files have no notes, and no file is an error."""
    path = tmp_path / "x.pcapng"
    path.write_bytes(octets)

    assert [] == host_notes(str(path))
    assert [] == host_notes(str(tmp_path / "none")) == host_notes("-") == host_notes(str(tmp_path))
