"""What lies between the probes of one endpoint: the gaps that its timers filled, and how they compare.

A first gap begins with the last segment of the peer that was not keepalive; the others lie between an answered probe
and the next, or an unanswered one and the next. With each gap goes what could make it too long: the way to the prober
and back, a clock that something restarted.

A batch of gaps is a part of one table, from ``first`` to ``stop``: parts are GAPS long, by what the gaps show.

It must not know options, or conclude anything from a gap but whether two can show the same timer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.timers.lateness import UNKNOWN, early, late
from analyzer.label.distance import INITIAL_TTLS
from analyzer.loops.loop import apart, loop
from analyzer.segment import NONE
from analyzer.tolerances import BACKOFF_PART, BACKOFF_STEPS, BUSY_NS, GROWN_PART, OFF_TICK_NS, SLOW_TICK_NS

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

GAP: Final = np.dtype(
    [
        ("ns", np.int64),
        ("least_ns", np.int64),  # the same since the last segment that may have restarted the prober's clock
        ("slack_ns", np.int64),  # the most that the way to the prober and back can have added
        ("jitter_ns", np.int64),  # the most that it, or the prober's own clock, can have taken away
        ("first_frame", np.int64),  # the captured segments at both ends
        ("last_frame", np.int64),
        ("since_ns", np.int64),  # since the prober's probe before, whose interval may have held this one back, or NONE
        (
            "quiet_ns",
            np.int64,
        ),  # the longest stretch between what may have restarted the clock: so long it did not fire
        ("tick_ns", np.int64),  # the tick that a slow clock may have taken off a first gap
        ("trailing", np.int64),  # 1 between the unanswered probes at the end, and the RST
    ],
    align=True,
)
"""The time between two captured segments that a timer of the prober filled."""

STARTS: Final = 0
ANSWERED: Final = 1
UNANSWERED: Final = 2
KINDS: Final = 3
PARTS: Final = 3
"""Where, counted in parts, the gaps of an epoch lie, behind all."""
SAME: Final = 6
"""Where those lie that show one timer; of two kinds at most."""
SPARE: Final = 8
"""Where a gap or two lie that were changed to be compared."""
SPARES: Final = 2


@apart
def copy_gap(gaps: Rows, to: int, at: int) -> None:
    """Copy a gap to another place."""
    new = gaps[to]
    old = gaps[at]
    new["ns"] = old["ns"]
    new["least_ns"] = old["least_ns"]
    new["slack_ns"] = old["slack_ns"]
    new["jitter_ns"] = old["jitter_ns"]
    new["first_frame"] = old["first_frame"]
    new["last_frame"] = old["last_frame"]
    new["since_ns"] = old["since_ns"]
    new["quiet_ns"] = old["quiet_ns"]
    new["tick_ns"] = old["tick_ns"]
    new["trailing"] = old["trailing"]


@loop
def high_ns(gap: Record) -> int:
    """Return what the timer is at most."""
    most: int = gap["ns"] + max(gap["jitter_ns"], gap["tick_ns"])
    return most


@apart
def shortest(gaps: Rows, first: int, stop: int) -> int:
    """Return which of some gaps is the shortest: what made others longer, it has the least of."""
    found = first
    for at in range(first + 1, stop):
        if gaps[at]["ns"] < gaps[found]["ns"]:
            found = at
    return found


@apart
def longest(gaps: Rows, first: int, stop: int) -> int:
    """Return which of some gaps is the longest."""
    found = first
    for at in range(first + 1, stop):
        if gaps[at]["ns"] > gaps[found]["ns"]:
            found = at
    return found


@apart
def agree(short: Record, long: Record) -> bool:
    """Say whether two gaps of one kind can show the same timer."""
    differ = long["ns"] - short["ns"]
    return bool(differ <= late(short["ns"], UNKNOWN) + max(short["jitter_ns"], long["jitter_ns"]))


@apart
def match(one: Record, other: Record) -> bool:
    """Say whether gaps of two kinds can show the same timer: the way to the prober and back may be in one only."""
    differ = abs(one["ns"] - other["ns"])
    if other["ns"] < one["ns"]:
        slow = one["tick_ns"] if other["tick_ns"] == 0 else 0
    else:
        slow = other["tick_ns"] if one["tick_ns"] == 0 else 0
    if slow != 0 and differ > slow // 2:
        return False  # a slow clock: the timer may be longer still, by a tick
    least = late(min(one["ns"], other["ns"]), UNKNOWN)
    return bool(differ <= least + max(one["slack_ns"], other["slack_ns"]))


@apart
def clearly_longer(long: Record, short: Record) -> bool:
    """Say whether two gaps of different kinds show different timers."""
    return bool(long["ns"] > short["ns"]) and not match(long, short)


@loop
def take_agreeing(gaps: Rows, lead: int, first: int, stop: int, to: int) -> int:
    """Copy the gaps that can show the same timer as one of them, the shortest, in order; return where they end."""
    for at in range(first, stop):
        if agree(gaps[lead], gaps[at]):
            copy_gap(gaps, to, at)
            to += 1
    return to


@apart
def take_between(gaps: Rows, room: int, counts: Numbers, low: int, high: int) -> None:
    """Copy the gaps of all kinds that begin at a frame or later, and end at one or earlier, to where an epoch's lie."""
    for kind in range(KINDS):
        to = (PARTS + kind) * room
        for at in range(kind * room, kind * room + counts[kind]):
            if gaps[at]["first_frame"] >= low and gaps[at]["last_frame"] <= high:
                copy_gap(gaps, to, at)
                to += 1
        counts[PARTS + kind] = to - (PARTS + kind) * room


