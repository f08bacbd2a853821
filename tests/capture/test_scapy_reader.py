import logging
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.frame import CUT, CUT_ROW, DEFER, FRAGMENT, NOT_TCP, ROW
from analyzer.capture.scapy_reader import Failed, decode_frame, knows
from analyzer.capture.tunnel import TUNNEL
from analyzer.segment import ABSENT
from tests.capture.craft import (
    MAC_A,
    TIMESTAMPS,
    cooked,
    cooked2,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    outcome_of,
    row_of,
    tcp,
    udp,
)

MAC_C = 0x0200000000CC
FOUR, SIX = ipv4(tcp(b"abc")), ipv6(tcp(b"abc"))
INNER = ethernet(FOUR, src=MAC_C)


def by_scapy(octets, link_type=1, original=None):
    """Decode one frame by scapy: (outcome, row, empty unless that is the outcome)."""
    row = {}
    outcome = decode_frame(octets, link_type, len(octets) if original is None else original, row)
    return outcome, row if outcome in {ROW, CUT_ROW} else {}


def by_kernel(octets, link_type=1, original=None):
    """Decode one frame by the loop: (outcome, row, empty unless that is the outcome)."""
    outcome, row = outcome_of(octets, link_type, original)
    return outcome, row if outcome in {ROW, CUT_ROW} else {}


def tag(kind, identifier=0, vlans=0):
    """The tag of a tunnelled segment, as the module's docstring has it."""
    return TUNNEL | kind << 56 | identifier << 24 | vlans


def mpls(*labels):
    """A stack of labels."""
    last = len(labels) - 1
    return b"".join(struct.pack("!I", label << 12 | (at == last) << 8 | 64) for at, label in enumerate(labels))


def vxlan(vni, data, port=4789):
    """A VXLAN packet in IPv4."""
    return ethernet(ipv4(udp(struct.pack("!II", 0x08000000, vni << 8) + data, port), 17))


