"""Copies with comments: all else as it was."""

import io
import re
import struct

import pytest

from analyzer.capture.commented import copy_with_comments
from analyzer.capture.source import open_source
from tests.capture.craft import (
    Kept,
    block,
    enhanced,
    ethernet,
    interface,
    ipv4,
    obsolete,
    option,
    pcap,
    read,
    section,
    simple,
    tcp,
)

FRAME = ethernet(ipv4(tcp(b"howdy, server")))
SECOND_NS = 1_600_000_000_123_456_000


def copied(tmp_path, octets, comments=(), about="all", name="in"):
    """Copy octets; return the copy and what became of it."""
    path = tmp_path / name
    path.write_bytes(octets)
    out = io.BytesIO()
    source = open_source(str(path))
    done = copy_with_comments(source, out.write, iter(comments), about=about, application="test 1")
    source.close()
    return out.getvalue(), done


def blocks_of(octets):
    """The blocks of a pcapng, as (type, body), in little-endian or big-endian order."""
    found, at, order = [], 0, "<"
    while at < len(octets):
        if octets[at : at + 4] == b"\n\r\r\n":
            order = "<" if octets[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, length = struct.unpack_from(f"{order}II", octets, at)
        assert length == struct.unpack_from(f"{order}I", octets, at + length - 4)[0]
        found.append((kind, octets[at + 8 : at + length - 4]))
        at += length
    return found


def options_of(octets, order="<"):
    """The options of a block, as (code, value)."""
    found, at = [], 0
    while at + 4 <= len(octets):
        code, length = struct.unpack_from(f"{order}HH", octets, at)
        if code == 0:
            break
        found.append((code, octets[at + 4 : at + 4 + length]))
        at += 4 + length + -length % 4
    return found


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34])
@pytest.mark.parametrize("size", [60, 61, 62, 63])
def test_a_pcap_becomes_a_pcapng_with_the_same_packets(tmp_path, order, magic, size):
    """Octets, times to the last digit, lengths and link type are those of the pcap, in either byte order."""
    frames = [
        Kept(FRAME[:size], SECOND_NS + 789 * (magic == 0xA1B23C4D), original=1500),
        Kept(FRAME, SECOND_NS + 10**9),
    ]
    octets = pcap(frames, order=order, magic=magic, snaplen=4000)
    out, done = copied(tmp_path, octets, [(2, "second")])
    (tmp_path / "out").write_bytes(out)
    before, after = read(tmp_path / "in"), read(tmp_path / "out")
    kinds = blocks_of(out)

    assert before.rows.tolist() == after.rows.tolist()
    assert (before.start_ns, before.link_types) == (after.start_ns, after.link_types)
    assert [0x0A0D0D0A, 1, 6, 6] == [kind for kind, _ in kinds]
    assert (1, 0, 4000) == struct.unpack_from("<HHI", kinds[1][1])
    assert (size, 1500) == struct.unpack_from("<II", kinds[2][1], 12)
    assert FRAME[:size] == kinds[2][1][20 : 20 + size]
    assert [(1, b"second")] == options_of(kinds[3][1][20 + len(FRAME) + -len(FRAME) % 4 :])
    assert (2, 1, "") == (done.frames, done.comments, done.damage)


def test_the_whole_has_a_comment_too(tmp_path):
    """The section says what was found, and who wrote it."""
    out, _ = copied(tmp_path, pcap([FRAME]), about="summary\nof two lines")
    options = options_of(blocks_of(out)[0][1][16:])

    assert [(1, b"summary\nof two lines"), (4, b"test 1")] == options


def test_the_length_of_a_check_sequence_is_kept(tmp_path):
    """What the pcap header says of frame check sequences becomes an option of the interface."""
    out, _ = copied(tmp_path, pcap([FRAME], 1 | 0x04000000 | 2 << 28))
    body = blocks_of(out)[1][1]

    assert 1 == struct.unpack_from("<H", body)[0]
    assert (13, b"\x04") in options_of(body[8:])


def test_lengths_the_other_way_round(tmp_path):
    """Files of version 2.3 and before may have the original length first."""
    octets = bytearray(pcap([Kept(FRAME, original=1500)], version=(2, 3)))
    octets[24 + 8 : 24 + 16] = struct.pack("<II", 1500, len(FRAME))
    out, done = copied(tmp_path, bytes(octets))

    assert (len(FRAME), 1500) == struct.unpack_from("<II", blocks_of(out)[2][1], 12)
    assert "" == done.damage


@pytest.mark.parametrize("order", "<>")
def test_a_pcapng_keeps_every_block_that_gets_no_comment(tmp_path, order):
    """Blocks of all types stay octet for octet; a packet with a comment keeps its other options behind it."""
    flags = option(2, b"\1\0\0\0", order) + option(1, b"mine", order) + bytes(4)
    parts = [
        section(order),
        interface(1, order, options=option(9, b"\x09", order) + option(2, b"eth0", order) + bytes(4)),
        interface(101, order),
        block(4, b"\0\1\2\3", order),
        enhanced(FRAME, 12345678901234567, order=order, options=flags),
        enhanced(FRAME[:61], 5, 1, order, original=900),
        obsolete(FRAME, 6, order=order),
        block(0xBAD, b"custom", order),
        block(5, bytes(12), order),
    ]
    out, done = copied(tmp_path, b"".join(parts), [(1, "one"), (2, "two"), (3, "three"), (4, "four")], about="summary")
    before, after = blocks_of(b"".join(parts)), blocks_of(out)

    assert [kind for kind, _ in before] == [kind for kind, _ in after]
    for at in (1, 2, 3, 7, 8):
        assert before[at] == after[at]
    for at, text in ((4, b"one"), (5, b"two"), (6, b"three")):
        length = struct.unpack_from(f"{order}I", before[at][1], 12)[0]
        stop = 20 + length + -length % 4
        assert before[at][1][:stop] == after[at][1][:stop]
        assert [(1, text), *options_of(before[at][1][stop:], order)] == options_of(after[at][1][stop:], order)
    assert [(1, b"summary")] == options_of(after[0][1][16:], order)
    assert b"\xff" * 8 == after[0][1][8:16]
    assert (4, 3, 1, 0) == (done.frames, done.comments, done.homeless, done.lost)


