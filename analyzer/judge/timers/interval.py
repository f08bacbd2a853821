"""Interval (TCP_KEEPINTVL) and period, the spacing of answered probes.

* period: from an answered probe to the next. On Linux this is max(idle, interval) and may not be split; elsewhere it
  is idle. Captured away from the prober, an answer may have been lost behind the observer: then the gap shows the
  interval, and only bounds are left.
* interval: from an unanswered probe to the next, or to the prober's RST. An answered train shows it only where the
  first gap is clearly shorter: max(idle, interval) is not idle, so it is the interval; and where interval is shorter
  than period, period is idle.

It must not know where a train began: that is ``idle``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.judge.timers.gaps import (
    ANSWERED,
    PARTS,
    SAME,
    STARTS,
    UNANSWERED,
    clearly_longer,
    grow,
    high_ns,
    match,
    shortest,
    take_agreeing,
)
from analyzer.judge.timers.lateness import LINUX
from analyzer.judge.timers.timer import bound, copy_timer, estimate, put_frames
from analyzer.loops.loop import loop
from analyzer.segment import NONE
from analyzer.tolerances import OPTION_LEAST_NS

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows


@loop
def tell_interval(
    gaps: Rows,
    room: int,
    counts: Numbers,
    stack: int,
    near: bool,
    rounds: Numbers,
    frames: Numbers,
    used: int,
    timer: Record,
) -> int:
    """Tell the interval that unanswered probes show; return where its frames end.

    An answer that the capture dropped would show the period instead: so the gaps must be shorter than those after
    answered probes, or belong to a run that nothing ended, or there is nothing to mistake them for. Away from the
    prober a single gap may span a lost probe. Where each is longer than the one before there is no interval.
    """
    timer["there"] = 0
    first = (PARTS + UNANSWERED) * room
    stop = first + counts[PARTS + UNANSWERED]
    answered = (PARTS + ANSWERED) * room
    if first == stop or grow(gaps, first, stop):
        return used
    lead = shortest(gaps, first, stop)
    same = SAME * room
    same_stop = take_agreeing(gaps, lead, first, stop, same)
    trailing = False
    for at in range(same, same_stop):
        trailing = trailing or gaps[at]["trailing"] != 0
    if counts[PARTS + ANSWERED] > 0 and not trailing:
        short = shortest(gaps, answered, answered + counts[PARTS + ANSWERED])
        if not clearly_longer(gaps[short], gaps[lead]):
            return used
    if same_stop - same > 1 or (near and (trailing or counts[PARTS + ANSWERED] > 0)):
        estimate(gaps, same, same_stop, stack, True, rounds, timer)
    else:
        bound(timer, same_stop - same, OPTION_LEAST_NS, high_ns(gaps[lead]))
    return put_frames(gaps, same, same_stop, frames, used, timer)


@loop
def tell_period(
    gaps: Rows,
    room: int,
    counts: Numbers,
    interval: Record,
    stack: int,
    near: bool,
    rounds: Numbers,
    frames: Numbers,
    used: int,
    timer: Record,
) -> int:
    """Tell the spacing of answered probes; return where its frames end.

    Two things can deceive away from the prober: a probe lost on its way to the observer makes a gap too long, an
    answer lost behind the observer makes it an interval. A first gap no longer than the shortest refutes the second:
    were idle the longer, no train could start so soon. Otherwise only bounds are left, the upper one sound in any
    case: each gap holds an interval, each first gap idle.
    """
    timer["there"] = 0
    first = (PARTS + ANSWERED) * room
    stop = first + counts[PARTS + ANSWERED]
    starts = (PARTS + STARTS) * room
    if first == stop:
        return used
    short = shortest(gaps, first, stop)
    same = SAME * room
    same_stop = take_agreeing(gaps, short, first, stop, same)
    count = same_stop - same
    estimate(gaps, same, same_stop, stack, True, rounds, timer)
    even = count == stop - first
    proven = False
    if counts[PARTS + STARTS] == 0:
        most_ns = high_ns(gaps[first])
        for at in range(first, stop):
            most_ns = max(most_ns, high_ns(gaps[at]))
        proven = even and (near or count > 1)
        if not proven:
            timer["high_ns"] = most_ns
    else:
        lead = shortest(gaps, starts, starts + counts[PARTS + STARTS])
        if match(gaps[lead], gaps[short]):
            proven = True
        elif gaps[lead]["ns"] > gaps[short]["ns"]:
            proven = near and even
            if not proven:
                timer["high_ns"] = max(timer["high_ns"], high_ns(gaps[lead]))
        # The interval is the longer: a second gap, or the unanswered probes, must say so too.
        elif interval["there"] == 0 or interval["value_ns"] == NONE:
            proven = count > 1
        else:
            proven = interval["low_ns"] <= timer["high_ns"] and timer["low_ns"] <= interval["high_ns"]
    if not proven:
        timer["value_ns"] = NONE
        timer["low_ns"] = min(timer["low_ns"], OPTION_LEAST_NS)
    return put_frames(gaps, same, same_stop, frames, used, timer)


@loop
def tell_interval_of_period(
    gaps: Rows, room: int, counts: Numbers, stack: int, timers: Rows, interval: int, period: int
) -> None:
    """Tell what answered probes show of a Linux interval: the period where idle is shorter, else at most that."""
    if stack != LINUX or timers[period]["value_ns"] == NONE:
        return
    copy_timer(timers, interval, period)
    if counts[PARTS + STARTS] > 0:
        answered = (PARTS + ANSWERED) * room
        starts = (PARTS + STARTS) * room
        short = shortest(gaps, answered, answered + counts[PARTS + ANSWERED])
        if clearly_longer(gaps[short], gaps[shortest(gaps, starts, starts + counts[PARTS + STARTS])]):
            return
    timers[interval]["value_ns"] = NONE
    timers[interval]["low_ns"] = OPTION_LEAST_NS


@loop
def is_shorter(interval: Record, period: Record) -> bool:
    """Say whether an interval is shorter than a period, both known."""
    if interval["there"] == 0 or period["there"] == 0 or interval["value_ns"] == NONE or period["value_ns"] == NONE:
        return False
    return bool(interval["value_ns"] < period["value_ns"])
