"""When a prober's timers changed in mid-flow: a program called setsockopt on a connection in use.

Its gaps of one kind then come in two rhythms, one after the other, each even in itself. Elsewhere than next to the
prober lost probes and answers may do the same; then there are two epochs all the same, and whoever joins their claims
holds the truth either way.

It must not know what a gap shows of which option.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.timers.gaps import (
    ANSWERED,
    PARTS,
    SAME,
    STARTS,
    UNANSWERED,
    agree,
    clearly_longer,
    copy_gap,
    longest,
    shortest,
)
from analyzer.judge.timers.lateness import UNKNOWN, late
from analyzer.judge.timers.timer import put_frame
from analyzer.loops.loop import apart, loop
from analyzer.segment import NONE
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.judge.timers.timer import Timer
    from analyzer.untyped import Numbers, Record, Rows

LEAST: Final = 2
"""This many gaps make a rhythm."""
MANY: Final = 5
"""This many gaps, all longer than so many others one after the other, are not late by chance."""
ODD: Final = 1
"""This many gaps may be of neither rhythm: the one in which the option was set."""
END: Final = 0
BEGIN: Final = 1
UNTIL: Final = 2
SPLIT: Final = 3
"""Where an epoch ends, the next begins, and the last frame of the first: so many numbers say it."""

CHANGE: Final = np.dtype(
    [
        ("prober", np.int64),
        ("name", np.int64),  # a place in NAMES
        ("before", np.int64),  # places among the timers
        ("after", np.int64),
        ("until_frame", np.int64),
    ],
    align=True,
)
NAMES: Final = ("interval", "period", "idle")


@dataclass(frozen=True, slots=True)
class Change:
    """A timer that was set anew."""

    name: str
    """``idle``, ``interval`` or ``period``."""
    before: Timer
    after: Timer
    until_frame: int
    """The last probe of the old rhythm."""


@loop
def find_change(gaps: Rows, room: int, counts: Numbers, split: Numbers) -> bool:
    """Find the first change among all kinds of gaps of an epoch; return whether there is one."""
    starts = (PARTS + STARTS) * room
    free = SAME * room
    stop = free
    for at in range(starts, starts + counts[PARTS + STARTS]):
        if gaps[at]["since_ns"] == NONE or gaps[at]["since_ns"] > 2 * gaps[at]["ns"]:
            copy_gap(gaps, stop, at)
            stop += 1
    answered = (PARTS + ANSWERED) * room
    unanswered = (PARTS + UNANSWERED) * room
    found = find_split(gaps, answered, answered + counts[PARTS + ANSWERED], split, False)
    found = find_split(gaps, unanswered, unanswered + counts[PARTS + UNANSWERED], split, found)
    return find_split(gaps, free, stop, split, found)


@apart
def find_split(gaps: Rows, first: int, end: int, split: Numbers, found: bool) -> bool:
    """Find up to and from which frame gaps tell of two rhythms, and the last frame of the first.

    The option may have been set in the last gap of the one or the first of the other: these count for neither, where
    there are others. What was ``found`` before stays where it is the earlier. Returns whether anything is found.
    """
    if not may_be_two(gaps, first, end):
        return found
    for odd in range(ODD + 1):
        least = first
        most = first
        for at in range(first + 1, end - LEAST + 1):
            if not agree(gaps[least], gaps[most]):
                break
            following_ns = gaps[at + odd]["ns"] if at + odd < end else gaps[least]["ns"]
            # no rhythm is longer or shorter than another if its first gap is not
            inside = gaps[least]["ns"] <= following_ns <= gaps[most]["ns"]
            least = at if gaps[at]["ns"] < gaps[least]["ns"] else least
            most = at if gaps[at]["ns"] > gaps[most]["ns"] else most
            if at - first < LEAST or inside:
                continue
            after = at + odd
            later = rhythm_stop(gaps, after, end)
            if later - after < LEAST or later - after <= (end - after) // 2:
                continue
            if not unlike(gaps, first, at, after, later):
                continue
            last = at - 2 if at - first > LEAST else at - 1
            begin = after + 1 if later - after > LEAST else after
            return put_split(
                split, found, gaps[last]["last_frame"], gaps[begin]["first_frame"], gaps[at - 1]["last_frame"]
            )
    return found


@loop
def put_split(split: Numbers, found: bool, end: int, begin: int, until: int) -> bool:
    """Write a split, unless one that was found before comes first."""
    earlier = end < split[END]
    if end == split[END]:
        earlier = begin < split[BEGIN] or (begin == split[BEGIN] and until < split[UNTIL])
    if not found or earlier:
        split[END] = end
        split[BEGIN] = begin
        split[UNTIL] = until
    return True


@loop
def may_be_two(gaps: Rows, first: int, stop: int) -> bool:
    """Say whether gaps are enough, and far enough apart, that some can be ``unlike`` others."""
    if stop - first < 2 * LEAST:
        return False
    least_ns = gaps[shortest(gaps, first, stop)]["ns"]
    spread_ns = gaps[longest(gaps, first, stop)]["ns"] - least_ns
    jitter_ns = gaps[first]["jitter_ns"]
    tick_ns = 0
    for at in range(first, stop):
        jitter_ns = min(jitter_ns, gaps[at]["jitter_ns"])
        tick_ns = max(tick_ns, gaps[at]["tick_ns"])
    if stop - first >= 2 * MANY and spread_ns > jitter_ns:
        return True
    # a gap of a slow clock is another than one of none from half a tick on (gaps.match)
    return bool(spread_ns > late(least_ns, UNKNOWN) or 2 * spread_ns > tick_ns > 0)


@loop
def rhythm_stop(gaps: Rows, first: int, stop: int) -> int:
    """Return where the gaps end, of these at the beginning, that keep to the rhythm of the first."""
    least = first
    most = first
    for at in range(first, stop):
        least = at if gaps[at]["ns"] < gaps[least]["ns"] else least
        most = at if gaps[at]["ns"] > gaps[most]["ns"] else most
        if not agree(gaps[least], gaps[most]):
            return at
    return stop


@loop
def unlike(gaps: Rows, first: int, stop: int, other: int, other_stop: int) -> bool:
    """Say whether every gap of one rhythm is longer than every one of the other: clearly, or many of them."""
    least = shortest(gaps, other, other_stop)
    most = longest(gaps, first, stop)
    if gaps[least]["ns"] < gaps[shortest(gaps, first, stop)]["ns"]:
        least = shortest(gaps, first, stop)
        most = longest(gaps, other, other_stop)
    many = min(stop - first, other_stop - other) >= MANY
    if many and gaps[least]["ns"] > gaps[most]["ns"] + gaps[most]["jitter_ns"]:
        return True
    return clearly_longer(gaps[least], gaps[most])


@loop
def exclude(one: Record, other: Record) -> bool:
    """Say whether two claims for one timer cannot both hold; not where there is only one."""
    if one["there"] == 0 or other["there"] == 0:
        return False
    if one["high_ns"] < other["low_ns"] or other["high_ns"] < one["low_ns"]:
        return True
    return bool(one["value_ns"] != NONE and other["value_ns"] != NONE and one["value_ns"] != other["value_ns"])


@loop
def join_timers(timers: Rows, first: int, stop: int, step: int, frames: Numbers, used: int, timer: Record) -> int:
    """Tell one claim that holds whatever all of some timers do; nothing if one of them says nothing.

    Returns where its frames end. None of the timers is the one that is told.
    """
    timer["there"] = 1
    timer["value_ns"] = timers[first]["value_ns"]
    timer["low_ns"] = timers[first]["low_ns"]
    timer["high_ns"] = timers[first]["high_ns"]
    timer["observations"] = 0
    end = used
    for at in range(first, stop, step):
        one = timers[at]
        if one["there"] == 0:
            timer["there"] = 0
            return used
        if one["value_ns"] != timer["value_ns"]:
            timer["value_ns"] = NONE
        timer["low_ns"] = min(timer["low_ns"], one["low_ns"])
        timer["high_ns"] = max(timer["high_ns"], one["high_ns"])
        timer["observations"] += one["observations"]
        for place in range(one["first"], one["stop"]):
            end = put_frame(frames, used, end, frames[place])
    timer["first"] = used
    timer["stop"] = end
    return end
