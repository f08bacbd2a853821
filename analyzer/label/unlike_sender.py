"""In what a RST differs from the other packets of the host in whose name it came.

A kernel's RST for a connection that it does not know is made apart from all sockets: Linux sends it with IP ID 0 and
TTL 64, others with TTL 255 or with the next IP ID. So a TTL is compared as a distance, an IP ID only with a host that
counts, and a station (MAC address) that is the host's own on its own link outweighs both.

It must not know what the RST says or ends.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from analyzer.label.distance import hops
from analyzer.loops.loop import loop
from analyzer.tolerances import ID_FAR, ID_NEXT, ID_STEPS, ROUTE_CHANGE

if TYPE_CHECKING:
    from analyzer.untyped import Record


class Stranger(IntEnum):
    """How a RST can differ from its sender's other packets; bits."""

    TTL = 1
    """It came another distance."""
    MAC = 2
    """Another station sent it."""
    IP_ID = 4
    """Its IP ID is far from the sender's counter."""
    WENT_ON = 8
    """Its sender went on afterwards as if it had sent none."""


# What ``track.habits`` knows of a RST's host, over all its flows: bits of ``host`` of a SEEN row.
KNOWN: Final = 1  # TTLs and stations of it
NEAR: Final = 2  # its packets, or packets made apart from sockets, come as far as this RST did
STATION: Final = 4  # this RST's station is one of its own
ON_LINK: Final = 8  # none of its packets comes over a router
RANDOM: Final = 16  # its IP IDs do not go on like counters
NEXT_ID: Final = 32  # this RST's IP ID follows one of its own

OTHER_TTL: Final = int(Stranger.TTL)
OTHER_MAC: Final = int(Stranger.MAC)
OTHER_IP_ID: Final = int(Stranger.IP_ID)
SENDER_WENT_ON: Final = int(Stranger.WENT_ON)
"""Names for loops, which take plain ints."""


@loop
def same_distance(row: Record) -> int:
    """Say whether a RST came as far as its sender's packets did, whatever TTL it began with.

    One that began with another TTL is not excused by a longer way: what it began with is only inferred.
    """
    own_low = row["ttl_low"]
    own_high = row["ttl_high"]
    ttl = row["ttl"]
    if own_low < 0 or ttl < 0 or own_low - ROUTE_CHANGE <= ttl <= own_high:
        return 1
    nearest = min(hops(own_low), hops(own_high))
    farthest = max(hops(own_low), hops(own_high))
    return 1 if nearest <= hops(ttl) <= farthest else 0


@loop
def strangeness(row: Record, sender: Record) -> int:
    """Return the Stranger bits of a RST (a SEEN row), less WENT_ON: by what is known of its sender, over all its flows.

    ``host`` of the row has what ``track.habits`` knows; without it the packets of its own flow before it stand alone.
    """
    host = row["host"]
    known_macs = row["own_mac"] >= 0 and row["src_mac"] >= 0
    same_mac = host & STATION or (known_macs and row["own_mac"] == row["src_mac"])
    # behind a router every packet bears the router's address, the box's too
    on_link = host & ON_LINK or (row["ttl_low"] >= 0 and hops(row["ttl_low"]) == 0)
    counting = row["own_ip_id"] > 0 and row["ip_id"] > 0 and sender["id_steps"] >= ID_STEPS and host & RANDOM == 0
    step = (row["ip_id"] - row["own_ip_id"]) & 0xFFFF
    next_id = counting and (0 < step <= ID_NEXT or host & NEXT_ID)
    as_far = host & NEAR if host & KNOWN else same_distance(row)
    bits = 0
    if as_far == 0 and not (same_mac and on_link) and not next_id:
        bits += OTHER_TTL
    if known_macs and not same_mac:
        bits += OTHER_MAC
    if counting and not next_id and ID_FAR < step < 0x10000 - ID_NEXT:
        bits += OTHER_IP_ID
    return bits
