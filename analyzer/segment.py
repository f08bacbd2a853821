"""``SegmentBatch``: what capture hands to the tracker, one row a TCP segment.

A row is everything the rest of the program may know of a segment; nobody downstream sees bytes. Columns are
signed and wide enough that Python and compiled loops compute the same without overflow. Every
reader (fast, scapy, live) fills the same columns, equal to the nanosecond.

An ICMP error that quotes a TCP segment is a row too (``note == NOTE_ICMP_ERROR``): addresses, ports and ``seq`` are
those of the *quoted* segment, ``icmp`` says what the error was, ``sack_left`` and ``sack_right`` are the two halves
of the address that sent it, and ``tsecr`` is the MTU that it names. A frame that the snap length cut behind the TCP
ports is a row (``note == NOTE_CUT``) with nothing but its addresses, ports and time, so that its flow can be named, and
called undecidable. A segment whose number the text of tcpdump does not show (``note == NOTE_UNNUMBERED``) is a row with
``seq`` ABSENT; ``track.unnumbered`` says which number it may have had.

What else passed is a ``WITNESS`` row: who sent a frame, what ARP and neighbour discovery ask and say, and what DHCP,
LLDP and spanning tree announce.

This module must not know flows, files or rules.
"""

from __future__ import annotations

import re
from dataclasses import field
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10
URG: Final = 0x20
ECE: Final = 0x40
CWR: Final = 0x80

NOTE_TCP: Final = 0
NOTE_ICMP_ERROR: Final = 1
NOTE_CUT: Final = 2
NOTE_UNNUMBERED: Final = 3

ABSENT: Final = -1
"""In a column that may have no value (no timestamp option, IPv6 has no IP ID ...)."""

NONE: Final = -(1 << 63)
"""The same in columns where any number may be a value: no number, and no instant, is as low."""

SEGMENT: Final = np.dtype(
    [
        ("ts_ns", np.int64),  # since the Unix epoch
        ("frame", np.int64),  # 1-based position in the file, as in Wireshark
        ("src_hi", np.int64),  # source address as 128 bits, two signed halves; IPv4 as ::ffff:a.b.c.d
        ("src_lo", np.int64),
        ("dst_hi", np.int64),
        ("dst_lo", np.int64),
        ("tag", np.int64),  # VLAN ids (outer << 12 | inner) or tunnel id; 0 for none: part of the flow's identity
        ("src_mac", np.int64),  # 48 bits, ABSENT where the link has none
        ("seq", np.int64),  # SEG.SEQ, 32 bits as on the wire; ABSENT where text does not show it
        ("ack", np.int64),  # SEG.ACK, 32 bits; meaningless without the ACK flag
        ("tsval", np.int64),  # RFC 7323 timestamps, ABSENT without the option (or cut off)
        ("tsecr", np.int64),  # of an ICMP error the MTU or router (low half) that it names, ABSENT if none
        ("sack_left", np.int64),  # first SACK block, ABSENT without one; of an ICMP error its sender's address
        ("sack_right", np.int64),
        ("payload_len", np.int32),  # octets of data, from the IP header, never from the frame
        ("window", np.int32),  # raw, unscaled
        ("src_port", np.int32),
        ("dst_port", np.int32),
        ("ip_id", np.int32),  # ABSENT for IPv6
        ("icmp", np.int32),  # type << 8 | code, plus 1 << 16 for ICMPv6; ABSENT for TCP
        ("interface", np.int32),  # pcapng interface of the section, else 0
        ("first_octet", np.int16),  # first octet of data, ABSENT if none or cut off by the snap length
        ("flags", np.int16),  # low eight bits of the TCP flags
        ("ttl", np.int16),  # or IPv6 hop limit; ABSENT where text does not show it
        ("header_len", np.int16),  # TCP header, octets: 20 without options
        ("window_scale", np.int8),  # RFC 7323 shift, on SYN only, else ABSENT
        ("options_cut", np.int8),  # 1 if the snap length cut the TCP options
        ("ip_version", np.int8),
        ("note", np.int8),  # NOTE_TCP, NOTE_ICMP_ERROR, NOTE_CUT or NOTE_UNNUMBERED
    ],
    align=True,
)

