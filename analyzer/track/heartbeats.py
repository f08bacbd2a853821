"""Which trains of beats are heartbeats of a program: enough beats, even enough, and answered alike or never.

Deciding what a train means, or what protocol it is, is none of this module's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.loops.loop import loop
from analyzer.tolerances import (
    BEAT_ANSWER_MORE,
    BEAT_LATE_PARTS,
    BEAT_LENGTH_PLAY,
    BEAT_LOOSE_COUNT,
    BEAT_LOOSE_OTHERS,
    BEAT_LOOSE_PARTS,
    BEAT_ONE_WAY_NS,
    BEAT_SHORT_OCTETS,
    BEAT_TINY_OCTETS,
    BEATS_LEAST,
)
from analyzer.track.beat_trains import add_beat, add_late, add_second, is_answered, is_pair, take_second
from analyzer.track.beats import copy_train, is_alike
from analyzer.track.rhythm import distance_in, period_of

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows


@loop
def is_due(train: Record) -> bool:
    """Say whether answers are due: beats are answered as a rule, and by nobody who beats by himself."""
    return train["due"] >= 0 and is_answered(train)


@loop
def is_train(train: Record) -> bool:
    """Say whether beats are heartbeats: enough of them, even enough for so many, and answered alike, or never.

    Much that nobody answers is sent evenly and is no heartbeat: what a screen shows, what a sensor measures. So what
    is not answered must be tiny, or come seldom and on the dot.
    """
    if not is_even(train):
        return False
    if is_due(train):
        alike: bool = 4 * train["unlike"] <= train["answered"]
        return alike and train["answer_len"] <= train["length"] + BEAT_ANSWER_MORE
    if train["length"] <= BEAT_TINY_OCTETS:
        return True
    if train["asked"] > 1:  # requests that nobody answers any more
        return False
    period_ns = period_of(train)
    on_the_dot = 16 * (train["high_ns"] - train["low_ns"]) <= period_ns
    return period_ns >= BEAT_ONE_WAY_NS and (train["length"] <= BEAT_SHORT_OCTETS or on_the_dot)


@loop
def is_even(train: Record) -> bool:
    """Say whether beats are enough for a train, even enough for so many, and most of what their end sends like them.

    Of messages at random some are at even distances, by chance.
    """
    if 2 * train["others"] > train["count"]:
        return False
    if train["count"] < BEATS_LEAST or train["gaps"] < BEATS_LEAST - 1:
        return False
    spread_ns = train["high_ns"] - train["low_ns"]
    if train["loose"] == 1:
        alone = train["count"] >= BEAT_LOOSE_COUNT and BEAT_LOOSE_OTHERS * train["others"] <= train["count"]
        loosely: bool = alone and 32 * spread_ns <= BEAT_LOOSE_PARTS * period_of(train)
        return loosely
    parts = 3 if train["count"] >= BEAT_LOOSE_COUNT and 4 * train["others"] <= train["count"] else 1
    even: bool = 8 * spread_ns <= parts * period_of(train)
    return even


@loop
def is_of_many_lengths(out: Rows, first: int, count: int, j: int) -> bool:
    """Say whether a train is made of some of the messages of an even stream whose lengths differ.

    Its beats come at some whole number of the periods of another train, which messages of other lengths fill.
    """
    train = out[j]
    period_ns = period_of(train)
    for k in range(first, count):
        other = out[k]
        if other["side"] != train["side"] or abs(other["length"] - train["length"]) <= BEAT_LENGTH_PLAY:
            continue
        if 2 * other["others"] <= other["count"] or other["gaps"] <= 0:
            continue
        step_ns = period_of(other)
        apart_ns = abs(train["last_ns"] - other["last_ns"])
        if is_multiple(period_ns, step_ns) and is_multiple(apart_ns, step_ns):
            return True
    return False


@loop
def is_multiple(whole_ns: int, step_ns: int) -> bool:
    """Say whether a time is a whole number of steps, one at least, to within a tenth of one."""
    steps = (whole_ns + step_ns // 2) // step_ns
    multiple: bool = steps > 0 and 10 * abs(whole_ns - steps * step_ns) <= step_ns
    return multiple


@loop
def is_mutual(train: Record, beats: Rows, at: int) -> bool:
    """Say whether the other end beats by itself as this one does, in a chain of trains from there on.

    What both ends send alike, short, by the same timer, is a heartbeat however often it comes.
    """
    if train["length"] > BEAT_SHORT_OCTETS or not is_even(train):
        return False
    if train["due"] < 0 and is_answered(train):
        as_long = abs(train["answer_len"] - train["length"]) <= BEAT_LENGTH_PLAY
        if as_long and 4 * train["unlike"] <= train["answered"]:
            return True
    period_ns = period_of(train)
    while at >= 0:
        other = beats[at]
        if is_alike(other, 1 - train["side"], train["length"]) and other["gaps"] >= BEATS_LEAST - 1:
            spread_ns = other["high_ns"] - other["low_ns"]
            if 8 * spread_ns <= 3 * period_ns and 8 * abs(period_of(other) - period_ns) <= period_ns:
                return True
        at = other["next"]
    return False


@loop
def may_have_heartbeats(beats: Rows, at: int) -> bool:
    """Say whether a train of a chain has beats enough, were the open exchange, and one before it, of it too."""
    while at >= 0:
        if beats[at]["count"] >= BEATS_LEAST - 2:
            return True
        at = beats[at]["next"]
    return False


@loop
def close_last(out: Rows, first: int, count: int, side: int, acked: bool) -> None:  # noqa: FBT001
    """Add the exchange that is open to these copies of the trains of a flow, and the one within it."""
    opened = out[first]
    found = False
    for j in range(first, count):
        if is_pair(opened) and not (found and out[j]["loose"] == 0):
            found |= add_second(out[j], opened, 1 - side) and out[j]["loose"] == 0
        elif opened["open_own"] == 1 and opened["open_peer"] == 0:
            add_late(out[j], opened, 1 - side)
    place_last(out, first, count, side, acked)
    if count > first + 1 and out[first + 1]["open_side"] > 0:
        take_second(opened, out[first + 1])
        place_last(out, first, count, out[first + 1]["open_side"] - 1, acked)


@loop
def place_last(out: Rows, first: int, count: int, side: int, acked: bool) -> None:  # noqa: FBT001
    """Add the exchange that is open to the train that it goes on with, if there is one."""
    opened = out[first]
    found = False
    for j in range(first, count):
        if is_alike(out[j], side, opened["open_length"]) and not (found and out[j]["loose"] == 0):
            distance_ns = distance_in(out[j], opened)
            if distance_ns >= 0:
                add_beat(out[j], opened, distance_ns, acked)
                found |= out[j]["loose"] == 0


@loop
def take_late(out: Rows, first: int, count: int, j: int) -> None:
    """Count what may be late answers to a train as such, if they are, and forget the train that they looked like.

    They are if others come in time. Where none does they are if their own rhythm is none, or clearly less even than
    that of the beats, or if each comes within a third of the period: two timers keep no distance for long.
    """
    train = out[j]
    late = train["late"]
    train["late"] = 0
    if late == 0 or train["due"] < 0 or not is_even(train):
        return
    answered = train["answered"] + late
    if answered < 2 or 2 * answered < train["count"] - train["unanswered"]:
        return
    own = -1
    for k in range(first, count):
        other = out[k]
        if other["side"] != train["side"] and abs(other["length"] - train["answer_len"]) <= BEAT_LENGTH_PLAY:
            alike = other["gaps"] >= 2 and 8 * abs(period_of(other) - period_of(train)) <= period_of(train)
            if alike and (not is_due(other) or other["slowest_ns"] > train["slowest_ns"]):
                own = k
    is_prompt = BEAT_LATE_PARTS * train["slowest_ns"] <= period_of(train)
    has_own = own >= 0 and not is_answered(train) and is_even(out[own]) and is_as_even(out[own], train)
    if has_own and (not is_prompt or out[own]["count"] > answered + 1):
        return
    train["answered"] = answered
    train["missed"] -= late
    if own >= 0:
        out[own]["count"] = 0


@loop
def choose_rhythm(out: Rows, first: int, count: int) -> None:
    """Of a train that takes few distances and one that takes distances with much jitter forget one.

    The former stays if it is a train, unless the latter has two more, of all that was said as long but a twelfth.
    """
    for j in range(first, count):
        loose = out[j]
        if loose["count"] == 0 or loose["loose"] == 0:
            continue
        is_better = is_train(loose)
        for k in range(first, count):
            other = out[k]
            if other["loose"] == 0 and is_alike(other, loose["side"], loose["length"]) and is_train(other):
                is_better = is_better and loose["count"] >= other["count"] + 2
        for k in range(first, count):
            if k != j and is_better and is_alike(out[k], loose["side"], loose["length"]):
                out[k]["count"] = 0
        if not is_better:
            loose["count"] = 0


@loop
def is_as_even(train: Record, other: Record) -> bool:
    """Say whether a train's distances differ hardly more than those of another."""
    spread_ns = train["high_ns"] - train["low_ns"]
    as_even: bool = spread_ns <= 2 * (other["high_ns"] - other["low_ns"]) + period_of(other) // 16
    return as_even


