"""Measures what lies between the probes of one endpoint: which gaps there are, and what could make each too long.

Gaps that are no timer's are left out. It must not know options, or what a gap is good for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.timers.gaps import ANSWERED, KINDS, STARTS, UNANSWERED, copy_gap
from analyzer.judge.timers.lateness import UNKNOWN, late
from analyzer.label.outcome import ANSWER_RST, NO_ANSWER
from analyzer.loops.loop import apart, loop
from analyzer.segment import NONE
from analyzer.tolerances import EARLY_NS, GAP_LEAST_NS, HANDSHAKE_MOST_NS, JITTER_NS, ROUND_TRIP_NS, S

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

SENT: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            *("frame", "ts_ns", "payload_len", "suspected", "idle_ns", "idle_frame", "unheard"),
            *("answer", "answer_frame", "answer_ns", "header_len"),
            *("then_ns", "then_frame"),  # of the probe that has this place by time
        )
    ],
    align=True,
)
"""A probe, as ``Probe`` has it; NONE where it has None."""
HOLE: Final = np.dtype([("from_frame", np.int64), ("to_frame", np.int64)], align=True)
"""Where the capture was not awake."""
PROBER: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            *("first", "stop"),  # its probes among those SENT
            *("peer_first", "peer_stop"),  # its peer's
            *("stir_first", "stir_stop"),  # when its peer sent probes and RSTs, which may have restarted its clock
            *("doubt_first", "doubt_stop"),  # frames that its peer sent again, or that only look like a probe
            *("hole_first", "hole_stop"),
            *("handshake", "first_ns", "backwards"),  # of the flow
            *(
                "opened_count",
                "opened_ns",
                "opened_ack_ns",
            ),  # SYNs of who connected; 0 where the capture lacks segments
            *("peer_count", "peer_ns", "peer_ack_frame"),  # SYNs of the peer
            *("ttl_low", "ttl_high", "timestamps"),
            *("reset_frame", "reset_ns"),  # the RST with which it gave up, or NONE
        )
    ],
    align=True,
)
"""An endpoint that sent probes, and what of its flow is needed to infer its settings."""
MOST_GAPS: Final = 1000
"""This many gaps of one prober and kind are looked at."""


@loop
def hear(prober: Record, sent: Rows, heard: Rows) -> int:
    """Copy the probes that are more than suspected; return how many.

    Answers are removed that cannot have reached the prober, since it gave up: those to its last probes, as far back as
    the gaps equal that between the last probe and the RST.
    """
    count = 0
    for at in range(prober["first"], prober["stop"]):
        probe = sent[at]
        if probe["suspected"] != 0:
            continue
        new = heard[count]
        count += 1
        new["frame"] = probe["frame"]
        new["ts_ns"] = probe["ts_ns"]
        new["idle_ns"] = probe["idle_ns"]
        new["idle_frame"] = probe["idle_frame"]
        new["unheard"] = probe["unheard"]
        new["answer"] = probe["answer"]
        new["answer_frame"] = probe["answer_frame"]
        new["answer_ns"] = probe["answer_ns"]
    if count == 0 or prober["reset_frame"] == NONE or heard[count - 1]["answer"] == NO_ANSWER:
        return count
    until_ns = prober["reset_ns"]
    last_ns = until_ns - heard[count - 1]["ts_ns"]
    for at in range(count - 1, -1, -1):
        probe = heard[at]
        if abs(until_ns - probe["ts_ns"] - last_ns) > late(last_ns, UNKNOWN) + JITTER_NS:
            break
        until_ns = probe["ts_ns"]
        probe["answer"] = NO_ANSWER
        probe["answer_frame"] = NONE
        probe["answer_ns"] = NONE
    return count


@loop
def goes_on(before: Record, probe: Record) -> bool:
    """Say whether nothing but an answer came from the peer between two probes."""
    idle_frame = probe["idle_frame"]
    return bool((idle_frame == NONE) | (before["frame"] > idle_frame) | (before["answer_frame"] == idle_frame))


@apart
def last_run(heard: Rows, count: int) -> int:
    """Return which probe begins the unanswered ones at the end, with nothing of the peer between."""
    at = count
    while at > 0 and heard[at - 1]["answer"] == NO_ANSWER and (at == count or goes_on(heard[at - 1], heard[at])):
        at -= 1
    return at


@apart
def is_awake(prober: Record, holes: Rows, before: int, after: int) -> bool:
    """Say whether the capture was awake all the time from one frame to a later one."""
    for at in range(prober["hole_first"], prober["hole_stop"]):
        if before < holes[at]["to_frame"] and holes[at]["from_frame"] < after:
            return False
    return True


@apart
def place_of(numbers: Numbers, first: int, stop: int, number: int) -> int:
    """Return where the first of some numbers in order is that is no less than this one."""
    while first < stop:
        middle = (first + stop) // 2
        if numbers[middle] < number:
            first = middle + 1
        else:
            stop = middle
    return first


@apart
def stretch(prober: Record, stirs: Numbers, base_ns: int, probe_ns: int, gap: Record) -> None:
    """Tell how long before a probe the last of what may have restarted the clock came, and the longest stretch between.

    One right before the prober's own probe restarted nothing: it would have kept it from sending.
    """
    first = place_of(stirs, prober["stir_first"], prober["stir_stop"], base_ns + 1)
    stop = place_of(stirs, prober["stir_first"], prober["stir_stop"], probe_ns - GAP_LEAST_NS + 1)
    gap["least_ns"] = probe_ns - base_ns
    gap["quiet_ns"] = 0
    if stop > first:
        gap["least_ns"] = probe_ns - stirs[stop - 1]
        gap["quiet_ns"] = stirs[first] - base_ns
        for at in range(first + 1, stop):
            gap["quiet_ns"] = max(gap["quiet_ns"], stirs[at] - stirs[at - 1])


@loop
def measure(
    prober: Record,
    heard: Rows,
    count: int,
    stirs: Numbers,
    doubts: Numbers,
    holes: Rows,
    gaps: Rows,
    room: int,
    counts: Numbers,
) -> None:
    """Measure the gaps before each probe, and before the prober's RST, by what they show."""
    known = prober["opened_count"] == 1 and prober["opened_ns"] != NONE and prober["opened_ack_ns"] != NONE
    round_trip_ns = prober["opened_ack_ns"] - prober["opened_ns"] if known else -1
    jitter_ns = round_trip_ns // 4
    if not 0 <= round_trip_ns <= HANDSHAKE_MOST_NS:
        round_trip_ns = ROUND_TRIP_NS
        jitter_ns = JITTER_NS
    run = last_run(heard, count)
    for kind in range(KINDS):
        counts[kind] = 0
    for at in range(count):
        probe = heard[at]
        before = heard[max(0, at - 1)]
        on = at > 0 and goes_on(before, probe)
        base = before["frame"] if on else probe["idle_frame"]
        if base != NONE and not is_awake(prober, holes, base, probe["frame"]):
            continue
        if on and before["answer"] == ANSWER_RST:
            continue
        kind = STARTS
        if on:
            kind = UNANSWERED if before["answer"] == NO_ANSWER else ANSWERED
        elif probe["idle_ns"] == NONE or base == NONE or probe["unheard"] != 0:
            continue  # what the prober does not acknowledge had not reached it, and started no clock
        base_ns = before["ts_ns"] if on else probe["ts_ns"] - probe["idle_ns"]
        if kind == STARTS:
            # In mid-stream the first segment may be the answer of a probe that was missed: no start of a train.
            if prober["handshake"] == 0 and base_ns - prober["first_ns"] < S:
                continue
            doubt = place_of(doubts, prober["doubt_first"], prober["doubt_stop"], base)
            if doubt < prober["doubt_stop"] and doubts[doubt] == base:
                continue
        gap = gaps[kind * room + counts[kind]]
        counts[kind] += 1
        stretch(prober, stirs, base_ns, probe["ts_ns"], gap)
        gap["ns"] = probe["ts_ns"] - base_ns
        gap["slack_ns"] = round_trip_ns
        gap["jitter_ns"] = EARLY_NS if kind == STARTS else jitter_ns
        gap["first_frame"] = base
        gap["last_frame"] = probe["frame"]
        gap["since_ns"] = gap["ns"]
        gap["tick_ns"] = 0
        gap["trailing"] = 1 if kind == UNANSWERED and at > run else 0
        if kind == STARTS:
            gap["ns"] += opened_before(prober, base, base_ns)
            if at > 0:
                gap["since_ns"] = probe["ts_ns"] - before["ts_ns"]
            else:  # in mid-stream one may have come unseen
                gap["since_ns"] = NONE if prober["handshake"] != 0 else probe["ts_ns"] - prober["first_ns"]
        elif before["answer_ns"] != NONE:
            gap["slack_ns"] = max(round_trip_ns, before["answer_ns"])
    if prober["reset_frame"] != NONE and count > 0:
        probe = heard[count - 1]
        if probe["answer"] == NO_ANSWER and is_awake(prober, holes, probe["frame"], prober["reset_frame"]):
            gap = gaps[UNANSWERED * room + counts[UNANSWERED]]
            counts[UNANSWERED] += 1
            stretch(prober, stirs, probe["ts_ns"], prober["reset_ns"], gap)
            gap["ns"] = prober["reset_ns"] - probe["ts_ns"]
            gap["slack_ns"] = round_trip_ns
            gap["jitter_ns"] = jitter_ns
            gap["first_frame"] = probe["frame"]
            gap["last_frame"] = prober["reset_frame"]
            gap["since_ns"] = gap["ns"]
            gap["tick_ns"] = 0
            gap["trailing"] = 1


