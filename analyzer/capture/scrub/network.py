"""IP and what is in it, copied with other addresses and right checksums: headers of TCP, UDP and ICMP, and no data.

TCP keeps the options that are understood (RFC 9293 3.2, 7323, 2018); others become NOPs, so that lengths stay. IP
options and the contents of IPv6 extension headers become padding. Checksums are those of the headers as written, with
data of zeros; the octets of data are not even left in a checksum. ICMP errors keep the headers that they quote, and
neighbour discovery the addresses (RFC 4861); all other messages only type, code and, of an echo, its numbers.

Loops write and return as in ``layers``. This module must not know link layers or files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.capture.frame import octet, word16
from analyzer.capture.redirect import FIXED, QUOTING, REDIRECT_V4, REDIRECT_V6, quoted_by_redirect
from analyzer.capture.scrub.layers import MISSING, OPTIONS, PAYLOAD, rename_ipv4, rename_ipv6, rename_mac
from analyzer.capture.scrub.sums import copy, fill, folded, put16, sum_of
from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Octets, Rows


@loop
def copy_ip(
    data: Octets, at: int, end: int, version: int, out: Octets, to: int, names: Rows, ports: Numbers, state: Numbers
) -> int:
    """Write an IP packet's headers, and those of what is in it."""
    behind, inner, protocol = copy_ip_header(data, at, end, version, out, to, names, state)
    if behind < 0 or protocol < 0:
        return behind
    stop = ip_stop(data, at, end, version)
    if protocol == 6:
        return copy_tcp(data, inner, end, stop, version, out, to, behind, ports, state)
    if protocol == 17:
        return copy_udp(data, inner, end, stop, version, out, to, behind, ports, state)
    if protocol == 1 and version == 4:
        return copy_icmp(data, inner, end, out, behind, names, ports, state)
    if protocol == 58 and version == 6:
        return copy_icmpv6(data, inner, end, stop, out, to, behind, names, ports, state)
    return behind


@loop
def ip_stop(data: Octets, at: int, end: int, version: int) -> int:
    """Return where the data of an IP packet ends on the wire; where IP does not say, where the capture of it does."""
    if version == 4:
        total = word16(data, at + 2)
        return at + total if total != 0 else end
    length = word16(data, at + 4)
    return at + 40 + length if length != 0 else end


@loop
def copy_ip_header(
    data: Octets, at: int, end: int, version: int, out: Octets, to: int, names: Rows, state: Numbers
) -> tuple[int, int, int]:
    """Write an IP header; returns where it stopped, where what is inside begins, and its protocol (-1 for none)."""
    if version == 4:
        return copy_ipv4_header(data, at, end, out, to, names, state)
    return copy_ipv6_header(data, at, end, out, to, names, state)


