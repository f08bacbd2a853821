"""What is kept of hosts and stations beside the flows: when they were heard, what ARP says of them, who is asked for.

Seven tables, all bounded (``subjects``): ``HOST`` and ``CLAIM`` by address; ``STATION`` by MAC address; ``ASK`` by who
asks on the link, and for whom; ``SERVICE`` by address and port; ``CLOCK`` by two addresses; ``NEWS`` by what DHCP, LLDP
and spanning tree announce, and of whom. A host's longest silence is kept with the frames at its ends, so that memory
follows hosts and not frames, and whether it was heard in an outage can be told when that is over. Of hosts the first to
be forgotten are those that no connection is of; ``first_ns`` says since when a host is known.

It must not judge: not who is dead, nor why a flow fell silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop
from analyzer.segment import ACK, NOTE_ICMP_ERROR, RST, SYN
from analyzer.track.flow import WORD
from analyzer.track.subjects import KEY

if TYPE_CHECKING:
    from analyzer.untyped import Record


GAP: Final = [
    ("gap_from_ns", np.int64),  # its longest silence, with the frames at both ends
    ("gap_to_ns", np.int64),
    ("gap_from_frame", np.int64),
    ("gap_to_frame", np.int64),
    ("longest_ns", np.int64),  # how long that was, at least GAP_LEAST_NS
]
GAP_LEAST_NS: Final = 5_000_000_000
"""Longer than whoever is heard all the time may seem silent, as few of its frames are noted (see ``observe``)."""

NOTE: Final = np.dtype(
    [
        ("ts_ns", np.int64),
        ("frame", np.int64),
        ("hi", np.int64),  # the sender's address
        ("lo", np.int64),
        ("tag", np.int64),
        ("mac", np.int64),
        ("dst_hi", np.int64),
        ("dst_lo", np.int64),
        ("tsval", np.int64),  # only of a SYN, else -1
        ("ports", np.int64),  # of a SYN: both ports as one number
        ("port", np.int32),
        ("ttl", np.int16),
        ("what", np.int16),  # TCP or ICMP, or the two below
    ],
    align=True,
)
"""A segment as hosts see it: what ``observe`` hands to ``attend``."""
TCP: Final = 6
ICMP: Final = 1
NO_IP: Final = -1
"""``last_what`` of a frame that is no packet of IP."""
REFUSED: Final = -6
"""A RST that refuses a SYN; of its host it shows nothing."""

HOST: Final = np.dtype(
    [
        # touched whenever it is heard: one cache line
        *KEY,
        ("last_frame", np.int64),
        ("second_ns", np.int64),  # its longest silence but one, at least GAP_LEAST_NS
        ("mac", np.int64),  # the station that last sent in its name, -1 unknown
        ("last_what", np.int16),  # protocol of IP of the last frame, -1 none (ARP, LLDP ...)
        ("ttl", np.int16),  # of its last TCP segment, -1 none
        *GAP,
        ("first_ns", np.int64),
        ("mac_before", np.int64),  # -1 none
        ("mac_ns", np.int64),  # when the station changed last
        ("mac_frame", np.int64),
        ("ttl_ns", np.int64),
        ("ttl_frame", np.int64),
        ("ttl_before", np.int16),
        ("mac_turns", np.int16),  # how often it changed
        ("ttl_turns", np.int16),
        ("digest", np.int64),
    ],
    align=True,
)

STATION: Final = np.dtype(
    [
        *KEY,  # lo: the MAC address
        ("last_frame", np.int64),
        ("second_ns", np.int64),
        ("last_what", np.int16),
        ("has_tcp", np.int16),  # 1 if a segment of a connection came from there
        *GAP,
        ("owner_hi", np.int64),  # the address that ARP last said is there
        ("owner_lo", np.int64),
        ("asks_hi", np.int64),  # whom it last asked for, by ARP or neighbour discovery
        ("asks_lo", np.int64),
        ("digest", np.int64),
    ],
    align=True,
)

CLAIM: Final = np.dtype(
    [
        *KEY,  # of the address; last_ns: when it last said where it is
        ("last_frame", np.int64),
        ("mac", np.int64),
        ("moved_from", np.int64),  # where it was before it was said to be elsewhere, -1 never
        ("moved_ns", np.int64),
        ("moved_frame", np.int64),
        ("moved_unasked", np.int32),
        ("there_ns", np.int64),  # since when it is said to be there, and whether somebody had asked
        ("there_frame", np.int64),
        ("there_unasked", np.int32),
        ("announced_ns", np.int64),  # when it last said so unasked
        ("announced_frame", np.int64),
        ("both_mac", np.int64),  # two stations had it at once: the other of the last two that said so, -1 none
        ("both_ns", np.int64),  # when that showed first, and last, with the frames of both stations
        ("both_frame", np.int64),
        ("both_before_frame", np.int64),
        ("both_last_ns", np.int64),
        ("both_last_frame", np.int64),
        ("answers", np.int64),  # 1 if what it last said answers a question
        ("digest", np.int64),
    ],
    align=True,
)
"""Where ARP or neighbour discovery says that an address is."""

ASK: Final = np.dtype(
    [
        *KEY,  # hi: the asking station, lo: from ``whom``, last_ns: the last time
        ("last_frame", np.int64),
        ("first_ns", np.int64),  # since when no answer came
        ("first_frame", np.int64),
        ("digest", np.int64),
        ("failed_ns", np.int64),  # of the last row of questions that no answer came to, before one came
        ("failed_frame", np.int64),
        ("failed_last_ns", np.int64),
        ("failed_last_frame", np.int64),
        ("failed", np.int32),
        ("count", np.int32),  # in this row of questions
    ],
    align=True,
)

SERVICE: Final = np.dtype(
    [
        *KEY,
        ("digest", np.int64),
        ("accepted_ns", np.int64),  # the last SYN,ACK
        ("accepted_frame", np.int64),
        ("refused_ns", np.int64),  # the first refusal of the latest row of them
        ("refused_frame", np.int64),
        ("refused_last_ns", np.int64),
        ("refused_last_frame", np.int64),
    ],
    align=True,
)

CLOCK: Final = np.dtype(
    [
        ("hi", np.int64),  # whose clock, and as whom it saw, both from ``whom``
        ("lo", np.int64),
        ("last_ns", np.int64),
        ("tsval", np.int64),
        ("ports", np.int64),  # both ports of the last handshake, as one number
        ("agreed", np.int32),  # handshakes in a row whose clock went on from the one before
        ("agreed_before", np.int32),  # the same before the clock was found to have started anew
        ("broke_ns", np.int64),  # when that was, 0 never
        ("broke_frame", np.int64),
        ("first_ns", np.int64),  # when the row of handshakes began whose clocks agree
        ("last_frame", np.int64),
    ],
    align=True,
)

NEWS: Final = np.dtype(
    [
        *KEY,  # of whom, by ``track.news``; last_ns: when it was last said
        ("last_frame", np.int64),
        ("word", np.int64),  # what was said: a station, an address, a port
        ("mac", np.int64),  # the station that it is about, -1 none
        ("first_ns", np.int64),  # when the latest row of equal announcements began
        ("first_frame", np.int64),
        ("before_ns", np.int64),  # the same of the row before it; frame 0: none
        ("before_frame", np.int64),
        ("before_word", np.int64),
        ("turns", np.int64),  # how often something else was said than before
        ("digest", np.int64),
    ],
    align=True,
)
"""What was announced, and what before that."""

OF_STATION: Final = -1
ASKED: Final = -2
SERVED: Final = -16
"""Tags of records that are not of an address; a service's is this minus its port."""

