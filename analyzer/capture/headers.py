"""``decode``: frames in, SEGMENT rows out. The loop that touches every packet, as kernels.

A frame comes to one of these ends: a row; ``NOT_TCP``; ``FRAGMENT`` (a piece of a segment without its header);
``CUT`` (too short for what it claims to hold; a row with ``NOTE_CUT`` if the TCP ports are still there, and counted
all the same); or ``DEFER``: it may hold TCP inside something that only scapy takes apart here (tunnels, see
``TUNNELS``). Nothing raises, and nothing reads beyond the frame: every access stands behind a comparison with
``end``. Payload lengths come from the IP header, never from the frame, which may be padded (Ethernet pads to 60
octets); only where IP says 0 (segmentation offload, BIG TCP) the frame's original length is used.

Link types: Ethernet with 802.1Q/802.1ad tags and LLC/SNAP (IEEE 802.3), PPPoE sessions (RFC 2516), Linux cooked v1 and
v2, BSD null and loop, raw IP, PPP and Cisco HDLC (RFC 1661, 1662), FDDI, NFLOG, macOS pktap, numbered as in
https://www.tcpdump.org/linktypes.html. IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200, AH RFC 4302), TCP (RFC
9293 3.1, options RFC 7323 and 2018), ICMP errors (RFC 792, 4443).

An ICMP error gives addresses, ports, ``seq`` and ``ip_id`` of the segment it quotes; ``ttl`` and ``src_mac`` are its
own, and the other columns are empty.

This module must not know flows, files or rules.
"""

from __future__ import annotations

from typing import Any, Final

from analyzer.capture.frame import Octets, octet, signed64, word16, word32
from analyzer.kernel import kernel
from analyzer.segment import ABSENT, MAPPED_IPV4, NOTE_CUT, NOTE_ICMP_ERROR, NOTE_TCP

Row = Any
"""A record that is read and written by field name, in the form that the mode of the kernels wants."""

# What became of a frame. Link and network kernels return the negative of one of these instead of a protocol.
ROW: Final = 0
NOT_TCP: Final = 1
FRAGMENT: Final = 2
CUT: Final = 3
DEFER: Final = 4
CUT_ROW: Final = 5  # CUT, with a row of NOTE_CUT

FAST_LINK_TYPES: Final = frozenset({0, 1, 9, 10, 12, 14, 50, 51, 101, 104, 108, 113, 228, 229, 239, 258, 276})
"""What ``link`` takes apart; frames of other link types are deferred."""

LOOP_AGAIN: Final = 0x10000
"""Beyond any ethertype: the IP version nibble decides."""


@kernel
def ethertype_of_tunnel(ethertype: int) -> bool:
    """Whether scapy finds IP behind this ethertype: MPLS, provider backbone bridges."""
    return ethertype in (0x8847, 0x8848, 0x88E7)


@kernel
def protocol_of_tunnel(protocol: int) -> bool:
    """Whether scapy finds IP behind this IP protocol: IPIP, 6in4, GRE, EtherIP, MPLS in IP."""
    return protocol in (4, 41, 47, 97, 137)


@kernel
def udp_carries_ip(data: Octets, at: int, end: int, port: int) -> bool:
    """Whether the UDP data at ``at``, sent to ``port``, has the look of VXLAN (IANA and old Linux), Geneve or GTP-U.

    RFC 7348 5: the flag that says that there is a VNI. RFC 8926 3.4: version 0, and Ethernet or IP inside. 3GPP TS
    29.281 5.1: version 1, protocol type GTP, a G-PDU.
    """
    if at + 22 > end:  # not even an Ethernet or IP header inside
        return False
    if port in (4789, 8472):
        return octet(data, at) & 0x08 != 0
    if port == 6081:
        return octet(data, at) < 0x40 and word16(data, at + 2) in (0x6558, 0x0800, 0x86DD)
    if port == 2152:
        return octet(data, at) // 16 == 3 and octet(data, at + 1) == 255
    return False


