"""What DHCP, LLDP and spanning tree announce, as loops: who got or gave back an address, which port, what changed.

Of DHCP (RFC 2131, 8415) what begins or ends a lease, not its renewals; of LLDP (IEEE 802.1AB 8.5) which port sends, and
that it goes down (a TTL of 0); of spanning tree (IEEE 802.1D 9.3, also Cisco's per VLAN) that its topology changes.

Every access stands behind a comparison with ``end``. This module must not know flows, or what an announcement means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.capture.frame import octet, signed64, word16, word32
from analyzer.loops.loop import loop
from analyzer.segment import BEGAN, CHANGED, GAVE_BACK, GIVEN, MAPPED_IPV4, PORT, PORT_SHUT

if TYPE_CHECKING:
    from analyzer.untyped import Octets, Record

LLDP: Final = 0x88CC
LLC: Final = 0x600
"""Below this an ethertype is a length, or Linux's number for LLC."""
COOKIE: Final = 0x63825363
"""In front of DHCP's options (RFC 2131 3)."""
MOST_HASHED: Final = 0x00FFFFFFFFFFFFFF


@loop
def lease(data: Octets, at: int, end: int, other: Record) -> None:
    """Write what a DHCP message at ``at`` announces, for a client with an Ethernet address."""
    if at + 240 > end or word16(data, at + 1) != 0x0106 or word32(data, at + 236) != COOKIE:
        return
    kind = 0
    chosen = 0
    option = at + 240
    while option + 2 <= end:
        code = octet(data, option)
        if code == 255:
            break
        if code == 0:
            option += 1
            continue
        length = octet(data, option + 1)
        if option + 2 + length > end:
            break
        if code == 53 and length == 1:
            kind = octet(data, option + 2)
        elif code == 54:  # the server, named in answer to an offer
            chosen = 1
        option += 2 + length
    client = word32(data, at + 12)
    given = word32(data, at + 16)
    address = 0
    if kind == 1 or (kind == 3 and client == 0 and chosen == 0):  # DISCOVER; REQUEST after a start (RFC 2131 4.3.2)
        other["news"] = BEGAN
    elif kind == 5 and given != 0:
        other["news"] = GIVEN
        address = given
    elif kind == 7 and client != 0:
        other["news"] = GAVE_BACK
        address = client
    if other["news"] != 0:
        other["news_mac"] = word16(data, at + 28) * 4294967296 + word32(data, at + 30)
        if address != 0:
            other["dst_lo"] = MAPPED_IPV4 + address


@loop
def lease6(data: Octets, at: int, end: int, other: Record) -> None:
    """Write what a client's DHCPv6 message at ``at`` announces; its station is the frame's."""
    if at + 4 > end:
        return
    kind = octet(data, at)
    if kind in (1, 4):  # SOLICIT; CONFIRM, after the link was down (RFC 8415 18.2.3)
        other["news"] = BEGAN
    elif kind == 8:
        at += 4
        while at + 4 <= end:
            code, length = word16(data, at), word16(data, at + 2)
            # an association of addresses (IA_NA) begins with 12 octets, then with an address (IAADDR)
            if code == 3 and length >= 32 and at + 36 <= end and word16(data, at + 16) == 5:
                other["news"] = GAVE_BACK
                other["dst_hi"] = signed64(data, at + 20)
                other["dst_lo"] = signed64(data, at + 28)
                break
            at += 4 + length
    if other["news"] != 0:
        other["news_mac"] = other["src_mac"]


@loop
def bridge(data: Octets, at: int, end: int, other: Record) -> None:
    """Write that spanning tree tells of a change, if the LLC at ``at`` holds a bridge's message that does."""
    if at + 7 > end:
        return
    if word16(data, at) == 0x4242 and octet(data, at + 2) == 3:
        at += 3
    elif at + 12 <= end and word32(data, at) == 0xAAAA0300 and word32(data, at + 4) == 0x000C010B:
        at += 8
    else:
        return
    if word16(data, at) != 0:
        return
    kind = octet(data, at + 3)
    if kind == 0x80 or (kind in (0, 2) and at + 5 <= end and octet(data, at + 4) & 1):
        other["news"] = CHANGED
        other["news_mac"] = other["src_mac"]


@loop
def port(data: Octets, at: int, end: int, other: Record) -> None:
    """Write which port an LLDP frame is from, as a hash of its names, and whether it says that this goes down."""
    named = 0
    lives = -1
    while at + 2 <= end:
        head = word16(data, at)
        kind, length = head >> 9, head & 511
        at += 2
        if kind == 0 or at + length > end:
            break
        if kind in (1, 2):
            for i in range(length):
                named = (named & MOST_HASHED) * 31 + octet(data, at + i) + 1
        elif kind == 3 and length >= 2:
            lives = word16(data, at)
            break  # these three come first, in this order
        at += length
    if lives >= 0:
        other["news"] = PORT if lives > 0 else PORT_SHUT
        other["news_mac"] = other["src_mac"]
        other["dst_lo"] = named
