import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.frame import CUT, CUT_ROW, DEFER, FRAGMENT, NOT_TCP, OCTETS, ROW, empty_frames, octets_of
from analyzer.capture.headers import decode
from analyzer.loops.loop import freeze
from analyzer.segment import ABSENT, MAPPED_IPV4, NOTE_CUT, NOTE_ICMP_ERROR, NOTE_TCP, SEGMENT, address_halves
from tests.capture.craft import (
    IP6_A,
    MAC_A,
    TIMESTAMPS,
    cooked,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    outcome_of,
    row_of,
    tcp,
    udp,
)

HOP_BY_HOP = b"\x06\x00\x01\x04\0\0\0\0"


# ── TCP ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_column_of_a_segment():
    """A segment with timestamps and data fills all columns but number, time and interface."""
    row = row_of(ethernet(ipv4(tcp(b"howdy", options=TIMESTAMPS, flags=0x18))))

    expected = {
        "src_hi": 0,
        "src_lo": MAPPED_IPV4 + 0x0A000001,
        "dst_hi": 0,
        "dst_lo": MAPPED_IPV4 + 0x0A000002,
        "tag": 0,
        "src_mac": MAC_A,
        "seq": 0xFFFFFFF0,
        "ack": 77,
        "tsval": 0xFFFFFFFE,
        "tsecr": 7,
        "sack_left": ABSENT,
        "sack_right": ABSENT,
        "payload_len": 5,
        "window": 500,
        "src_port": 40000,
        "dst_port": 80,
        "ip_id": 4711,
        "icmp": ABSENT,
        "first_octet": ord("h"),
        "flags": 0x18,
        "ttl": 64,
        "header_len": 32,
        "window_scale": ABSENT,
        "options_cut": 0,
        "ip_version": 4,
        "note": NOTE_TCP,
    }
    assert expected == row
    assert set(SEGMENT.names) == set(row) | {"ts_ns", "frame", "interface"}


def test_addresses_of_ipv6_are_signed_halves():
    """An address whose upper half has its top bit set is negative, as in address_halves."""
    row = row_of(ethernet(ipv6(tcp()), 0x86DD))

    assert address_halves("2001:db8::1") == (row["src_hi"], row["src_lo"])
    assert address_halves("fe80::2") == (row["dst_hi"], row["dst_lo"])
    assert row["dst_hi"] < 0
    assert (ABSENT, 6, 64) == (row["ip_id"], row["ip_version"], row["ttl"])


@pytest.mark.parametrize(
    ("options", "flags", "expected"),
    [
        pytest.param(TIMESTAMPS, 0x10, {"tsval": 0xFFFFFFFE, "tsecr": 7}, id="the usual timestamps"),
        pytest.param(
            b"\x08\x0a\0\0\0\x05\0\0\0\x06\0\0", 0x10, {"tsval": 5, "tsecr": 6}, id="timestamps, then end of options"
        ),
        pytest.param(
            b"\x01\x01\x05\x0a\0\0\0\x01\0\0\0\x02", 0x10, {"sack_left": 1, "sack_right": 2}, id="one SACK block"
        ),
        pytest.param(
            b"\x01\x01\x05\x12" + struct.pack("!IIII", 10, 11, 20, 21),
            0x10,
            {"sack_left": 10, "sack_right": 11},
            id="the first of two SACK blocks",
        ),
        pytest.param(b"\x02\x04\x05\xb4\x03\x03\x07\0", 0x02, {"window_scale": 7}, id="window scale on a SYN"),
        pytest.param(b"\x03\x03\x0f\0", 0x12, {"window_scale": 14}, id="more than 14 means 14"),
        pytest.param(b"\x03\x03\xff\0", 0x12, {"window_scale": 14}, id="255 fits its column"),
        pytest.param(b"\x03\x03\x07\0", 0x10, {}, id="window scale counts on a SYN only"),
        pytest.param(b"\x00\x00\x08\x0a" + bytes(8), 0x10, {}, id="nothing counts behind the end of options"),
        pytest.param(b"\x08\x00\x00\x00", 0x10, {}, id="length 0 does not hang"),
        pytest.param(b"\x08\x01\x00\x00", 0x10, {}, id="length 1 does not hang"),
        pytest.param(b"\x08\x0a\x00\x00", 0x10, {}, id="longer than the header"),
        pytest.param(b"\x01\x01\x01\x08", 0x10, {}, id="a kind without a length"),
        pytest.param(b"\x08\x04\x00\x00", 0x10, {}, id="timestamps too short"),
        pytest.param(b"\x05\x06\0\0\0\x01\0\0", 0x10, {}, id="half a SACK block"),
        pytest.param(b"\xfd\x04\x12\x34\x03\x03\x02\0", 0x02, {"window_scale": 2}, id="unknown options are passed"),
    ],
)
def test_options(options, flags, expected):
    """Timestamps, SACK and window scale are read; options that are not whole are not."""
    row = row_of(ethernet(ipv4(tcp(options=options, flags=flags))))

    names = ("tsval", "tsecr", "sack_left", "sack_right", "window_scale")
    assert dict.fromkeys(names, ABSENT) | expected == {name: row[name] for name in names}