@kernel
def by_ethertype(data: Octets, at: int, end: int, ethertype: int, tag: int) -> tuple[int, int, int]:
    """Walk VLAN tags, LLC and PPPoE from an ethertype whose payload is at ``at``.

    Returns (IP version or minus an outcome, where its header is, VLAN ids).
    """
    vlans = 0
    while ethertype in (0x8100, 0x88A8, 0x9100):
        if vlans == 4:
            return -DEFER, at, tag
        if at + 4 > end:
            return -CUT, at, tag
        identifier = word16(data, at) & 0xFFF
        if identifier != 0:  # 0 is a priority tag, of no VLAN
            tag = tag * 4096 + identifier
        ethertype = word16(data, at + 2)
        at += 4
        vlans += 1
    if ethertype < 0x600:  # a length: IEEE 802.3 with LLC; only SNAP with an ethertype behind it carries IP
        if at + 8 > end:
            return -CUT, at, tag
        if word32(data, at) != 0xAAAA0300 or word16(data, at + 4) not in (0, 0xF8):
            return -NOT_TCP, at, tag
        ethertype = word16(data, at + 6)
        at += 8
    if ethertype == 0x0800:
        return 4, at, tag
    if ethertype == 0x86DD:
        return 6, at, tag
    if ethertype == 0x8864:  # PPPoE session: version and type, code 0, session, length
        if at + 8 > end:
            return -CUT, at, tag
        version, at = by_ppp(data, at + 6, end)
        return version, at, tag
    if ethertype_of_tunnel(ethertype):
        return -DEFER, at, tag
    return -NOT_TCP, at, tag


@kernel
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
        return -DEFER, at
    return -NOT_TCP, at


@kernel
def by_version(data: Octets, at: int, end: int) -> int:
    """Return the IP version from the first nibble, or minus an outcome."""
    if at >= end:
        return -CUT
    version = octet(data, at) // 16
    if version in (4, 6):
        return version
    return -NOT_TCP


@kernel
def link(data: Octets, at: int, end: int, link_type: int) -> tuple[int, int, int, int]:
    """Read the link layer; returns (IP version or minus an outcome, where IP begins, VLAN ids, source MAC)."""
    if link_type == 258:  # macOS pktap: a header, in the byte order of Macs, that names the link type behind it
        if at + 12 > end:
            return -CUT, at, 0, ABSENT
        length = octet(data, at + 1) * 256 + octet(data, at)
        if octet(data, at + 4) != 1 or length < 12:
            return -NOT_TCP, at, 0, ABSENT
        link_type = octet(data, at + 9) * 256 + octet(data, at + 8)
        at += length
    if link_type == 1:
        if at + 14 > end:
            return -CUT, at, 0, ABSENT
        mac = word16(data, at + 6) * 4294967296 + word32(data, at + 8)
        ethertype = word16(data, at + 12)
        if ethertype == 0x0800:
            return 4, at + 14, 0, mac
        version, at, tag = by_ethertype(data, at + 14, end, ethertype, 0)
        return version, at, tag, mac
    if link_type in (113, 276):
        header = 16 if link_type == 113 else 20
        if at + header > end:
            return -CUT, at, 0, ABSENT
        address_len = word16(data, at + 4) if link_type == 113 else octet(data, at + 11)
        address = at + 6 if link_type == 113 else at + 12
        mac = ABSENT
        if address_len == 6:
            mac = word16(data, address) * 4294967296 + word32(data, address + 2)
        hardware = word16(data, at + 2) if link_type == 113 else word16(data, at + 8)
        ethertype = word16(data, at + 14) if link_type == 113 else word16(data, at)
        if hardware == 824 or ethertype in (1, 3):  # netlink; raw 802.3 (Novell IPX); loopback probe frames
            return -NOT_TCP, at, 0, mac
        version, at, tag = by_ethertype(data, at + header, end, ethertype, 0)
        return version, at, tag, mac
    if link_type in (101, 12, 14, 228, 229):
        return by_version(data, at, end), at, 0, ABSENT
    if link_type in (0, 108):
        if at + 4 > end:
            return -CUT, at, 0, ABSENT
        family = word32(data, at)
        if family >= 65536:  # null is in the byte order of the host that captured: 2 is 0x02000000 on most
            family = octet(data, at + 1) * 256 + octet(data, at)
            if word16(data, at + 2) != 0:
                return -NOT_TCP, at, 0, ABSENT
        if family == 2:
            return 4, at + 4, 0, ABSENT
        if family in (10, 24, 28, 30):  # AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS
            return 6, at + 4, 0, ABSENT
        return -NOT_TCP, at, 0, ABSENT
    if link_type in (9, 50, 51, 104):
        return point_to_point(data, at, end, link_type)
    if link_type == 10:  # FDDI: frame control, addresses, LLC
        if at + 13 > end:
            return -CUT, at, 0, ABSENT
        mac = word16(data, at + 7) * 4294967296 + word32(data, at + 9)
        if octet(data, at) // 16 != 5:  # only 0x5n is data of upper layers
            return -NOT_TCP, at, 0, mac
        version, at, tag = by_ethertype(data, at + 13, end, 0, 0)
        return version, at, tag, mac
    if link_type == 239:
        version, at = netfilter_log(data, at, end)
        return version, at, 0, ABSENT
    if link_type < 0:  # UNKNOWN_LINK: nothing says what the frame is
        return -NOT_TCP, at, 0, ABSENT
    return -DEFER, at, 0, ABSENT


