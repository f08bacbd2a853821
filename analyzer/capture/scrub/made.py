"""``packet_of``: a packet made of a SEGMENT row, for frames whose octets are not copied (see ``scapy_reader``).

It has the columns of the row and nothing else: a header of Linux cooked capture, IP, TCP with what options are known.

This module must not know files, or who gives names.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from analyzer.capture.redirect import QUOTING, REDIRECT_V4, REDIRECT_V6
from analyzer.capture.scrub.sums import folded
from analyzer.segment import ABSENT, LINK_LOCAL, NOTE_CUT, NOTE_ICMP_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Halves = Callable[[int, int], tuple[int, int]]

WORD: Final = 0xFFFFFFFFFFFFFFFF
EXPERIMENTAL: Final = 0x88B5
"""IEEE's ethertype for local experiments: nothing that anybody takes apart."""


def packet_of(
    row: Mapping[str, int] | None,
    rename: Halves,
    mac: Callable[[int], int],
    vlans: Callable[[int], int],
    ports: Sequence[int],
) -> bytes:
    """Return the packet of a row; of no row a link header only."""
    if row is None:
        return _link(ABSENT, 0, EXPERIMENTAL)
    src, dst = (_octets(rename(row[f"{end}_hi"], row[f"{end}_lo"]), row["ip_version"]) for end in ("src", "dst"))
    four = row["ip_version"] == 4
    sender = ABSENT if row["src_mac"] == ABSENT else mac(row["src_mac"])
    link = _link(sender, vlans(row["tag"]) if row["tag"] else 0, 0x0800 if four else 0x86DD)
    segment = struct.pack("!HHI", ports[row["src_port"]], ports[row["dst_port"]], row["seq"])
    if row["note"] == NOTE_ICMP_ERROR:
        quoted = _ip(row, src, dst, 64, 6, segment, 20)
        sender_of_it = _octets(rename(row["sack_left"], row["sack_right"]), row["ip_version"])
        icmp = _error(row, rename, dst, quoted)
        total = _sum(icmp, 0 if four else _sum(sender_of_it + src, 58 + len(icmp)))
        icmp = icmp[:2] + struct.pack("!H", folded(total)) + icmp[4:]
        return link + _ip(row, sender_of_it, src, row["ttl"], 1 if four else 58, icmp, len(icmp))
    if row["note"] == NOTE_CUT:
        return link + _ip(row, src, dst, row["ttl"], 6, segment[:4], 20)
    options = _options(row)
    length = len(options) + 20
    segment += struct.pack("!IBBHHH", row["ack"], length * 4, row["flags"], row["window"], 0, 0) + options
    total = _sum(segment, _sum(src + dst, 6 + length + row["payload_len"]))
    segment = segment[:16] + struct.pack("!H", folded(total)) + segment[18:]
    return link + _ip(row, src, dst, row["ttl"], 6, segment, length + row["payload_len"])


def _error(row: Mapping[str, int], rename: Halves, dst: bytes, quoted: bytes) -> bytes:
    """Return an ICMP error without its checksum: what it names, and what it quotes."""
    kind, version, named = row["icmp"] >> 8 & 255, row["ip_version"], row["tsecr"]
    head = struct.pack("!BBH", kind, row["icmp"] & 255, 0)
    if version == 4 and kind == REDIRECT_V4:
        return head + _octets(rename(0, named), 4) + quoted
    if version == 6 and kind == REDIRECT_V6:
        router = dst if named == ABSENT else _octets(rename(LINK_LOCAL, named), 6)
        padding = bytes(-len(quoted) % 8)
        option = struct.pack("!BB6x", QUOTING, (8 + len(quoted) + len(padding)) // 8)
        return head + bytes(4) + router + dst + option + quoted + padding
    return head + struct.pack("!I", max(named, 0)) + quoted  # only of an error that names an MTU


def _link(sender: int, vlans: int, ethertype: int) -> bytes:
    """Return a header of Linux cooked capture, with VLAN tags."""
    tags = [vlans >> shift & 0xFFF for shift in (36, 24, 12, 0) if vlans >> shift & 0xFFF]
    kinds = [0x8100] * len(tags) + [ethertype]
    address = bytes(8) if sender == ABSENT else sender.to_bytes(6, "big") + bytes(2)
    head = struct.pack("!HHH", 0, 1, 0 if sender == ABSENT else 6) + address + struct.pack("!H", kinds[0])
    return head + b"".join(struct.pack("!HH", tag, kind) for tag, kind in zip(tags, kinds[1:], strict=True))


def _ip(row: Mapping[str, int], src: bytes, dst: bytes, ttl: int, protocol: int, inside: bytes, length: int) -> bytes:
    """Return an IP packet of so many octets inside on the wire."""
    if row["ip_version"] == 6:
        return struct.pack("!IHBB", 6 << 28, min(length, 0xFFFF), protocol, ttl & 255) + src + dst + inside
    identifier = max(row["ip_id"], 0)
    head = (
        struct.pack("!BBHHHBBH", 0x45, 0, min(20 + length, 0xFFFF), identifier, 0, ttl & 255, protocol, 0) + src + dst
    )
    return head[:10] + struct.pack("!H", folded(_sum(head, 0))) + head[12:] + inside


def _options(row: Mapping[str, int]) -> bytes:
    """Return TCP options of the row's header length, as far as they are known."""
    room = max(row["header_len"], 20) - 20
    options = b""
    if row["window_scale"] != ABSENT:
        options += struct.pack("!BBBB", 1, 3, 3, row["window_scale"])
    if row["tsval"] != ABSENT:
        options += struct.pack("!BBBBII", 1, 1, 8, 10, row["tsval"], row["tsecr"])
    if row["sack_left"] != ABSENT:
        options += struct.pack("!BBBBII", 1, 1, 5, 10, row["sack_left"], row["sack_right"])
    return options[:room] + b"\1" * (room - len(options[:room]))


def _octets(halves: tuple[int, int], version: int) -> bytes:
    high, low = (half & WORD for half in halves)
    return (low & 0xFFFFFFFF).to_bytes(4, "big") if version == 4 else (high << 64 | low).to_bytes(16, "big")


def _sum(octets: bytes, before: int) -> int:
    """Add the 16-bit words of octets to a sum (RFC 1071)."""
    even = octets + bytes(len(octets) % 2)
    return before + sum(struct.unpack(f"!{len(even) // 2}H", even))