@pytest.mark.parametrize(
    ("captured", "expected"),
    [
        (66, {"tsval": 0xFFFFFFFE, "options_cut": 0, "first_octet": ABSENT}),
        (67, {"tsval": 0xFFFFFFFE, "options_cut": 0, "first_octet": ord("x")}),
        (65, {"tsval": ABSENT, "options_cut": 1, "first_octet": ABSENT}),
        (54, {"tsval": ABSENT, "options_cut": 1, "first_octet": ABSENT}),
        (50, {"tsval": ABSENT, "options_cut": 1, "first_octet": ABSENT}),
    ],
)
def test_cut_behind_the_window(captured, expected):
    """From 16 octets of TCP on there is a row; what the snap length cut off is absent, lengths are from IP."""
    frame = ethernet(ipv4(tcp(b"x" * 100, options=TIMESTAMPS)))
    row = row_of(frame[:captured], original=len(frame))

    assert expected == {name: row[name] for name in expected}
    assert (100, 500, 0x10) == (row["payload_len"], row["window"], row["flags"])


@pytest.mark.parametrize("captured", range(38, 50))
def test_cut_behind_the_ports(captured):
    """With the ports but not the window there is a row that only names the flow."""
    frame = ethernet(ipv4(tcp(b"x" * 100)), vlans=())
    outcome, row = outcome_of(frame[:captured], original=len(frame))

    assert CUT_ROW == outcome
    assert (NOTE_CUT, 40000, 80) == (row["note"], row["src_port"], row["dst_port"])
    assert (0, 0, 0, 0, 0) == (row["seq"], row["ack"], row["flags"], row["payload_len"], row["window"])


@pytest.mark.parametrize("captured", range(38))
def test_cut_before_the_ports(captured):
    """Without the ports there is no row."""
    assert CUT == outcome_of(ethernet(ipv4(tcp()))[:captured], original=54)[0]


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(ipv4(tcp(header=16)), id="TCP header shorter than 20"),
        pytest.param(ipv4(tcp(header=0)), id="TCP header of nothing"),
        pytest.param(ipv4(tcp(header=24)), id="TCP header longer than its packet"),
        pytest.param(ipv4(tcp(), total=39), id="IP ends within the TCP header"),
        pytest.param(ipv4(tcp(), total=10), id="IP shorter than its own header"),
    ],
)
def test_lengths_that_contradict_each_other(packet):
    """Lengths that make no sense are counted as unusable."""
    assert CUT == outcome_of(ethernet(packet))[0]


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"\x44" + ipv4(tcp())[1:], id="IPv4 header of 16"),
        pytest.param(b"\x65" + ipv4(tcp())[1:], id="version 6 in IPv4"),
        pytest.param(b"\x05" + ipv4(tcp())[1:], id="version 0"),
    ],
)
def test_no_ip_header(packet):
    """What is not an IP header is not TCP."""
    assert NOT_TCP == outcome_of(ethernet(packet))[0]