@kernel
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


@kernel
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


@kernel
def network(data: Octets, at: int, end: int, wire_end: int, version: int) -> tuple[int, int, int]:
    """Read an IP header and what stands before TCP.

    Returns (protocol or minus an outcome, where its header begins, where its data ends on the wire).
    """
    if version == 4:
        if at + 20 > end:
            return -CUT, at, end
        first = octet(data, at)
        header = (first & 15) * 4
        if first // 16 != 4 or header < 20:
            return -NOT_TCP, at, end
        total = word16(data, at + 2)
        stop = at + total
        if total == 0:  # segmentation offload: the length was not filled in yet
            stop = wire_end
        protocol = octet(data, at + 9)
        piece = word16(data, at + 6) & 0x1FFF
        at += header
    else:
        if at + 40 > end:
            return -CUT, at, end
        if octet(data, at) // 16 != 6:
            return -NOT_TCP, at, end
        length = word16(data, at + 4)
        stop = at + 40 + length
        if length == 0:  # a jumbogram (RFC 2675), or as above
            stop = wire_end
        protocol = octet(data, at + 6)
        piece = 0
        at += 40
    if protocol != 6 and piece == 0:
        protocol, at, piece = extensions(data, at, end, protocol)
    if protocol < 0:
        return protocol, at, stop
    if piece != 0:
        if protocol == 6 or protocol_of_tunnel(protocol):
            return -FRAGMENT, at, stop
        return -NOT_TCP, at, stop
    return protocol, at, stop


@kernel
def extensions(data: Octets, at: int, end: int, protocol: int) -> tuple[int, int, int]:
    """Walk IPv6 extension headers (AH in IPv4 too); returns (protocol or outcome, where it begins, fragment offset)."""
    while protocol in (0, 43, 44, 51, 60, 135, 139, 140):
        if at + 8 > end:
            return -CUT, at, 0
        following = octet(data, at)
        if protocol == 44:
            piece = word16(data, at + 2) // 8
            if piece != 0:
                return following, at, piece
            at += 8
        elif protocol == 51:  # AH counts in units of 4 octets, less 2
            at += (octet(data, at + 1) + 2) * 4
        else:
            at += (octet(data, at + 1) + 1) * 8
        protocol = following
    return protocol, at, 0


