"""One connection as two flows: a NAT host, a router, or the interface any, captures packets before and after.

When a flow begins, its first segment is compared with the first ones of flows that began moments before: translation
leaves numbers, timestamps, window and IP ID alone, changes the address of one end, and a router takes from the TTL.
Between two VLANs a router changes no address, but the tag; then the "other" address is the same.
Both flows then bear each other's number and what the other end is called there; the later one is the copy.

Compared at the beginning of flows only, so that no segment pays for it. It must not decide what is counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop, scattered
from analyzer.tolerances import COPY_NS, COPY_SAME_ID_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

BEGINNING: Final = np.dtype(
    [
        ("sign", np.int64),  # signature of a flow's first segment
        ("ts_ns", np.int64),
        ("index", np.int64),  # of the flow's record
        ("number", np.int64),  # and its number, which tells whether the record is still that flow's; -1 none
        ("ttl", np.int64),
    ],
    align=True,
)
BEGINNINGS: Final = 256
"""How many are remembered, each in the place of its signature: a power of two."""
ROUTERS: Final = 8
"""A packet passes no more routers between two interfaces of one host, or two taps of one capture."""


@loop
def link_translation(flows: Rows, beginnings: Rows, index: int, row: Record, sign: int) -> None:
    """Remember how the flow at ``index`` begins, or link it with one that began with the same packet moments ago."""
    at = beginnings[sign & (BEGINNINGS - 1)]
    flow = flows[index]
    since_ns = row["ts_ns"] - at["ts_ns"]
    moments_ns = COPY_SAME_ID_NS if row["ip_id"] > 0 else COPY_NS
    if at["number"] >= 0 and at["sign"] == sign and 0 <= since_ns <= moments_ns:
        first = flows[at["index"]]
        routers = abs(row["ttl"] - at["ttl"])
        if first["number"] == at["number"] and first["alive"] == 1 and first["twin"] == 0 and 0 < routers <= ROUTERS:
            side = end_that_differs(first, flow)
            if side >= 0:
                call(first, flow, side, 0)
                call(flow, first, side, 1)
                first["twin_at"] = index
                flow["twin_at"] = at["index"]
                return
    at["sign"] = sign
    at["ts_ns"] = row["ts_ns"]
    at["index"] = index
    at["number"] = flow["number"]
    at["ttl"] = row["ttl"]


@loop
def end_that_differs(first: Record, flow: Record) -> int:
    """Return 0 if only the address of ``a`` differs between two flows, or only the tag; 1 if that of ``b``, else -1."""
    same_a = first["a_hi"] == flow["a_hi"] and first["a_lo"] == flow["a_lo"]
    same_b = first["b_hi"] == flow["b_hi"] and first["b_lo"] == flow["b_lo"]
    same_ports = first["a_port"] == flow["a_port"] and first["b_port"] == flow["b_port"]
    if same_a and same_b and same_ports and first["tag"] != flow["tag"]:
        return 0
    if same_b and not same_a and first["b_port"] == flow["b_port"]:
        return 0
    if same_a and not same_b and first["a_port"] == flow["a_port"]:
        return 1
    return -1


@loop
def call(flow: Record, other: Record, side: int, copy: int) -> None:
    """Note in a flow what its end ``side`` is called in the other one."""
    flow["twin"] = other["number"] + 1
    flow["twin_side"] = side
    flow["twin_is_first"] = copy
    flow["twin_hi"] = other["a_hi"] if side == 0 else other["b_hi"]
    flow["twin_lo"] = other["a_lo"] if side == 0 else other["b_lo"]
    flow["twin_port"] = other["a_port"] if side == 0 else other["b_port"]


def no_beginnings(*, jit: bool) -> Rows:
    """Return room for the beginnings of flows, empty."""
    return scattered(BEGINNING, BEGINNINGS, jit=jit, number=-1)