def geneve(vni, data, kind=0x6558, options=b""):
    """A Geneve packet in IPv4."""
    head = struct.pack("!BBHI", len(options) // 4, 0, kind, vni << 8)
    return ethernet(ipv4(udp(head + options + data, 6081), 17))


def vxlan_gpe(kind, data):
    """A VXLAN packet with the generic protocol extension, of VNI 7."""
    return ethernet(ipv4(udp(bytes([0x0C, 0, 0, kind, 0, 0, 7, 0]) + data, 4789), 17))


def gre(data, kind=0x0800, flags=0, fields=b""):
    """A GRE packet in IPv4."""
    return ethernet(ipv4(struct.pack("!HH", flags, kind) + fields + data, 47))


def gtp(teid, data, flags=0x30, fields=b""):
    """A GTP-U packet in IPv4."""
    head = struct.pack("!BBHI", flags, 255, len(fields) + len(data), teid)
    return ethernet(ipv4(udp(head + fields + data, 2152), 17))


TUNNELS = [
    pytest.param(ethernet(ipv4(FOUR, 4)), tag(1), MAC_A, id="IP in IP"),
    pytest.param(ethernet(ipv4(SIX, 41)), tag(1), MAC_A, id="6in4"),
    pytest.param(ethernet(ipv6(FOUR, 4), 0x86DD), tag(1), MAC_A, id="4in6"),
    pytest.param(ethernet(ipv6(SIX, 41), 0x86DD), tag(1), MAC_A, id="6in6"),
    pytest.param(gre(FOUR), tag(2), MAC_A, id="GRE"),
    pytest.param(gre(SIX, 0x86DD), tag(2), MAC_A, id="GRE of IPv6"),
    pytest.param(gre(FOUR, flags=0x2000, fields=b"\0\0\x12\x34"), tag(2, 0x1234), MAC_A, id="GRE with a key"),
    pytest.param(gre(FOUR, flags=0xB000, fields=bytes(4) + b"\x80\0\0\x01" + bytes(4)), tag(2, 0x80000001), MAC_A,
                 id="GRE with checksum, key, sequence number"),
    pytest.param(gre(INNER, 0x6558), tag(2), MAC_C, id="Ethernet in GRE"),
    pytest.param(gre(INNER, 0x88BE, 0x1000, bytes(4) + struct.pack("!II", 0x10000000, 0)), tag(2), MAC_C, id="ERSPAN"),
    pytest.param(vxlan(77, INNER), tag(3, 77), MAC_C, id="VXLAN"),
    pytest.param(vxlan(0xFFFFFF, INNER, 8472), tag(3, 0xFFFFFF), MAC_C, id="VXLAN on Linux"),
    pytest.param(vxlan(5, ethernet(FOUR, src=MAC_C, vlans=[(0x8100, 9)])), tag(3, 5, 9), MAC_C, id="a VLAN in VXLAN"),
    pytest.param(geneve(78, INNER), tag(4, 78), MAC_C, id="Geneve"),
    pytest.param(geneve(78, FOUR, 0x0800, b"\1\2\3\0" ), tag(4, 78), MAC_A, id="Geneve of IP with options"),
    pytest.param(gtp(0x99, FOUR), tag(5), MAC_A, id="GTP-U"),
    pytest.param(gtp(0x99, SIX, 0x32, b"\0\1\0\0"), tag(5), MAC_A, id="GTP-U with sequence number"),
    pytest.param(ethernet(mpls(16) + FOUR, 0x8847), tag(6), MAC_A, id="MPLS"),
    pytest.param(ethernet(mpls(16, 17, 18) + SIX, 0x8847), tag(6), MAC_A, id="MPLS, three labels"),
    pytest.param(ethernet(mpls(16) + bytes(4) + INNER, 0x8847), tag(6), MAC_C, id="Ethernet in MPLS, control word"),
    pytest.param(ethernet(ipv4(b"\x30\0" + INNER, 97)), tag(7), MAC_C, id="EtherIP"),
    pytest.param(ethernet(struct.pack("!I", 0x123456) + INNER, 0x88E7), tag(8, 0x123456), MAC_C, id="backbone bridge"),
    pytest.param(gre(INNER, 0x88BE), tag(2), MAC_C, id="ERSPAN I"),
    pytest.param(gre(INNER, 0x22EB, 0x1000, bytes(4) + struct.pack("!III", 0x20000000, 0, 0)), tag(2), MAC_C,
                 id="ERSPAN III"),
    pytest.param(gre(INNER, 0x22EB, 0x1000, bytes(4) + struct.pack("!III", 0x20000000, 0, 1) + bytes(8)), tag(2), MAC_C,
                 id="ERSPAN III with its platform's words"),
    pytest.param(gre(b"\xff\x03\x00\x21" + FOUR, 0x880B, 0x3081, bytes(12)), tag(2), MAC_A, id="PPTP"),
    pytest.param(gre(mpls(16) + FOUR, 0x8847), tag(6), MAC_A, id="MPLS in GRE"),
    pytest.param(ethernet(ipv4(mpls(16) + FOUR, 137)), tag(6), MAC_A, id="MPLS in IP"),
    pytest.param(gtp(0x99, FOUR, 0x34, b"\0\0\0\x85" + b"\x01\x10\x01\0"), tag(5), MAC_A,
                 id="GTP-U of 5G, with a session container"),
    pytest.param(vxlan_gpe(1, FOUR), tag(3, 7), MAC_A, id="VXLAN-GPE of IPv4"),
    pytest.param(vxlan_gpe(2, SIX), tag(3, 7), MAC_A, id="VXLAN-GPE of IPv6"),
    pytest.param(vxlan_gpe(3, INNER), tag(3, 7), MAC_C, id="VXLAN-GPE of Ethernet"),
    pytest.param(vxlan(3, gre(FOUR)), tag(2), MAC_A, id="GRE in VXLAN"),
    pytest.param(vxlan(3, vxlan(4, INNER)), tag(3, 4), MAC_C, id="VXLAN in VXLAN"),
    pytest.param(ethernet(mpls(16) + FOUR, 0x8847, vlans=[(0x8100, 5)]), tag(6), MAC_A, id="MPLS in a VLAN"),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "expected", "mac"), TUNNELS)
def test_tunnels(octets, expected, mac):
    """The innermost segment is found in every tunnel, by loop and scapy alike, and the tag names the tunnel."""
    outcome, row = by_scapy(octets)

    assert by_kernel(octets) in [(outcome, row), (DEFER, {})]
    assert (ROW, expected, mac) == (outcome, row["tag"], row["src_mac"])
    assert (40000, 3, ord("a")) == (row["src_port"], row["payload_len"], row["first_octet"])