@kernel
def addresses(data: Octets, at: int, version: int, row: Row) -> None:
    """Write the addresses of the IP header at ``at``, which is complete."""
    if version == 4:
        row["src_hi"] = 0
        row["src_lo"] = MAPPED_IPV4 + word32(data, at + 12)
        row["dst_hi"] = 0
        row["dst_lo"] = MAPPED_IPV4 + word32(data, at + 16)
        row["ip_id"] = word16(data, at + 4)
    else:
        row["src_hi"] = signed64(data, at + 8)
        row["src_lo"] = signed64(data, at + 16)
        row["dst_hi"] = signed64(data, at + 24)
        row["dst_lo"] = signed64(data, at + 32)
        row["ip_id"] = ABSENT
    row["ip_version"] = version


@kernel
def empty_tcp(row: Row, note: int) -> None:
    """Write the TCP columns of a row that has no TCP header."""
    row["seq"] = 0
    row["ack"] = 0
    row["tsval"] = ABSENT
    row["tsecr"] = ABSENT
    row["sack_left"] = ABSENT
    row["sack_right"] = ABSENT
    row["payload_len"] = 0
    row["window"] = 0
    row["icmp"] = ABSENT
    row["first_octet"] = ABSENT
    row["flags"] = 0
    row["header_len"] = 0
    row["window_scale"] = ABSENT
    row["options_cut"] = 0
    row["note"] = note


@kernel
def tcp(data: Octets, at: int, end: int, stop: int, row: Row) -> int:
    """Write the TCP columns from a header at ``at`` whose data ends at ``stop``; returns the outcome."""
    if at + 16 > end:
        if at + 4 > end:
            return CUT
        empty_tcp(row, NOTE_CUT)
        row["src_port"] = word16(data, at)
        row["dst_port"] = word16(data, at + 2)
        return CUT_ROW
    header = octet(data, at + 12) // 16 * 4
    flags = octet(data, at + 13)
    if header < 20 or at + header > stop:
        return CUT
    row["src_port"] = word16(data, at)
    row["dst_port"] = word16(data, at + 2)
    row["seq"] = word32(data, at + 4)
    row["ack"] = word32(data, at + 8)
    row["flags"] = flags
    row["window"] = word16(data, at + 14)
    row["header_len"] = header
    row["payload_len"] = stop - at - header
    row["icmp"] = ABSENT
    row["note"] = NOTE_TCP
    row["first_octet"] = ABSENT
    row["options_cut"] = 0
    row["tsval"] = ABSENT
    row["tsecr"] = ABSENT
    row["sack_left"] = ABSENT
    row["sack_right"] = ABSENT
    row["window_scale"] = ABSENT
    behind = at + header
    if behind > end:
        row["options_cut"] = 1
        behind = end
    elif behind < end and behind < stop:
        row["first_octet"] = octet(data, behind)
    if header > 20:
        options(data, at + 20, behind, flags & 2, row)
    return ROW


@kernel
def options(data: Octets, at: int, end: int, syn: int, row: Row) -> None:
    """Write what the TCP options between ``at`` and ``end`` say; stops at the first that is not whole."""
    # Nearly all segments of a connection with timestamps carry exactly NOP, NOP, timestamps (RFC 7323 appendix A).
    if at + 12 == end and word32(data, at) == 0x0101080A:
        row["tsval"] = word32(data, at + 4)
        row["tsecr"] = word32(data, at + 8)
        return
    while at < end:
        kind = octet(data, at)
        if kind == 0:
            return
        if kind == 1:
            at += 1
            continue
        if at + 2 > end:
            return
        length = octet(data, at + 1)
        if length < 2 or at + length > end:
            return
        if kind == 8 and length == 10:
            row["tsval"] = word32(data, at + 2)
            row["tsecr"] = word32(data, at + 6)
        elif kind == 5 and length >= 10:
            row["sack_left"] = word32(data, at + 2)
            row["sack_right"] = word32(data, at + 6)
        elif kind == 3 and length == 3 and syn != 0:
            row["window_scale"] = min(octet(data, at + 2), 14)  # more than 14 means 14 (RFC 7323 2.3)
        at += length


