"""What stands before IP, copied with other addresses: link headers, VLAN tags, ARP.

Every loop writes to ``out`` at ``to`` and returns where it stopped, or MISSING if an address has no name yet. Whatever
is not named here is not copied. Reading is within ``end``, as in ``link``.

This module must not know IP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.capture.frame import octet, word16, word32
from analyzer.capture.scrub.sums import copy, fill, put16, put32, put64
from analyzer.capture.scrub.table import COUNTERS, find_name
from analyzer.loops.loop import loop
from analyzer.segment import ABSENT, MAPPED_IPV4

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Octets, Rows

MISSING: Final = -1

# Kinds of names.
OF_IP: Final = 1
OF_MAC: Final = 2
OF_TAG: Final = 3
OF_INTERFACE: Final = 4

# Counters of a state.
PAYLOAD: Final = COUNTERS  # octets of payload that were left out
OPTIONS: Final = COUNTERS + 1  # TCP options that were
CUT_SHORT: Final = COUNTERS + 2  # frames that end where nothing more is understood
UNTUNNELLED: Final = COUNTERS + 3  # frames that were taken out of a tunnel, or of a link layer that tells too much
COUNTER_COUNT: Final = 4


@loop
def rename_ipv4(data: Octets, at: int, out: Octets, to: int, names: Rows, state: Numbers) -> int:
    """Write the name of the IPv4 address at ``at``."""
    slot = find_name(names, state, OF_IP, 0, MAPPED_IPV4 + word32(data, at))
    if slot < 0:
        return MISSING
    put32(out, to, names[slot]["to_lo"])
    return to + 4


@loop
def rename_ipv6(data: Octets, at: int, out: Octets, to: int, names: Rows, state: Numbers) -> int:
    """Write the name of the IPv6 address at ``at``."""
    hi = signed(word32(data, at), word32(data, at + 4))
    slot = find_name(names, state, OF_IP, hi, signed(word32(data, at + 8), word32(data, at + 12)))
    if slot < 0:
        return MISSING
    put64(out, to, names[slot]["to_hi"])
    put64(out, to + 8, names[slot]["to_lo"])
    return to + 16


@loop
def signed(high: int, low: int) -> int:
    """Return two words as a signed number of 64 bits."""
    return (high - 4294967296 if high >= 2147483648 else high) * 4294967296 + low


@loop
def rename_mac(data: Octets, at: int, out: Octets, to: int, names: Rows, state: Numbers) -> int:
    """Write the name of the MAC address at ``at``."""
    return put_mac(word16(data, at) * 4294967296 + word32(data, at + 2), out, to, names, state)


@loop
def put_mac(mac: int, out: Octets, to: int, names: Rows, state: Numbers) -> int:
    """Write the name of a MAC address."""
    slot = find_name(names, state, OF_MAC, 0, mac)
    if slot < 0:
        return MISSING
    put16(out, to, names[slot]["to_lo"] >> 32)
    put32(out, to + 2, names[slot]["to_lo"])
    return to + 6


@loop
def in_place(link_type: int) -> bool:
    """Say whether the link layer may stay: the others tell names of interfaces and processes, or are rare."""
    return link_type in (0, 1, 9, 12, 14, 50, 51, 101, 104, 108, 113, 228, 229, 276)


@loop
def copy_link(
    data: Octets, at: int, end: int, network: int, link_type: int, out: Octets, to: int, names: Rows, state: Numbers
) -> int:
    """Write a link header that may stay; ``network`` is where IP begins behind it, -1 if it does not."""
    if link_type == 1:
        return copy_ethernet(data, at, end, network, out, to, names, state)
    if link_type in (113, 276):
        return copy_cooked(data, at, end, network, link_type, out, to, names, state)
    if link_type in (12, 14, 101, 228, 229):
        return to
    # protocol numbers and lengths only; PPP's may be without address and control
    least = 2 if link_type in (9, 50) and at < end and octet(data, at) not in (0xFF, 0x0F, 0x8F) else 4
    header = (network if network >= 0 else min(at + least, end)) - at
    if network >= 0 or begins_so(data, at, end, link_type):
        copy(data, at, out, to, header)
    else:
        fill(out, to, header, 0)
    return to + header


@loop
def begins_so(data: Octets, at: int, end: int, link_type: int) -> bool:
    """Say whether what leads to no IP begins as its link type says: else it is no header, and its octets are data."""
    if at + 4 > end:
        return False
    first = octet(data, at)
    if link_type in (0, 108):  # a small number, in the order of the host that captured
        return word32(data, at) < 256 or (first < 128 and word32(data, at) & 0xFFFFFF == 0)
    if link_type == 51:
        return first == 0x11
    if link_type == 104:
        return first in (0x0F, 0x8F) and octet(data, at + 1) == 0
    return first != 0xFF or octet(data, at + 1) == 0x03


@loop
def copy_ethernet(
    data: Octets, at: int, end: int, network: int, out: Octets, to: int, names: Rows, state: Numbers
) -> int:
    """Write an Ethernet header, with what is between it and IP, or with ARP."""
    if at + 14 > end:
        return to
    for address in range(2):
        if rename_mac(data, at + 6 * address, out, to + 6 * address, names, state) < 0:
            return MISSING
    if network >= 0:
        copy(data, at + 12, out, to + 12, network - at - 12)
        return to + network - at
    return copy_ethertype(data, at + 12, end, out, to + 12, names, state)


@loop
def copy_cooked(
    data: Octets, at: int, end: int, network: int, link_type: int, out: Octets, to: int, names: Rows, state: Numbers
) -> int:
    """Write a header of Linux cooked capture, with what is between it and IP, or with ARP."""
    header = 16 if link_type == 113 else 20
    if at + header > end:
        return to
    copy(data, at, out, to, header)
    copy_small(data, at, link_type, out, to)
    address = 6 if link_type == 113 else 12
    length = word16(data, at + 4) if link_type == 113 else octet(data, at + 11)
    fill(out, to + address, 8, 0)
    if length == 6 and rename_mac(data, at + address, out, to + address, names, state) < 0:
        return MISSING
    if network >= 0:
        copy(data, at + header, out, to + header, network - at - header)
        return to + network - at
    if link_type == 113:
        return copy_ethertype(data, at + 14, end, out, to + 14, names, state)
    if word16(data, at) == 0x0806:
        return copy_arp(data, at + 20, end, out, to + 20, names, state)
    return to + header


@loop
def copy_small(data: Octets, at: int, link_type: int, out: Octets, to: int) -> None:
    """Leave of a cooked header only numbers that can be such: else it is none, and there may be anything in it."""
    if link_type == 113:
        if word16(data, at) > 4:  # to us, to all, to a group, to another, from us
            put16(out, to, 0)
        if word16(data, at + 4) > 8:
            put16(out, to + 4, 0)
        return
    put16(out, to + 2, 0)  # reserved
    if word16(data, at + 4) != 0:
        put32(out, to + 4, 0)  # an interface's number
    if octet(data, at + 10) > 4:
        out[to + 10] = 0
    if octet(data, at + 11) > 8:
        out[to + 11] = 0


@loop
def copy_ethertype(data: Octets, at: int, end: int, out: Octets, to: int, names: Rows, state: Numbers) -> int:
    """Write VLAN tags and an ethertype, and ARP behind it; of anything else nothing."""
    while at + 6 <= end and word16(data, at) in (0x8100, 0x88A8, 0x9100):
        copy(data, at, out, to, 4)
        at += 4
        to += 4
    ethertype = word16(data, at)
    put16(out, to, ethertype)
    at += 2
    to += 2
    if ethertype == 0x0806:
        return copy_arp(data, at, end, out, to, names, state)
    if ethertype < 0x600:
        fill(out, to, 8, 0)  # in place of LLC
        return to + 8
    return to


@loop
def copy_arp(data: Octets, at: int, end: int, out: Octets, to: int, names: Rows, state: Numbers) -> int:
    """Write ARP of Ethernet and IPv4 (RFC 826); of any other nothing."""
    if at + 28 > end or word32(data, at) != 0x00010800 or word16(data, at + 4) != 0x0604:
        return to
    copy(data, at, out, to, 8)
    for half in range(2):
        if rename_mac(data, at + 8 + 10 * half, out, to + 8 + 10 * half, names, state) < 0:
            return MISSING
        if rename_ipv4(data, at + 14 + 10 * half, out, to + 14 + 10 * half, names, state) < 0:
            return MISSING
    return to + 28


@loop
def make_link(version: int, tag: int, mac: int, out: Octets, to: int, names: Rows, state: Numbers) -> int:
    """Write a header of Linux cooked capture for what came without a link layer that may stay: sender, VLAN tags."""
    fill(out, to, 16, 0)
    out[to + 3] = 1  # Ethernet
    if mac != ABSENT:
        out[to + 5] = 6
        if put_mac(mac, out, to + 6, names, state) < 0:
            return MISSING
    at = to + 14
    vlans = tag
    if tag != 0:
        slot = find_name(names, state, OF_TAG, 0, tag)
        if slot < 0:
            return MISSING
        vlans = names[slot]["to_lo"]
    for place in range(4):
        identifier = (vlans >> (36 - 12 * place)) & 0xFFF
        if identifier != 0:
            put16(out, at, 0x8100)
            put16(out, at + 2, identifier)
            at += 4
    put16(out, at, 0x0800 if version == 4 else 0x86DD if version == 6 else 0x88B5)  # or IEEE's for experiments
    return at + 2
