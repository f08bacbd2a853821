"""ICMP redirects: the router that they name, and what they quote."""

import struct

import pytest

from analyzer.capture.frame import NOT_TCP, ROW
from analyzer.segment import ABSENT, MAPPED_IPV4, NOTE_ICMP_ERROR, address_halves
from tests.capture.craft import IP6_A, ethernet, icmp, ipv4, ipv6, outcome_of, row_of, tcp

ROUTER = struct.pack("!QQ", 0xFE80 << 48, 2)
ADVERTISED = b"\2\1" + bytes(6)
"""An option that stands before the one with the packet."""


def redirect(router=ROUTER, options=ADVERTISED, code=0, hops=255, quoted=None):
    """A frame with an ICMPv6 redirect for IP6_A, as a router sends it."""
    quoted = ipv6(tcp()) if quoted is None else quoted
    bearing = struct.pack("!BB6x", 4, (8 + len(quoted)) // 8) + quoted if quoted else b""
    packet = ipv6(struct.pack("!BBHI", 137, code, 0, 0) + router + IP6_A + options + bearing, 58)
    return ethernet(packet[:7] + bytes([hops]) + packet[8:], 0x86DD)


def test_the_router_of_ipv4():
    """A redirect of IPv4 is a row that has the router's address."""
    quoted = ipv4(tcp()[:8], total=40)
    row = row_of(ethernet(ipv4(struct.pack("!BBH", 5, 1, 0) + bytes([192, 0, 2, 7]) + quoted, 1)))

    assert (NOTE_ICMP_ERROR, 5 << 8 | 1, MAPPED_IPV4 + 0xC0000207) == (row["note"], row["icmp"], row["tsecr"])


def test_the_router_of_ipv6():
    """A redirect of ICMPv6 is a row of the packet in its option, and has the low half of the router's address."""
    row = row_of(redirect())

    assert (NOTE_ICMP_ERROR, 1 << 16 | 137 << 8, 40000) == (row["note"], row["icmp"], row["src_port"])
    assert address_halves("fe80::2")[1] == row["tsecr"]


def test_a_destination_on_the_link():
    """Where the router is the destination itself, none is named."""
    assert ABSENT == row_of(redirect(router=IP6_A))["tsecr"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"hops": 64}, id="passed on by a router"),
        pytest.param({"code": 1}, id="with another code"),
        pytest.param({"router": bytes([0x20, 1]) + bytes(14)}, id="to an address that no router has here"),
        pytest.param({"quoted": b""}, id="without the packet"),
        pytest.param({"options": bytes(8)}, id="behind an option without a length"),
    ],
)
def test_what_is_no_redirect(changes):
    """What its receiver drops (RFC 4861 8.1), or what bears no packet, is no row."""
    assert (ROW, NOT_TCP) == (outcome_of(redirect())[0], outcome_of(redirect(**changes))[0])


def test_a_redirect_cut_anywhere_is_read_within_its_frame():
    """However short a frame was cut, nothing beyond it is read."""
    whole = redirect()

    assert {ROW} < {outcome_of(whole[:length])[0] for length in range(14, len(whole) + 1)}


def test_an_unreachable_names_no_router():
    """Only redirects name a router."""
    assert ABSENT == row_of(ethernet(ipv4(icmp(ipv4(tcp()), 3, 1), 1)))["tsecr"]
