import io
import struct
from types import SimpleNamespace

import pytest

from analyzer.capture import open_capture
from analyzer.capture.frame import MAX_TS_NS, NOTES, empty_frames
from analyzer.capture.pcapng import PcapngFraming
from analyzer.capture.pcapng_blocks import MAX_INTERFACES, index_blocks
from analyzer.capture.window import Window
from analyzer.errors import CaptureError, UnsupportedLinkTypeError
from analyzer.loops.loop import records
from tests.capture.craft import (
    block,
    enhanced,
    ethernet,
    interface,
    ipv4,
    obsolete,
    option,
    pcapng,
    read,
    section,
    simple,
    tcp,
)

FRAME = ethernet(ipv4(tcp(b"abc")))
TICKS = 1_600_000_000_123_456
HEAD = section() + interface()


@pytest.fixture(params=[False, True], ids=["plain", "compiled"])
def found_in(request, tmp_path):
    """Writes octets to a file and reads it, in each of the modes."""

    def write_and_read(octets, **options):
        path = tmp_path / "made.pcapng"
        path.write_bytes(octets)
        return read(path, jit=request.param, **options)

    return write_and_read


def error_of(tmp_path, octets):
    """The sentence with which a file is refused, without its path."""
    path = tmp_path / "made.pcapng"
    path.write_bytes(octets)
    with pytest.raises(CaptureError) as caught:
        read(path)
    return str(caught.value).removeprefix(f"{path}: ")


# ── what is read ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_orders(found_in, order):
    """Both byte orders are read."""
    found = found_in(pcapng([FRAME, FRAME], order=order))

    assert ("pcapng", ["EN10MB"], []) == (found.format, found.link_types, found.warnings)
    assert [1_600_000_000_123_456_000, 1_600_000_000_124_456_000] == found.column("ts_ns")
    assert [3, 3] == found.column("payload_len")


def test_sections_of_both_orders(found_in):
    """A section forgets the interfaces and the byte order of the one before; frames go on counting."""
    found = found_in(
        HEAD + enhanced(FRAME, 5) + section(">") + interface(101, ">") + enhanced(ipv4(tcp()), 6, order=">") + HEAD
    )

    assert [1, 2] == found.column("frame")
    assert [5000, 6000] == found.column("ts_ns")
    assert ["EN10MB", "RAW"] == found.link_types


def test_interfaces(found_in):
    """Each frame has the link type and the time unit of its interface."""
    nanoseconds = option(9, b"\x09") + option(14, struct.pack("<q", -1)) + option(0, b"")
    octets = HEAD + interface(101, options=nanoseconds) + interface(113)
    found = found_in(octets + enhanced(ipv4(tcp()), 3_000_000_007, 1) + enhanced(FRAME, 9, 0))

    assert [1, 0] == found.column("interface")
    assert [2_000_000_007, 9_000] == found.column("ts_ns")
    assert ["EN10MB", "RAW", "LINUX_SLL"] == found.link_types


def test_an_interface_may_come_late(found_in):
    """An interface may be described between frames."""
    found = found_in(HEAD + enhanced(FRAME) + interface(101) + enhanced(ipv4(tcp()), 1, 1) + enhanced(FRAME, 2))

    assert [0, 1, 0] == found.column("interface")


def test_many_interfaces(found_in):
    """The table of interfaces grows."""
    found = found_in(section() + interface(101) * 40 + interface() + enhanced(FRAME, 7, 40))

    assert ([40], [7000]) == (found.column("interface"), found.column("ts_ns"))


def test_too_many_interfaces(found_in):
    """Interfaces beyond a limit are not remembered, so that they cannot fill the memory."""
    last, beyond = MAX_INTERFACES - 1, MAX_INTERFACES
    found = found_in(section() + interface() * (beyond + 3) + enhanced(FRAME, 1, last) + enhanced(FRAME, 2, beyond))

    assert [1] == found.column("frame")
    assert 1 == len(found.warnings)


@pytest.mark.parametrize("count", [1000, 2000])
@pytest.mark.parametrize(
    "octets", [section(), interface(), block(0xA, bytes(8)), section() + interface()], ids=["s", "i", "d", "si"]
)
def test_blocks_by_the_million_are_passed_within_the_loop(octets, count, monkeypatch):
    """However many sections and interfaces there are, the loop is called as often as for one."""
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return index_blocks.plain(*arguments)

    monkeypatch.setattr("analyzer.capture.pcapng.index_blocks", SimpleNamespace(choose=lambda jit: counted))
    framing, window = framed(section() + interface() + octets * count)
    framing.index(window, empty_frames(1, jit=False), 0, 1, records(NOTES, 1, jit=False)[0], jit=False)

    assert len(calls) <= 4 + (count.bit_length() if octets == interface() else 0)
    assert 0 == window.rest


