"""What DHCP, LLDP and spanning tree announce, octet by octet."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.segment import (
    ABSENT,
    BEGAN,
    CHANGED,
    GAVE_BACK,
    GIVEN,
    NO_NEWS,
    PORT,
    PORT_SHUT,
    address_text,
)
from tests.capture.craft import IP6_A, IP6_B, IP_A, IP_B, MAC_A, MAC_B, cooked, cooked2, ethernet, ipv4, ipv6, udp
from tests.capture.test_beside import seen

SERVER = b"\x36\x04\x0a\x00\x00\xfe"


def dhcp(kind, *, client=bytes(4), given=bytes(4), mac=MAC_B, options=b"", op=1):
    """A DHCP message in its packet (RFC 2131 2)."""
    head = struct.pack("!BBBBIHH4s4s4s4s", op, 1, 6, 0, 7, 0, 0, client, given, bytes(4), bytes(4))
    fields = head + mac.to_bytes(6, "big") + bytes(10) + bytes(192)
    message = fields + bytes.fromhex("63825363") + b"\0" + bytes([53, 1, kind]) + options + b"\xff"
    to, source = (68, 67) if op == 2 else (67, 68)
    return ethernet(ipv4(udp(message, to, source), 17, src=IP_A if op == 2 else client), src=MAC_A if op == 2 else mac)


def dhcp6(kind, options=b""):
    """A client's DHCPv6 message in its packet (RFC 8415 8)."""
    return ethernet(ipv6(udp(bytes([kind]) + b"\0\0\1" + options, 547, 546), 17), 0x86DD, src=MAC_B)


def addresses(address):
    """An association of one address, behind a client identifier."""
    inner = struct.pack("!HH", 5, 24) + address + bytes(8)
    return struct.pack("!HH4s", 1, 4, b"duid") + struct.pack("!HH", 3, 12 + len(inner)) + bytes(12) + inner


def bpdu(kind, flags=0, *, head=b"\x42\x42\x03"):
    """A message of a bridge behind LLC (IEEE 802.1D 9.3)."""
    message = head + struct.pack("!HBB", 0, 2 if kind == 2 else 0, kind)
    return message + (b"" if kind == 0x80 else bytes([flags]) + bytes(30))


def lldp(chassis, name, ttl):
    """An LLDP data unit (IEEE 802.1AB 8)."""
    parts = [(1, b"\x04" + chassis), (2, b"\x05" + name), (3, struct.pack("!H", ttl)), (5, b"switch"), (0, b"")]
    return b"".join(struct.pack("!H", kind << 9 | len(value)) + value for kind, value in parts)


def told(frame, link_type=1):
    """What a frame announces: of what, of which station, and of which address."""
    other = seen(frame, link_type)
    whom = address_text(other["dst_hi"], other["dst_lo"]) if other["dst_lo"] and other["news"] < CHANGED else None
    return other["news"], other["news_mac"], whom


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (dhcp(1), (BEGAN, MAC_B, None)),
        (dhcp(3), (BEGAN, MAC_B, None)),
        (dhcp(3, options=SERVER), (NO_NEWS, ABSENT, None)),
        (dhcp(3, client=IP_B), (NO_NEWS, ABSENT, None)),
        (dhcp(2, given=IP_B, op=2), (NO_NEWS, ABSENT, None)),
        (dhcp(5, given=IP_B, op=2), (GIVEN, MAC_B, "10.0.0.2")),
        (dhcp(7, client=IP_B), (GAVE_BACK, MAC_B, "10.0.0.2")),
        (dhcp6(1), (BEGAN, MAC_B, None)),
        (dhcp6(5), (NO_NEWS, ABSENT, None)),
        (dhcp6(8, addresses(IP6_B)), (GAVE_BACK, MAC_B, "fe80::2")),
    ],
    ids=["discover", "reboot", "chosen", "renew", "offer", "ack", "release", "solicit", "renew6", "release6"],
)
def test_what_dhcp_announces(frame, expected):
    """Of DHCP count a host that starts, an address that is given, and one that is given back."""
    assert told(frame) == expected


@pytest.mark.parametrize(
    ("frame", "link_type", "news"),
    [
        (ethernet(bpdu(0x80), 38, src=MAC_B), 1, CHANGED),
        (ethernet(bpdu(0, 1), 38, src=MAC_B), 1, CHANGED),
        (ethernet(bpdu(2, 0x7D), 39, src=MAC_B), 1, CHANGED),
        (ethernet(bpdu(0, 1, head=bytes.fromhex("aaaa0300000c010b")), 50, src=MAC_B), 1, CHANGED),
        (cooked(bpdu(0, 1), 4), 113, CHANGED),
        (cooked2(bpdu(0, 1), 4), 276, CHANGED),
        (ethernet(bpdu(0, 0x80), 38, src=MAC_B), 1, NO_NEWS),
        (ethernet(bpdu(2, 0x7C), 39, src=MAC_B), 1, NO_NEWS),
        (ethernet(b"\x42\x42\x03\0\1\0\x80", 7, src=MAC_B), 1, NO_NEWS),
    ],
    ids=["tcn", "config", "rapid", "per-vlan", "cooked", "cooked2", "acknowledged", "steady", "other"],
)
def test_changes_of_topology(frame, link_type, news):
    """Bridges tell of a change in a notification, or by a flag."""
    assert news == told(frame, link_type)[0]


def test_ports():
    """LLDP names a port, by the same hash each time and by another for another port, and says when it goes down."""
    one, again, two, down = (
        seen(ethernet(unit, 0x88CC, src=MAC_B))
        for unit in (
            lldp(b"switch", b"port1", 120),
            lldp(b"switch", b"port1", 30),
            lldp(b"switch", b"port2", 120),
            lldp(b"switch", b"port1", 0),
        )
    )

    assert [PORT, PORT, PORT, PORT_SHUT] == [each["news"] for each in (one, again, two, down)]
    assert one["dst_lo"] == again["dst_lo"] != two["dst_lo"]


@given(
    st.sampled_from([dhcp(7, client=IP_A), dhcp6(8, addresses(IP6_A)), ethernet(lldp(b"s", b"p", 9), 0x88CC)]),
    st.data(),
)
def test_frames_that_are_cut(frame, data):
    """However short a frame is cut, nothing behind its end is read, and nothing false is announced."""
    cut = frame[: data.draw(st.integers(14, len(frame)))]

    assert told(cut)[0] in {NO_NEWS, told(frame)[0]}