def test_padding_is_no_payload():
    """The padding of a short Ethernet frame does not count as data."""
    row = row_of(ethernet(ipv4(tcp()), pad=60))

    assert (0, ABSENT) == (row["payload_len"], row["first_octet"])


def test_ip_options_are_passed():
    """TCP begins behind IPv4 options."""
    row = row_of(ethernet(ipv4(tcp(b"abc"), options=bytes([7, 4, 4, 0]))))

    assert (3, ord("a")) == (row["payload_len"], row["first_octet"])


@pytest.mark.parametrize(("packet", "ethertype"), [(ipv4, 0x0800), (ipv6, 0x86DD)])
def test_length_zero_means_the_frame(packet, ethertype):
    """Where offload left the IP length 0, the original length of the frame stands for it."""
    lie = {"total": 0} if packet is ipv4 else {"length": 0}
    frame = ethernet(packet(tcp(b"y" * 3000), **lie), ethertype)

    assert 3000 == row_of(frame)["payload_len"]
    assert 3000 == row_of(frame[:100], original=len(frame))["payload_len"]


def test_payload_of_a_jumbo_claim_fits_its_column():
    """A claimed original length of 2 GiB gives a payload that int32 holds."""
    row = row_of(ethernet(ipv4(tcp(), total=0)), original=0x7FFFFFFF)

    assert 0x7FFFFFFF - 54 == row["payload_len"]


# ── IP ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("protocol", "fragment", "expected"),
    [
        pytest.param(6, 0x2000, ROW, id="the first piece has the header"),
        pytest.param(6, 0x4000, ROW, id="do not fragment"),
        pytest.param(6, 0x0001, FRAGMENT, id="the last piece"),
        pytest.param(6, 0x2010, FRAGMENT, id="a piece between"),
        pytest.param(47, 0x0001, FRAGMENT, id="a piece of a tunnel"),
        pytest.param(17, 0x0001, NOT_TCP, id="a piece of UDP"),
        pytest.param(1, 0x0001, NOT_TCP, id="a piece of ICMP"),
    ],
)
def test_ipv4_fragments(protocol, fragment, expected):
    """A first fragment is a segment as far as it goes; the others are counted if they may be TCP."""
    packet = ipv4(tcp(b"x" * 44), protocol, fragment=fragment)
    outcome, row = outcome_of(ethernet(packet))

    assert expected == outcome
    if outcome == ROW:
        assert 44 == row["payload_len"]


def fragment_header(offset, following=6):
    """An IPv6 fragment header."""
    return struct.pack("!BBHI", following, 0, offset << 3, 1)


@pytest.mark.parametrize(
    ("following", "headers", "expected"),
    [
        pytest.param(0, HOP_BY_HOP, ROW, id="hop-by-hop options"),
        pytest.param(60, b"\x06\x01" + bytes(14), ROW, id="destination options of 16"),
        pytest.param(43, b"\x06\x00" + bytes(6), ROW, id="routing"),
        pytest.param(0, b"\x3c\x00" + bytes(6) + HOP_BY_HOP, ROW, id="two of them"),
        pytest.param(44, fragment_header(0), ROW, id="first fragment"),
        pytest.param(44, fragment_header(3), FRAGMENT, id="later fragment"),
        pytest.param(44, fragment_header(3, 17), NOT_TCP, id="later fragment of UDP"),
        pytest.param(51, b"\x06\x04" + bytes(22), ROW, id="authentication header"),
        pytest.param(59, b"", NOT_TCP, id="no next header"),
        pytest.param(50, b"", NOT_TCP, id="encrypted"),
        pytest.param(0, b"\x06\xff" + bytes(6), CUT, id="options longer than the packet"),
    ],
)
def test_ipv6_extension_headers(following, headers, expected):
    """TCP is found behind extension headers, and its payload does not include them."""
    outcome, row = outcome_of(ethernet(ipv6(headers + tcp(b"abc"), following), 0x86DD))

    assert expected == outcome
    if outcome == ROW:
        assert (3, ord("a")) == (row["payload_len"], row["first_octet"])