def test_link_types_are_met_in_linear_time():
    """Each of many link types is asked for once, not compared with all before it."""
    framing, window = framed(section() + b"".join(interface(number) for number in range(3000)))
    framing.index(window, empty_frames(1, jit=False), 0, 1, records(NOTES, 1, jit=False)[0], jit=False)

    assert list(range(3000)) == framing.link_types


def framed(octets):
    """The framing of octets, behind the first section header, and all of them in its window."""

    class All(io.BytesIO):
        """A source."""

        damage = ""

    window = Window(All(octets), chunk=len(octets))
    return PcapngFraming("made", window), window


@pytest.mark.parametrize(
    ("resolution", "ticks", "expected"),
    [
        (6, TICKS, TICKS * 1000),
        (0, 1_600_000_000, 1_600_000_000_000_000_000),
        (3, 1_600_000_000_123, 1_600_000_000_123_000_000),
        (9, 1_600_000_000_123_456_789, 1_600_000_000_123_456_789),
        (12, 1_600_000_123_456_789_012, 1_600_000_123_456_789),
        (0x80 | 0, 1_600_000_000, 1_600_000_000_000_000_000),
        (0x80 | 10, 1024 + 512, 1_500_000_000),
        (0x80 | 30, (5 << 30) + (1 << 29), 5_500_000_000),
        (0x80 | 33, (5 << 33) + (1 << 32), 5_500_000_000),
        (0x80 | 34, (5 << 34) + (1 << 33), 5_500_000_000),
        (0x80 | 60, (5 << 60) + (1 << 59), 5_500_000_000),
        (0x80 | 64, 1 << 62, 250_000_000),
        (0x80 | 127, (1 << 63) - 1, 0),
        (127, (1 << 63) - 1, 9),
    ],
)
def test_resolutions(found_in, resolution, ticks, expected):
    """Units of powers of ten and of two become nanoseconds."""
    options = option(9, bytes([resolution]))

    assert [expected] == found_in(section() + interface(options=options) + enhanced(FRAME, ticks)).column("ts_ns")


IMPOSSIBLE = {
    1: "frame 1 has an impossible timestamp",
    2: "2 frames have an impossible timestamp; the first is frame 1",
}


@pytest.mark.parametrize(
    ("offset_s", "expected", "odd", "early"),
    [
        (1 << 62, [MAX_TS_NS, MAX_TS_NS], 2, 0),
        ((1 << 63) - 1, [MAX_TS_NS, MAX_TS_NS], 2, 0),
        (3_000_000_000, [MAX_TS_NS, (TICKS + 3_000_000_000_000_000) * 1000], 1, 0),
        (4_500_000_000, [MAX_TS_NS, MAX_TS_NS], 2, 0),
        (-1, [MAX_TS_NS, TICKS * 1000 - 1_000_000_000], 1, 0),
        (-1_600_000_001, [MAX_TS_NS, 0], 1, 1),
        (-(1 << 63), [MAX_TS_NS, 0], 1, 1),
    ],
)
@pytest.mark.parametrize("order", "<>")
def test_absurd_times_stay_in_range(found_in, offset_s, expected, odd, early, order):
    """A time beyond 2116 or before 1970 is cut to what can be computed with, and that is told."""
    options = option(14, struct.pack(f"{order}q", offset_s), order)
    packets = enhanced(FRAME, (1 << 64) - 1, order=order) + enhanced(FRAME, TICKS, order=order)
    found = found_in(section(order) + interface(order=order, options=options) + packets)

    assert expected == found.column("ts_ns")
    assert IMPOSSIBLE[odd] in found.warnings
    told = "frame 2 has a time before 1970; it was given its beginning"
    assert early == (told in found.warnings)


