"""What a host's packets look like over all its flows, one direction and copy: what RSTs in its name are compared with.

TTLs are kept as sets, one bit for each distance by the initial TTL that it was counted from; the last four stations
(MAC addresses); and how the IP ID goes on from packet to packet. No counts: a RST that looks like even one packet of
its host is not unlike it, and a set needs only the packets that bring something new. Those are the first of an end of a
flow, and those whose TTL or station that flow did not have; all others take the short way, which sees to it (a TTL is
the lowest or highest of its flow end, the station the last one). So the sets are exact, and no ordinary segment pays.

Kept by address, VLAN or tunnel, and interface, because copies of a packet differ. A host whose place another takes is
forgotten, so that memory is bounded. A RST is compared when it comes and again when its flow is judged, because later
packets of its host tell as much as earlier ones.

It must not judge any RST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.label.unlike_sender import KNOWN, NEAR, NEXT_ID, ON_LINK, RANDOM, STATION
from analyzer.loops.loop import loop, scattered
from analyzer.tolerances import ID_FAR, ID_NEXT, ROUTE_CHANGE

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

HABIT: Final = np.dtype(
    [
        ("hi", np.int64),
        ("lo", np.int64),
        ("tag", np.int64),
        ("interface", np.int64),
        ("mac", np.int64),  # the last four stations that sent in its name, the newest first, -1 unknown
        ("mac1", np.int64),
        ("mac2", np.int64),
        ("mac3", np.int64),
        ("hops64", np.int64),  # over how many routers its packets came, a bit each, by initial TTL 64, 128 and 255
        ("hops128", np.int64),
        ("hops255", np.int64),
        ("ttl_low", np.int32),  # -1 none
        ("ttl_high", np.int32),
        ("ip_id", np.int32),  # the last one above 0 that was looked at, -1 none
        ("id_near", np.int32),  # how often an IP ID went on from the one before in its flow like a counter
        ("id_far", np.int32),  # how often it did not
    ],
    align=True,
)
HABITS: Final = 1024
"""Hosts that are remembered: a power of two."""
FIRST: Final = 4
"""This many segments of each end of a flow show how the IP ID goes on."""
MOST_HOPS: Final = 61
"""Packets that came over more routers are taken for one distance."""


@loop
def place_of_host(hi: int, lo: int, tag: int, interface: int) -> int:
    """Return where a host would be remembered."""
    mixed = lo ^ (lo >> 10) ^ (lo >> 20) ^ hi ^ (hi >> 13)
    place: int = (mixed ^ tag ^ interface) & (HABITS - 1)
    return place


@loop
def is_of(habit: Record, hi: int, lo: int, tag: int, interface: int) -> bool:
    """Say whether what is remembered is of this host."""
    same = habit["lo"] == lo and habit["hi"] == hi and habit["tag"] == tag
    return same and habit["interface"] == interface and habit["ttl_low"] >= 0


@loop
def brings_news(end: Record, row: Record) -> bool:
    """Say whether a segment of ``end`` may show something new of its host."""
    other_ttl = row["ttl"] != end["ttl_low"] and row["ttl"] != end["ttl_high"]
    return end["segments"] < FIRST or other_ttl or row["src_mac"] != end["mac"]


@loop
def note_habit(habits: Rows, end: Record, row: Record) -> None:
    """Take a segment of ``end``, no RST and no copy, into what is known of its host; ``end`` has not learnt it yet."""
    hi, lo, tag, interface = row["src_hi"], row["src_lo"], row["tag"], row["interface"]
    habit = habits[place_of_host(hi, lo, tag, interface)]
    if not is_of(habit, hi, lo, tag, interface):
        habit["hi"] = hi
        habit["lo"] = lo
        habit["tag"] = tag
        habit["interface"] = interface
        habit["mac"] = row["src_mac"]
        habit["mac1"] = -1
        habit["mac2"] = -1
        habit["mac3"] = -1
        habit["hops64"] = 0
        habit["hops128"] = 0
        habit["hops255"] = 0
        habit["ttl_low"] = row["ttl"]
        habit["ttl_high"] = row["ttl"]
        habit["ip_id"] = -1
        habit["id_near"] = 0
        habit["id_far"] = 0
    note_ttl(habit, row["ttl"])
    note_station(habit, row["src_mac"])
    if row["ip_id"] > 0:
        if 0 < end["segments"] < FIRST and end["ip_id"] > 0:
            if 0 < (row["ip_id"] - end["ip_id"]) & 0xFFFF <= ID_FAR:
                habit["id_near"] += 1
            else:
                habit["id_far"] += 1
        habit["ip_id"] = row["ip_id"]


@loop
def note_ttl(habit: Record, ttl: int) -> None:
    """Take a TTL of a host."""
    habit["ttl_low"] = min(habit["ttl_low"], ttl)
    habit["ttl_high"] = max(habit["ttl_high"], ttl)
    if ttl <= 64:
        habit["hops64"] |= 1 << min(64 - ttl, MOST_HOPS)
    elif ttl <= 128:
        habit["hops128"] |= 1 << min(128 - ttl, MOST_HOPS)
    else:
        habit["hops255"] |= 1 << min(255 - ttl, MOST_HOPS)


@loop
def note_station(habit: Record, mac: int) -> None:
    """Take a station that sent in the name of a host, in place of the oldest of four."""
    if mac < 0 or has_station(habit, mac):
        return
    habit["mac3"] = habit["mac2"]
    habit["mac2"] = habit["mac1"]
    habit["mac1"] = habit["mac"]
    habit["mac"] = mac


@loop
def has_station(habit: Record, mac: int) -> bool:
    """Say whether this station is one of the last four that sent in the name of a host."""
    first = mac == habit["mac"] or mac == habit["mac1"]
    return first or mac == habit["mac2"] or mac == habit["mac3"]


@loop
def came_as_far(habit: Record, ttl: int) -> bool:
    """Say whether a packet came as far as one of a host's did, whatever TTL it began with.

    A longer way, by a few routers, is a change of the route; but one that began with another TTL is not excused by it:
    what it began with is only inferred.
    """
    if ttl <= 64:
        own = habit["hops64"]
        distance = min(64 - ttl, MOST_HOPS)
    elif ttl <= 128:
        own = habit["hops128"]
        distance = min(128 - ttl, MOST_HOPS)
    else:
        own = habit["hops255"]
        distance = min(255 - ttl, MOST_HOPS)
    for more in range(ROUTE_CHANGE + 1):
        if distance >= more and (own >> (distance - more)) & 1:
            return True
    return ((habit["hops64"] | habit["hops128"] | habit["hops255"]) >> distance) & 1 == 1


@loop
def compare(habits: Rows, at: Record, hi: int, lo: int, tag: int) -> None:
    """Write to a RST's SEEN row what is known of the host in whose name it came, beside what was known before."""
    habit = habits[place_of_host(hi, lo, tag, at["interface"])]
    if not is_of(habit, hi, lo, tag, at["interface"]):
        return
    bits = KNOWN | (at["host"] & (NEAR | STATION | NEXT_ID))
    if came_as_far(habit, at["ttl"]):
        bits |= NEAR
    if at["src_mac"] >= 0 and has_station(habit, at["src_mac"]):
        bits |= STATION
    if habit["hops64"] | habit["hops128"] | habit["hops255"] == 1:
        bits |= ON_LINK
    if habit["id_far"] > habit["id_near"]:
        bits |= RANDOM
    if habit["ip_id"] > 0 and at["ip_id"] > 0 and 0 < (at["ip_id"] - habit["ip_id"]) & 0xFFFF <= ID_NEXT:
        bits |= NEXT_ID
    at["host"] = bits


