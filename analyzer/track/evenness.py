"""Which trains of beats are heartbeats: enough beats, even enough, and answered alike or never.

It must not know which other train explains the same messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.loops.loop import loop
from analyzer.tolerances import (
    BEAT_ANSWER_MORE,
    BEAT_LENGTH_PLAY,
    BEAT_LOOSE_COUNT,
    BEAT_LOOSE_OTHERS,
    BEAT_LOOSE_PARTS,
    BEAT_ONE_WAY_NS,
    BEAT_SEALED_OCTETS,
    BEAT_SHORT_OCTETS,
    BEAT_TINY_OCTETS,
    BEATS_LEAST,
)
from analyzer.track.beat_trains import is_answered
from analyzer.track.rhythm import period_of

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows


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
    many = train["count"] >= BEAT_LOOSE_COUNT and 4 * train["others"] <= train["count"]
    if many and 16 * (period_of(train) - train["low_ns"]) <= period_of(train):
        return True  # hardly longer than the shortest on the average: one or the other was held up
    even: bool = 8 * spread_ns <= (3 if many else 1) * period_of(train)
    return even


@loop
def is_of_many_lengths(out: Rows, first: int, count: int, j: int) -> bool:
    """Say whether a train is made of some of the messages of an even stream whose lengths differ.

    Its beats come at some whole number of the periods of another train, which messages of other lengths fill; or they
    are less even than one timer, and fewer than those of other lengths that are no trains.
    """
    train = out[j]
    period_ns = period_of(train)
    uneven = 0
    for k in range(first, count):
        other = out[k]
        if other["side"] != train["side"] or abs(other["length"] - train["length"]) <= BEAT_LENGTH_PLAY:
            continue
        if other["count"] > 0 and not is_even(other):
            uneven += other["count"]
        if 2 * other["others"] <= other["count"] or other["gaps"] <= 0:
            continue
        step_ns = period_of(other)
        apart_ns = abs(train["last_ns"] - other["last_ns"])
        if is_multiple(period_ns, step_ns) and is_multiple(apart_ns, step_ns):
            return True
    return uneven > train["count"] and 8 * (train["high_ns"] - train["low_ns"]) > period_ns


@loop
def is_multiple(whole_ns: int, step_ns: int) -> bool:
    """Say whether a time is a whole number of steps, one at least, to within a tenth of one."""
    steps = (whole_ns + step_ns // 2) // step_ns
    multiple: bool = steps > 0 and 10 * abs(whole_ns - steps * step_ns) <= step_ns
    return multiple


@loop
def is_mutual(out: Rows, first: int, count: int, j: int) -> bool:
    """Say whether the other end beats by itself as that of a train does, among these trains.

    What both ends send alike, short, by the same timer, is a heartbeat however often it comes; what is as short within
    TLS if it comes on the dot.
    """
    train = out[j]
    if train["length"] > BEAT_SEALED_OCTETS or not is_even(train):
        return False
    period_ns = period_of(train)
    parts = 6 if train["length"] <= BEAT_SHORT_OCTETS else 1
    if 16 * (train["high_ns"] - train["low_ns"]) > parts * period_ns:
        return False
    for k in range(first, count):
        other = out[k]
        alike = other["side"] != train["side"] and abs(other["length"] - train["length"]) <= BEAT_LENGTH_PLAY
        if alike and other["count"] > 0 and other["gaps"] >= BEATS_LEAST - 1:
            spread_ns = other["high_ns"] - other["low_ns"]
            if 16 * spread_ns <= parts * period_ns and 8 * abs(period_of(other) - period_ns) <= period_ns:
                return True
    return False
