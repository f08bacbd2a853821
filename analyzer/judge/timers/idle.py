"""Idle time (TCP_KEEPIDLE): from the last segment of the peer that was not keepalive to the first probe of a train.

Alone such a gap is an upper bound (an option set late makes it longer). It becomes a value where a second train, or
the spacing of answered probes, agrees, or where it is a number people choose.

It must not measure: what the gaps are is known before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.judge.timers.gaps import (
    ANSWERED,
    PARTS,
    SAME,
    STARTS,
    agree,
    clearly_longer,
    copy_gap,
    high_ns,
    match,
    shortest,
    take_agreeing,
)
from analyzer.judge.timers.interval import is_shorter
from analyzer.judge.timers.lateness import LINUX, UNKNOWN, late
from analyzer.judge.timers.measuring import put_in_order
from analyzer.judge.timers.timer import bound, copy_timer, estimate, put_frames
from analyzer.loops.loop import loop
from analyzer.segment import NONE
from analyzer.tolerances import OPTION_LEAST_NS

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Rows


@loop
def tell_idle(
    gaps: Rows,
    room: int,
    counts: Numbers,
    stack: int,
    near: bool,
    order: Numbers,
    rounds: Numbers,
    frames: Numbers,
    used: int,
    timers: Rows,
    interval: int,
    period: int,
    idle: int,
) -> int:
    """Tell the idle time; return where its frames end."""
    timer = timers[idle]
    timer["there"] = 0
    if is_shorter(timers[interval], timers[period]):
        copy_timer(timers, idle, period)
        return used
    starts = (PARTS + STARTS) * room
    starts_stop = starts + counts[PARTS + STARTS]
    answered = (PARTS + ANSWERED) * room
    answered_stop = answered + counts[PARTS + ANSWERED]
    if starts == starts_stop:
        tell_idle_of_period(stack, near, timers, period, idle)
        return used
    first = shortest(gaps, starts, starts_stop)
    short = shortest(gaps, answered, answered_stop) if answered_stop > answered else -1
    known = timers[interval]["there"] != 0 and timers[interval]["value_ns"] != NONE
    longest_ns = timers[interval]["high_ns"] if known else high_ns(gaps[short]) if short >= 0 else NONE
    lead = find_free(gaps, starts, starts_stop, longest_ns, room, order)
    same = SAME * room
    if lead < 0:
        copy_gap(gaps, same, first)
        bound(timer, 1, OPTION_LEAST_NS, high_ns(gaps[first]))
        return put_frames(gaps, same, same + 1, frames, used, timer)
    stop = same
    for at in range(starts, starts_stop):
        if order[at - starts] != 0 and agree(gaps[lead], gaps[at]):
            copy_gap(gaps, stop, at)
            stop += 1
    most_ns = high_ns(gaps[first])
    if clearly_longer(gaps[lead], gaps[first]):
        bound(timer, stop - same, OPTION_LEAST_NS, most_ns)
    elif short >= 0 and match(gaps[lead], gaps[short]):
        stop = take_agreeing(gaps, short, answered, answered_stop, stop)
        estimate(gaps, same, stop, stack, True, rounds, timer)
    elif short >= 0 and clearly_longer(gaps[lead], gaps[short]):
        if near and timers[period]["there"] != 0:
            most_ns = min(most_ns, timers[period]["high_ns"])
        bound(timer, stop - same, OPTION_LEAST_NS, most_ns)
    else:
        several = stop - same > 1
        estimate(gaps, same, stop, stack, several, rounds, timer)
        if not several:
            certain = most_ns < 2 * OPTION_LEAST_NS
            if near or certain:
                timer["low_ns"] = min(OPTION_LEAST_NS, most_ns)
            else:
                bound(timer, 1, OPTION_LEAST_NS, most_ns)
    return put_frames(gaps, same, stop, frames, used, timer)


@loop
def tell_idle_of_period(stack: int, near: bool, timers: Rows, period: int, idle: int) -> None:
    """Tell what the spacing of answered probes shows of idle: the same, unless on Linux the interval is longer."""
    if timers[period]["there"] == 0 or timers[period]["value_ns"] == NONE:
        return
    if stack > LINUX:
        copy_timer(timers, idle, period)
    elif near:
        copy_timer(timers, idle, period)
        timers[idle]["value_ns"] = NONE
        timers[idle]["low_ns"] = OPTION_LEAST_NS


@loop
def find_free(gaps: Rows, first: int, stop: int, longest_ns: int, room: int, order: Numbers) -> int:
    """Find the first gaps of trains that no interval of an earlier probe can have held back, as Linux does.

    The interval is at most the spacing of answered probes, ``longest_ns``. Where neither is known (NONE), first gaps
    that agree although the probes before them were differently long ago were not held back, or not all.

    ``order`` gets a 1 for each that is free, else a 0. Returns the shortest of these, -1 if none is.
    """
    find_unlike(gaps, first, stop, room, order)
    least_ns = longest_ns + late(longest_ns, UNKNOWN) if longest_ns != NONE else 0
    lead = -1
    for at in range(first, stop):
        since_ns = gaps[at]["since_ns"]
        if since_ns == NONE or (longest_ns != NONE and since_ns > least_ns):
            order[at - first] = 1
        if order[at - first] != 0 and (lead < 0 or gaps[at]["ns"] < gaps[lead]["ns"]):
            lead = at
    return lead


@loop
def find_unlike(gaps: Rows, first: int, stop: int, room: int, order: Numbers) -> None:
    """Find which of some gaps agree with one before which the last probe was clearly longer or shorter ago.

    By length, those that a gap agrees with are next to each other; of these the earliest and the latest probe matter.
    ``order`` gets a 1 for each of these, else a 0; behind that lie, each as long as there is room, those of which is
    known when the last probe was, by length; then those of which it was longer and longer ago, and less and less long.
    """
    count = 0
    jitter_ns = 0
    for at in range(first, stop):
        order[at - first] = 0
        jitter_ns = max(jitter_ns, gaps[at]["jitter_ns"])
        if gaps[at]["since_ns"] != NONE:
            count += 1
    if count < 2:
        return
    known = room
    count = 0
    for at in range(first, stop):
        if gaps[at]["since_ns"] != NONE:
            order[known + count] = at - first
            count += 1
    put_in_order(gaps, first, order, known, count)
    longer = 2 * room
    longer_stop = longer
    shorter = 3 * room
    shorter_stop = shorter
    end = 0
    for place in range(count):
        gap = gaps[first + order[known + place]]
        since_ns = gap["since_ns"]
        room_ns = late(since_ns, UNKNOWN)
        most_ns = gap["ns"] + late(gap["ns"], UNKNOWN) + jitter_ns
        while end < count and gaps[first + order[known + end]]["ns"] <= most_ns:
            other = gaps[first + order[known + end]]
            while (
                longer_stop > longer
                and least_since(gaps, first, order, longer_stop - 1) <= other["since_ns"] - other["slack_ns"]
            ):
                longer_stop -= 1
            while (
                shorter_stop > shorter
                and most_since(gaps, first, order, shorter_stop - 1) >= other["since_ns"] + other["slack_ns"]
            ):
                shorter_stop -= 1
            order[longer_stop] = order[known + end]
            order[shorter_stop] = order[known + end]
            longer_stop += 1
            shorter_stop += 1
            end += 1
        while gap["ns"] > agreeing_ns(gaps[first + order[longer]]["ns"], jitter_ns):
            longer += 1
        while gap["ns"] > agreeing_ns(gaps[first + order[shorter]]["ns"], jitter_ns):
            shorter += 1
        is_unlike = least_since(gaps, first, order, longer) > since_ns + room_ns
        if is_unlike or most_since(gaps, first, order, shorter) < since_ns - room_ns:
            order[order[known + place]] = 1


@loop
def least_since(gaps: Rows, first: int, order: Numbers, at: int) -> int:
    """Return how long ago at least the last probe was."""
    gap = gaps[first + order[at]]
    ns: int = gap["since_ns"] - gap["slack_ns"]
    return ns


@loop
def most_since(gaps: Rows, first: int, order: Numbers, at: int) -> int:
    """Return how long ago at most the last probe was."""
    gap = gaps[first + order[at]]
    ns: int = gap["since_ns"] + gap["slack_ns"]
    return ns


@loop
def agreeing_ns(ns: int, jitter_ns: int) -> int:
    """Return how long a gap is at most that agrees with one of this length."""
    return ns + late(ns, UNKNOWN) + jitter_ns