def test_authentication_header_in_ipv4():
    """TCP is found behind AH in IPv4 too."""
    assert 2 == row_of(ethernet(ipv4(b"\x06\x04" + bytes(22) + tcp(b"ab"), 51)))["payload_len"]


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        pytest.param(ipv4(udp(b"dns", 53), 17), NOT_TCP, id="UDP"),
        pytest.param(ipv4(icmp(b"ping", 8), 1), NOT_TCP, id="ping"),
        pytest.param(ipv4(icmp(ipv4(tcp()), 5, 1), 1), ROW, id="redirect"),
        pytest.param(ipv4(bytes(8), 132), NOT_TCP, id="SCTP"),
        pytest.param(ipv4(ipv4(tcp()), 4), ROW, id="IP in IP"),
        pytest.param(ipv4(ipv4(udp(b"dns", 53), 17), 4), NOT_TCP, id="UDP in IP in IP"),
        pytest.param(ipv4(ipv4(tcp(), fragment=2), 4), FRAGMENT, id="a fragment in IP in IP"),
        pytest.param(ipv4(ipv4(tcp())[:22], 4), CUT, id="IP in IP cut"),
        pytest.param(ipv4(b"\x40\0\x08\0" + bytes(8) + ipv4(tcp()), 47), NOT_TCP, id="GRE with source routes"),
        pytest.param(ipv4(udp(b"\x08" + bytes(7) + ethernet(ipv4(tcp()), 0x88E7), 4789), 17), DEFER, id="PBB in VXLAN"),
        pytest.param(ipv4(udp(b"\0" * 60, 8472), 17), NOT_TCP, id="no VXLAN header at its port"),
        pytest.param(ipv4(udp(b"\x08", 4789), 17), NOT_TCP, id="VXLAN too short for anything inside"),
        pytest.param(ipv4(udp(b"\xff" * 60, 6081), 17), NOT_TCP, id="no Geneve header at its port"),
        pytest.param(ipv4(udp(b"\x30\x01" + bytes(40), 2152), 17), NOT_TCP, id="GTP-U echo"),
        pytest.param(ipv4(udp(b"\x08" + bytes(60), 53, 4789), 17), NOT_TCP, id="a VXLAN port as source only"),
        pytest.param(ipv4(b"\x01\x02", 17), NOT_TCP, id="UDP cut within its header"),
    ],
)
def test_what_is_in_ip(packet, expected):
    """Tunnels are entered if they look like tunnels; the rest is not TCP at once."""
    assert expected == outcome_of(ethernet(packet))[0]


# ── ICMP errors ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kind", "code"), [(3, 1), (3, 4), (4, 0), (11, 0), (12, 0)])
def test_icmp_error(kind, code):
    """An ICMP error names the quoted segment; TTL and MAC are its own."""
    quoted = ipv4(tcp()[:8], ttl=3, total=40, identifier=99, src=bytes([10, 9, 8, 7]))
    row = row_of(ethernet(ipv4(icmp(quoted, kind, code), 1, ttl=61)))

    assert (NOTE_ICMP_ERROR, kind << 8 | code) == (row["note"], row["icmp"])
    assert (MAPPED_IPV4 + 0x0A090807, 40000, 80, 0xFFFFFFF0) == (
        row["src_lo"],
        row["src_port"],
        row["dst_port"],
        row["seq"],
    )
    assert (99, 61, MAC_A) == (row["ip_id"], row["ttl"], row["src_mac"])
    assert (0, 0, 0, 0) == (row["ack"], row["flags"], row["payload_len"], row["header_len"])