@loop
def widen(habits: Rows, end: Record, row: Record, at: Record) -> None:
    """Let what is known of its host widen what a RST (``row`` of ``end``, SEEN row ``at``) is compared with."""
    hi, lo, tag, interface = row["src_hi"], row["src_lo"], row["tag"], row["interface"]
    habit = habits[place_of_host(hi, lo, tag, interface)]
    if not is_of(habit, hi, lo, tag, interface):
        return
    if end["ttl_low"] >= 0:
        # what its own flow shows, in case the host was forgotten in between
        note_ttl(habit, end["ttl_low"])
        note_ttl(habit, end["ttl_high"])
        note_station(habit, end["mac"])
    at["ttl_low"] = habit["ttl_low"] if at["ttl_low"] < 0 else min(at["ttl_low"], habit["ttl_low"])
    at["ttl_high"] = max(at["ttl_high"], habit["ttl_high"])
    mac = row["src_mac"]
    if mac >= 0 and has_station(habit, mac):
        at["own_mac"] = mac
    elif at["own_mac"] < 0:
        at["own_mac"] = habit["mac"]
    compare(habits, at, hi, lo, tag)


@loop
def compare_again(habits: Rows, rows: Rows, start: int, stop: int, flow: Record) -> None:
    """Compare the RSTs among the SEEN rows of a flow (FLOW record ``flow``) with what is known by now of their hosts.

    Only those of whose host something was known before: a host that is known since has shown nothing of that time.
    """
    for j in range(start, stop):
        at = rows[j]
        if at["host"] & KNOWN:
            if at["side"] == 0:
                compare(habits, at, flow["a_hi"], flow["a_lo"], flow["tag"])
            else:
                compare(habits, at, flow["b_hi"], flow["b_lo"], flow["tag"])


def no_habits(*, jit: bool) -> Rows:
    """Return room for the habits of hosts, empty."""
    return scattered(HABIT, HABITS, jit=jit, ttl_low=-1)
