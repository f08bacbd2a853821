"""Rows of octets in hexadecimal, as real packets: tcpdump's (``-x``, ``-XX`` ...), Wireshark's, scapy's, text2pcap's.

All these have an offset, octets in ones or twos, and perhaps the same as characters behind two spaces. What comes
first in a packet is told by its own contents: an IP header, or a link header before one.

This module must not know anything of TCP.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from analyzer.capture.linktypes import EN10MB, LINUX_SLL, LINUX_SLL2, NULL, RAW

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW: Final = re.compile(
    r"\s*(?:0x)?(?P<at>[0-9A-Fa-f]{4,8}):?\s+"
    r"(?P<hex>(?:[0-9A-Fa-f]{2}){1,2}(?:[ ]{1,2}(?:[0-9A-Fa-f]{2}){1,2})*)"
    r"(?P<behind>\s.*|)"
)
OCTETS_OF_A_ROW: Final = 16
MOST: Final = 1 << 18
"""Octets of a packet."""

ETHERTYPES: Final = {b"\x08\x00", b"\x86\xdd"}
ARP: Final = bytes.fromhex("080600010800")
"""Ethertype, and the beginning of ARP for Ethernet and IPv4."""
TAGS: Final = {b"\x81\x00", b"\x88\xa8", b"\x91\x00", b"\x92\x00"}
FAMILIES: Final = {2, 10, 24, 28, 30}


def row_of(line: str) -> tuple[int, bytes] | None:
    """Return offset and octets of a row of a dump; None if the line is none."""
    found = ROW.fullmatch(line)
    if found is None:
        return None
    octets = bytes.fromhex(found["hex"].replace(" ", ""))[:OCTETS_OF_A_ROW]
    behind = found["behind"]
    # a word such as "0100 ab" in prose is no row: what follows the octets must be their characters
    if behind.strip() and not _characters(behind.strip(), octets):
        return None
    at = int(found["at"], 16)
    return (at, octets) if at % OCTETS_OF_A_ROW == 0 and at < MOST else None


def _characters(behind: str, octets: bytes) -> bool:
    """Say whether what follows octets on a row can be the same as characters: one for each, or fewer, if some are."""
    shown = behind.strip("|")
    return len(shown) <= len(octets) + 2


class Dump:
    """The octets of one packet, as their rows come."""

    def __init__(self) -> None:
        """Begin with no row."""
        self._octets = bytearray()
        self._whole = True

    def __len__(self) -> int:
        """Return how many octets there are."""
        return len(self._octets)

    def add(self, at: int, octets: bytes) -> None:
        """Take a row; what comes behind a row that is missing is not used."""
        if self._whole and at == len(self._octets):
            self._octets += octets
        else:
            self._whole = False

    def packet(self) -> tuple[bytes, int, int] | None:
        """Return octets, link type and length on the wire, if they are those of an IP packet, or of ARP."""
        octets = bytes(self._octets)
        for link_type, at in ((EN10MB, _behind_tags(octets)), (LINUX_SLL, 14)):
            if octets[at : at + 6] == ARP:
                return octets, link_type, len(octets)
        for link_type, header in _links(octets):
            length = _ip_length(octets[header:])
            if length:
                return octets[: header + length], link_type, header + length
        return None


def _links(octets: bytes) -> Iterator[tuple[int, int]]:
    """Yield the link types whose header these octets may begin with, and its length."""
    at = _behind_tags(octets)
    if octets[at : at + 2] in ETHERTYPES:
        yield EN10MB, at + 2
    if octets[14:16] in ETHERTYPES and octets[:1] == b"\0":
        yield LINUX_SLL, 16
    if octets[:2] in ETHERTYPES and octets[2:4] == b"\0\0":
        yield LINUX_SLL2, 20
    family = octets[:4]
    if len(family) == 4 and min(int.from_bytes(family, "little"), int.from_bytes(family, "big")) in FAMILIES:
        yield NULL, 4
    yield RAW, 0


def _behind_tags(octets: bytes) -> int:
    """Return where the ethertype is, if octets are of Ethernet."""
    at = 12
    while octets[at : at + 2] in TAGS:
        at += 4
    return at


def _ip_length(octets: bytes) -> int:
    """Return the length on the wire of an IP packet that begins so; 0 if it is none."""
    if len(octets) >= 20 and octets[0] >> 4 == 4 and octets[0] & 15 >= 5:
        total = int.from_bytes(octets[2:4], "big")
        return total if total >= 20 else len(octets)
    if len(octets) >= 40 and octets[0] >> 4 == 6:
        return 40 + int.from_bytes(octets[4:6], "big")
    return 0