@kernel
def icmp_error(data: Octets, at: int, end: int, version: int, row: Row) -> int:
    """Write the row of an ICMP error at ``at`` that quotes a TCP segment; returns the outcome."""
    if at + 8 > end:
        return CUT
    kind = octet(data, at)
    code = octet(data, at + 1)
    if version == 4:
        if kind not in (3, 4, 5, 11, 12):
            return NOT_TCP
    elif kind not in (1, 2, 3, 4):
        return NOT_TCP
    quoted = at + 8
    if by_version(data, quoted, end) != version:
        return NOT_TCP
    protocol, at, _ = network(data, quoted, end, end, version)
    if protocol == -CUT:
        return CUT
    if protocol != 6:
        return NOT_TCP
    if at + 8 > end:
        return CUT
    addresses(data, quoted, version, row)
    empty_tcp(row, NOTE_ICMP_ERROR)
    row["src_port"] = word16(data, at)
    row["dst_port"] = word16(data, at + 2)
    row["seq"] = word32(data, at + 4)
    row["icmp"] = kind * 256 + code + (0 if version == 4 else 65536)
    return ROW


@kernel
def segment(data: Octets, start: int, end: int, wire_end: int, link_type: int, row: Row) -> int:
    """Write the row of one frame, all but its number and time; returns the outcome."""
    version, at, tag, mac = link(data, start, end, link_type)
    if version < 0:
        return -version
    protocol, inner, stop = network(data, at, end, wire_end, version)
    if protocol < 0:
        return -protocol
    row["tag"] = tag
    row["src_mac"] = mac
    row["ttl"] = octet(data, at + 8) if version == 4 else octet(data, at + 7)
    if protocol == 6:
        addresses(data, at, version, row)
        return tcp(data, inner, end, stop, row)
    if protocol == 17:
        if inner + 8 > end:
            return NOT_TCP
        return DEFER if udp_carries_ip(data, inner + 8, end, word16(data, inner + 2)) else NOT_TCP
    if (protocol == 1 and version == 4) or (protocol == 58 and version == 6):
        return icmp_error(data, inner, end, version, row)
    return DEFER if protocol_of_tunnel(protocol) else NOT_TCP


@kernel
def decode(
    data: Octets,
    frames: Any,  # noqa: ANN401
    first: int,
    count: int,
    number: int,
    rows: Any,  # noqa: ANN401
    deferred: Any,  # noqa: ANN401
    skipped: Any,  # noqa: ANN401
) -> tuple[int, int]:
    """Decode ``count`` frames of an index, from its row ``first`` on.

    ``number`` is the 1-based number of that first frame. Writes SEGMENT rows, the index rows of deferred frames, and
    adds to ``skipped`` (in the order of ``segment.SKIPPED``).

    Returns:
        How many rows and how many deferred frames there are.
    """
    made = 0
    put_off = 0
    for index in range(first, first + count):
        frame = frames[index]
        start = frame["at"]
        row = rows[made]
        outcome = segment(data, start, start + frame["captured"], start + frame["original"], frame["link_type"], row)
        if outcome in (ROW, CUT_ROW):
            row["ts_ns"] = frame["ts_ns"]
            row["frame"] = number + index - first
            row["interface"] = frame["interface"]
            made += 1
        if outcome == DEFER:
            deferred[put_off] = index
            put_off += 1
        elif outcome == CUT_ROW:
            skipped[CUT - 1] += 1
        elif outcome != ROW:
            skipped[outcome - 1] += 1
    return made, put_off
