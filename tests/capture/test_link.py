import struct

import pytest

from analyzer.capture.frame import CUT, DEFER, NOT_TCP
from analyzer.segment import ABSENT
from tests.capture.craft import MAC_A, cooked, cooked2, ethernet, ipv4, ipv6, outcome_of, row_of, tcp

FOUR, SIX = ipv4(tcp(b"abc")), ipv6(tcp(b"abc"))


def llc(packet, ethertype=0x0800, oui=b"\0\0\0"):
    """A packet in LLC and SNAP."""
    return b"\xaa\xaa\x03" + oui + struct.pack("!H", ethertype) + packet


def pppoe(packet, protocol=b"\x00\x21"):
    """A PPPoE session packet."""
    return b"\x11\x00\x00\x05" + struct.pack("!H", len(protocol) + len(packet)) + protocol + packet


def nflog(packet, order="<"):
    """An NFLOG message: a mark, then the payload."""
    mark = struct.pack(order + "HH", 6, 5) + b"\0\1" + bytes(2)
    return b"\x02\0\0\0" + mark + struct.pack(order + "HH", 4 + len(packet), 9) + packet


def pktap(frame, dlt, kind=1):
    """A frame behind the header of macOS's pktap."""
    return struct.pack("<III", 108, kind, dlt).ljust(108, b"\0") + frame


def relayed(behind, address=b"\x18\x41"):
    """A frame-relay frame with RFC 2427's control octet."""
    return address + b"\x03" + behind


FDDI = b"\x50" + bytes(6) + MAC_A.to_bytes(6, "big")


@pytest.mark.parametrize(
    ("link_type", "octets", "version", "mac"),
    [
        pytest.param(1, ethernet(FOUR), 4, MAC_A, id="Ethernet IPv4"),
        pytest.param(1, ethernet(SIX, 0x86DD), 6, MAC_A, id="Ethernet IPv6"),
        pytest.param(1, ethernet(llc(FOUR), len(llc(FOUR))), 4, MAC_A, id="802.3 SNAP"),
        pytest.param(1, ethernet(llc(SIX, 0x86DD, b"\0\0\xf8"), 100), 6, MAC_A, id="802.3 bridge tunnel SNAP"),
        pytest.param(1, ethernet(pppoe(FOUR), 0x8864), 4, MAC_A, id="PPPoE IPv4"),
        pytest.param(1, ethernet(pppoe(SIX, b"\x00\x57"), 0x8864), 6, MAC_A, id="PPPoE IPv6"),
        pytest.param(1, ethernet(pppoe(FOUR, b"\x21"), 0x8864), 4, MAC_A, id="PPPoE, protocol of one octet"),
        pytest.param(113, cooked(FOUR), 4, MAC_A, id="cooked v1 IPv4"),
        pytest.param(113, cooked(SIX, 0x86DD), 6, MAC_A, id="cooked v1 IPv6"),
        pytest.param(113, cooked(FOUR, address_len=0), 4, ABSENT, id="cooked v1 of a tun interface"),
        pytest.param(113, cooked(llc(FOUR), 4), 4, MAC_A, id="cooked v1 with LLC"),
        pytest.param(276, cooked2(FOUR), 4, MAC_A, id="cooked v2 IPv4"),
        pytest.param(276, cooked2(SIX, 0x86DD, address_len=8), 6, ABSENT, id="cooked v2 with another address length"),
        pytest.param(0, b"\x02\0\0\0" + FOUR, 4, ABSENT, id="null, little-endian"),
        pytest.param(0, b"\0\0\0\x02" + FOUR, 4, ABSENT, id="null, big-endian"),
        pytest.param(0, b"\x0a\0\0\0" + SIX, 6, ABSENT, id="null, IPv6 on Linux"),
        pytest.param(0, b"\x18\0\0\0" + SIX, 6, ABSENT, id="null, IPv6 on NetBSD"),
        pytest.param(0, b"\x1c\0\0\0" + SIX, 6, ABSENT, id="null, IPv6 on FreeBSD"),
        pytest.param(0, b"\x1e\0\0\0" + SIX, 6, ABSENT, id="null, IPv6 on macOS"),
        pytest.param(108, b"\0\0\0\x02" + FOUR, 4, ABSENT, id="loop IPv4"),
        pytest.param(108, b"\0\0\0\x18" + SIX, 6, ABSENT, id="loop IPv6"),
        pytest.param(101, FOUR, 4, ABSENT, id="raw IPv4"),
        pytest.param(101, SIX, 6, ABSENT, id="raw IPv6"),
        pytest.param(12, FOUR, 4, ABSENT, id="raw under its number on Linux"),
        pytest.param(14, SIX, 6, ABSENT, id="raw under its number on OpenBSD"),
        pytest.param(228, FOUR, 4, ABSENT, id="IPV4"),
        pytest.param(229, SIX, 6, ABSENT, id="IPV6"),
        pytest.param(9, b"\xff\x03\x00\x21" + FOUR, 4, ABSENT, id="PPP with address and control"),
        pytest.param(9, b"\x00\x57" + SIX, 6, ABSENT, id="PPP without them"),
        pytest.param(9, b"\x21" + FOUR, 4, ABSENT, id="PPP with nothing but a short protocol"),
        pytest.param(50, b"\xff\x03\x00\x21" + FOUR, 4, ABSENT, id="PPP in HDLC"),
        pytest.param(50, b"\x0f\x00\x08\x00" + FOUR, 4, ABSENT, id="Cisco HDLC under PPP's number"),
        pytest.param(51, pppoe(FOUR), 4, ABSENT, id="PPPoE alone"),
        pytest.param(104, b"\x0f\x00\x86\xdd" + SIX, 6, ABSENT, id="Cisco HDLC"),
        pytest.param(10, FDDI + llc(FOUR), 4, MAC_A, id="FDDI"),
        pytest.param(107, relayed(b"\xcc" + FOUR), 4, ABSENT, id="frame relay IPv4"),
        pytest.param(107, relayed(b"\x8e" + SIX), 6, ABSENT, id="frame relay IPv6"),
        pytest.param(107, relayed(b"\xcc" + FOUR, b"\x18\x40\x00\x01"), 4, ABSENT, id="frame relay, long address"),
        pytest.param(107, relayed(b"\x00\x80\0\0\0\x08\x00" + FOUR), 4, ABSENT, id="frame relay SNAP, padded"),
        pytest.param(107, relayed(b"\x80\0\0\0\x86\xdd" + SIX), 6, ABSENT, id="frame relay SNAP"),
        pytest.param(107, relayed(b"\x00\x80\0\x80\xc2\0\7" + ethernet(FOUR)), 4, MAC_A, id="frame relay, bridged"),
        pytest.param(107, relayed(b"\xcf\x00\x21" + FOUR), 4, ABSENT, id="frame relay PPP"),
        pytest.param(107, b"\x18\x41\x08\x00" + FOUR, 4, ABSENT, id="frame relay as Cisco has it"),
        pytest.param(239, nflog(FOUR), 4, ABSENT, id="NFLOG, little-endian"),
        pytest.param(239, nflog(SIX, ">"), 6, ABSENT, id="NFLOG, big-endian"),
        pytest.param(258, pktap(ethernet(FOUR), 1), 4, MAC_A, id="pktap of Ethernet"),
        pytest.param(258, pktap(b"\x1e\0\0\0" + SIX, 0), 6, ABSENT, id="pktap of lo0"),
    ],
)
def test_ip_is_found(link_type, octets, version, mac):
    """Each link type leads to the same segment, with the sender's MAC where the link has one."""
    row = row_of(octets, link_type)

    assert (version, mac, 40000, 3, ord("a")) == (
        row["ip_version"],
        row["src_mac"],
        row["src_port"],
        row["payload_len"],
        row["first_octet"],
    )


