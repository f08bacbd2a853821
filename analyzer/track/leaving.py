"""Which flows leave the table, and how their records are given back: the loops of a sweep.

It must not know what a finished flow is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.loops.loop import loop
from analyzer.track.tally import FLOWS_USED, LIVE
from analyzer.track.two_tags import take_out

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows


@loop
def sweep(
    slots: Numbers,
    flows: Rows,
    ends: Rows,
    registers: Numbers,
    before_ns: int,
    many: int,
    most: int,
    leaving: Numbers,
) -> tuple[int, int, int]:
    """Take the live flows that are over and quiet since ``before_ns`` out of the table.

    Over: both ends sent FIN, a RST passed and nothing followed, or nothing but SYNs of one end was ever seen. They are
    listed at the beginning of ``leaving``, no more than ``most``, and at its end the live flows with ``many`` SEEN rows
    or more.

    Returns:
        How many are listed at the beginning, and at the end; how many SEEN rows the other flows have that go on.
    """
    count = 0
    long = 0
    rows = 0
    for index in range(registers[FLOWS_USED]):
        flow = flows[index]
        if flow["alive"] != 1:
            continue
        if flow["seen_count"] >= many:
            long += 1
            leaving[len(leaving) - long] = index
        else:
            rows += flow["seen_count"]
        if flow["last_ns"] > before_ns:
            continue
        a = ends[2 * index]
        b = ends[2 * index + 1]
        closed = a["fin_frame"] > 0 and b["fin_frame"] > 0
        reset_ended = flow["reset_count"] > 0 and flow["after_reset"] == 0
        unanswered = b["segments"] == 0 and a["segments"] == a["syn_count"]
        if count < most and (closed or reset_ended or unanswered):
            leaving[count] = index
            count += 1
            take_out(slots, flow, index)
            flow["alive"] = 0
            if flow["former"] >= 0:
                leaving[count] = flow["former"]
                count += 1
                flows[flow["former"]]["alive"] = 0
                flow["former"] = -1
            if flow["seen_count"] < many:
                rows -= flow["seen_count"]
    registers[LIVE] -= count
    return count, long, rows


@loop
def retire(indices: Numbers, flows: Rows, registers: Numbers, free: int) -> None:
    """Chain these flow records in front of the free ones."""
    for i in range(len(indices)):
        flow = flows[indices[i]]
        flow["alive"] = 0
        flow["number"] = registers[free]
        registers[free] = indices[i]


@loop
def walk(flow: Record, seen: Rows, chain: Numbers) -> None:
    """Write the indices of the flows' SEEN rows to ``chain``, flow by flow in order."""
    to = 0
    for i in range(len(flow)):
        at = flow[i]["first_seen"]
        while at >= 0:
            chain[to] = at
            to += 1
            at = seen[at]["next"]


@loop
def give_back_rows(chain: Numbers, seen: Rows, registers: Numbers, free: int) -> None:
    """Chain these SEEN rows in front of the free ones."""
    for i in range(len(chain)):
        seen[chain[i]]["next"] = registers[free]
        registers[free] = chain[i]