@pytest.mark.parametrize("octets", [each.values[0] for each in TUNNELS], ids=[each.id for each in TUNNELS])
def test_tunnels_cut_anywhere(octets):
    """A tunnelled frame cut anywhere has the same columns from both, or a row from neither."""
    for keep in range(1, len(octets)):
        outcome, row = by_kernel(octets[:keep], 1, len(octets))
        found = by_scapy(octets[:keep], 1, len(octets))

        assert (outcome, row) == found or (row == found[1] == {}) or outcome == DEFER


def test_only_backbone_bridges_are_deferred():
    """The loop takes all tunnels of this list apart but one."""
    assert ["backbone bridge"] == [each.id for each in TUNNELS if outcome_of(each.values[0])[0] == DEFER]


def test_both_directions_of_a_tunnel_have_one_tag():
    """Labels and TEIDs differ by direction, so they are not in the tag."""
    assert by_scapy(gtp(1, FOUR))[1]["tag"] == by_scapy(gtp(2, FOUR))[1]["tag"]
    assert (
        by_scapy(ethernet(mpls(16) + FOUR, 0x8847))[1]["tag"] == by_scapy(ethernet(mpls(17) + FOUR, 0x8847))[1]["tag"]
    )


@pytest.mark.parametrize("count", [5, 6, 20])
def test_more_than_four_vlan_tags(count):
    """Of many VLAN tags the last four ids are kept, however many there are."""
    octets = ethernet(FOUR, vlans=[(0x8100, at) for at in range(1, count + 1)])
    expected = sum(count - at << 12 * at for at in range(4))

    assert expected == row_of(octets)["tag"]
    assert expected == by_scapy(octets)[1]["tag"]


RADIOTAP = bytes.fromhex("00000800 00000000".replace(" ", ""))
DOT11 = b"\x08\x02\0\0" + bytes(6) + bytes(6) + bytes(6) + b"\0\0"


def test_wireless_frames():
    """802.11 data frames are read behind radiotap, with and without a check sequence."""
    inside = DOT11 + b"\xaa\xaa\x03\0\0\0\x08\0" + FOUR
    checked = b"\0\0\x09\0\x02\0\0\0\x10" + inside + b"\xde\xad\xbe\xef"

    for octets in (RADIOTAP + inside, checked):
        outcome, row = by_scapy(octets, 127)
        assert (ROW, 40000, 3, ABSENT) == (outcome, row["src_port"], row["payload_len"], row["src_mac"])


@pytest.mark.parametrize(("link_type", "known"), [(1, True), (127, True), (105, True), (147, False), (239, False)])
def test_link_types(link_type, known):
    """Only link types that scapy knows, and that lead to IP, count as known."""
    assert known == knows(link_type)


def test_a_link_type_that_scapy_does_not_know():
    """A frame of an unknown link type is not TCP."""
    assert (NOT_TCP, {}) == by_scapy(FOUR, 147)


# ── the same rows as the loop's ────────────────────────────────────────────────────────────────────────────────

PACKETS = [
    (4, FOUR),
    (4, ipv4(tcp(b"howdy", options=TIMESTAMPS, flags=0x18), ttl=3)),
    (4, ipv4(tcp(options=b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + bytes(8) + b"\x01\x03\x03\x07", flags=0xC2))),
    (4, ipv4(tcp(options=b"\x01\x01\x05\x12" + bytes(range(16))))),
    (4, ipv4(tcp(b"x"), options=bytes([7, 4, 4, 0]))),
    (4, ipv4(tcp(b"x" * 40), fragment=0x2000)),
    (4, ipv4(tcp(b"x" * 40), fragment=3)),
    (4, ipv4(udp(b"x" * 40, 53), 17)),
    (4, ipv4(udp(b"x" * 40, 53), 17, fragment=1)),
    (4, ipv4(udp(b"\0" * 40, 4789), 17)),
    (4, ipv4(icmp(ipv4(tcp()), 3, 1), 1, ttl=7)),
    (4, ipv4(icmp(ipv4(tcp()[:8], total=40), 11, 0), 1)),
    (4, ipv4(icmp(b"ping" * 5, 8, 0), 1)),
    (4, ipv4(icmp(ipv4(tcp()), 5, 1), 1)),
    (4, ipv4(icmp(ipv4(tcp(), fragment=4)), 1)),
    (4, ipv4(icmp(ipv4(udp(b"", 53), 17)), 1)),
    (4, ipv4(tcp(b"y" * 100), total=0)),
    (4, ipv4(tcp(header=16))),
    (4, ipv4(tcp(header=60))),
    (4, ipv4(b"\x06\x04" + bytes(22) + tcp(b"ab"), 51)),
    (6, SIX),
    (6, ipv6(tcp(b"howdy", options=TIMESTAMPS))),
    (6, ipv6(b"\x06\x00\x01\x04\0\0\0\0" + tcp(b"q"), 0)),
    (6, ipv6(b"\x06\x01" + bytes(14) + tcp(b"q"), 60)),
    (6, ipv6(b"\x06\0\0\1\0\0\0\1" + tcp(b"q"), 44)),
    (6, ipv6(b"\x06\0\0\x29\0\0\0\1" + tcp(b"q"), 44)),
    (6, ipv6(b"\x06\x04" + bytes(22) + tcp(b"ab"), 51)),
    (6, ipv6(icmp(ipv6(tcp()), 1, 4), 58)),
    (6, ipv6(icmp(ipv6(tcp()), 2, 0), 58)),
    (6, ipv6(icmp(b"ping" * 5, 128, 0), 58)),
    (6, ipv6(tcp(b"z" * 50), length=0)),
]