def test_times_before_1970_are_moved(found_in):
    """A capture that begins before 1970 keeps all its durations, and says by how much it was moved."""
    unit = interface(options=option(14, struct.pack("<q", -2_000_000_000)))
    packets = (enhanced(FRAME, ticks) for ticks in (TICKS, TICKS + 5, TICKS - 1, TICKS + 1_000_000_000_000_000))
    found = found_in(section() + unit + b"".join(packets))

    assert [0, 5000, 0, 1_000_000_000_000_000_000] == found.column("ts_ns")
    assert 0 == found.start_ns
    assert "times begin before 1970; all were moved by 4629 d 15 h, so that the first is 1970-01-01" in found.warnings
    assert any("has a time before 1970; it was given its beginning" in warning for warning in found.warnings)


def test_the_obsolete_packet_block(found_in):
    """The obsolete packet block has a time and an interface too."""
    found = found_in(HEAD + interface(101) + obsolete(ipv4(tcp(b"x")), TICKS, 1))

    assert ([TICKS * 1000], [1], [1]) == (
        found.column("ts_ns"),
        found.column("interface"),
        found.column("payload_len"),
    )


def test_simple_packet_blocks(found_in):
    """A simple packet block has no time; the time of the frame before stands in, and a warning says so."""
    found = found_in(HEAD + simple(FRAME) + enhanced(FRAME, TICKS) + simple(FRAME) + enhanced(FRAME, TICKS + 1))

    assert [0, TICKS * 1000, TICKS * 1000, TICKS * 1000 + 1000] == found.column("ts_ns")
    assert TICKS * 1000 == found.start_ns
    assert [
        (
            "2 frames have no timestamp (simple packet blocks); they were given that of the frame before; "
            "the first is frame 1"
        )
    ] == found.warnings


def test_simple_packet_blocks_are_cut_by_the_snap_length(found_in):
    """A simple packet block keeps the smaller of original length and snap length; padding is not data."""
    offloaded = ethernet(ipv4(tcp(b"y" * 100), total=0))
    found = found_in(
        section() + interface(snaplen=60) + simple(offloaded[:60], original=len(offloaded)) + simple(FRAME)
    )

    assert [100, 3] == found.column("payload_len")
    assert [ord("y"), ord("a")] == found.column("first_octet")


def test_other_blocks_are_passed(found_in):
    """Statistics, names, secrets and blocks of the future are no frames."""
    others = block(5, bytes(12)) + block(4, bytes(4)) + block(10, bytes(8)) + block(0x7FFF_0001, b"x" * 1000)
    found = found_in(HEAD + others + enhanced(FRAME) + others + enhanced(FRAME) + others)

    assert ([1, 2], 2, []) == (found.column("frame"), found.frames, found.warnings)


def statistics(dropped=None, by_system=None, number=0, order="<", *, tail=b""):
    """An interface statistics block; counts that are None are left out."""
    counts = b"".join(
        option(code, struct.pack(order + "Q", value), order)
        for code, value in ((4, 99), (5, dropped), (7, by_system))
        if value is not None
    )
    return block(5, struct.pack(order + "III", number, 0, 0) + counts + tail, order)


@pytest.mark.parametrize(
    ("blocks", "dropped"),
    [
        (statistics(7), 7),
        (statistics(7, 2), 9),
        (statistics(7) + statistics(7) + statistics(9, 1), 10),
        (statistics(7) + statistics(3), 7),
        (statistics(7) + statistics(3, number=1), 10),
        (statistics(7) + HEAD + statistics(2), 9),
        (statistics(), 0),
        (statistics(0), 0),
        (statistics(7, number=2), 0),
        (statistics((1 << 64) - 1, 4), 4),
        (statistics(7, tail=struct.pack("<HHI", 5, 4, 9)), 7),
        (statistics(tail=struct.pack("<HHQ", 0, 0, 0) + option(5, bytes(7) + b"x")), 0),
        (statistics(tail=struct.pack("<HH", 5, 8)), 0),
    ],
)
def test_what_statistics_say_was_dropped(tmp_path, blocks, dropped):
    """What interface and system dropped is counted once for each interface and section; what is no count is passed."""
    path = tmp_path / "drops.pcapng"
    path.write_bytes(HEAD + interface(101) + enhanced(FRAME, TICKS) + blocks)
    with open_capture(path) as capture:
        assert 1 == sum(batch.frames for batch in capture.batches())

    assert dropped == capture.dropped
    assert [f"packets dropped while capturing, at no known time: {dropped}" for _ in range(dropped > 0)] == [
        warning.split(";")[0] for warning in capture.warnings
    ]