@loop
def trains_of(having: Numbers, flows: Rows, a: Rows, b: Rows, beats: Rows, out: Rows) -> int:
    """Write the trains of heartbeats of the flows at these indices to ``out``, which has room for all their records.

    The exchange that is open counts; the table stays as it is.

    Returns:
        How many trains there are.
    """
    count = 0
    for which in range(len(having)):
        i = having[which]
        flow = flows[i]
        if not may_have_heartbeats(beats, flow["beats"]):
            continue
        at = flow["beats"]
        first = count
        while at >= 0:
            copy_train(beats[at], out[count], flow["number"])
            count += 1
            at = beats[at]["next"]
        if flow["exchange"] > 0:
            side = flow["exchange"] - 1
            acked = (a[i] if side == 0 else b[i])["unacked_ns"] < 0
            close_last(out, first, count, side, acked)
        for j in range(first, count):
            take_late(out, first, count, j)
        kept = first
        choose_rhythm(out, first, count)
        for j in range(first, count):
            if is_of_many_lengths(out, first, count, j):
                continue
            if is_train(out[j]) or is_mutual(out[j], beats, flow["beats"]):
                out[j]["due"] = 1 if is_due(out[j]) else 0
                copy_train(out[j], out[kept], flow["number"])
                kept += 1
        count = kept
    return count