TYPES = {4: 0x0800, 6: 0x86DD}
LINKS = {
    "Ethernet": (1, lambda version, packet: ethernet(packet, TYPES[version])),
    "padded": (1, lambda version, packet: ethernet(packet, TYPES[version], pad=120)),
    "VLAN": (1, lambda version, packet: ethernet(packet, TYPES[version], vlans=[(0x8100, 0xE005)])),
    "QinQ": (1, lambda version, packet: ethernet(packet, TYPES[version], vlans=[(0x88A8, 1), (0x8100, 2)])),
    "SNAP": (1, lambda version, packet: ethernet(
        b"\xaa\xaa\x03\0\0\0" + struct.pack("!H", TYPES[version]) + packet, 8 + len(packet))),
    "PPPoE": (1, lambda version, packet: ethernet(
        b"\x11\0\0\1" + struct.pack("!HH", 2 + len(packet), {4: 0x21, 6: 0x57}[version]) + packet, 0x8864)),
    "cooked": (113, lambda version, packet: cooked(packet, TYPES[version])),
    "cooked v2": (276, lambda version, packet: cooked2(packet, TYPES[version])),
    "null": (0, lambda version, packet: {4: b"\x02", 6: b"\x1e"}[version] + b"\0\0\0" + packet),
    "null of a big-endian host": (0, lambda version, packet: b"\0\0\0" + {4: b"\x02", 6: b"\x18"}[version] + packet),
    "loop": (108, lambda version, packet: b"\0\0\0" + {4: b"\x02", 6: b"\x1c"}[version] + packet),
    "raw": (101, lambda _, packet: packet),
    "PPP": (9, lambda version, packet: b"\xff\x03\0" + {4: b"\x21", 6: b"\x57"}[version] + packet),
    "Cisco HDLC": (104, lambda version, packet: b"\x0f\0" + struct.pack("!H", TYPES[version]) + packet),
}  # fmt: skip


@pytest.mark.parametrize("link", LINKS)
def test_equal_to_the_loop(link):
    """For every kind of packet on every link type, scapy and the loop give the same outcome and the same columns."""
    link_type, wrap = LINKS[link]
    frames = [wrap(*packet) for packet in PACKETS]

    assert [by_kernel(octets, link_type) for octets in frames] == [by_scapy(octets, link_type) for octets in frames]


@given(
    link=st.sampled_from(sorted(LINKS)),
    which=st.integers(0, len(PACKETS) - 1),
    keep=st.integers(1, 200),
)
def test_equal_to_the_loop_when_cut(link, which, keep):
    """A frame cut anywhere behind its IP header has the same columns from both."""
    link_type, wrap = LINKS[link]
    octets = wrap(*PACKETS[which])
    outcome, row = by_kernel(octets[:keep], link_type, len(octets))
    found = by_scapy(octets[:keep], link_type, len(octets))

    if row:
        assert (outcome, row) == found
    else:
        assert found[0] in {CUT, NOT_TCP, FRAGMENT}


