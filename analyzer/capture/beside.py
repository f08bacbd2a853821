"""``look_beside``: frames that gave no SEGMENT row, as WITNESS rows: which hosts were alive, and what they ask and say.

An IP packet of any protocol is a sign of life of its sender's address. ARP (RFC 826, 5227) and neighbour discovery (RFC
4861 4.3, 4.4) say which station an address is at, or that somebody asks in vain. A frame of another kind shows its
station alone. What DHCP, LLDP and spanning tree announce is read by ``announced``.
Only the outermost addresses count, and only link types that ``link`` knows.

Every access stands behind a comparison with ``end``. This module must not know flows, or what a witness means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.capture.announced import LLC, LLDP, bridge, lease, lease6, port
from analyzer.capture.frame import octet, signed64, word16, word32
from analyzer.capture.headers import extensions
from analyzer.capture.link import link
from analyzer.loops.loop import loop
from analyzer.segment import ABSENT, ASKS, LINK, MAPPED_IPV4, NO_NEWS, SAYS, SIGN

if TYPE_CHECKING:
    from analyzer.untyped import Octets, Record, Rows

ARP: Final = 0x0806
ARP_HEAD: Final = 0x00010800
"""Hardware Ethernet, protocol IPv4."""
SOLICITATION: Final = 135
ADVERTISEMENT: Final = 136
SOLICITED: Final = 0x40
"""The flag of an advertisement that answers somebody (RFC 4861 4.4)."""
OF_SOURCE: Final = 1
OF_TARGET: Final = 2
"""The options that hold the source's and the target's link-layer address (RFC 4861 4.6.1)."""


@loop
def ethertype_of(data: Octets, start: int, at: int, end: int, link_type: int) -> int:
    """Return the ethertype of the frame at ``start`` whose payload ``link`` found at ``at``, 0 where it has none."""
    if link_type == 276 and at == start + 20:  # the only one that has it in front
        return word16(data, start)
    if link_type in (1, 113, 276) and start + 14 <= at <= end:
        return word16(data, at - 2)
    return 0


@loop
def mac48(data: Octets, at: int) -> int:
    """Return an Ethernet address."""
    return word16(data, at) * 4294967296 + word32(data, at + 2)


@loop
def arp(data: Octets, at: int, end: int, other: Record) -> None:
    """Write what an ARP packet says, if it is whole, of Ethernet and IPv4."""
    if at + 28 > end or word32(data, at) != ARP_HEAD or word16(data, at + 4) != 0x0604:
        return
    operation = word16(data, at + 6)
    sender = word32(data, at + 14)
    target = word32(data, at + 24)
    if operation not in (1, 2):
        return
    if sender != 0:  # 0.0.0.0 probes whether an address is taken (RFC 5227 1.1)
        other["src_lo"] = MAPPED_IPV4 + sender
        other["said_mac"] = mac48(data, at + 8)
    if operation == 2 or sender == target:
        other["kind"] = SAYS if sender != 0 else LINK
        other["unasked"] = 1 if sender == target else 0
        return
    other["kind"] = ASKS
    other["dst_lo"] = MAPPED_IPV4 + target


@loop
def option_mac(data: Octets, at: int, end: int, which: int) -> int:
    """Return the link-layer address in the first of these options of neighbour discovery, ABSENT without any."""
    while at + 8 <= end:
        length = octet(data, at + 1) * 8
        if length == 0:
            return ABSENT
        if octet(data, at) == which:
            return mac48(data, at + 2)
        at += length
    return ABSENT


@loop
def neighbour(data: Octets, at: int, end: int, other: Record) -> None:
    """Write what an ICMPv6 message at ``at`` says, if it is of neighbour discovery."""
    if at + 24 > end:
        return
    kind = octet(data, at)
    if kind == SOLICITATION:
        other["kind"] = ASKS
        other["dst_hi"] = signed64(data, at + 8)
        other["dst_lo"] = signed64(data, at + 16)
        if other["src_hi"] != 0 or other["src_lo"] != 0:  # without an address it only asks whether one is taken
            other["said_mac"] = option_mac(data, at + 24, end, OF_SOURCE)
        return
    if kind != ADVERTISEMENT:
        return
    other["kind"] = SAYS
    other["src_hi"] = signed64(data, at + 8)
    other["src_lo"] = signed64(data, at + 16)
    other["said_mac"] = other["src_mac"]
    other["unasked"] = 0 if octet(data, at + 4) & SOLICITED else 1
    named = option_mac(data, at + 24, end, OF_TARGET)
    if named != ABSENT:
        other["said_mac"] = named


@loop
def internet(data: Octets, at: int, end: int, version: int, other: Record) -> None:
    """Write who sent the IP packet at ``at``, and of which protocol it is."""
    protocol = 0
    if version == 4:
        if at + 20 > end:
            return
        other["src_lo"] = MAPPED_IPV4 + word32(data, at + 12)
        protocol = octet(data, at + 9)
        inner = at + (octet(data, at) & 15) * 4
        first = word16(data, at + 6) & 0x1FFF == 0
    else:
        if at + 40 > end:
            return
        other["src_hi"] = signed64(data, at + 8)
        other["src_lo"] = signed64(data, at + 16)
        protocol, inner, piece = extensions(data, at + 40, end, octet(data, at + 6))
        first = piece == 0 and protocol >= 0
        protocol = max(protocol, 0)
    other["kind"] = SIGN
    other["protocol"] = protocol
    if other["src_hi"] == 0 and other["src_lo"] == MAPPED_IPV4:  # 0.0.0.0: DHCP before there is an address
        other["src_lo"] = 0
    if not first:
        return
    if protocol == 17 and inner + 2 <= end:
        other["port"] = word16(data, inner)
        to = word16(data, inner + 2) if inner + 8 <= end else 0
        if version == 4 and to in (67, 68):
            lease(data, inner + 8, end, other)
        elif version == 6 and to == 547:
            lease6(data, inner + 8, end, other)
    if protocol == 58 and version == 6:
        neighbour(data, inner, end, other)


@loop
def beside(data: Octets, start: int, end: int, link_type: int, other: Record) -> bool:
    """Write the WITNESS row of one frame, all but its number and time; False if it shows nobody."""
    version, at, tag, mac = link(data, start, end, link_type)
    other["src_hi"] = 0
    other["src_lo"] = 0
    other["dst_hi"] = 0
    other["dst_lo"] = 0
    other["tag"] = tag
    other["src_mac"] = mac
    other["said_mac"] = ABSENT
    other["protocol"] = 0
    other["port"] = 0
    other["kind"] = LINK
    other["unasked"] = 0
    other["news"] = NO_NEWS
    other["news_mac"] = ABSENT
    if version in (4, 6):
        internet(data, at, end, version, other)
    else:
        other["protocol"] = ethertype_of(data, start, at, end, link_type)
        if other["protocol"] == ARP:
            arp(data, at, end, other)
        elif other["protocol"] == LLDP:
            port(data, at, end, other)
        elif 0 < other["protocol"] < LLC:
            bridge(data, at, end, other)
    return mac != ABSENT or other["src_lo"] != 0 or other["src_hi"] != 0


@loop
def look_beside(data: Octets, frames: Rows, count: int, number: int, rows: Rows, made: int, others: Rows) -> int:
    """Write the WITNESS rows of those among ``count`` frames that gave none of the ``made`` SEGMENT rows.

    The arguments are those of ``headers.decode``, and what it made; ``others`` has room for ``count - made``.

    Returns:
        How many WITNESS rows there are.
    """
    taken = 0
    written = 0
    for index in range(count):
        frame = frames[index]
        if taken < made and rows[taken]["frame"] == number + index:
            taken += 1
            continue
        start = frame["at"]
        other = others[written]
        if beside(data, start, start + frame["captured"], frame["link_type"], other):
            other["ts_ns"] = frame["ts_ns"]
            other["frame"] = number + index
            written += 1
    return written
