import struct

import pytest

from analyzer.capture.frame import CUT, NOT_TCP, ROW
from analyzer.capture.tunnel import IN_GRE, IN_VXLAN, TUNNEL, tunnel_tag
from tests.capture.craft import MAC_A, ethernet, icmp, ipv4, ipv6, outcome_of, row_of, tcp, udp

# Rows of every tunnel are compared with scapy's in test_scapy_reader.py; here is what scapy says nothing about.

FOUR = ipv4(tcp(b"abc"))
VXLAN = struct.pack("!II", 0x08000000, 5 << 8)


def in_udp(data, port):
    """UDP in IPv4 on Ethernet."""
    return ethernet(ipv4(udp(data, port), 17))


def in_ip(data, protocol):
    """An IP protocol in IPv4 on Ethernet."""
    return ethernet(ipv4(data, protocol))


def test_the_parts_of_a_tag_do_not_meet():
    """Kind, id and VLANs have their own bits, and a tag is never negative, nor that of a VLAN."""
    tag = tunnel_tag(IN_GRE, 0xFFFFFFFF, (1 << 48) - 1)

    assert TUNNEL | IN_GRE << 56 | 0xFFFFFFFF << 24 | 0xFFFFFF == tag
    assert (1 << 48) - 1 < tunnel_tag(1, 0, 0) < 1 << 63


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        pytest.param(in_ip(b"\0\0\x08", 47), CUT, id="GRE cut"),
        pytest.param(in_ip(b"\x20\0\x08\0\0", 47), CUT, id="GRE cut within its key"),
        pytest.param(in_ip(b"\x40\0\x08\0" + bytes(8) + FOUR, 47), NOT_TCP, id="GRE with source routes"),
        pytest.param(in_ip(b"\0\0\0\x2b" + FOUR, 47), NOT_TCP, id="GRE of no ethertype"),
        pytest.param(in_ip(b"\0\0\x08\x06" + bytes(28), 47), NOT_TCP, id="ARP in GRE"),
        pytest.param(in_ip(b"\0\0\x64\0" + bytes(28), 47), NOT_TCP, id="a vendor's GRE"),
        pytest.param(in_ip(b"\x30\x01\x88\x0b" + bytes(8), 47), CUT, id="PPTP cut"),
        pytest.param(in_ip(b"\x10\0\x22\xeb" + bytes(14), 47), CUT, id="ERSPAN III cut"),
        pytest.param(in_ip(b"\x30", 97), CUT, id="EtherIP cut"),
        pytest.param(ethernet(b"\0\1\0\x40" * 5, 0x8847), CUT, id="labels without a bottom"),
        pytest.param(ethernet(b"\0\1\1\x40", 0x8847), CUT, id="labels with nothing behind"),
        pytest.param(ethernet(b"\0\1\1\x40\x10\0\0\0" + bytes(40), 0x8847), NOT_TCP, id="an MPLS control channel"),
        pytest.param(in_udp(b"\x0c\0\0\x04\0\0\x05\0" + bytes(40), 4789), NOT_TCP, id="VXLAN-GPE of something else"),
        pytest.param(in_udp(b"\x34\xff\0\0" + bytes(7) + b"\x85\0" + bytes(40), 2152), NOT_TCP, id="GTP-U without end"),
        pytest.param(in_udp(b"\x34\xff\0\0" + bytes(7) + b"\x85\x40" + bytes(40), 2152), CUT, id="GTP-U header cut"),
        pytest.param(in_udp(b"\x34\xff\0\0" + bytes(7) + b"\x85\x03" + bytes(10) + b"\x85", 2152), CUT,
                     id="GTP-U headers beyond the frame"),
        pytest.param(in_udp(b"\x30\xff\0\0" + bytes(4) + b"\x10" + bytes(40), 2152), NOT_TCP, id="GTP-U of no IP"),
        pytest.param(in_udp(b"\0\0\x08\0" + bytes(4) + b"\x10" + bytes(40), 6081), NOT_TCP, id="Geneve of no IP"),
        pytest.param(in_udp(b"\x3f\0\x08\0" + bytes(60), 6081), CUT, id="Geneve options beyond the frame"),
    ],
)  # fmt: skip
def test_tunnels_that_lead_nowhere(octets, expected):
    """A tunnel whose inside is cut or something else gives no row."""
    assert expected == outcome_of(octets)[0]


def test_icmp_errors_inside_a_tunnel():
    """An ICMP error inside a tunnel names its segment, and the tunnel."""
    row = row_of(in_udp(VXLAN + ethernet(ipv4(icmp(FOUR), 1)), 4789))

    assert (1, tunnel_tag(IN_VXLAN, 5, 0), 40000) == (row["note"], row["tag"], row["src_port"])


def test_icmp_errors_about_a_tunnel():
    """An ICMP error that quotes the outside of a tunnel names no segment."""
    assert NOT_TCP == outcome_of(in_ip(icmp(ipv4(FOUR, 4)), 1))[0]


def test_vlans_outside_a_tunnel_are_not_in_the_tag():
    """The VLANs of the outer frame say nothing about the flow inside."""
    tags = {row_of(ethernet(ipv4(FOUR, 4), vlans=vlans))["tag"] for vlans in ([], [(0x8100, 7)])}

    assert {tunnel_tag(1, 0, 0)} == tags


def test_offload_inside_a_tunnel():
    """An inner IP length of 0 stands for the rest of the frame, as an outer one does."""
    row = row_of(in_ip(ipv4(tcp(b"z" * 100), total=0), 4))

    assert (100, MAC_A) == (row["payload_len"], row["src_mac"])


def test_a_first_fragment_of_a_tunnel():
    """The first fragment of an outer packet has the inner segment; the payload is what the inner header says."""
    inner = ipv4(tcp(b"x" * 1000))
    octets = ethernet(ipv4(inner[:200], 4, fragment=0x2000))

    assert (ROW, 1000) == (outcome_of(octets)[0], row_of(octets)["payload_len"])


def test_eight_tunnels_deep():
    """Seven tunnels in each other are followed, more are not."""
    packet = FOUR
    for depth in range(10):
        assert (ROW if depth <= 7 else NOT_TCP) == outcome_of(packet, 101)[0]
        packet = ipv6(packet, 4) if depth % 2 == 0 else ipv4(packet, 41)