def losses_of(tmp_path, blocks, *, jit):
    """Stretches with drops of a capture, as their frames and packets, and its warnings about drops."""
    path = tmp_path / "drops.pcapng"
    path.write_bytes(HEAD + interface(101) + blocks)
    with open_capture(path, jit=jit) as capture:
        batches = list(capture.batches(2))
        warnings = [warning.split(";")[0] for warning in capture.warnings if "dropped" in warning]
    found = [loss for batch in batches for loss in batch.losses.tolist()]
    times = [(from_ns, to_ns) for from_ns, to_ns, *_ in found]
    assert all(from_ns <= to_ns for from_ns, to_ns in times)
    return [tuple(rest) for _, _, *rest in found], warnings


FRAMES = [enhanced(FRAME, TICKS + at) for at in range(9)]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("blocks", "losses", "undated"),
    [
        ((*FRAMES[:4], statistics(7)), [], 7),
        ((statistics(0), *FRAMES[:4], statistics(7)), [(1, 5, 7, 1)], 0),
        ((FRAMES[0], statistics(0), *FRAMES[:4], statistics(7), *FRAMES[:2]), [(1, 6, 7, 0)], 0),
        ((FRAMES[0], statistics(3), *FRAMES[:4], statistics(7), *FRAMES[:2]), [(1, 6, 4, 0)], 3),
        ((statistics(0), *FRAMES[:2], statistics(7), *FRAMES[:2], statistics(7)), [(1, 3, 7, 0)], 0),
        ((statistics(0), FRAMES[0], statistics(1), FRAMES[0], statistics(3)), [(1, 2, 1, 0), (1, 3, 2, 1)], 0),
        ((*FRAMES[:4], statistics(0), statistics(7)), [], 7),
        ((statistics(), *FRAMES[:4], statistics(7)), [], 7),
        ((statistics(0), *FRAMES[:4], statistics(7, number=1)), [], 7),
        ((statistics(0), FRAMES[0], HEAD, FRAMES[0], statistics(7)), [], 7),
    ],
)
def test_two_statistics_blocks_tell_when_packets_were_dropped(tmp_path, blocks, losses, undated, jit):
    """Between two blocks of one interface, with frames between, the count grew: there packets are missing."""
    found, warnings = losses_of(tmp_path, b"".join(blocks), jit=jit)

    assert losses == found
    assert [f"packets dropped while capturing, at no known time: {undated}" for _ in range(undated > 0)] == warnings


def test_drops_without_end_are_dated_only_so_often(tmp_path, monkeypatch):
    """A file whose counter grows with every frame costs no more than its octets; the rest is dropped at no time."""
    monkeypatch.setattr("analyzer.capture.pcapng.MOST_LOSSES", 3)
    blocks = b"".join(enhanced(FRAME, TICKS) + statistics(count) for count in range(9))
    found, warnings = losses_of(tmp_path, blocks, jit=False)

    assert 3 == len(found)
    assert ["packets dropped while capturing, at no known time: 5"] == warnings


def test_statistics_of_a_big_endian_section(tmp_path):
    """Counts are in the byte order of their section."""
    path = tmp_path / "drops.pcapng"
    path.write_bytes(section(">") + interface(1, ">") + statistics(7, 1 << 33, order=">"))
    with open_capture(path) as capture:
        assert [] == list(capture.batches())

    assert 7 + (1 << 33) == capture.dropped


def test_blocks_that_wireshark_numbers(found_in):
    """Journal entries, custom blocks and system calls have frame numbers, as in Wireshark, and no time of their own."""
    numbered = [block(kind, bytes(24)) for kind in (9, 0xBAD, 0x40000BAD, 0x204, 0x216, 0x221)]
    found = found_in(HEAD + numbered[0] + enhanced(FRAME, TICKS) + b"".join(numbered[1:]) + enhanced(FRAME, TICKS + 1))

    assert [2, 8] == found.column("frame")
    assert (8, (6, 0, 0), []) == (found.frames, found.skipped, found.warnings)
    assert TICKS * 1000 == found.start_ns


def test_options_of_frames_are_passed(found_in):
    """Comments behind a frame are not part of it."""
    comment = option(1, b"a comment") + option(0, b"")
    found = found_in(HEAD + enhanced(FRAME[:-1], options=comment, original=len(FRAME)) + enhanced(FRAME))

    assert [3, 3] == found.column("payload_len")