@loop
def copy_ipv4_header(
    data: Octets, at: int, end: int, out: Octets, to: int, names: Rows, state: Numbers
) -> tuple[int, int, int]:
    """Write an IPv4 header, its options as NOPs."""
    if at + 20 > end:
        return to, at, -1
    header = octet(data, at) % 16 * 4
    if octet(data, at) // 16 != 4 or header < 20:
        fill(out, to, 20, 0)  # it is none, and the copy's is none either
        return to + 20, at, -1
    copy(data, at, out, to, 10)
    if rename_ipv4(data, at + 12, out, to + 12, names, state) < 0:
        return MISSING, at, -1
    if rename_ipv4(data, at + 16, out, to + 16, names, state) < 0:
        return MISSING, at, -1
    kept = min(header, end - at)
    fill(out, to + 20, kept - 20, 1)
    put16(out, to + 10, 0)
    put16(out, to + 10, folded(sum_of(out, to, to + kept, (header - kept + 1) // 2 * 257)))
    piece = word16(data, at + 6) & 0x1FFF
    if kept < header or piece != 0:
        return to + kept, at, -1
    return copy_extensions(data, at + header, end, octet(data, at + 9), out, to + header)


@loop
def copy_ipv6_header(
    data: Octets, at: int, end: int, out: Octets, to: int, names: Rows, state: Numbers
) -> tuple[int, int, int]:
    """Write an IPv6 header and its extension headers."""
    if at + 40 > end:
        return to, at, -1
    if octet(data, at) // 16 != 6:
        fill(out, to, 40, 0)
        return to + 40, at, -1
    copy(data, at, out, to, 8)
    for address in range(2):
        if rename_ipv6(data, at + 8 + 16 * address, out, to + 8 + 16 * address, names, state) < 0:
            return MISSING, at, -1
    return copy_extensions(data, at + 40, end, octet(data, at + 6), out, to + 40)


@loop
def copy_extensions(data: Octets, at: int, end: int, protocol: int, out: Octets, to: int) -> tuple[int, int, int]:
    """Write extension headers, and AH in IPv4 too: their contents become padding, but for where a fragment belongs."""
    while protocol in (0, 43, 44, 51, 60, 135, 139, 140):
        if at + 8 > end:
            return to, at, -1
        length = 8
        if protocol == 51:
            length = (octet(data, at + 1) + 2) * 4
        elif protocol != 44:
            length = (octet(data, at + 1) + 1) * 8
        if at + length > end:
            return to, at, -1
        fill(out, to, length, 0)
        copy(data, at, out, to, 8 if protocol == 44 else 2)
        piece = word16(data, at + 2) // 8 if protocol == 44 else 0
        protocol = octet(data, at)
        at += length
        to += length
        if piece != 0:
            return to, at, -1
    return to, at, protocol


@loop
def pseudo_header(out: Octets, ip: int, version: int, protocol: int, length: int) -> int:
    """Return the sum of what a checksum covers of the IP header (RFC 9293 3.1, RFC 8200 8.1) written at ``ip``."""
    total = protocol + (length >> 16) + (length & 65535)
    if version == 4:
        return sum_of(out, ip + 12, ip + 20, total)
    return sum_of(out, ip + 8, ip + 40, total)


@loop
def copy_tcp(
    data: Octets,
    at: int,
    end: int,
    stop: int,
    version: int,
    out: Octets,
    ip: int,
    to: int,
    ports: Numbers,
    state: Numbers,
) -> int:
    """Write a TCP header; ``ip`` is where the IP header was written."""
    if at + 4 > end:
        return to
    header = 20
    if at + 16 <= end:
        header = octet(data, at + 12) // 16 * 4
    if header < 20 or at + header > stop:
        header = 16  # damaged: no data can be told from it
    kept = min(header, end - at)
    copy(data, at, out, to, min(kept, 20))
    put16(out, to, ports[word16(data, at)])
    put16(out, to + 2, ports[word16(data, at + 2)])
    copy_options(data, at + 20, at + kept, out, to + 20, state)
    if kept >= 20:
        put16(out, to + 16, 0)
    if kept == header and header >= 20:
        total = pseudo_header(out, ip, version, 6, stop - at)
        put16(out, to + 16, folded(sum_of(out, to, to + header, total)))
    state[PAYLOAD] += max(min(end, stop) - at - header, 0)
    return to + kept


@loop
def copy_options(data: Octets, at: int, end: int, out: Octets, to: int, state: Numbers) -> None:
    """Write TCP options of the same length: those that are understood as they are, others as NOPs."""
    while at < end:
        kind = octet(data, at)
        if kind == 0:
            fill(out, to, end - at, 0)
            return
        if kind == 1:
            out[to] = 1
            at += 1
            to += 1
            continue
        length = 0
        if at + 2 <= end:
            length = octet(data, at + 1)
        if length < 2 or at + length > end:
            fill(out, to, end - at, 0)  # not whole: what reads it stops here
            return
        known = (kind == 2 and length == 4) or (kind == 3 and length == 3) or (kind == 4 and length == 2)
        known = known or (kind == 8 and length == 10) or (kind == 5 and length >= 10 and length % 8 == 2)
        if known:
            copy(data, at, out, to, length)
        else:
            fill(out, to, length, 1)
            state[OPTIONS] += 1
        at += length
        to += length


@loop
def copy_udp(
    data: Octets,
    at: int,
    end: int,
    stop: int,
    version: int,
    out: Octets,
    ip: int,
    to: int,
    ports: Numbers,
    state: Numbers,
) -> int:
    """Write a UDP header, without a checksum in IPv4, where it may have none (RFC 768)."""
    if at + 8 > end:
        return to
    put16(out, to, ports[word16(data, at)])
    put16(out, to + 2, ports[word16(data, at + 2)])
    put16(out, to + 4, word16(data, at + 4))
    put16(out, to + 6, 0)
    if version == 6:
        total = pseudo_header(out, ip, version, 17, word16(data, at + 4))
        put16(out, to + 6, folded(sum_of(out, to, to + 8, total)))
    state[PAYLOAD] += max(min(end, stop) - at - 8, 0)
    return to + 8


@loop
def copy_icmp(
    data: Octets, at: int, end: int, out: Octets, to: int, names: Rows, ports: Numbers, state: Numbers
) -> int:
    """Write an ICMP message: an error with the headers that it quotes, an echo's numbers, of others the type."""
    if at + 8 > end:
        return to
    kind = octet(data, at)
    fill(out, to, 8, 0)
    copy(data, at, out, to, 2)
    stopped = to + 8
    if kind in (3, 4, REDIRECT_V4, 11, 12):
        if kind == REDIRECT_V4:
            if rename_ipv4(data, at + 4, out, to + 4, names, state) < 0:
                return MISSING
        elif kind == 12:
            copy(data, at + 4, out, to + 4, 1)  # where the problem is (RFC 792)
        elif kind == 3 and octet(data, at + 1) == 4:
            copy(data, at + 6, out, to + 6, 2)  # the MTU (RFC 1191 4); all else is unused
        stopped = copy_quoted(data, at + 8, end, 4, out, to + 8, names, ports, state)
        if stopped < 0:
            return MISSING
    elif kind in (0, 8):
        copy(data, at + 4, out, to + 4, 4)
        state[PAYLOAD] += max(end - at - 8, 0)
    put16(out, to + 2, folded(sum_of(out, to, stopped, 0)))
    return stopped


@loop
def copy_icmpv6(
    data: Octets,
    at: int,
    end: int,
    stop: int,
    out: Octets,
    ip: int,
    to: int,
    names: Rows,
    ports: Numbers,
    state: Numbers,
) -> int:
    """Write an ICMPv6 message: errors and echoes as ICMP's, and the addresses of neighbour discovery."""
    if at + 8 > end:
        return to
    kind = octet(data, at)
    fill(out, to, 8, 0)
    copy(data, at, out, to, 2)
    stopped = to + 8
    if kind in (1, 2, 3, 4):
        if kind in (2, 4):
            copy(data, at + 4, out, to + 4, 4)  # the MTU, or where the problem is (RFC 4443 3.2, 3.4)
        stopped = copy_quoted(data, at + 8, end, 6, out, to + 8, names, ports, state)
    elif kind == REDIRECT_V6 and at + FIXED <= end:
        stopped = copy_redirect(data, at, end, out, to, names, ports, state)
    elif kind in (128, 129):
        copy(data, at + 4, out, to + 4, 4)
        state[PAYLOAD] += max(end - at - 8, 0)
    elif kind == 133:
        stopped = copy_neighbour(data, at + 8, end, out, to + 8, names, state)
    elif kind == 134 and at + 16 <= end:
        copy(data, at + 4, out, to + 4, 12)
        stopped = copy_neighbour(data, at + 16, end, out, to + 16, names, state)
    elif kind in (135, 136) and at + 24 <= end:
        out[to + 4] = octet(data, at + 4) & 0xE0  # of a router, solicited, override (RFC 4861 4.4)
        if rename_ipv6(data, at + 8, out, to + 8, names, state) < 0:
            return MISSING
        stopped = copy_neighbour(data, at + 24, end, out, to + 24, names, state)
    if stopped < 0:
        return MISSING
    total = pseudo_header(out, ip, 6, 58, stop - at)
    put16(out, to + 2, folded(sum_of(out, to, stopped, total)))
    return stopped


@loop
def copy_redirect(
    data: Octets, at: int, end: int, out: Octets, to: int, names: Rows, ports: Numbers, state: Numbers
) -> int:
    """Write the addresses of an ICMPv6 redirect, and the headers that it quotes in an option of that length."""
    if rename_ipv6(data, at + 8, out, to + 8, names, state) < 0:
        return MISSING
    if rename_ipv6(data, at + 24, out, to + 24, names, state) < 0:
        return MISSING
    option = to + FIXED
    quoted = quoted_by_redirect(data, at, end)
    if quoted >= end:
        return option
    fill(out, option, 8, 0)
    stopped = copy_quoted(data, quoted, end, 6, out, option + 8, names, ports, state)
    if stopped < 0:
        return MISSING
    padding = (option - stopped) % 8
    fill(out, stopped, padding, 0)
    stopped += padding
    out[option] = QUOTING
    out[option + 1] = (stopped - option) // 8
    return stopped


@loop
def copy_neighbour(data: Octets, at: int, end: int, out: Octets, to: int, names: Rows, state: Numbers) -> int:
    """Write the link-layer address that may stand first behind neighbour discovery (RFC 4861 4.6.1), nothing else."""
    if at + 8 > end or word16(data, at) not in (0x0101, 0x0201):
        return to
    put16(out, to, word16(data, at))
    return rename_mac(data, at + 2, out, to + 2, names, state)


@loop
def copy_quoted(
    data: Octets, at: int, end: int, version: int, out: Octets, to: int, names: Rows, ports: Numbers, state: Numbers
) -> int:
    """Write the headers that an ICMP error quotes: IP, and of what is in it TCP or UDP."""
    if at >= end or octet(data, at) // 16 != version:
        return to
    behind, inner, protocol = copy_ip_header(data, at, end, version, out, to, names, state)
    if behind < 0 or protocol < 0:
        return behind
    stop = ip_stop(data, at, end, version)
    if protocol == 6:
        return copy_tcp(data, inner, end, stop, version, out, to, behind, ports, state)
    if protocol == 17:
        return copy_udp(data, inner, end, stop, version, out, to, behind, ports, state)
    return behind
