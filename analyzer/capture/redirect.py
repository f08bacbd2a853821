"""ICMP redirects: the router that one names, and where ICMPv6's quotes the packet (RFC 792, RFC 4861 4.5).

A router is kept as the low half of its address: of IPv4 that is all of it, and ICMPv6 names a router by its link-local
address (RFC 4861 8.1). What is not valid by that rule is none: its receiver drops it.

It must not know flows, or whether anybody heeds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.capture.frame import octet, signed64, word32
from analyzer.loops.loop import loop
from analyzer.segment import ABSENT, LINK_LOCAL, MAPPED_IPV4

if TYPE_CHECKING:
    from analyzer.untyped import Octets

REDIRECT_V4: Final = 5
REDIRECT_V6: Final = 137
"""Types of ICMP and ICMPv6."""
FIXED: Final = 40
"""What stands before the options of ICMPv6's: its header, the router, the destination."""
QUOTING: Final = 4
"""The option that bears the packet."""
UNROUTED: Final = 255
"""The hop limit of what no router passed on."""


@loop
def is_valid_redirect(data: Octets, ip: int, at: int, end: int) -> bool:
    """Say whether an ICMPv6 redirect at ``at``, in the packet at ``ip``, is one that its receiver takes."""
    if at + FIXED > end or octet(data, at + 1) != 0 or octet(data, ip + 7) != UNROUTED:
        return False
    return signed64(data, at + 8) == LINK_LOCAL or is_direct(data, at)


@loop
def is_direct(data: Octets, at: int) -> bool:
    """Say whether an ICMPv6 redirect names no router, but the destination itself: it is on the link."""
    same_net = signed64(data, at + 8) == signed64(data, at + 24)
    return same_net and signed64(data, at + 16) == signed64(data, at + 32)


@loop
def quoted_by_redirect(data: Octets, at: int, end: int) -> int:
    """Return where the packet begins that an ICMPv6 redirect at ``at`` quotes; ``end`` if it quotes none."""
    at += FIXED
    while at + 8 <= end:
        length = octet(data, at + 1) * 8
        if length == 0:
            return end
        if octet(data, at) == QUOTING:
            return at + 8
        at += length
    return end


@loop
def router_named(data: Octets, at: int, version: int) -> int:
    """Return the low half of the router's address in the redirect at ``at``; ABSENT if it is the destination itself."""
    if version == 4:
        return MAPPED_IPV4 + word32(data, at + 4)
    return ABSENT if is_direct(data, at) else signed64(data, at + 16)