# ── damage ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_frames_of_no_interface(found_in):
    """A frame of an interface that nobody described is counted, not decoded; the rest is read."""
    found = found_in(HEAD + enhanced(FRAME, 1, 7) + enhanced(FRAME, 2) + enhanced(FRAME, 3, 0xFFFFFFFF))

    assert [2] == found.column("frame")
    assert (2, 0, 0) == found.skipped
    assert [
        (
            "2 frames belong to an interface that the section does not describe, and were not decoded; "
            "the first is frame 1"
        )
    ] == found.warnings


def test_an_unknown_link_type_beside_a_known_one(found_in):
    """Frames of a link type that nobody decodes are counted and named; the rest is read."""
    found = found_in(HEAD + interface(147) + enhanced(FRAME, 1, 1) + enhanced(FRAME, 2, 0))

    assert ([2], (1, 0, 0)) == (found.column("frame"), found.skipped)
    assert ["frame 1 is of link type LINKTYPE_147, which no reader here decodes"] == found.warnings


def test_unknown_link_types_only(found_in, tmp_path):
    """A capture of which nothing can be decoded is an error that names its link types."""
    with pytest.raises(UnsupportedLinkTypeError) as caught:
        found_in(section() + interface(147) + interface(190) + enhanced(FRAME, 1, 1))

    assert 147 == caught.value.link_type
    assert (
        f"{tmp_path}/made.pcapng: is of link type LINKTYPE_147 (147), LINKTYPE_190 (190), which no reader here decodes"
    ) == str(caught.value)


def corrupt(octets, at, number):
    """The octets with a 32-bit number put in."""
    return octets[:at] + struct.pack("<I", number) + octets[at + 4 :]


AT = len(HEAD)
BLOCK = enhanced(FRAME)


@pytest.mark.parametrize(
    ("octets", "warning"),
    [
        pytest.param(
            HEAD + corrupt(BLOCK, 4, 7),
            f"the block of type 0x00000006 at byte {AT} claims a length of 7 bytes; what follows was not read",
            id="shorter than its own head",
        ),
        pytest.param(
            HEAD + corrupt(BLOCK, 4, 101),
            f"the block of type 0x00000006 at byte {AT} claims a length of 101 bytes; what follows was not read",
            id="not a multiple of four",
        ),
        pytest.param(
            HEAD + corrupt(BLOCK, 4, 0xFFFFFFFC),
            f"the block of type 0x00000006 at byte {AT} claims a length of 4294967292 bytes; what follows was not read",
            id="absurdly long",
        ),
        pytest.param(
            HEAD + corrupt(BLOCK, len(BLOCK) - 4, 44),
            f"the block of type 0x00000006 at byte {AT} is 92 bytes long by its head but 44 by its tail; "
            "what follows was not read",
            id="two lengths",
        ),
        pytest.param(
            HEAD + corrupt(BLOCK, 20, 61),
            f"the block of type 0x00000006 at byte {AT} claims 61 captured bytes but has room for 60; "
            "what follows was not read",
            id="more captured than there is room",
        ),
        pytest.param(
            HEAD + block(6, bytes(8)),
            f"the block of type 0x00000006 at byte {AT} has only 20 bytes, too few for its kind; "
            "what follows was not read",
            id="a frame block without its head",
        ),
        pytest.param(
            HEAD + block(3, b""),
            f"the block of type 0x00000003 at byte {AT} has only 12 bytes, too few for its kind; "
            "what follows was not read",
            id="a simple block without its head",
        ),
        pytest.param(
            HEAD + block(1, b"\0\0\0\0"),
            f"the block of type 0x00000001 at byte {AT} has only 16 bytes, too few for its kind; "
            "what follows was not read",
            id="an interface without its head",
        ),
        pytest.param(
            HEAD + corrupt(section(), 8, 0x12345678),
            f"the section header at byte {AT} has byte-order magic 0x12345678; what follows was not read",
            id="a section of no byte order",
        ),
        pytest.param(
            HEAD + corrupt(section(), 4, 13),
            f"the section header at byte {AT} has a length of 13; what follows was not read",
            id="a section of no length",
        ),
        pytest.param(
            HEAD + section(version=(2, 0)),
            f"the section at byte {AT} is of pcapng version 2.0; expected 1.0; what follows was not read",
            id="a section of another version",
        ),
        pytest.param(
            HEAD + corrupt(section(), 24, 99),
            f"the block of type 0x0a0d0d0a at byte {AT} is 28 bytes long by its head but 99 by its tail; "
            "what follows was not read",
            id="a section of two lengths",
        ),
        pytest.param(
            HEAD + b"\x06\0\0", f"the last block, at byte {AT}, is cut: 3 of at least 12 bytes are there", id="cut head"
        ),
        pytest.param(
            HEAD + BLOCK[:-5], f"the last block, at byte {AT}, is cut: 87 of its 92 bytes are there", id="cut block"
        ),
        pytest.param(
            HEAD + section(">")[:20],
            f"the last block, at byte {AT}, is cut: 20 of its 28 bytes are there",
            id="cut section",
        ),
    ],
)
def test_damage_ends_the_reading(found_in, octets, warning):
    """What cannot be followed ends the reading; a sentence says what and where, and what was before it counts."""
    before = enhanced(FRAME, 1)
    shifted = octets[:AT] + before + octets[AT:]
    found = found_in(shifted + (b"" if "is cut" in warning else enhanced(FRAME, 2)))

    assert 1 == found.frames
    assert [warning.replace(f"at byte {AT}", f"at byte {AT + len(before)}")] == found.warnings


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (section()[:20], "cut within the first section header: pcapng needs 28 bytes, 20 are there"),
        (
            corrupt(section(), 8, 0),
            "the section header at byte 0 has byte-order magic 0x00000000; what follows was not read",
        ),
        (
            section(version=(7, 1)),
            "the section at byte 0 is of pcapng version 7.1; expected 1.0; what follows was not read",
        ),
        (corrupt(section(), 4, 64), "the last block, at byte 0, is cut: 28 of its 64 bytes are there"),
    ],
)
def test_a_bad_start(tmp_path, octets, sentence):
    """A first section header that cannot be read is an error."""
    assert sentence == error_of(tmp_path, octets)


