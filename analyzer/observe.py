"""The loop that every segment passes through once.

``observe`` finds the flow of each row, keeps a SEEN row if the segment is notable (what was known of both endpoints
*before* it), and then lets the segment change what is known. Flow, endpoint and SEEN records are arrays with chains
of free records, so that memory follows live flows and notable segments, never packets.

It must not decide what a segment is, or how a flow ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer.flow import find, hash_of, insert, likely, new_flow, remove, side_of
from analyzer.kernel import kernel, prefetch
from analyzer.seen import LIKE_KEEPALIVE, notable, remember
from analyzer.segment import ACK, FIN, NOTE_CUT, NOTE_ICMP_ERROR, NOTE_TCP, RST, SYN
from analyzer.seqnum import unwrap
from analyzer.tcb import (
    begins_incarnation,
    is_copy,
    learn_header,
    learn_numbers,
    learn_time,
    new_endpoint,
    sign_in,
    signature,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Positions in the registers array, the tracker's counters that a kernel changes.
FLOWS_USED: Final = 0  # high-water mark of the flow array
FLOW_FREE: Final = 1  # head of the chain of free flow records, -1 none
SEEN_USED: Final = 2
SEEN_FREE: Final = 3
NEXT_NUMBER: Final = 4
SLOTS_USED: Final = 5  # slots that are not FREE (live or gone)
LIVE: Final = 6
LEAVING: Final = 7  # how many flows the last call pushed out
COPIES: Final = 8
SEED: Final = 9
SEGMENTS: Final = 10  # TCP segments, copies included
NOW_NS: Final = 11  # latest time of a row
REGISTERS: Final = 12

AHEAD: Final = 32
"""Rows whose flows are fetched into the cache before they are wanted; a power of two."""
FLOW_LINES: Final = 2
ENDPOINT_LINES: Final = 6
ROW_LINES: Final = 3
"""Cache lines of their records that nearly every segment touches."""


@kernel
def keep(seen: Any, registers: Any, flow: Any, index: int) -> int:  # noqa: ANN401 - records
    """Append a fresh SEEN row to a flow's chain and return its index."""
    head = registers[SEEN_FREE]
    if head >= 0:
        registers[SEEN_FREE] = seen[head]["next"]
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


@kernel
def enrol(slots: Any, flows: Any, ends: Any, registers: Any, row: Any, digest: int) -> int:  # noqa: ANN401
    """Start a flow for this row and return its index."""
    head = registers[FLOW_FREE]
    if head >= 0:
        registers[FLOW_FREE] = flows[head]["number"]
    else:
        head = registers[FLOWS_USED]
        registers[FLOWS_USED] = head + 1
    new_flow(flows[head], row, digest, registers[NEXT_NUMBER])
    new_endpoint(ends[2 * head])
    new_endpoint(ends[2 * head + 1])
    registers[NEXT_NUMBER] += 1
    registers[LIVE] += 1
    registers[SLOTS_USED] += insert(slots, digest, head)
    return head


@kernel
def look_ahead(  # noqa: PLR0917 - kernels take positional arguments
    rows: Any,  # noqa: ANN401
    first: int,
    last: int,
    slots: NDArray[np.int64],
    flows: Any,  # noqa: ANN401
    ends: Any,  # noqa: ANN401
    digests: NDArray[np.int64],
    hints: NDArray[np.int64],
    seed: int,
) -> None:
    """Hash these rows, guess their flows, and have the processor fetch what ``observe`` will touch."""
    mask = len(slots) - 1
    for i in range(first, last):
        digest = hash_of(rows[i], seed)
        digests[i - first] = digest
        prefetch(slots, digest & mask, 0)
        ahead = min(i + AHEAD, len(rows) - 1)
        for line in range(ROW_LINES):
            prefetch(rows, ahead, line)
    for i in range(last - first):
        index = likely(slots, digests[i])
        hints[i] = index
        if index >= 0:
            for line in range(FLOW_LINES):
                prefetch(flows, index, line)
            for line in range(ENDPOINT_LINES):
                prefetch(ends, 2 * index, line)
                prefetch(ends, 2 * index + 1, line)


