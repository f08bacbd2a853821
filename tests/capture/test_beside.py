"""Frames that are no segment as WITNESS rows, octet by octet."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture import open_capture
from analyzer.capture.beside import beside
from analyzer.segment import ABSENT, ASKS, LINK, MAPPED_IPV4, SAYS, SIGN, address_halves, address_text
from tests.capture.craft import (
    IP6_A,
    IP6_B,
    IP_A,
    IP_B,
    MAC_A,
    MAC_B,
    cooked,
    cooked2,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    pcap,
    tcp,
    udp,
)

ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")


def arp(operation, sender=IP_A, target=IP_B, mac=MAC_A):
    """An ARP packet."""
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac.to_bytes(6, "big") + sender + bytes(6) + target


def advertisement(target, flags, options=b""):
    """An ICMPv6 neighbour advertisement in its packet."""
    return ipv6(struct.pack("!BBHI", 136, 0, 0, flags << 24) + target + options, 58, src=IP6_B, dst=ALL_NODES)


def solicitation(target, src=IP6_A, options=b""):
    """An ICMPv6 neighbour solicitation in its packet."""
    return ipv6(struct.pack("!BBHI", 135, 0, 0, 0) + target + options, 58, src=src, dst=ALL_NODES)


def seen(octets, link_type=1):
    """What one frame shows, read from a buffer that ends with it; None if nobody."""
    other = {}
    return other if beside({"octet": bytes(octets)}, 0, len(octets), link_type, other) else None


def told(other):
    """The kind of a row, who it is of, and who is asked for."""
    src, dst = ((other[f"{end}_hi"], other[f"{end}_lo"]) for end in ("src", "dst"))
    return other["kind"], *(address_text(*each) if any(each) else None for each in (src, dst))


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (ethernet(arp(1), 0x0806), (ASKS, "10.0.0.1", "10.0.0.2")),
        (ethernet(arp(2), 0x0806), (SAYS, "10.0.0.1", None)),
        (ethernet(arp(1, target=IP_A), 0x0806), (SAYS, "10.0.0.1", None)),
        (ethernet(arp(1, sender=bytes(4)), 0x0806), (ASKS, None, "10.0.0.2")),
        (ethernet(arp(3), 0x0806), (LINK, "10.0.0.1", None)),
        (ethernet(solicitation(IP6_B), 0x86DD), (ASKS, "2001:db8::1", "fe80::2")),
        (ethernet(solicitation(IP6_B, bytes(16)), 0x86DD), (ASKS, None, "fe80::2")),
        (ethernet(advertisement(IP6_A, 0x60), 0x86DD), (SAYS, "2001:db8::1", None)),
        (ethernet(ipv4(udp(b"", 53), 17)), (SIGN, "10.0.0.1", None)),
        (ethernet(ipv4(udp(b"", 67), 17, src=bytes(4))), (SIGN, None, None)),
        (ethernet(b"\x02\x07\x04", 0x88CC), (LINK, None, None)),
    ],
    ids=["asks", "answers", "gratuitous", "probes", "other", "solicits", "dad", "advertises", "udp", "dhcp", "lldp"],
)
def test_who_is_shown(frame, expected):
    """A frame shows the address that it is from or speaks for, and who is asked for."""
    kind, who, whom = expected
    if kind == LINK:
        who = None

    assert (kind, who, whom) == told(seen(frame))


@pytest.mark.parametrize(
    ("frame", "said", "unasked"),
    [
        (ethernet(arp(2, mac=MAC_B), 0x0806), MAC_B, 0),
        (ethernet(arp(1, target=IP_A), 0x0806), MAC_A, 1),
        (ethernet(advertisement(IP6_A, 0x20), 0x86DD), MAC_A, 1),
        (ethernet(advertisement(IP6_A, 0x60, b"\2\1" + MAC_B.to_bytes(6, "big")), 0x86DD), MAC_B, 0),
        (ethernet(advertisement(IP6_A, 0x60, b"\2\0" + MAC_B.to_bytes(6, "big")), 0x86DD), MAC_A, 0),
        (ethernet(solicitation(IP6_B, options=b"\1\1" + MAC_B.to_bytes(6, "big")), 0x86DD), MAC_B, 0),
        (ethernet(solicitation(IP6_B), 0x86DD), ABSENT, 0),
        (ethernet(solicitation(IP6_B, bytes(16), b"\1\1" + MAC_B.to_bytes(6, "big")), 0x86DD), ABSENT, 0),
        (ethernet(ipv4(udp(b"", 53), 17)), ABSENT, 0),
    ],
    ids=[
        "reply",
        "gratuitous",
        "unsolicited",
        "option",
        "option of no length",
        "asks",
        "asks without option",
        "dad",
        "no claim",
    ],
)
def test_where_an_address_is_said_to_be(frame, said, unasked):
    """ARP and neighbour discovery name a station, also who asks; those that answer nobody are told apart."""
    other = seen(frame)

    assert (said, unasked) == (other["said_mac"], other["unasked"])


def test_protocol_and_port():
    """A packet shows its protocol, one of UDP its source port too, a frame without IP its ethertype."""
    rows = [seen(ethernet(*what)) for what in ((ipv4(udp(b"", 9), 17),), (ipv4(icmp(b""), 1),), (b"", 0x88CC))]

    assert [(17, 5555), (1, 0), (0x88CC, 0)] == [(row["protocol"], row["port"]) for row in rows]


def test_a_vlan_is_part_of_the_address():
    """An ARP packet in a VLAN is of that VLAN, as segments are."""
    other = seen(ethernet(arp(1), 0x0806, vlans=[(0x8100, 7)]))

    assert (7, ASKS) == (other["tag"], other["kind"])


@pytest.mark.parametrize(("make", "link_type"), [(cooked, 113), (cooked2, 276)], ids=["v1", "v2"])
def test_cooked_captures(make, link_type):
    """ARP is found in both forms of Linux cooked capture."""
    assert (ASKS, "10.0.0.1", "10.0.0.2") == told(seen(make(arp(1), 0x0806), link_type))


def test_nobody_is_shown_without_station_and_address():
    """A frame of raw IP that holds no address shows nobody."""
    assert seen(b"\x45", 101) is None


@given(st.integers(0, 90), st.sampled_from([1, 113, 276, 101, 0]))
def test_a_cut_frame_is_read_no_further(length, link_type):
    """Whatever is cut off, nothing behind the end is read."""
    frame = ethernet(advertisement(IP6_A, 0x60, b"\2\1" + MAC_B.to_bytes(6, "big")), 0x86DD)[:length]

    other = seen(frame, link_type)

    assert other is None or other["kind"] in {SIGN, LINK, SAYS, ASKS}


@pytest.mark.parametrize("jit", [False, True])
def test_only_frames_without_a_row_are_witnesses(tmp_path, jit):
    """Segments and ICMP errors that quote one have rows; every other frame that shows somebody is a witness."""
    path = tmp_path / "some.pcap"
    error = ipv4(icmp(ipv4(tcp())), 1, src=bytes([10, 9, 9, 9]))
    frames = [arp(1), tcp(), error, tcp(), udp(b"", 53)]
    path.write_bytes(
        pcap(
            [
                ethernet(arp(1), 0x0806),
                ethernet(ipv4(tcp())),
                ethernet(error),
                ethernet(ipv4(tcp())),
                ethernet(ipv4(udp(b"", 53), 17)),
            ]
        )
    )

    with open_capture(path, jit=jit) as reader:
        (batch,) = reader

    assert len(frames) == batch.frames
    assert [2, 3, 4] == batch.rows["frame"].tolist()
    assert [(1, ASKS), (5, SIGN)] == batch.others[["frame", "kind"]].tolist()
    assert address_halves("10.9.9.9") == tuple(batch.rows[["sack_left", "sack_right"]][1].tolist())
    assert MAPPED_IPV4 + 0x0A000001 == batch.others["src_lo"][1]