@loop
def fit(gaps: Rows, room: int, counts: Numbers, stack: int, undisturbed: bool) -> None:
    """Make the gaps such as the prober's stack makes them.

    ``undisturbed``: its clock is one that probes and RSTs of the peer do not restart. Where they may, a gap between
    unanswered probes in which one came shows no interval.
    """
    may_tick = stack == UNKNOWN and not off_the_tick(gaps, room, room + counts[ANSWERED])
    may_tick = may_tick and not off_the_tick(gaps, 2 * room, 2 * room + counts[UNANSWERED])
    kept = 2 * room
    for kind in range(KINDS):
        for at in range(kind * room, kind * room + counts[kind]):
            gap = gaps[at]
            if kind == UNANSWERED:
                if not undisturbed and gap["ns"] != gap["least_ns"]:
                    continue
                if kept != at:
                    copy_gap(gaps, kept, at)
                gap = gaps[kept]
                kept += 1
            ticks = may_tick and (kind == STARTS or gap["ns"] != gap["least_ns"])
            gap["tick_ns"] = SLOW_TICK_NS if ticks else 0
            gap["jitter_ns"] = max(gap["jitter_ns"], early(stack))
            if undisturbed:
                gap["least_ns"] = gap["ns"]
    counts[UNANSWERED] = kept - 2 * room


@loop
def off_the_tick(gaps: Rows, first: int, stop: int) -> bool:
    """Say whether gaps between probes refute a clock that ticks every half second: they are no multiples of it."""
    for at in range(first, stop):
        gap = gaps[at]
        if gap["ns"] == gap["least_ns"] and gap["slack_ns"] < SLOW_TICK_NS:
            off_ns = OFF_TICK_NS + gap["jitter_ns"]
            if off_ns < gap["ns"] % SLOW_TICK_NS < SLOW_TICK_NS - off_ns:
                return True
    return False


@loop
def went_on(gaps: Rows, room: int, counts: Numbers) -> bool:
    """Say whether what the peer sent between unanswered probes did not restart the prober's clock.

    Where it does, the next probe comes no sooner than idle behind it; these did, evenly, as they come of an interval.
    """
    lead = -1
    stirred = 0
    most_ns = 0
    for at in range(2 * room, 2 * room + counts[UNANSWERED]):
        gap = gaps[at]
        if gap["ns"] != gap["least_ns"]:
            most_ns = gap["least_ns"] if stirred == 0 else max(most_ns, gap["least_ns"])
            stirred += 1
            if lead < 0 or gap["ns"] < gaps[lead]["ns"]:
                lead = at
    if counts[STARTS] == 0 or stirred < 2:
        return False
    for at in range(2 * room, 2 * room + counts[UNANSWERED]):
        if gaps[at]["ns"] != gaps[at]["least_ns"] and not agree(gaps[lead], gaps[at]):
            return False
    idle = 0
    for at in range(1, counts[STARTS]):
        if gaps[at]["least_ns"] < gaps[idle]["least_ns"]:
            idle = at
    spare = SPARE * room
    copy_gap(gaps, spare, idle)
    gaps[spare]["ns"] = gaps[spare]["least_ns"]
    copy_gap(gaps, spare + 1, lead)
    gaps[spare + 1]["ns"] = most_ns
    return clearly_longer(gaps[spare], gaps[spare + 1])


@apart
def backs_off(gaps: Rows, first: int, stop: int) -> bool:
    """Say whether gaps between unanswered probes double, three times in a row or more: that is a backoff.

    illumos sends its probe again as a retransmission (``tcp_keepalive_timer``), unless an interval is set.
    """
    doubled = 0
    for at in range(first + 1, stop):
        before = gaps[at - 1]
        gap = gaps[at]
        near = abs(gap["ns"] - 2 * before["ns"]) <= before["ns"] // BACKOFF_PART + BUSY_NS
        doubled = doubled + 1 if near and before["last_frame"] == gap["first_frame"] else 0
        if doubled == BACKOFF_STEPS:
            return True
    return False


@apart
def grow(gaps: Rows, first: int, stop: int) -> bool:
    """Say whether gaps between unanswered probes grow, three times in a row or more: then there is no interval.

    By a quarter each time at least, and by no more than to the double: losses do not make them so.
    """
    grown = 0
    for at in range(first + 1, stop):
        before = gaps[at - 1]
        gap = gaps[at]
        least, most = before["ns"] + before["ns"] // GROWN_PART, 2 * before["ns"] + before["ns"] // BACKOFF_PART
        longer = least <= gap["ns"] <= most + BUSY_NS
        grown = grown + 1 if longer and before["last_frame"] == gap["first_frame"] else 0
        if grown == BACKOFF_STEPS:
            return True
    return False


@loop
def is_near(ttl_low: int, ttl_high: int) -> bool:
    """Say whether the observer sits on the prober's own network: what it sees coming, the prober got."""
    if ttl_low == NONE or ttl_low != ttl_high:
        return False
    near = False
    for ttl in INITIAL_TTLS:
        near = near or ttl_low == ttl
    return near