SIGN: Final = 0
"""A packet that is no TCP segment: a sign of life of the address it came from, and of the station."""
LINK: Final = 1
"""A frame without an address of IP: a sign of life of its station."""
ASKS: Final = 2
"""An ARP request or neighbour solicitation: who has ``dst``? A sign of life of ``src``, if that is known."""
SAYS: Final = 3
"""``src`` says that it is at ``said_mac``: an ARP reply, a gratuitous ARP, a neighbour advertisement."""

NO_NEWS: Final = 0
GIVEN: Final = 1
"""DHCP gives the address ``dst`` to the station ``news_mac``, or lets it have it on."""
GAVE_BACK: Final = 2
"""That station gives it back (RELEASE)."""
BEGAN: Final = 3
"""That station asks DHCP for an address as one does that has just started, or whose link has."""
CHANGED: Final = 4
"""Spanning tree says that the topology of the bridges changes."""
PORT: Final = 5
"""LLDP names the port that sends: ``dst_lo`` is a hash of its names."""
PORT_SHUT: Final = 6
"""LLDP says that this port goes down."""

WITNESS: Final = np.dtype(
    [
        ("ts_ns", np.int64),
        ("frame", np.int64),
        ("src_hi", np.int64),  # as in SEGMENT; both halves 0 for none
        ("src_lo", np.int64),
        ("dst_hi", np.int64),  # who is asked for, or what the news are of; else both halves 0
        ("dst_lo", np.int64),
        ("tag", np.int64),
        ("src_mac", np.int64),  # the station, ABSENT where the link has none
        ("said_mac", np.int64),  # what ARP or neighbour discovery says of ``src``, ABSENT if nothing
        ("news_mac", np.int64),  # the station that the news are of, ABSENT without
        ("protocol", np.int32),  # of IP; the ethertype of a frame without (below 0x600: a length)
        ("port", np.int32),  # source port of UDP, else 0
        ("kind", np.int8),  # SIGN, LINK, ASKS or SAYS
        ("unasked", np.int8),  # 1 for a SAYS that answers nobody: gratuitous ARP, unsolicited advertisement
        ("news", np.int8),  # NO_NEWS, or what DHCP, LLDP or spanning tree announces
    ],
    align=True,
)
"""What a frame that gave no SEGMENT row shows of the hosts on the link and the path."""

LINK_LOCAL: Final = -(0x0180 << 48)
"""The high half of fe80::, by which ICMPv6 redirects name routers, signed."""
MAPPED_IPV4: Final = 0xFFFF << 32
"""``src_lo`` of an IPv4 address is this plus the 32 address bits; ``src_hi`` is zero."""

LEAP: Final = np.dtype(
    [
        ("from_ns", np.int64),  # time of the frame before
        ("to_ns", np.int64),  # time of the frame behind
        ("from_frame", np.int64),
        ("to_frame", np.int64),
    ]
)
"""A place where the capture's time leaps: from one frame of any kind to the next much passes, or time goes back."""
QUIET_NS: Final = 10_000_000_000
"""For this long no frame of any kind came: worth a look."""
BACK_NS: Final = 1_000_000_000
"""So far time went back: no two processors or interfaces differ by as much, somebody set the clock."""

LOSS: Final = np.dtype(
    [
        ("from_ns", np.int64),  # time of the frame before
        ("to_ns", np.int64),  # time of the frame behind, or of the capture's last one
        ("from_frame", np.int64),  # the last frame before
        ("to_frame", np.int64),  # the first behind; one more than the capture's last if none is
        ("packets", np.int64),  # below 0: the interface was down meanwhile
        ("to_end", np.int64),  # 1 if no frame is behind it
    ]
)
"""A stretch of a capture, frames within it, in which a drop counter grew: so many packets are missing there.

Or one without frames, in which the interface was down.
"""

SKIPPED: Final = ("not_tcp", "fragment", "cut_before_tcp_header")
"""Why a frame gave no row; the order of ``SegmentBatch.skipped``. (Copies are told apart later, by the tracker.)"""


