"""What stands between an outer IP packet, or MPLS, and the IP packet inside it, as loops.

IP in IP and 6in4 (RFC 2003, 4213), GRE with checksum, key and sequence number (RFC 2784, 2890), PPTP's GRE (RFC
2637), ERSPAN I to III, EtherIP (RFC 3378), VXLAN (RFC 7348), Geneve (RFC 8926), GTP-U (3GPP TS 29.281), MPLS with IP
or a pseudowire of Ethernet behind it (RFC 3032, 4448).

The tag of a tunnelled segment is TUNNEL, the kind of the innermost tunnel << 56, its id << 24, and the last two VLAN
ids inside it. The id is a VXLAN or Geneve VNI, or a GRE key. It is 0 for GTP-U and MPLS, because a TEID (TS 29.281 5.1)
and a label (RFC 3031 3.1) belong to one direction only: with them in the flow's identity, no flow would have two sides.
The call id of PPTP's GRE is left out for the same reason.

Every loop returns as ``link.link``, and every access stands behind a comparison with ``end``. This module must not
know TCP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.capture.frame import CUT, NOT_TCP, octet, word16, word32
from analyzer.capture.link import MPLS, by_ethertype, by_ppp, by_version, ethernet
from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from analyzer.untyped import Octets

TUNNEL: Final = 1 << 62
IN_IP: Final = 1
IN_GRE: Final = 2
IN_VXLAN: Final = 3
IN_GENEVE: Final = 4
IN_GTP_U: Final = 5
IN_MPLS: Final = 6
IN_ETHERIP: Final = 7
IN_PBB: Final = 8


@loop
def tunnel_tag(kind: int, identifier: int, vlans: int) -> int:
    """Return the tag of a segment inside a tunnel, inside these VLANs."""
    return TUNNEL + kind * 72057594037927936 + identifier * 16777216 + vlans % 16777216


@loop
def protocol_of_tunnel(protocol: int) -> bool:
    """Whether IP may be behind this IP protocol: IPIP, 6in4, GRE, EtherIP, MPLS in IP."""
    return protocol in (4, 41, 47, 97, 137)


@loop
def behind_ip(data: Octets, at: int, end: int, protocol: int, mac: int) -> tuple[int, int, int, int]:
    """Read what IP protocol ``protocol`` of ``protocol_of_tunnel`` has at ``at``."""
    if protocol == 4:
        return 4, at, tunnel_tag(IN_IP, 0, 0), mac
    if protocol == 41:
        return 6, at, tunnel_tag(IN_IP, 0, 0), mac
    if protocol == 47:
        return behind_gre(data, at, end, mac)
    if protocol == 97:
        return in_ethernet(data, at + 2, end, IN_ETHERIP, 0)
    return MPLS, at, 0, mac


@loop
def in_ethernet(data: Octets, at: int, end: int, kind: int, identifier: int) -> tuple[int, int, int, int]:
    """Read an Ethernet frame inside a tunnel."""
    version, at, vlans, mac = ethernet(data, at, end)
    return version, at, tunnel_tag(kind, identifier, vlans), mac


@loop
def in_ethertype(
    data: Octets, at: int, end: int, ethertype: int, kind: int, identifier: int, mac: int
) -> tuple[int, int, int, int]:
    """Read what an ethertype says inside a tunnel: IP, VLAN tags, MPLS, or an Ethernet frame (0x6558)."""
    if ethertype == 0x6558:
        return in_ethernet(data, at, end, kind, identifier)
    if ethertype < 0x600:  # no lengths here
        return -NOT_TCP, at, 0, mac
    version, at, vlans = by_ethertype(data, at, end, ethertype, 0)
    return version, at, tunnel_tag(kind, identifier, vlans), mac


@loop
def behind_gre(data: Octets, at: int, end: int, mac: int) -> tuple[int, int, int, int]:
    """Read a GRE header; one with source routes (RFC 1701) is discarded, as RFC 2784 2.1 has receivers do."""
    if at + 4 > end:
        return -CUT, at, 0, mac
    flags = word16(data, at)
    ethertype = word16(data, at + 2)
    if flags & 0x4000:
        return -NOT_TCP, at, 0, mac
    at += 4
    if ethertype == 0x880B:  # PPTP: payload length and call id where the key is, then a sequence number, an answer
        at += 4 + (4 if flags & 0x1000 else 0) + (4 if flags & 0x0080 else 0)
        if at + 4 > end:
            return -CUT, at, 0, mac
        if word16(data, at) == 0xFF03:
            at += 2
        version, at = by_ppp(data, at, end)
        return version, at, tunnel_tag(IN_GRE, 0, 0), mac
    at += 4 if flags & 0x8000 else 0
    key = 0
    if flags & 0x2000:
        if at + 4 > end:
            return -CUT, at, 0, mac
        key = word32(data, at)
        at += 4
    at += 4 if flags & 0x1000 else 0
    if ethertype == 0x88BE:  # ERSPAN: its first version has no header, and GRE then no sequence number
        return in_ethernet(data, at + (8 if flags & 0x1000 else 0), end, IN_GRE, key)
    if ethertype == 0x22EB:
        if at + 12 > end:
            return -CUT, at, 0, mac
        return in_ethernet(data, at + (20 if octet(data, at + 11) & 1 else 12), end, IN_GRE, key)
    return in_ethertype(data, at, end, ethertype, IN_GRE, key, mac)


@loop
def behind_labels(data: Octets, at: int, end: int, mac: int) -> tuple[int, int, int, int]:
    """Pass a stack of MPLS labels; what is behind them is told by its first nibble, as routers do (RFC 4928)."""
    bottom = 0
    while bottom == 0:
        if at + 4 > end:
            return -CUT, at, 0, mac
        bottom = octet(data, at + 2) & 1
        at += 4
    if at + 4 > end:
        return -CUT, at, 0, mac
    version = octet(data, at) // 16
    if version in (4, 6):
        return version, at, tunnel_tag(IN_MPLS, 0, 0), mac
    if word16(data, at) == 0:  # the control word of a pseudowire
        at += 4
    return in_ethernet(data, at, end, IN_MPLS, 0)


@loop
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


@loop
def behind_udp(data: Octets, at: int, end: int, mac: int) -> tuple[int, int, int, int]:
    """Read a UDP header and the header of the tunnel in it, if it has one."""
    if at + 8 > end:
        return -NOT_TCP, at, 0, mac
    port = word16(data, at + 2)
    at += 8
    if not udp_carries_ip(data, at, end, port):
        return -NOT_TCP, at, 0, mac
    if port == 2152:
        return behind_gtp(data, at, end, mac)
    identifier = word32(data, at + 4) // 256
    if port == 6081:
        behind = at + 8 + octet(data, at) % 64 * 4
        return in_ethertype(data, behind, end, word16(data, at + 2), IN_GENEVE, identifier, mac)
    inside = 3
    if octet(data, at) & 0x04:  # the generic protocol extension: 1 is IPv4, 2 IPv6, 3 Ethernet
        inside = octet(data, at + 3)
    if inside in (0, 3):
        return in_ethernet(data, at + 8, end, IN_VXLAN, identifier)
    if inside in (1, 2):
        return inside * 2 + 2, at + 8, tunnel_tag(IN_VXLAN, identifier, 0), mac
    return -NOT_TCP, at, 0, mac


@loop
def behind_gtp(data: Octets, at: int, end: int, mac: int) -> tuple[int, int, int, int]:
    """Read a GTP-U header and its extension headers; ``udp_carries_ip`` holds."""
    flags = octet(data, at) & 7
    following = octet(data, at + 11) if flags & 4 else 0
    at += 12 if flags else 8
    while following != 0:
        if at >= end:
            return -CUT, at, 0, mac
        length = octet(data, at) * 4
        if length == 0:
            return -NOT_TCP, at, 0, mac
        if at + length > end:
            return -CUT, at, 0, mac
        following = octet(data, at + length - 1)
        at += length
    return by_version(data, at, end), at, tunnel_tag(IN_GTP_U, 0, 0), mac