@kernel
def observe(  # noqa: PLR0917 - as above
    rows: Any,  # noqa: ANN401
    count: int,
    slots: NDArray[np.int64],
    flows: Any,  # noqa: ANN401
    ends: Any,  # noqa: ANN401
    seen: Any,  # noqa: ANN401
    leaving: Any,  # noqa: ANN401
    registers: Any,  # noqa: ANN401
    digests: NDArray[np.int64],
    hints: NDArray[np.int64],
) -> None:
    """Pass ``count`` SEGMENT rows through the flow table in order.

    The caller has made room for ``count`` more flows, SEEN rows and slots. Flows that a new incarnation pushed out are
    listed in ``leaving``. ``digests`` and ``hints`` are room for AHEAD entries.
    """
    seed = registers[SEED]
    now_ns = registers[NOW_NS]
    segments = 0
    for i in range(count):
        place = i % AHEAD
        if place == 0:
            look_ahead(rows, i, min(i + AHEAD, count), slots, flows, ends, digests, hints, seed)
        row = rows[i]
        digest = digests[place]
        index = hints[place]
        note = row["note"]
        now_ns = max(now_ns, row["ts_ns"])
        if note == NOTE_TCP:
            segments += 1
        # the guess is wrong where another flow has the same hash, or this one began or ended since
        if index < 0 or flows[index]["alive"] == 0 or side_of(flows[index], row) < 0:
            index = find(slots, flows, row, digest)
        if note == NOTE_CUT:
            if index < 0:
                index = enrol(slots, flows, ends, registers, row, digest)
            flows[index]["cut"] += 1
            flows[index]["last_ns"] = row["ts_ns"]
            flows[index]["last_frame"] = row["frame"]
            continue
        if note == NOTE_ICMP_ERROR:
            if index >= 0:
                flow = flows[index]
                side = side_of(flow, row)
                end = ends[2 * index + side]
                at = seen[keep(seen, registers, flow, index)]
                remember(at, flow, end, ends[2 * index + 1 - side], row, unwrap(row["seq"], end["snd_nxt"]), -1)
                at["side"] = side
                at["is_copy"] = 0
            continue
        flags = row["flags"]
        if index >= 0 and flags & SYN and not flags & RST:
            side = side_of(flows[index], row)
            if begins_incarnation(flows[index], ends[2 * index + side], ends[2 * index + 1 - side], row) == 1:
                flows[index]["alive"] = 0
                flows[index]["reused_ns"] = row["ts_ns"]
                remove(slots, digest, index)
                leaving[registers[LEAVING]] = index
                registers[LEAVING] += 1
                registers[LIVE] -= 1
                index = -1
        if index < 0:
            index = enrol(slots, flows, ends, registers, row, digest)
        flow = flows[index]
        side = side_of(flow, row)
        end = ends[2 * index + side]
        peer = ends[2 * index + 1 - side]
        if flags & SYN and not flags & RST and end["syn_frame"] == 0 and end["segments"] > 0:
            # what it sent before its SYN belongs to an older connection
            sent = end["segments"]
            new_endpoint(end)
            end["segments"] = sent
            peer["snd_una"] = -1

        ts_ns = row["ts_ns"]
        seq = unwrap(row["seq"], end["snd_nxt"] if end["snd_nxt"] >= 0 else end["snd_una"])
        ack = unwrap(row["ack"], peer["snd_nxt"] if peer["snd_nxt"] >= 0 else peer["snd_una"]) if flags & ACK else -1
        sign = signature(row)
        copy = is_copy(end, sign, ts_ns, row["ip_id"])
        mark = notable(flow, end, peer, row, seq, ack, copy)
        if mark > 0:
            at = seen[keep(seen, registers, flow, index)]
            remember(at, flow, end, peer, row, seq, ack)
            at["side"] = side
            at["is_copy"] = copy
        if copy == 1:
            flow["copies"] += 1
            registers[COPIES] += 1
            flow["last_ns"] = max(flow["last_ns"], ts_ns)
            flow["last_frame"] = row["frame"]
            continue
        sign_in(end, sign, ts_ns)

        # an empty segment that acknowledges nothing new, while a probe waits, is its answer and not activity
        alike = 1 if mark == LIKE_KEEPALIVE else 0
        reacts = mark != LIKE_KEEPALIVE and peer["pending_seq"] >= 0
        if reacts and row["payload_len"] == 0 and not flags & (SYN | FIN | RST) and ack <= peer["pending_seq"] + 1:
            alike = 1
        if flags & RST:
            peer["pending_seq"] = -1
            flow["reset_count"] += 1
            flow["after_reset"] = 0
            end["segments"] += 1
            learn_time(flow, end, row, alike)
            continue
        flow["after_reset"] += 1
        learn_numbers(end, peer, row, seq, ack)
        learn_header(end, row, seq, ack)
        if reacts:
            peer["pending_seq"] = -1
        # one octet into a closed window is a probe of it, and waits for an answer too
        if mark == LIKE_KEEPALIVE or (row["payload_len"] == 1 and peer["window"] == 0):
            end["pending_seq"] = seq
        elif row["payload_len"] > 0:
            end["pending_seq"] = -1
        learn_time(flow, end, row, alike)
    registers[NOW_NS] = now_ns
    registers[SEGMENTS] += segments
