"""What a host's packets look like over all its flows, TTLs and stations: what RSTs in its name are compared with.

Fed by the first segment of each end of each flow, so that no other segment pays; a host whose place another takes is
forgotten, so that memory is bounded. Kept by address, VLAN or tunnel, and interface: copies of a packet differ.

It must not judge any RST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop, records

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

HABIT: Final = np.dtype(
    [
        ("hi", np.int64),
        ("lo", np.int64),
        ("tag", np.int64),
        ("interface", np.int64),
        ("mac", np.int64),  # the last two stations that sent in its name, -1 unknown
        ("mac_before", np.int64),
        ("ttl_low", np.int32),  # -1 none
        ("ttl_high", np.int32),
    ],
    align=True,
)
HABITS: Final = 1024
"""Hosts that are remembered: a power of two."""


@loop
def place_of_host(row: Record) -> int:
    """Return where the sender of a segment would be remembered."""
    mixed = row["src_lo"] ^ (row["src_lo"] >> 10) ^ (row["src_lo"] >> 20) ^ row["src_hi"] ^ (row["src_hi"] >> 13)
    place: int = (mixed ^ row["tag"] ^ row["interface"]) & (HABITS - 1)
    return place


@loop
def is_of(habit: Record, row: Record) -> bool:
    """Say whether what is remembered is of the sender of a segment."""
    same = habit["lo"] == row["src_lo"] and habit["hi"] == row["src_hi"] and habit["tag"] == row["tag"]
    return same and habit["interface"] == row["interface"] and habit["ttl_low"] >= 0


@loop
def note_habit(habits: Rows, row: Record) -> None:
    """Take the first segment of one end of a flow, no RST, into what is known of its host."""
    habit = habits[place_of_host(row)]
    if is_of(habit, row):
        habit["ttl_low"] = min(habit["ttl_low"], row["ttl"])
        habit["ttl_high"] = max(habit["ttl_high"], row["ttl"])
        if habit["mac"] != row["src_mac"]:
            habit["mac_before"] = habit["mac"]
            habit["mac"] = row["src_mac"]
        return
    habit["hi"] = row["src_hi"]
    habit["lo"] = row["src_lo"]
    habit["tag"] = row["tag"]
    habit["interface"] = row["interface"]
    habit["mac"] = row["src_mac"]
    habit["mac_before"] = -1
    habit["ttl_low"] = row["ttl"]
    habit["ttl_high"] = row["ttl"]


@loop
def widen(habits: Rows, row: Record, at: Record) -> None:
    """Let what is known of its host widen what a RST (``row``, SEEN row ``at``) is compared with."""
    habit = habits[place_of_host(row)]
    if not is_of(habit, row):
        return
    at["ttl_low"] = habit["ttl_low"] if at["ttl_low"] < 0 else min(at["ttl_low"], habit["ttl_low"])
    at["ttl_high"] = max(at["ttl_high"], habit["ttl_high"])
    mac = row["src_mac"]
    if mac >= 0 and (mac == habit["mac"] or mac == habit["mac_before"]):
        at["own_mac"] = mac
    elif at["own_mac"] < 0:
        at["own_mac"] = habit["mac"]


def no_habits(*, jit: bool) -> Rows:
    """Return room for the habits of hosts, empty."""
    found = records(HABIT, HABITS, jit=jit)
    for record in found:
        record["ttl_low"] = -1
    return found