def test_a_long_first_section_header(found_in):
    """The first section header may be longer than what is read at a time."""
    comment = option(1, b"c" * 60_000)
    head = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + comment)
    found = found_in(head + interface() + enhanced(FRAME, 1), chunk=1000)

    assert (1, []) == (found.frames, found.warnings)


def test_a_block_larger_than_what_is_read_at_a_time(found_in):
    """A block of some MiB is passed in one piece."""
    found = found_in(HEAD + block(10, bytes(9 << 20)) + enhanced(FRAME, 1))

    assert (1, []) == (found.frames, found.warnings)


FILTER = b"\0tcp port 4802"


@pytest.mark.parametrize(("order", "jit"), [("<", False), (">", False)])
@pytest.mark.parametrize(
    ("values", "filters"),
    [
        ([FILTER], ["tcp port 4802"]),
        ([FILTER, FILTER], ["tcp port 4802"]),
        ([FILTER, b"\0arp"], ["tcp port 4802", "arp"]),
        ([b"", b"\0"], []),
        ([b"\1" + bytes(8)], ["a filter that is not written out"]),
        ([b"\0arp \x1b[31m\n or\0"], ["arp [31m or"]),
        ([b"\0port %d" % port for port in range(100)], [f"port {port}" for port in range(16)]),
    ],
    ids=["one", "the same twice", "two", "empty", "a program", "escapes", "many"],
)
def test_filters_of_interfaces_are_read(tmp_path, order, jit, values, filters):
    """The capture filter of each interface is known, each once, without what a terminal would obey."""
    described = [interface(order=order, options=option(2, b"eth0", order) + option(11, each, order)) for each in values]
    path = tmp_path / "filtered.pcapng"
    path.write_bytes(section(order) + b"".join(described) + enhanced(ethernet(ipv4(tcp())), order=order))

    with open_capture(path, jit=jit) as capture:
        assert 1 == sum(len(batch.rows) for batch in capture)

    assert filters == capture.filters


def test_compiled_loops_read_filters_too(tmp_path):
    """Compiled loops stop at an interface with a filter once, too, and go on."""
    path = tmp_path / "filtered.pcapng"
    described = [interface(options=option(11, each)) for each in (FILTER, b"\0arp")]
    path.write_bytes(section() + b"".join(described) + enhanced(ethernet(ipv4(tcp())), number=1))

    with open_capture(path, jit=True) as capture:
        assert 1 == sum(len(batch.rows) for batch in capture)

    assert ["tcp port 4802", "arp"] == capture.filters