@pytest.mark.parametrize(("word", "mtu"), [(1400, 1400), (0, ABSENT)])
def test_mtu_that_an_error_names(word, mtu):
    """Fragmentation needed and packet too big name the MTU; no other error does, nor a router that names 0."""
    four, six = ipv4(tcp()[:8], total=40), ipv6(tcp())
    needed = icmp(four, 3, 4)[:4] + word.to_bytes(4, "big") + four
    other = icmp(four, 3, 1)[:4] + word.to_bytes(4, "big") + four
    too_big = icmp(six, 2, 0)[:4] + word.to_bytes(4, "big") + six
    frames = (ethernet(ipv4(needed, 1)), ethernet(ipv4(other, 1)), ethernet(ipv6(too_big, 58), 0x86DD))

    assert [mtu, ABSENT, mtu] == [row_of(frame)["tsecr"] for frame in frames]


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_icmpv6_error(kind):
    """An ICMPv6 error has its own numbers, and may quote extension headers."""
    quoted = ipv6(HOP_BY_HOP + tcp(), 0)
    row = row_of(ethernet(ipv6(icmp(quoted, kind, 3), 58), 0x86DD))

    assert (NOTE_ICMP_ERROR, 1 << 16 | kind << 8 | 3, 40000) == (row["note"], row["icmp"], row["src_port"])


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(icmp(ipv4(udp(b"x", 53), 17)), NOT_TCP, id="quotes UDP"),
        pytest.param(icmp(ipv4(tcp(), fragment=5)), NOT_TCP, id="quotes a later fragment"),
        pytest.param(icmp(ipv4(tcp()[:7], total=40)), CUT, id="quotes too little TCP"),
        pytest.param(icmp(ipv4(tcp())[:12]), CUT, id="quotes too little IP"),
        pytest.param(icmp(ipv6(tcp())), NOT_TCP, id="quotes the other version"),
        pytest.param(icmp(b""), NOT_TCP, id="quotes nothing"),
        pytest.param(b"\x03\x01", CUT, id="cut within its header"),
        pytest.param(icmp(ipv4(ipv4(tcp()), 4)), NOT_TCP, id="quotes a tunnel"),
    ],
)
def test_icmp_that_names_no_segment(message, expected):
    """What quotes no segment gives no row."""
    assert expected == outcome_of(ethernet(ipv4(message, 1)))[0]


def test_icmp_of_the_other_version():
    """ICMP in IPv6 and ICMPv6 in IPv4 mean nothing."""
    assert NOT_TCP == outcome_of(ethernet(ipv6(icmp(ipv6(tcp())), 1), 0x86DD))[0]
    assert NOT_TCP == outcome_of(ethernet(ipv4(icmp(ipv4(tcp())), 58)))[0]


# ── decode ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("jit", [False, True])
def test_decode_numbers_and_counts(jit):
    """Rows carry number, time and interface of their frame; the others are counted, or listed as deferred."""
    frames = [
        ethernet(ipv4(tcp(b"1"))),
        ethernet(ipv4(tcp(), fragment=1)),
        ethernet(bytes(4) + ethernet(ipv4(tcp())), 0x88E7),
        ethernet(ipv4(tcp()))[:40],
        ethernet(ipv4(tcp()))[:20],
        ethernet(b"", 0x0806),
        ethernet(ipv4(tcp(b"2"))),
    ]
    made, deferred, rows, skipped = run_decode(frames, jit=jit, number=11)

    assert (3, [2]) == (made, deferred)
    assert [11, 14, 17] == rows["frame"].tolist()
    assert [1000, 1003, 1006] == rows["ts_ns"].tolist()
    assert [5, 5, 5] == rows["interface"].tolist()
    assert [NOTE_TCP, NOTE_CUT, NOTE_TCP] == rows["note"].tolist()
    assert [1, 1, 2] == skipped


