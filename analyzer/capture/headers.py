"""``decode``: frames in, SEGMENT rows out. The loop that touches every packet, as loops.

A frame comes to one of these ends: a row; ``NOT_TCP``; ``FRAGMENT`` (a piece of a segment without its header);
``CUT`` (too short for what it claims to hold; a row with ``NOTE_CUT`` if the TCP ports are still there, and counted
all the same); or ``DEFER``: it may hold TCP inside something that only scapy takes apart here: rare link types and
tunnels. Nothing raises, and nothing reads beyond the frame: every access stands behind a comparison with
``end``. Payload lengths come from the IP header, never from the frame, which may be padded (Ethernet pads to 60
octets); only where IP says 0 (segmentation offload, BIG TCP) the frame's original length is used.

IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200, AH RFC 4302), TCP (RFC 9293 3.1, options RFC 7323 and 2018),
ICMP errors (RFC 792, 4443); ``link`` has what stands before, ``tunnel`` what may stand between, ``redirect`` what is
of redirects alone.

An ICMP error gives addresses, ports, ``seq`` and ``ip_id`` of the segment it quotes; ``ttl`` and ``src_mac`` are its
own, its sender's address is in ``sack_left`` and ``sack_right``, the MTU or the router that it names in ``tsecr``, and
the other columns are empty.

This module must not know flows, files or rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.capture.frame import (
    CUT,
    CUT_ROW,
    DEFER,
    FRAGMENT,
    NOT_TCP,
    ROW,
    octet,
    signed64,
    word16,
    word32,
)
from analyzer.capture.link import MPLS, by_version, link
from analyzer.capture.redirect import (
    REDIRECT_V4,
    REDIRECT_V6,
    is_valid_redirect,
    quoted_by_redirect,
    router_named,
)
from analyzer.capture.tunnel import behind_ip, behind_labels, behind_udp, protocol_of_tunnel
from analyzer.loops.loop import loop
from analyzer.segment import ABSENT, BACK_NS, MAPPED_IPV4, NOTE_CUT, NOTE_ICMP_ERROR, NOTE_TCP, QUIET_NS

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Octets, Record, Rows


@loop
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


@loop
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


@loop
def addresses(data: Octets, at: int, version: int, row: Record) -> None:
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


@loop
def empty_tcp(row: Record, note: int) -> None:
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


@loop
def tcp(data: Octets, at: int, end: int, stop: int, row: Record) -> int:
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


@loop
def options(data: Octets, at: int, end: int, syn: int, row: Record) -> None:
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


@loop
def icmp_error(data: Octets, ip: int, at: int, end: int, version: int, row: Record) -> int:
    """Write the row of an ICMP error at ``at``, in the IP packet at ``ip``, that quotes a TCP segment; the outcome."""
    if at + 8 > end:
        return CUT
    kind = octet(data, at)
    code = octet(data, at + 1)
    if version == 4:
        if kind not in (3, 4, REDIRECT_V4, 11, 12):
            return NOT_TCP
    elif kind == REDIRECT_V6:
        if not is_valid_redirect(data, ip, at, end):
            return NOT_TCP
    elif kind not in (1, 2, 3, 4):
        return NOT_TCP
    is_redirect = kind == (REDIRECT_V4 if version == 4 else REDIRECT_V6)
    quoted = quoted_by_redirect(data, at, end) if kind == REDIRECT_V6 else at + 8
    named = router_named(data, at, version) if is_redirect else mtu_named(data, at, kind * 256 + code, version)
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
    row["tsecr"] = named
    row["sack_left"] = 0 if version == 4 else signed64(data, ip + 8)
    row["sack_right"] = MAPPED_IPV4 + word32(data, ip + 12) if version == 4 else signed64(data, ip + 16)
    return ROW


@loop
def mtu_named(data: Octets, at: int, kind: int, version: int) -> int:
    """Return the MTU that an ICMP error at ``at`` names, of this type and code, or ABSENT.

    Routers older than RFC 1191 (section 5) name 0.
    """
    mtu = 0
    if version == 4 and kind == 3 * 256 + 4:
        mtu = word16(data, at + 6)
    elif version == 6 and kind // 256 == 2:
        mtu = word32(data, at + 4)
    return mtu if mtu > 0 else ABSENT


@loop
def segment(data: Octets, start: int, end: int, wire_end: int, link_type: int, row: Record) -> int:
    """Write the row of one frame, all but its number and time; returns the outcome. The innermost TCP counts."""
    version, at, tag, mac = link(data, start, end, link_type)
    for _ in range(8):  # deeper tunnels are not followed
        if version == MPLS:
            version, at, tag, mac = behind_labels(data, at, end, mac)
        if version < 0:
            return -version
        protocol, inner, stop = network(data, at, end, wire_end, version)
        is_icmp = (protocol == 1 and version == 4) or (protocol == 58 and version == 6)
        if protocol == 6 or is_icmp:
            row["tag"] = tag
            row["src_mac"] = mac
            row["ttl"] = octet(data, at + 8) if version == 4 else octet(data, at + 7)
            if is_icmp:
                return icmp_error(data, at, inner, end, version, row)
            addresses(data, at, version, row)
            return tcp(data, inner, end, stop, row)
        if protocol == 17:
            version, at, tag, mac = behind_udp(data, inner, end, mac)
        elif protocol_of_tunnel(protocol):
            version, at, tag, mac = behind_ip(data, inner, end, protocol, mac)
        else:
            return -protocol if protocol < 0 else NOT_TCP
    return NOT_TCP


@loop
def decode(
    data: Octets,
    frames: Rows,
    count: int,
    number: int,
    rows: Rows,
    deferred: Numbers,
    skipped: Numbers,
    before_ns: int,
) -> tuple[int, int, int]:
    """Decode the first ``count`` frames of an index.

    ``number`` is the 1-based number of the first, ``before_ns`` the time of the frame before it. Writes SEGMENT
    rows, the index rows of deferred frames, and adds to ``skipped`` (in the order of ``segment.SKIPPED``).

    Returns:
        How many rows and how many deferred frames there are, and how often time leaps (see ``segment.LEAP``).
    """
    made = 0
    put_off = 0
    leaps = 0
    for index in range(count):
        frame = frames[index]
        passed_ns = frame["ts_ns"] - before_ns
        before_ns = frame["ts_ns"]
        if passed_ns >= QUIET_NS or passed_ns <= -BACK_NS:
            leaps += 1
        start = frame["at"]
        row = rows[made]
        outcome = segment(data, start, start + frame["captured"], start + frame["original"], frame["link_type"], row)
        if outcome in (ROW, CUT_ROW):
            row["ts_ns"] = frame["ts_ns"]
            row["frame"] = number + index
            row["interface"] = frame["interface"]
            made += 1
        if outcome == DEFER:
            deferred[put_off] = index
            put_off += 1
        elif outcome == CUT_ROW:
            skipped[CUT - 1] += 1
        elif outcome != ROW:
            skipped[outcome - 1] += 1
    return made, put_off, leaps
