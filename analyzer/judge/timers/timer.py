"""``Timer``: a configured duration as far as gaps tell it, and what gaps that agree amount to.

The law of all claims: bounds hold the truth, a value is claimed only where one is left, and nothing is claimed that
another reading of the same frames contradicts. A timer is never early, but for the tick in which the clock of a first
gap started; how late it may be is known (field guide 2.3). So the *smallest* gap counts, and what could make that one
too short or too long is asked first.

It must not know which option of a prober a gap shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.judge.timers.gaps import high_ns, shortest
from analyzer.judge.timers.lateness import ONE_OCTET, earliest, late, may_repeat
from analyzer.loops.loop import apart, loop
from analyzer.segment import NONE
from analyzer.tolerances import BUSY_NS, EVEN_NS, S

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

EVEN_LEAST: Final = 2
"""This many equal gaps are not equal by chance."""
LONGEST_S: Final = 100_000
"""No keepalive timer is told to the second beyond this."""
SPANS: Final = 4
"""A gap has two readings, each of which a slow clock may have cut short."""

TIMER: Final = np.dtype(
    [
        ("there", np.int64),  # 0 if nothing is known
        ("value_ns", np.int64),  # as in Timer; NONE where only bounds can be said
        ("low_ns", np.int64),
        ("high_ns", np.int64),
        ("observations", np.int64),
        ("first", np.int64),  # its frames lie from here
        ("stop", np.int64),  # to there
        ("until_frame", np.int64),  # the last probe of the epoch that it is of, where another follows
    ],
    align=True,
)


class Timer(NamedTuple):
    """A duration that was configured, as far as the capture tells."""

    value_ns: int | None
    """The most likely configured value, or None where only bounds can be said."""
    low_ns: int
    high_ns: int
    observations: int
    """How many gaps agree."""
    frames: tuple[int, ...]
    """The segments at both ends of those gaps."""


@apart
def estimate(gaps: Rows, first: int, stop: int, stack: int, whole: bool, rounds: Numbers, timer: Record) -> None:
    """Tell the timer that agreeing gaps show: the whole number of seconds that alone fits all, else the round one.

    With ``whole`` false only a round number is claimed. Milliseconds can be set only where probes carry a byte
    (SIO_KEEPALIVE_VALS, illumos' thresholds). The round one does not win where a slow clock leaves a longer one, or
    where another reading of the gaps leaves others. ``rounds`` are the seconds that people choose.
    """
    bounds_of(gaps, first, stop, stack, timer)
    low_s = max(1, -(-timer["low_ns"] // S))
    high_s = min(timer["high_ns"] // S, LONGEST_S)
    simple = 0
    least_ns = 0
    most_ns = LONGEST_S * S
    steady_ns = gaps[first]["ns"] + gaps[first]["jitter_ns"]
    way_ns = 0
    for at in range(first, stop):
        gap = gaps[at]
        steady_ns = min(steady_ns, gap["ns"] + gap["jitter_ns"])
        way_ns = max(way_ns, gap["slack_ns"] + gap["jitter_ns"])
        if is_simple(gap):
            least_ns = gap["ns"] - gap["slack_ns"] if simple == 0 else max(least_ns, gap["ns"] - gap["slack_ns"])
            most_ns = gap["ns"] + gap["jitter_ns"] if simple == 0 else min(most_ns, gap["ns"] + gap["jitter_ns"])
            simple += 1
    even = even_of(gaps, first, stop)
    fits = 0
    round_fits = 0
    shortest_s = 0
    longest_s = 0
    round_s = 0
    for value_s in range(low_s, min(high_s, most_ns // S) + 1):
        value_ns = value_s * S
        if even >= 0 and not may_repeat(value_ns, gaps[even]["ns"], gaps[even]["slack_ns"], EVEN_NS, stack):
            continue
        late_ns = late(value_ns, stack)
        if least_ns > value_ns + late_ns:
            continue
        shows = True
        if simple < stop - first:
            for at in range(first, stop):
                shows = shows and (is_simple(gaps[at]) or may_show(gaps[at], value_ns, late_ns))
        if shows:
            shortest_s = value_s if fits == 0 else shortest_s
            longest_s = value_s
            fits += 1
            if is_among(rounds, value_s):
                round_s = value_s if round_fits == 0 else round_s
                round_fits += 1
    longest_ns = longest_s * S
    alone = round_fits == 1 and longest_ns <= steady_ns
    # the longest explains the others too by being late, not by a restart
    alone = alone and longest_ns - shortest_s * S <= late(longest_ns, stack) + way_ns
    value_s = round_s if alone else 0
    if fits == 1 and (round_fits > 0 or (whole and stack < ONE_OCTET)):
        value_s = shortest_s
    if value_s > 0:
        timer["value_ns"] = value_s * S
    timer["low_ns"] = min(timer["low_ns"], timer["high_ns"])


@loop
def is_among(numbers: Numbers, number: int) -> bool:
    """Say whether a number is one of some that are in order."""
    for at in range(len(numbers)):
        if numbers[at] >= number:
            return bool(numbers[at] == number)
    return False


@loop
def is_simple(gap: Record) -> bool:
    """Say whether a gap has one reading, and no slow clock."""
    return bool((gap["ns"] == gap["least_ns"]) & (gap["tick_ns"] == 0))


@loop
def even_of(gaps: Rows, first: int, stop: int) -> int:
    """Return the shortest of the simple gaps that begin with a probe, if these are all equal; -1 if they are too few.

    A first gap begins at any time, and says nothing of how late the same timer is again and again.
    """
    lead = -1
    count = 0
    most_ns = 0
    for at in range(first, stop):
        gap = gaps[at]
        if is_simple(gap) and gap["since_ns"] == gap["ns"]:
            most_ns = gap["ns"] if count == 0 else max(most_ns, gap["ns"])
            count += 1
            if lead < 0 or gap["ns"] < gaps[lead]["ns"]:
                lead = at
    if count < EVEN_LEAST or most_ns - gaps[lead]["ns"] > EVEN_NS:
        return -1
    return lead


@loop
def bounds_of(gaps: Rows, first: int, stop: int, stack: int, timer: Record) -> None:
    """Tell the shortest and the longest timer that agreeing gaps allow, and how many gaps there are.

    The shortest gap says what is the least, all of them what is the most. A reading of it that no other gap shares is
    none.
    """
    lead = shortest(gaps, first, stop)
    read = 0
    shared = 0
    low_ns = 0
    most_ns = 0
    shared_low_ns = 0
    shared_most_ns = 0
    for which in range(SPANS):
        if not has_span(gaps[lead], which, stack):
            continue
        span_low_ns = span_low(gaps[lead], which, stack)
        span_high_ns = span_high(gaps[lead], which)
        low_ns = span_low_ns if read == 0 else min(low_ns, span_low_ns)
        most_ns = span_high_ns if read == 0 else max(most_ns, span_high_ns)
        read += 1
        by_all = True
        for at in range(first, stop):
            by_one = at == lead
            for other in range(SPANS):
                if not by_one and has_span(gaps[at], other, stack):
                    by_one = span_low(gaps[at], other, stack) <= span_high_ns and span_low_ns <= span_high(
                        gaps[at], other
                    )
            if not by_one:
                by_all = False
                break
        if by_all:
            shared_low_ns = span_low_ns if shared == 0 else min(shared_low_ns, span_low_ns)
            shared_most_ns = span_high_ns if shared == 0 else max(shared_most_ns, span_high_ns)
            shared += 1
    if read > 1 and shared > 0:
        low_ns = shared_low_ns
        most_ns = shared_most_ns
    for at in range(first, stop):
        most_ns = min(most_ns, high_ns(gaps[at]))
    timer["there"] = 1
    timer["value_ns"] = NONE
    timer["low_ns"] = low_ns
    timer["high_ns"] = most_ns
    timer["observations"] = stop - first


@apart
def has_span(gap: Record, which: int, stack: int) -> bool:
    """Say whether a gap has such a reading: since its beginning or the last restart, of a plain clock or a slow one."""
    if (which >= 2 and gap["ns"] == gap["least_ns"]) or (which % 2 == 1 and gap["tick_ns"] == 0):
        return False
    return bool(span_low(gap, which, stack) <= span_high(gap, which))


@apart
def span_low(gap: Record, which: int, stack: int) -> int:
    """Return the shortest timer that a reading of a gap allows."""
    least_ns: int = gap["ns"] if which < 2 else max(gap["least_ns"], gap["quiet_ns"])
    slow_ns: int = max(0, least_ns - BUSY_NS - gap["slack_ns"])
    return earliest(least_ns, gap["slack_ns"], stack) if which % 2 == 0 else slow_ns


@loop
def span_high(gap: Record, which: int) -> int:
    """Return the longest timer that a reading of a gap allows."""
    ran_ns: int = gap["ns"] if which < 2 else gap["least_ns"]
    most_ns: int = ran_ns + (gap["jitter_ns"] if which % 2 == 0 else gap["tick_ns"])
    return most_ns


@loop
def may_show(gap: Record, value_ns: int, late_ns: int) -> bool:
    """Say whether such a timer may have filled the gap, as it is or since the clock's last possible restart.

    One that counts slow ticks is early, but not late; others are late by so much at most.
    """
    for reading in range(1 if gap["ns"] == gap["least_ns"] else 2):
        ran_ns = gap["ns"] if reading == 0 else gap["least_ns"]
        least_ns = gap["ns"] if reading == 0 else max(gap["least_ns"], gap["quiet_ns"])
        if value_ns <= ran_ns + gap["jitter_ns"] and least_ns <= value_ns + late_ns + gap["slack_ns"]:
            return True
        if value_ns <= ran_ns + gap["tick_ns"] and least_ns <= value_ns + BUSY_NS + gap["slack_ns"]:
            return True
    return False


@loop
def bound(timer: Record, observations: int, low_ns: int, high_ns: int) -> None:
    """Tell a timer of which only bounds are known."""
    timer["there"] = 1
    timer["value_ns"] = NONE
    timer["low_ns"] = min(low_ns, high_ns)
    timer["high_ns"] = high_ns
    timer["observations"] = observations


@apart
def copy_timer(timers: Rows, to: int, at: int) -> None:
    """Copy a timer to another place."""
    new = timers[to]
    old = timers[at]
    new["there"] = old["there"]
    new["value_ns"] = old["value_ns"]
    new["low_ns"] = old["low_ns"]
    new["high_ns"] = old["high_ns"]
    new["observations"] = old["observations"]
    new["first"] = old["first"]
    new["stop"] = old["stop"]


@apart
def put_frame(frames: Numbers, first: int, stop: int, frame: int) -> int:
    """Sort a frame in among some; return where they end. Most come in order."""
    at = stop
    while at > first and frames[at - 1] > frame:
        at -= 1
    if at > first and frames[at - 1] == frame:
        return stop
    for place in range(stop, at, -1):
        frames[place] = frames[place - 1]
    frames[at] = frame
    return stop + 1


@apart
def put_frames(gaps: Rows, first: int, stop: int, frames: Numbers, used: int, timer: Record) -> int:
    """Write the frames at both ends of gaps, which are a timer's, behind those that are there; return where they end.

    Each comes once, and in order.
    """
    end = used
    for at in range(first, stop):
        end = put_frame(frames, used, end, gaps[at]["first_frame"])
        end = put_frame(frames, used, end, gaps[at]["last_frame"])
    timer["first"] = used
    timer["stop"] = end
    return end