def run_decode(frames, *, jit, number=1, link_type=1):
    """Run the loop over frames in one buffer: (rows made, deferred, rows, skipped)."""
    import numpy as np

    octets = b"".join(frames)
    index = empty_frames(len(frames), jit=jit)
    at = 0
    for which, frame in enumerate(frames):
        fields = {"at": at, "captured": len(frame), "original": len(frame), "ts_ns": 1000 + which}
        for name, value in (fields | {"interface": 5, "link_type": link_type}).items():
            index[which][name] = value
        at += len(frame)
    if jit:
        buffer = np.zeros(1, dtype=OCTETS)
        buffer.view(np.uint8)[: len(octets)] = np.frombuffer(octets, np.uint8)
        data = octets_of(buffer, jit=True)
        rows, later, skipped = np.zeros(len(frames), SEGMENT), np.zeros(len(frames), np.int64), np.zeros(3, np.int64)
    else:
        data = {"octet": octets}
        rows, later, skipped = [{} for _ in frames], [0] * len(frames), [0, 0, 0]
    made, put_off, _ = decode.choose(jit=jit)(data, index, len(frames), number, rows, later, skipped, 1000)
    return made, list(later[:put_off]), freeze(rows[:made], SEGMENT), list(skipped)


WHOLE = [
    ethernet(ipv4(tcp(b"howdy", options=TIMESTAMPS))),
    ethernet(
        ipv6(HOP_BY_HOP + tcp(b"howdy", options=TIMESTAMPS, flags=2), 0), 0x86DD, vlans=[(0x88A8, 1), (0x8100, 2)]
    ),
    ethernet(ipv4(icmp(ipv4(tcp())), 1)),
    ethernet(ipv6(icmp(ipv6(tcp(), src=IP6_A)), 58), 0x86DD),
    ethernet(b"\x11\0\0\1\0\x2c\x00\x21" + ipv4(tcp(b"x")), 0x8864),
    ethernet(ipv4(udp(b"\x08" + bytes(7) + ethernet(ipv4(tcp())), 4789), 17)),
    cooked(ipv4(tcp(b"\0", options=b"\x01\x01\x05\x0a" + bytes(8)))),
    b"\x02\0\0\0" + ipv4(tcp(b"x")),
    ipv6(fragment_header(0) + tcp(), 44),
]
LINKS = [0, 1, 9, 10, 12, 14, 50, 51, 101, 104, 108, 113, 228, 229, 239, 258, 276, 127, -1]


@given(
    frame=st.sampled_from(WHOLE),
    changes=st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=6),
    keep=st.integers(0, 140),
    link_type=st.sampled_from(LINKS),
    more=st.integers(0, 70_000),
)
def test_mutated_frames_stay_within_bounds(frame, changes, keep, link_type, more):
    """No octets of a frame make the loop raise, hang, read beyond the frame, or write what a column cannot hold."""
    octets = bytearray(frame)
    for at, value in changes:
        octets[at % len(octets)] = value
    outcome, row = outcome_of(octets[:keep], link_type, min(keep, len(octets)) + more)

    assert outcome in {ROW, NOT_TCP, FRAGMENT, CUT, DEFER, CUT_ROW}
    if outcome in {ROW, CUT_ROW}:
        frozen = freeze([row | {"ts_ns": 0, "frame": 1, "interface": 0}], SEGMENT)
        assert row == {name: frozen[0][name].item() for name in row}


@given(st.lists(st.tuples(st.sampled_from(WHOLE), st.integers(0, 140), st.binary(max_size=4)), max_size=20))
def test_compiled_is_plain(cuts):
    """Compiled and plain loops give equal rows for whatever frames."""
    frames = [
        (frame[: len(frame) - len(noise)] + noise if at % 3 == 0 else frame)[:keep]
        for at, (frame, keep, noise) in enumerate(cuts)
    ]
    plain, compiled = run_decode(frames, jit=False), run_decode(frames, jit=True)

    assert plain[:2] == compiled[:2]
    assert plain[2].tobytes() == compiled[2].tobytes()
    assert plain[3] == compiled[3]