MOST_HOSTS: Final = 1 << 14
MOST_STATIONS: Final = 1 << 12
MOST_CLAIMS: Final = 1 << 12
MOST_ASKS: Final = 1 << 12
MOST_SERVICES: Final = 1 << 14
MOST_NEWS: Final = 1 << 12
CLOCKS: Final = 1 << 10
"""Pairs of addresses whose clocks are known: one takes the place of another."""

MULTIPLIER: Final = 0x9E3779B97F4A7C15 & WORD
"""Mixes an address of 128 bits into 64; odd."""

SYN_AGAIN_NS: Final = 130_000_000_000
"""A SYN is sent again no later (Linux tcp_syn_retries: 6 times in 127 s)."""
CLOCK_FASTEST_NS: Final = 900_000
"""A tick of a timestamp clock is not shorter (RFC 7323 5.4: 1 ms or longer)."""
CLOCK_SLACK: Final = 5_000
"""This many ticks more say nothing."""


VRRP: Final = 0x00005E0001
VRRP_6: Final = 0x00005E0002
HSRP: Final = 0x00000C07AC
HSRP_2: Final = 0x00000C9FF
GLBP: Final = 0x0007B4
"""First octets of MAC addresses at which routers are that send from others (RFC 9568 7.3; Cisco's HSRP, GLBP)."""