def test_sections_of_either_order_follow_each_other(tmp_path):
    """A second section may have the other byte order; the summary stands in the first, and no length is claimed."""
    first = section("<") + interface(1, "<") + enhanced(FRAME)
    sized = bytearray(section(">"))
    sized[16:24] = struct.pack(">q", len(first))
    out, done = copied(tmp_path, first + bytes(sized) + interface(1, ">") + enhanced(FRAME, order=">"), [(2, "two")])
    found = blocks_of(out)

    assert [0x0A0D0D0A, 1, 6] * 2 == [kind for kind, _ in found]
    assert [] == options_of(found[3][1][16:], ">")
    assert b"\xff" * 8 == found[3][1][8:16]
    assert [(1, b"two")] == options_of(found[5][1][20 + len(FRAME) + -len(FRAME) % 4 :], ">")
    assert 2 == done.frames


def test_a_simple_packet_block_can_have_no_comment(tmp_path):
    """Its comment is counted, and the block stays."""
    octets = section() + interface() + simple(FRAME) + enhanced(FRAME)
    out, done = copied(tmp_path, octets, [(1, "one"), (2, "two")])

    assert blocks_of(octets)[2] == blocks_of(out)[2]
    assert (1, 1) == (done.homeless, done.comments)


def test_a_comment_longer_than_an_option_is_cut_between_letters(tmp_path):
    """An option holds 65535 octets, and a letter is not cut in half."""
    out, _ = copied(tmp_path, pcap([FRAME]), [(1, "ä" * 40_000)])
    text = options_of(blocks_of(out)[2][1][20 + len(FRAME) + -len(FRAME) % 4 :])[0][1]

    assert "ä" * 32_767 == text.decode()


@pytest.mark.parametrize(
    ("octets", "damage"),
    [
        (pcap([FRAME, FRAME])[:-3], r"the last record, at byte 107, is cut"),
        (pcap([FRAME]) + bytes(7), r"the last record, at byte 107, is cut"),
        (pcap([FRAME]) + b"\xff" * 40, r"the record at byte 107 claims 4294967295 captured bytes"),
        (section() + interface() + enhanced(FRAME)[:-5], r"the last block, at byte 48, is cut"),
        (section() + interface() + struct.pack("<II", 6, 13), r"the last block, at byte 48, is cut"),
        (
            section() + interface() + struct.pack("<III", 6, 13, 0),
            r"block of type 0x00000006 at byte 48 claims a length of 13 bytes",
        ),
        (
            section() + interface() + block(6, bytes(24))[:-1] + b"\1",
            r"at byte 48 is 36 bytes long by its head but 16777252 by its tail",
        ),
    ],
)
def test_damage_ends_the_copy(tmp_path, octets, damage):
    """What cannot be read on is not copied, and where that was is said."""
    out, done = copied(tmp_path, octets, [(1, "one")])

    assert re.search(damage, done.damage)
    assert blocks_of(out)


def test_octets_are_written_as_they_pass(tmp_path):
    """No piece that is written grows with the file."""
    path = tmp_path / "in"
    path.write_bytes(pcap([FRAME] * 60_000))
    sizes = []
    source = open_source(str(path))
    copy_with_comments(
        source, lambda some: sizes.append(len(some)), ((n, "x") for n in range(1, 60_001, 7)), about="", application=""
    )
    source.close()

    assert max(sizes) < 4 << 20
    assert 2 < len(sizes)


def test_comments_that_find_no_packet_are_counted(tmp_path):
    """A comment for a frame that has one, or behind the end, shows that this is another capture."""
    _, done = copied(tmp_path, pcap([FRAME, FRAME]), [(2, "two"), (2, "two again"), (9, "nine")])

    assert (1, 2) == (done.comments, done.lost)


@pytest.mark.parametrize("kind", [9, 0xBAD, 0x40000BAD, 0x204, 0x216, 0x221, 4, 5, 10, 0x208, 0x77777777])
@pytest.mark.parametrize("jit", [False, True])
def test_comments_find_the_frames_that_the_reader_numbered(tmp_path, kind, jit):
    """Whatever comes before a packet, its comment is on the packet of which the reader said this number."""
    path = tmp_path / "in"
    path.write_bytes(section() + block(kind, bytes(40)) + interface() + block(kind, bytes(40)) + enhanced(FRAME) * 2)
    numbers = read(path, jit=jit).column("frame")
    out = io.BytesIO()
    source = open_source(str(path))
    comments = ((number, f"packet {number}") for number in numbers)
    done = copy_with_comments(source, out.write, comments, about="", application="", jit=jit)
    source.close()
    packets = [body for code, body in blocks_of(out.getvalue()) if code == 6]

    assert (2, 0) == (done.comments, done.lost)
    for number, body in zip(numbers, packets, strict=True):
        assert [(1, f"packet {number}".encode())] == options_of(body[20 + len(FRAME) + -len(FRAME) % 4 :])
