"""Which trains of beats are heartbeats of a program: enough beats, even enough, and answered alike or never.

Deciding what a train means, or what protocol it is, is none of this module's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.loops.loop import loop
from analyzer.tolerances import (
    BEAT_ANSWER_MORE,
    BEAT_LENGTH_PLAY,
    BEAT_LOOSE_COUNT,
    BEAT_ONE_WAY_NS,
    BEAT_SHORT_OCTETS,
    BEAT_TINY_OCTETS,
    BEATS_LEAST,
)
from analyzer.track.beat_trains import add_beat, add_second, is_answered, is_pair
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
    parts = 3 if train["count"] >= BEAT_LOOSE_COUNT else 1
    even: bool = 8 * (train["high_ns"] - train["low_ns"]) <= parts * period_of(train)
    return even


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
            opened = out[first]
            side = flow["exchange"] - 1
            acked = (a[i] if side == 0 else b[i])["unacked_ns"] < 0
            if is_pair(opened):
                for j in range(first, count):
                    if add_second(out[j], opened, 1 - side):
                        break
            for j in range(first, count):
                if is_alike(out[j], side, opened["open_length"]):
                    distance_ns = distance_in(out[j], opened)
                    if distance_ns >= 0:
                        add_beat(out[j], opened, distance_ns, acked)
                        break
        kept = first
        for j in range(first, count):
            if is_train(out[j]) or is_mutual(out[j], beats, flow["beats"]):
                out[j]["due"] = 1 if is_due(out[j]) else 0
                copy_train(out[j], out[kept], flow["number"])
                kept += 1
        count = kept
    return count