@loop
def opened_before(prober: Record, base_frame: int, base_ns: int) -> int:
    """Return how long before a SYN,ACK that was sent again the first one came, whose clock Linux does not restart."""
    again = prober["peer_count"] > 1 and (prober["peer_ack_frame"] == NONE or base_frame < prober["peer_ack_frame"])
    opened_ns: int = base_ns - prober["peer_ns"] if again and prober["peer_ns"] != NONE else 0
    return opened_ns


@loop
def leave_out(gaps: Rows, room: int, counts: Numbers, backwards: int, order: Numbers) -> None:
    """Leave out what is no timer; where the clock went back, a gap that stands alone proves nothing.

    Of very many those stay that tell most: the shortest, the longest, and some between, in order. The shortest and the
    longest bound a timer. All are compared with each other, which would take hours.
    """
    for kind in range(KINDS):
        first = kind * room
        kept = first
        for at in range(first, first + counts[kind]):
            if gaps[at]["ns"] >= GAP_LEAST_NS:
                if at != kept:
                    copy_gap(gaps, kept, at)
                kept += 1
        count = kept - first
        if backwards != 0 and count == 1:
            count = 0
        if count > MOST_GAPS:
            count = thin(gaps, first, count, order)
        counts[kind] = count


@loop
def thin(gaps: Rows, first: int, count: int, order: Numbers) -> int:
    """Keep the gaps that tell most; return how many these are."""
    some = MOST_GAPS // 4
    step = -(-count // (2 * some))
    for at in range(count):
        order[at] = at
        order[count + at] = 1 if at % step == 0 else 0
    put_in_order(gaps, first, order, 0, count)
    for place in range(count):
        if place < some or place >= count - some:
            order[count + order[place]] = 1
    kept = first
    for at in range(count):
        if order[count + at] == 1:
            if first + at != kept:
                copy_gap(gaps, kept, first + at)
            kept += 1
    return kept - first


@apart
def put_in_order(gaps: Rows, first: int, order: Numbers, begin: int, count: int) -> None:
    """Put places among gaps, which lie from ``begin`` on, in order: by length, and equal ones by place."""
    for at in range(count // 2 - 1, -1, -1):
        sift(gaps, first, order, begin, at, count)
    for stop in range(count - 1, 0, -1):
        last = order[begin + stop]
        order[begin + stop] = order[begin]
        order[begin] = last
        sift(gaps, first, order, begin, 0, stop)


@loop
def sift(gaps: Rows, first: int, order: Numbers, begin: int, at: int, count: int) -> None:
    """Let a place sink in a heap of them until none below is longer."""
    place = order[begin + at]
    while 2 * at + 1 < count:
        below = 2 * at + 1
        if below + 1 < count and is_longer(gaps, first, order[begin + below + 1], order[begin + below]):
            below += 1
        if not is_longer(gaps, first, order[begin + below], place):
            break
        order[begin + at] = order[begin + below]
        at = below
    order[begin + at] = place


@loop
def is_longer(gaps: Rows, first: int, one: int, other: int) -> bool:
    """Say whether a gap is longer than another, or as long and behind it."""
    differ = gaps[first + one]["ns"] - gaps[first + other]["ns"]
    return bool(differ > 0 or (differ == 0 and one > other))
