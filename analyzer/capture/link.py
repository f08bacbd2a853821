"""``link``: what stands before IP in a frame, as loops.

Ethernet with 802.1Q/802.1ad tags and LLC/SNAP (IEEE 802.3), PPPoE sessions (RFC 2516), Linux cooked v1 and v2, BSD null
and loop, raw IP, PPP and Cisco HDLC (RFC 1661, 1662), frame relay (RFC 2427), FDDI, NFLOG and macOS pktap, by the
numbers of https://www.tcpdump.org/linktypes.html.

Every access stands behind a comparison with ``end``. This module must not know what is in IP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.capture.frame import CUT, DEFER, NOT_TCP, octet, word16, word32
from analyzer.loops.loop import loop
from analyzer.segment import ABSENT

if TYPE_CHECKING:
    from analyzer.untyped import Octets

MPLS: Final = 137
"""Instead of an IP version: a stack of labels comes first (it is MPLS's number among IP protocols)."""

FAST_LINK_TYPES: Final = frozenset({0, 1, 9, 10, 12, 14, 50, 51, 101, 104, 107, 108, 113, 228, 229, 239, 258, 276})
"""What ``link`` takes apart; frames of other link types are deferred."""


@loop
def by_ethertype(data: Octets, at: int, end: int, ethertype: int, tag: int) -> tuple[int, int, int]:
    """Walk VLAN tags, LLC and PPPoE from an ethertype whose payload is at ``at``.

    Returns (IP version, MPLS or minus an outcome, where its header is, VLAN ids).
    """
    while ethertype in (0x8100, 0x88A8, 0x9100):
        if at + 4 > end:
            return -CUT, at, tag
        identifier = word16(data, at) & 0xFFF
        if identifier != 0:  # 0 is a priority tag, of no VLAN
            tag = (tag & 0xFFFFFFFFF) * 4096 + identifier  # the last four ids
        ethertype = word16(data, at + 2)
        at += 4
    if ethertype < 0x600:  # a length: IEEE 802.3 with LLC; only SNAP with an ethertype behind it carries IP
        if at + 8 > end:
            return -CUT, at, tag
        if word32(data, at) != 0xAAAA0300 or word16(data, at + 4) not in (0, 0xF8):
            return -NOT_TCP, at, tag
        ethertype = word16(data, at + 6)
        at += 8
    if ethertype == 0x8864:  # PPPoE session: version and type, code 0, session, length
        if at + 8 > end:
            return -CUT, at, tag
        version, at = by_ppp(data, at + 6, end)
        return version, at, tag
    version = -NOT_TCP
    if ethertype == 0x0800:
        version = 4
    elif ethertype == 0x86DD:
        version = 6
    elif ethertype in (0x8847, 0x8848):
        version = MPLS
    elif ethertype == 0x88E7:  # provider backbone bridges
        version = -DEFER
    return version, at, tag


@loop
def by_ppp(data: Octets, at: int, end: int) -> tuple[int, int]:
    """Read a PPP protocol number, of one octet if compressed; returns (IP version or outcome, where it begins)."""
    if at + 2 > end:
        return -CUT, at
    protocol = octet(data, at)
    if protocol % 2 == 1:
        at += 1
    else:
        protocol = word16(data, at)
        at += 2
    if protocol == 0x21:
        return 4, at
    if protocol == 0x57:
        return 6, at
    if protocol in (0x281, 0x283):
        return MPLS, at
    return -NOT_TCP, at


@loop
def by_version(data: Octets, at: int, end: int) -> int:
    """Return the IP version from the first nibble, or minus an outcome."""
    if at >= end:
        return -CUT
    version = octet(data, at) // 16
    if version in (4, 6):
        return version
    return -NOT_TCP


@loop
def link(data: Octets, at: int, end: int, link_type: int) -> tuple[int, int, int, int]:
    """Read the link layer; returns (IP version, MPLS or minus an outcome, where that begins, VLAN ids, source MAC)."""
    if link_type == 258:
        at, link_type = behind_pktap(data, at, end)
        if link_type < 0:
            return link_type, at, 0, ABSENT
    if link_type == 1:
        return ethernet(data, at, end)
    if link_type in (113, 276):
        return cooked(data, at, end, link_type)
    if link_type in (101, 12, 14, 228, 229):
        return by_version(data, at, end), at, 0, ABSENT
    if link_type in (0, 108):
        return loopback(data, at, end)
    if link_type in (9, 50, 51, 104):
        return point_to_point(data, at, end, link_type)
    if link_type == 10:
        return fddi(data, at, end)
    if link_type == 107:
        return frame_relay(data, at, end)
    if link_type == 239:
        version, at = netfilter_log(data, at, end)
        return version, at, 0, ABSENT
    outcome = DEFER if link_type >= 0 else NOT_TCP  # UNKNOWN_LINK: nothing says what the frame is
    return -outcome, at, 0, ABSENT


@loop
def ethernet(data: Octets, at: int, end: int) -> tuple[int, int, int, int]:
    """Read Ethernet II or IEEE 802.3; returns as ``link``."""
    if at + 14 > end:
        return -CUT, at, 0, ABSENT
    mac = word16(data, at + 6) * 4294967296 + word32(data, at + 8)
    ethertype = word16(data, at + 12)
    if ethertype == 0x0800:  # by far the most, spared the call
        return 4, at + 14, 0, mac
    version, at, tag = by_ethertype(data, at + 14, end, ethertype, 0)
    return version, at, tag, mac


@loop
def cooked(data: Octets, at: int, end: int, link_type: int) -> tuple[int, int, int, int]:
    """Read Linux cooked capture v1 (113) or v2 (276), whose address is that of the sender; returns as ``link``."""
    if link_type == 113:
        header, of_protocol, of_hardware, of_address = 16, 14, 2, 6
    else:
        header, of_protocol, of_hardware, of_address = 20, 0, 8, 12
    if at + header > end:
        return -CUT, at, 0, ABSENT
    address_len = word16(data, at + 4) if link_type == 113 else octet(data, at + 11)
    mac = ABSENT
    if address_len == 6:
        mac = word16(data, at + of_address) * 4294967296 + word32(data, at + of_address + 2)
    ethertype = word16(data, at + of_protocol)
    if word16(data, at + of_hardware) == 824 or ethertype in (1, 3):  # netlink; raw 802.3; frames sent to oneself
        return -NOT_TCP, at, 0, mac
    version, at, tag = by_ethertype(data, at + header, end, ethertype, 0)
    return version, at, tag, mac


@loop
def loopback(data: Octets, at: int, end: int) -> tuple[int, int, int, int]:
    """Read BSD null (0), in the byte order of the host that captured, or loop (108); returns as ``link``."""
    if at + 4 > end:
        return -CUT, at, 0, ABSENT
    family = word32(data, at)
    if family >= 65536:  # little-endian: 2 is 0x02000000
        if word16(data, at + 2) != 0:
            return -NOT_TCP, at, 0, ABSENT
        family = octet(data, at + 1) * 256 + octet(data, at)
    if family == 2:
        return 4, at + 4, 0, ABSENT
    if family in (10, 24, 28, 30):  # AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS
        return 6, at + 4, 0, ABSENT
    return -NOT_TCP, at, 0, ABSENT


@loop
def fddi(data: Octets, at: int, end: int) -> tuple[int, int, int, int]:
    """Read FDDI: frame control, addresses, LLC; returns as ``link``."""
    if at + 13 > end:
        return -CUT, at, 0, ABSENT
    mac = word16(data, at + 7) * 4294967296 + word32(data, at + 9)
    if octet(data, at) // 16 != 5:  # only 0x5n is data of upper layers
        return -NOT_TCP, at, 0, mac
    version, at, tag = by_ethertype(data, at + 13, end, 0, 0)
    return version, at, tag, mac


@loop
def frame_relay(data: Octets, at: int, end: int) -> tuple[int, int, int, int]:
    """Read frame relay: an address of 2 to 4 octets, then RFC 2427's header or Cisco's ethertype; returns as ``link``.

    The number of the circuit is no tag: it is another one at each end of it, and often in each direction.
    """
    first = at
    while at < end and octet(data, at) % 2 == 0 and at - first < 3:
        at += 1
    at += 1  # the last octet of an address is odd
    if at + 2 > end:
        return -CUT, at, 0, ABSENT
    if octet(data, at) == 3:
        return behind_control_octet(data, at + 1, end)
    version, at, tag = by_ethertype(data, at + 2, end, word16(data, at), 0)
    return version, at, tag, ABSENT


@loop
def behind_control_octet(data: Octets, at: int, end: int) -> tuple[int, int, int, int]:
    """Read which protocol RFC 2427 says comes next (NLPID, SNAP); returns as ``link``."""
    if octet(data, at) == 0:  # a pad octet
        at += 1
    if at >= end:
        return -CUT, at, 0, ABSENT
    protocol = octet(data, at)
    at += 1
    if protocol == 0xCF:  # PPP in frame relay (RFC 1973)
        version, at = by_ppp(data, at, end)
        return version, at, 0, ABSENT
    if protocol != 0x80:
        version = -NOT_TCP
        if protocol == 0xCC:
            version = 4
        elif protocol == 0x8E:
            version = 6
        return version, at, 0, ABSENT
    if at + 5 > end:
        return -CUT, at, 0, ABSENT
    owner = octet(data, at) * 65536 + word16(data, at + 1)
    kind = word16(data, at + 3)
    if owner == 0x0080C2 and kind in (1, 7):  # a bridged frame, with and without its check sequence
        return ethernet(data, at + 5, end)
    version, at, tag = by_ethertype(data, at + 5, end, kind, 0)
    return version if owner == 0 else -NOT_TCP, at, tag, ABSENT


@loop
def behind_pktap(data: Octets, at: int, end: int) -> tuple[int, int]:
    """Read macOS pktap, in the byte order of Macs; returns (where the frame begins, link type or minus an outcome)."""
    if at + 12 > end:
        return at, -CUT
    length = octet(data, at + 1) * 256 + octet(data, at)
    if octet(data, at + 4) != 1 or length < 12:  # only kind 1 is a packet
        return at, -NOT_TCP
    return at + length, octet(data, at + 9) * 256 + octet(data, at + 8)


@loop
def point_to_point(data: Octets, at: int, end: int, link_type: int) -> tuple[int, int, int, int]:
    """Read PPP (9), PPP in HDLC framing (50), PPPoE without Ethernet (51) or Cisco HDLC (104); returns as ``link``."""
    if at + 4 > end:
        return -CUT, at, 0, ABSENT
    if link_type == 51:
        version, at = by_ppp(data, at + 6, end)
        return version, at, 0, ABSENT
    first = octet(data, at)
    if link_type == 104 or (link_type == 50 and first in (0x0F, 0x8F)):
        version, at, tag = by_ethertype(data, at + 4, end, word16(data, at + 2), 0)
        return version, at, tag, ABSENT
    if first == 0xFF:  # address and control, unless compressed away
        at += 2
    version, at = by_ppp(data, at, end)
    return version, at, 0, ABSENT


@loop
def netfilter_log(data: Octets, at: int, end: int) -> tuple[int, int]:
    """Find the packet among the attributes of an NFLOG message; returns (IP version or outcome, where it begins).

    Lengths and types are in the byte order of the host that captured; a type is below 256, which tells it.
    """
    at += 4
    while at + 4 <= end:
        little = octet(data, at + 3) == 0
        length = octet(data, at + 1) * 256 + octet(data, at) if little else word16(data, at)
        kind = octet(data, at + 2) if little else octet(data, at + 3)
        if kind == 9:  # NFULA_PAYLOAD
            return by_version(data, at + 4, end), at + 4
        if length < 4:
            return -NOT_TCP, at
        at += (length + 3) // 4 * 4
    return -CUT, at