@dataclass(frozen=True, slots=True)
class SegmentBatch:
    """Some consecutive frames of a capture: their TCP segments as rows, the others as counts."""

    rows: NDArray[np.void]
    """SEGMENT records in file order; may be empty."""
    frames: int
    """How many frames (of any kind) this batch stands for."""
    skipped: tuple[int, int, int] = (0, 0, 0)
    """Frames without a row, by reason, in the order of SKIPPED."""
    last_ts_ns: int = ABSENT
    """Timestamp of the last frame of any kind, in file order; ABSENT if there was none."""
    leaps: NDArray[np.void] = field(default_factory=lambda: np.empty(0, dtype=LEAP))
    """LEAP records, in order, that end at a frame of this batch."""
    losses: NDArray[np.void] = field(default_factory=lambda: np.empty(0, dtype=LOSS))
    """LOSS records, in order, that end at a frame of this batch, or with the capture."""
    others: NDArray[np.void] = field(default_factory=lambda: np.empty(0, dtype=WITNESS))
    """WITNESS records of frames without a row, in file order."""
    contents: NDArray[np.void] | None = None
    """For each row what else its frame holds (``capture.contents.CONTENT``), if somebody asked for that."""

    def __len__(self) -> int:
        """Return the number of TCP rows."""
        return len(self.rows)

    def column(self, name: str) -> NDArray[np.int64]:
        """Return one column as int64."""
        return self.rows[name].astype(np.int64)


def leaps_in(ts_ns: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.void]:
    """Return where the time of consecutive frames leaps, as LEAP records.

    ``ts_ns`` (nanoseconds) and ``frames`` (numbers) are of all frames of any kind, in file order.
    """
    passed = np.diff(ts_ns)
    at = np.flatnonzero((passed >= QUIET_NS) | (passed <= -BACK_NS))
    leaps = np.empty(len(at), dtype=LEAP)
    leaps["from_ns"], leaps["to_ns"] = ts_ns[at], ts_ns[at + 1]
    leaps["from_frame"], leaps["to_frame"] = frames[at], frames[at + 1]
    return leaps


def empty_rows(count: int) -> NDArray[np.void]:
    """Return ``count`` zeroed SEGMENT rows."""
    return np.zeros(count, dtype=SEGMENT)


_HALVES: Final = Struct(">QQ")
_EIGHT: Final = Struct(">8H")
_GROUPS: Final = ":".join(["%x"] * 8)
_ZEROS: Final = re.compile(r"(?<![^:])0(?::0)+(?![^:])")
"""Two groups of zero or more, beside each other: one alone is written, RFC 5952 4.2.2."""


def _length(found: re.Match[str]) -> int:
    return found.end() - found.start()


def address_text(high: int, low: int) -> str:
    """Return an address from its two signed halves: dotted for mapped IPv4, else RFC 5952."""
    if high == 0 and (low & ~0xFFFFFFFF) == MAPPED_IPV4:
        return f"{low >> 24 & 255}.{low >> 16 & 255}.{low >> 8 & 255}.{low & 255}"
    # ipaddress takes three times as long, and a flood may come from a hundred thousand addresses
    groups = _GROUPS % _EIGHT.unpack(_HALVES.pack(high & 0xFFFFFFFFFFFFFFFF, low & 0xFFFFFFFFFFFFFFFF))
    longest = max(_ZEROS.finditer(groups), key=_length, default=None)  # the first of the longest, RFC 5952 4.2.3
    if longest is None:
        return groups
    return (groups[: longest.start()] or ":") + (groups[longest.end() :] or ":")


def address_halves(text: str) -> tuple[int, int]:
    """Return the two signed halves of an address in text form; the inverse of ``address_text``."""
    if ":" not in text:
        return 0, MAPPED_IPV4 | int(IPv4Address(text))
    whole = int(IPv6Address(text))
    return _signed(whole >> 64), _signed(whole & 0xFFFFFFFFFFFFFFFF)


def _signed(word: int) -> int:
    """Return a 64-bit word as a signed number."""
    return word - (1 << 64) if word >> 63 else word