@pytest.mark.parametrize(
    ("vlans", "expected"),
    [
        ([], 0),
        ([(0x8100, 5)], 5),
        ([(0x88A8, 1), (0x8100, 2)], 1 << 12 | 2),
        ([(0x9100, 100), (0x9100, 200), (0x8100, 300)], 100 << 24 | 200 << 12 | 300),
        ([(0x8100, 0xFFF)] * 4, (1 << 48) - 1),
        ([(0x8100, 0x6000)], 0),
        ([(0x8100, 0x6007)], 7),
        ([(0x88A8, 9), (0x8100, 0)], 9),
    ],
)
def test_vlan_ids_are_the_tag(vlans, expected):
    """VLAN ids join outer first; priority bits do not count, and id 0 is no VLAN."""
    assert expected == row_of(ethernet(FOUR, vlans=vlans))["tag"]


def test_vlan_in_cooked_capture():
    """A VLAN tag may follow a cooked header."""
    assert 7 == row_of(cooked(struct.pack("!HH", 7, 0x0800) + FOUR, 0x8100), 113)["tag"]


@pytest.mark.parametrize(
    ("link_type", "octets", "expected"),
    [
        pytest.param(1, ethernet(bytes(28), 0x0806), NOT_TCP, id="ARP"),
        pytest.param(1, ethernet(b"\x42\x42\x03" + bytes(40), 43), NOT_TCP, id="spanning tree"),
        pytest.param(1, ethernet(llc(FOUR, oui=b"\0\0\x0c"), 70), NOT_TCP, id="SNAP of a vendor"),
        pytest.param(1, ethernet(pppoe(b"\x01\x01\0\4", b"\xc0\x21"), 0x8864), NOT_TCP, id="PPP link control"),
        pytest.param(1, ethernet(bytes(40), 0x8863), NOT_TCP, id="PPPoE discovery"),
        pytest.param(1, ethernet(bytes(4) + ethernet(FOUR), 0x88E7), DEFER, id="provider backbone bridges"),
        pytest.param(1, ethernet(pppoe(b"", b"\x21")[:-1], 0x8864), CUT, id="PPPoE without its protocol"),
        pytest.param(1, ethernet(FOUR)[:13], CUT, id="Ethernet cut"),
        pytest.param(1, ethernet(b"\0", 0x8100), CUT, id="VLAN tag cut"),
        pytest.param(1, ethernet(b"\xaa\xaa", 60), CUT, id="LLC cut"),
        pytest.param(1, ethernet(b"\x11\0\0\0", 0x8864), CUT, id="PPPoE cut"),
        pytest.param(1, b"", CUT, id="nothing"),
        pytest.param(113, cooked(FOUR)[:15], CUT, id="cooked v1 cut"),
        pytest.param(113, cooked(FOUR, 1), NOT_TCP, id="cooked v1 raw 802.3"),
        pytest.param(113, cooked(FOUR, hardware=824), NOT_TCP, id="cooked v1 of netlink"),
        pytest.param(276, cooked2(FOUR)[:19], CUT, id="cooked v2 cut"),
        pytest.param(0, b"\x02\0\0", CUT, id="null cut"),
        pytest.param(0, b"\x07\0\0\0" + FOUR, NOT_TCP, id="null of another family"),
        pytest.param(0, b"\x02\0\1\0" + FOUR, NOT_TCP, id="null of no family"),
        pytest.param(101, b"", CUT, id="raw cut"),
        pytest.param(101, b"\x50" + FOUR, NOT_TCP, id="raw of another version"),
        pytest.param(9, b"\xff\x03\xc0\x21" + bytes(8), NOT_TCP, id="PPP link control alone"),
        pytest.param(9, b"\x21", CUT, id="PPP cut"),
        pytest.param(10, FDDI[:12], CUT, id="FDDI cut"),
        pytest.param(10, b"\x41" + FDDI[1:] + llc(FOUR), NOT_TCP, id="FDDI station management"),
        pytest.param(107, b"\x18\x40\x00", CUT, id="frame relay cut in its address"),
        pytest.param(107, relayed(b""), CUT, id="frame relay cut behind its control octet"),
        pytest.param(107, relayed(b"\x00"), CUT, id="frame relay cut behind its pad octet"),
        pytest.param(107, relayed(b"\x80\0\0\0\x08"), CUT, id="frame relay cut in SNAP"),
        pytest.param(107, relayed(b"\x08\x00\x75\x95"), NOT_TCP, id="frame relay link management"),
        pytest.param(107, relayed(b"\x00\x80\0\0\x0c\x20\0"), NOT_TCP, id="frame relay SNAP of a vendor"),
        pytest.param(239, nflog(FOUR)[:9], CUT, id="NFLOG without its payload"),
        pytest.param(239, b"\x02\0\0\0" + bytes(8), NOT_TCP, id="NFLOG attribute of no length"),
        pytest.param(258, pktap(FOUR, 1)[:11], CUT, id="pktap cut"),
        pytest.param(258, pktap(FOUR, 1, kind=0), NOT_TCP, id="pktap that is no packet"),
        pytest.param(258, pktap(FOUR, 127), DEFER, id="pktap of a link type of scapy's"),
        pytest.param(127, FOUR, DEFER, id="a link type of scapy's"),
        pytest.param(-1, FOUR, NOT_TCP, id="an interface that nothing describes"),
    ],
)
def test_no_ip_is_found(link_type, octets, expected):
    """What is no IP is not TCP; what may be is left to scapy; what ends early is cut."""
    assert expected == outcome_of(octets, link_type)[0]


@pytest.mark.parametrize(
    ("link_type", "octets"),
    [
        (1, ethernet(FOUR, vlans=[(0x8100, 1), (0x8100, 2)])),
        (1, ethernet(pppoe(SIX, b"\x00\x57"), 0x8864)),
        (276, cooked2(FOUR)),
        (239, nflog(FOUR)),
        (258, pktap(ethernet(FOUR), 1)),
        (50, b"\x0f\x00\x08\x00" + FOUR),
        (107, relayed(b"\xcc" + FOUR)),
        (107, relayed(b"\x00\x80\0\x80\xc2\0\7" + ethernet(FOUR))),
    ],
)
def test_cut_anywhere(link_type, octets):
    """A frame cut anywhere before its ports is cut, never anything else."""
    before_ports = len(octets) - 23
    outcomes = {outcome_of(octets[:keep], link_type, len(octets))[0] for keep in range(before_ports)}

    assert {CUT} == outcomes