@loop
def is_virtual(mac: int) -> bool:
    """Say whether a MAC address is one of a virtual router, that several of a group speak for."""
    return mac >> 8 in (VRRP, VRRP_6, HSRP) or mac >> 12 == HSRP_2 or mac >> 24 == GLBP


@loop
def no_gap(host: Record) -> None:
    """Begin with no silence."""
    host["gap_from_ns"] = 0
    host["gap_to_ns"] = 0
    host["gap_from_frame"] = 0
    host["gap_to_frame"] = 0
    host["longest_ns"] = GAP_LEAST_NS
    host["second_ns"] = GAP_LEAST_NS


@loop
def new_host(host: Record, ts_ns: int, frame: int, mac: int) -> None:
    """Begin to know a host, whose key is set."""
    host["last_ns"] = ts_ns
    host["last_frame"] = frame
    host["mac"] = mac
    host["last_what"] = -1
    host["ttl"] = -1
    no_gap(host)
    host["first_ns"] = ts_ns
    host["mac_before"] = -1
    host["mac_ns"] = 0
    host["mac_frame"] = 0
    host["ttl_ns"] = 0
    host["ttl_frame"] = 0
    host["ttl_before"] = -1
    host["mac_turns"] = 0
    host["ttl_turns"] = 0


@loop
def new_station(station: Record, ts_ns: int, frame: int) -> None:
    """Begin to know a station, whose key is set."""
    station["last_ns"] = ts_ns
    station["last_frame"] = frame
    station["last_what"] = -1
    station["has_tcp"] = 0
    no_gap(station)
    station["owner_hi"] = 0
    station["owner_lo"] = 0
    station["asks_hi"] = 0
    station["asks_lo"] = 0


@loop
def note_row(note: Record, row: Record, awaited: bool) -> bool:  # noqa: FBT001 - loops take positional arguments
    """Write what a SEGMENT row shows of the host that sent it; False if nothing.

    ``awaited`` says that its receiver has sent a SYN, and nothing answered that yet.
    """
    flags = row["flags"]
    note["ts_ns"] = row["ts_ns"]
    note["frame"] = row["frame"]
    note["hi"] = row["src_hi"]
    note["lo"] = row["src_lo"]
    note["tag"] = row["tag"]
    note["mac"] = row["src_mac"]
    note["dst_hi"] = row["dst_hi"]
    note["dst_lo"] = row["dst_lo"]
    note["tsval"] = -1
    note["ports"] = row["src_port"] << 16 | row["dst_port"]
    note["port"] = 0
    note["ttl"] = row["ttl"]
    note["what"] = TCP
    if row["note"] == NOTE_ICMP_ERROR:
        note["hi"] = row["sack_left"]
        note["lo"] = row["sack_right"]
        note["what"] = ICMP
    elif flags & RST:
        note["port"] = row["src_port"]
        note["what"] = REFUSED
        return awaited and (flags & ACK) != 0 and row["seq"] == 0
    elif flags & (SYN | ACK) == SYN | ACK:
        note["port"] = row["src_port"]
        note["tsval"] = row["tsval"]
    elif flags & SYN:
        note["tsval"] = row["tsval"]
    return True


@loop
def heard(host: Record, ts_ns: int, frame: int, what: int) -> None:
    """Note a sign of life of a host or station."""
    passed_ns = ts_ns - host["last_ns"]
    if passed_ns < 0:
        return
    if passed_ns > host["second_ns"]:
        if passed_ns > host["longest_ns"]:
            host["second_ns"] = host["longest_ns"]
            host["longest_ns"] = passed_ns
            host["gap_from_ns"] = host["last_ns"]
            host["gap_from_frame"] = host["last_frame"]
            host["gap_to_ns"] = ts_ns
            host["gap_to_frame"] = frame
        else:
            host["second_ns"] = passed_ns
    host["last_ns"] = ts_ns
    host["last_frame"] = frame
    host["last_what"] = what


@loop
def whom(hi: int, lo: int) -> int:
    """Return an address as one word."""
    return (lo ^ ((lo >> 62) & 3) * MULTIPLIER ^ ((hi ^ (hi >> 63)) & WORD) * MULTIPLIER ^ (hi >> 63)) & WORD


@loop
def clock_of(hi: int, lo: int) -> int:
    """Return where the clock of a pair of addresses is kept."""
    word = hi ^ (lo >> 3) ^ (hi >> 11) ^ (lo >> 17)
    return word & (CLOCKS - 1)
