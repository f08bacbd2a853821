"""``scrub``: frames in, enhanced packet blocks of pcapng out, with other addresses and without data.

A frame keeps its link layer if that says nothing but addresses and protocols. What is in a tunnel, or behind a link
layer that tells more, comes out behind a header of Linux cooked capture, with VLAN tags that stand for the tunnel. A
frame ends where nothing more is understood; its length on the wire stays what it was, less what was taken off.

This module must not know files, or who gives names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.capture.frame import DEFER, UNKNOWN_LINK, octet, word32
from analyzer.capture.headers import network
from analyzer.capture.link import MPLS, link
from analyzer.capture.scrub.layers import (
    CUT_SHORT,
    MISSING,
    OF_INTERFACE,
    OF_IP,
    UNTUNNELLED,
    copy_link,
    in_place,
    make_link,
)
from analyzer.capture.scrub.network import copy_ip
from analyzer.capture.scrub.sums import fill, put_little32
from analyzer.capture.scrub.table import find_name, slot_of
from analyzer.capture.tunnel import behind_ip, behind_labels, behind_udp, protocol_of_tunnel
from analyzer.loops.loop import loop
from analyzer.segment import MAPPED_IPV4

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Octets, Record, Rows

BLOCK: Final = 32
"""Octets of an enhanced packet block beside the frame."""
MORE: Final = 64
"""Octets that a copy may have more than the frame: a header of Linux cooked capture, tags, padding."""
LINUX_SLL: Final = 113
DEEPEST: Final = 8
"""Tunnels in tunnels, as ``headers.segment`` follows them."""

# What stopped the loop.
DONE: Final = 0
MISSED: Final = 1
DEFERRED: Final = 2
FULL: Final = 3


@loop
def innermost(data: Octets, at: int, end: int, wire_end: int, version: int, tag: int, mac: int) -> tuple[int, ...]:
    """Follow tunnels from what the link layer leads to; returns (version, where, tag, MAC, tunnels passed).

    The version is negative where the last tunnel leads to nothing that is understood.
    """
    passed = 0
    for _ in range(DEEPEST):
        following = 0
        if version == MPLS:
            following, inner, new_tag, new_mac = behind_labels(data, at, end, mac)
        elif version > 0:
            protocol, inside, _ = network(data, at, end, wire_end, version)
            inner, new_tag, new_mac = at, tag, mac
            if protocol == 17:
                following, inner, new_tag, new_mac = behind_udp(data, inside, end, mac)
            elif protocol > 0 and protocol_of_tunnel(protocol):
                following, inner, new_tag, new_mac = behind_ip(data, inside, end, protocol, mac)
            if following <= 0:
                break
        else:
            break
        version, at, tag, mac = following, inner, new_tag, new_mac
        passed += 1
    return version, at, tag, mac, passed


@loop
def scrub_frame(data: Octets, frame: Record, out: Octets, to: int, names: Rows, ports: Numbers, state: Numbers) -> int:
    """Write one frame behind the head of a block at ``to``, and that head, all but its time.

    Returns where the block ends, MISSING, or -1 - DEFER: the frame is one that only scapy takes apart.
    """
    start = frame["at"]
    end = start + frame["captured"]
    link_type = frame["link_type"]
    version, at, tag, mac = link(data, start, end, link_type)
    if version == -DEFER or link_type == UNKNOWN_LINK:
        return -1 - DEFER
    outer, outer_at = version, at
    passed = 0
    if version > 0:
        version, at, tag, mac, passed = innermost(data, at, end, start + frame["original"], version, tag, mac)
    stays = in_place(link_type) and (passed == 0 or version < 0)
    kind = link_type if stays else LINUX_SLL
    slot = find_name(names, state, OF_INTERFACE, frame["interface"], kind)
    if slot < 0:
        return MISSING
    begin = to + BLOCK - 4
    if stays:
        has_ip = outer in (4, 6)
        stopped = copy_link(data, start, end, outer_at if has_ip else -1, link_type, out, begin, names, state)
        ip_at, ip_version = outer_at, outer if has_ip else 0
    else:
        stopped = make_link(version, tag, mac, out, begin, names, state)
        ip_at, ip_version = at, version if version in (4, 6) else 0
    original = frame["original"]
    if stopped < 0:
        return MISSING
    if ip_version != 0:
        before = stopped
        stopped = copy_ip(data, ip_at, end, ip_version, out, before, names, ports, state)
        if stopped < 0:
            return MISSING
        original -= ip_at - start - (before - begin)
    if not stays:
        state[UNTUNNELLED] += 1
    if ip_version == 0:
        state[CUT_SHORT] += 1
    return finish_block(out, to, names[slot]["to_lo"], stopped - begin, original)


@loop
def unnamed(data: Octets, frames: Rows, count: int, names: Rows, state: Numbers, found: Numbers) -> int:
    """List the IPv4 addresses without a name that ``scrub_frame`` would miss one by one, in the first frames.

    ``found`` has room for two a frame; returns how many there are. An address may be there more than once. What this
    overlooks, such as what ICMP quotes, is missed later.
    """
    many = 0
    for index in range(count):
        frame = frames[index]
        start = frame["at"]
        end = start + frame["captured"]
        version, at, tag, mac = link(data, start, end, frame["link_type"])
        if version > 0:
            version, at, tag, mac, _ = innermost(data, at, end, start + frame["original"], version, tag, mac)
        if version != 4 or at + 20 > end or octet(data, at) // 16 != 4 or octet(data, at) % 16 < 5:
            continue
        for place in range(2):
            word = word32(data, at + 12 + 4 * place)
            if names[slot_of(names, state, OF_IP, 0, MAPPED_IPV4 + word)]["kind"] == 0:
                found[many] = word
                many += 1
    return many


@loop
def finish_block(out: Octets, to: int, interface: int, kept: int, original: int) -> int:
    """Write the head, all but its time, and the tail of a block at ``to`` whose frame is there; returns its end."""
    padding = -kept % 4
    length = BLOCK + kept + padding
    fill(out, to + BLOCK - 4 + kept, padding, 0)
    put_little32(out, to, 6)
    put_little32(out, to + 4, length)
    put_little32(out, to + 8, interface)
    put_little32(out, to + 20, kept)
    put_little32(out, to + 24, max(original, kept))
    put_little32(out, to + length - 4, length)
    return to + length


@loop
def put_time(out: Octets, to: int, ts_ns: int) -> None:
    """Write the time of a block at ``to``, in nanoseconds."""
    put_little32(out, to + 12, ts_ns >> 32)
    put_little32(out, to + 16, ts_ns & 0xFFFFFFFF)


@loop
def scrub(
    data: Octets,
    frames: Rows,
    first: int,
    count: int,
    shift_ns: int,
    out: Octets,
    room: int,
    names: Rows,
    ports: Numbers,
    state: Numbers,
) -> tuple[int, int, int]:
    """Write blocks of the frames from ``first`` to ``count``, as long as ``out`` has room.

    Returns the first frame that was not written, where ``out`` ends, and why it stopped: DONE, MISSED (a name),
    DEFERRED (the frame is for scapy), FULL.
    """
    to = 0
    for index in range(first, count):
        frame = frames[index]
        if to + BLOCK + frame["captured"] + MORE > room:
            return index, to, FULL
        stopped = scrub_frame(data, frame, out, to, names, ports, state)
        if stopped == MISSING:
            return index, to, MISSED
        if stopped < 0:
            return index, to, DEFERRED
        put_time(out, to, frame["ts_ns"] + shift_ns)
        to = stopped
    return count, to, DONE