@given(
    version=st.sampled_from([4, 6]),
    data=st.binary(max_size=20),
    fields=st.fixed_dictionaries(
        {
            "seq": st.integers(0, 0xFFFFFFFF),
            "ack": st.integers(0, 0xFFFFFFFF),
            "flags": st.integers(0, 255),
            "window": st.integers(0, 0xFFFF),
            "ports": st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)),
        }
    ),
    options=st.lists(
        st.one_of(
            st.just(b"\x01"),
            st.builds(lambda times: b"\x08\x0a" + times, st.binary(min_size=8, max_size=8)),
            st.builds(lambda blocks: bytes([5, 2 + 8 * len(blocks)]) + b"".join(blocks),
                      st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=3)),
            st.builds(lambda shift: bytes([3, 3, shift]), st.integers(0, 255)),
            st.just(b"\x02\x04\x05\xb4"),
            st.just(b"\x04\x02"),
        ),
        max_size=4,
    ),
)  # fmt: skip
def test_equal_to_the_loop_for_any_header(version, data, fields, options):
    """Any TCP header with whole options has the same columns from both."""
    joined = b""
    for each in options:
        joined += each if len(joined) + len(each) <= 40 else b""
    segment = tcp(data, options=joined + bytes(-len(joined) % 4), **fields)
    octets = ethernet({4: ipv4, 6: ipv6}[version](segment), TYPES[version])

    assert by_kernel(octets) == by_scapy(octets)


# ── robustness ───────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    which=st.integers(0, len(TUNNELS) - 1),
    changes=st.lists(st.tuples(st.integers(0, 150), st.integers(0, 255)), max_size=5),
    keep=st.integers(0, 160),
)
def test_mutated_frames(which, changes, keep):
    """No octets make anything come out of scapy but an outcome, or that it failed."""
    octets = bytearray(TUNNELS[which].values[0])
    for at, value in changes:
        octets[at % len(octets)] = value
    try:
        outcome, _ = by_scapy(bytes(octets[:keep]), 1, len(octets))
    except Failed:
        outcome = CUT

    assert outcome in {ROW, NOT_TCP, FRAGMENT, CUT, CUT_ROW}


def test_a_dissector_that_raises(monkeypatch):
    """An exception of scapy's is one kind of outcome, unless the frame was cut anyway."""
    from scapy.layers.inet import IP

    monkeypatch.setattr(IP, "do_dissect", lambda *_: 1 // 0)
    with pytest.raises(Failed, match="ZeroDivisionError"):
        by_scapy(ethernet(FOUR))
    assert CUT == by_scapy(ethernet(FOUR), 1, 2000)[0]


def test_nothing_is_written_to_the_terminal(capfd, monkeypatch):
    """What scapy would say about a frame stays unsaid, and its loggers are left as they were."""
    from scapy.layers.inet import IP

    loggers = [logging.getLogger(name) for name in ("scapy", "scapy.runtime", "scapy.loading")]
    before = [list(logger.filters) for logger in loggers]

    def noisy(self, octets):
        logging.getLogger("scapy.runtime").error("a remark")
        return original(self, octets)

    original = IP.do_dissect
    monkeypatch.setattr(IP, "do_dissect", noisy)
    by_scapy(ethernet(FOUR))

    assert ("", "") == capfd.readouterr()
    assert before == [list(logger.filters) for logger in loggers]


def test_too_many_layers():
    """A frame of endless layers ends."""
    packet = FOUR
    for _ in range(40):
        packet = ipv4(packet, 4)

    assert NOT_TCP == by_scapy(ethernet(packet))[0] == outcome_of(ethernet(packet))[0]


def test_nothing_behind_tcp_is_dissected(monkeypatch):
    """The data of a segment is not scapy's business."""
    from scapy.layers.inet import TCP

    def forbidden(*_):
        raise AssertionError("dissected the payload")

    monkeypatch.setattr(TCP, "guess_payload_class", forbidden)
    assert ROW == by_scapy(ethernet(ipv4(tcp(b"\x16\x03\x01" + bytes(40), ports=(1, 443)))))[0]


@pytest.mark.parametrize("word", [0, 1400, 0x12340578])
def test_the_mtu_that_an_error_names_is_equal_to_the_loops(word):
    """What fragmentation needed and packet too big name is read alike by scapy and the loop; other errors name none."""
    shapes = [(4, 3, 4, ipv4(tcp()), 1), (4, 3, 1, ipv4(tcp()), 1), (6, 2, 0, ipv6(tcp()), 58)]
    for version, kind, code, quoted, protocol in shapes:
        message = icmp(quoted, kind, code)[:4] + struct.pack("!I", word) + quoted
        packet = ipv4(message, protocol) if version == 4 else ipv6(message, protocol)
        octets = ethernet(packet, TYPES[version])

        assert by_kernel(octets) == by_scapy(octets)
