"""The tally of a tracker: its registers, numbers that loops change, and how FLOW and SEEN records are taken by them.

Records lie in tables with chains of free ones, so that memory follows live flows and notable segments. Who takes one
has the processor fetch the next free one, for records lie anywhere.

It must not know why a flow begins or leaves, or a segment is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import fetch, lines_of, loop
from analyzer.track.awake import WORDS
from analyzer.track.endpoint import ENDPOINT, new_endpoint
from analyzer.track.flow import FLOW, insert, new_flow
from analyzer.track.seen import SEEN

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

# Positions in the registers array, the tracker's counters that a loop changes.
FLOWS_USED: Final = 0  # high-water mark of the flow array
FLOW_FREE: Final = 1  # head of the chain of free flow records, -1 none
SEEN_USED: Final = 2
SEEN_FREE: Final = 3
NEXT_NUMBER: Final = 4
SLOTS_USED: Final = 5  # slots that are not FREE (live or gone)
LIVE: Final = 6
LEAVING: Final = 7  # how many flows the last call pushed out
COPIES: Final = 8
SEGMENTS: Final = 9  # TCP segments, copies included
NOW_NS: Final = 10  # latest time of a row
KEY_LOW: Final = 11  # what the hash multiplies with, from flow.keys_of
KEY_LOW_TOP: Final = 12
KEY_HIGH: Final = 13
KEY_HIGH_TOP: Final = 14
KEY_PORT: Final = 15
WATCHING: Final = 16  # how many segments behind a leap of the capture's time may still testify
LEAP_FRAME: Final = 17  # the first frame behind it
TESTIMONY: Final = 18  # what they say, from awake.testify
NOTED: Final = TESTIMONY + WORDS  # how many NOTE records wait for ``attend``
REGISTERS: Final = NOTED + 1

FLOW_RECORD: Final = lines_of(FLOW)
ENDPOINT_RECORD: Final = lines_of(ENDPOINT)
SEEN_RECORD: Final = lines_of(SEEN)
"""Cache lines in which a whole record lies."""


@loop
def keep(seen: Rows, registers: Numbers, flow: Record, index: int) -> int:
    """Append a fresh SEEN row to a flow's chain and return its index."""
    head = registers[SEEN_FREE]
    if head >= 0:
        following = seen[head]["next"]
        registers[SEEN_FREE] = following
        if following >= 0:
            fetch(seen, following, SEEN_RECORD)
    else:
        head = registers[SEEN_USED]
        registers[SEEN_USED] = head + 1
    if flow["last_seen"] >= 0:
        seen[flow["last_seen"]]["next"] = head
    else:
        flow["first_seen"] = head
    flow["last_seen"] = head
    flow["seen_count"] += 1
    seen[head]["flow"] = index
    return head


@loop
def let_go(flows: Rows, leaving: Numbers, registers: Numbers, index: int) -> None:
    """List a flow that is out of the table among those that leave."""
    flows[index]["alive"] = 0
    flows[index]["reused_ns"] = max(flows[index]["reused_ns"], flows[index]["last_ns"])
    leaving[registers[LEAVING]] = index
    registers[LEAVING] += 1
    registers[LIVE] -= 1


@loop
def enrol(slots: Numbers, flows: Rows, ends: Rows, registers: Numbers, row: Record, digest: int) -> int:
    """Start a flow for this row, enter it into the table, and return its index."""
    head = begin(flows, ends, registers, row, digest)
    registers[SLOTS_USED] += insert(slots, digest, head)
    return head


@loop
def begin(flows: Rows, ends: Rows, registers: Numbers, row: Record, digest: int) -> int:
    """Start a flow for this row and return its index; the table does not lead to it."""
    head = registers[FLOW_FREE]
    if head >= 0:
        following = flows[head]["number"]
        registers[FLOW_FREE] = following
        if following >= 0:
            fetch(flows, following, FLOW_RECORD)
            fetch(ends, 2 * following, ENDPOINT_RECORD)
            fetch(ends, 2 * following + 1, ENDPOINT_RECORD)
    else:
        head = registers[FLOWS_USED]
        registers[FLOWS_USED] = head + 1
    new_flow(flows[head], row, digest, registers[NEXT_NUMBER])
    new_endpoint(ends[2 * head])
    new_endpoint(ends[2 * head + 1])
    registers[NEXT_NUMBER] += 1
    registers[LIVE] += 1
    return head
