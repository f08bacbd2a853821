"""Which of the trains that explain the same messages stays: those that look like answers may be beats, or late answers.

It must not know what makes a train one of heartbeats (``evenness``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.tolerances import BEAT_LATE_PARTS, BEAT_LENGTH_PLAY, BEAT_LOOSE_COUNT, BEATS_LEAST
from analyzer.track.beat_trains import is_answered, is_asked, is_unheard
from analyzer.track.beats import is_alike, is_of_every
from analyzer.track.changing import AS_IT_WAS
from analyzer.track.evenness import is_due, is_even, is_train
from analyzer.track.rhythm import has_jitter, period_of

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

PREFERRED: Final = 2
"""In the field of a train that says whether it is of every message: it is, and these are beats."""


@loop
def forget_as_it_was(train: Record) -> None:
    """Forget what a train was before a change that did not last."""
    if train["every"] == AS_IT_WAS:
        train["every"] = 0
        train["count"] = 0


@loop
def excuse(out: Rows, first: int, count: int, j: int) -> None:
    """Forget of what a train's end said as long, out of its rhythm, what is itself a train beyond doubt.

    Whoever changes the period, or has two, has two trains.
    """
    train = out[j]
    for k in range(first, count):
        other = out[k]
        is_one = k != j and train["every"] == 0 and is_alike(other, train["side"], train["length"])
        if is_one and train["loose"] == 0 and other["loose"] == 0 and is_beyond_doubt(other):
            train["others"] = max(0, train["others"] - other["count"])


@loop
def is_beyond_doubt(train: Record) -> bool:
    """Say whether beats are so many, and so even, that no chance explains them."""
    if train["gaps"] < BEAT_LOOSE_COUNT - 1:
        return False
    certain: bool = 32 * (train["high_ns"] - train["low_ns"]) <= period_of(train)
    return certain


@loop
def take_back_amid(train: Record) -> None:
    """Take beats that passed amid other data out of a train where much more that was as long did: chance explains them.

    Those that nobody answers count as missed, as all others of their train do.
    """
    if train["astray"] <= train["amid"]:
        return
    train["count"] -= train["amid"]
    train["answered"] -= train["amid_answered"]
    if train["answered"] == 0:
        train["missed"] = max(0, train["missed"] - train["amid"])
        train["unanswered"] = max(0, train["unanswered"] - train["amid"])
        train["acked"] = max(0, train["acked"] - train["amid"])


@loop
def take_late(out: Rows, first: int, count: int, j: int) -> None:
    """Count what may be late answers to a train as such, if they are, and forget the train that they looked like.

    They are if others come in time. Where none does they are if their own rhythm is none, or clearly less even than
    that of the beats, or if each comes within a third of the period: two timers keep no distance for long.
    """
    train = out[j]
    late = train["late"]
    train["late"] = 0
    if late == 0 or train["every"] == 1 or train["due"] < 0 or not is_even(train):
        return
    answered = train["answered"] + late
    if answered < 2 or 2 * answered < train["count"] - train["unanswered"]:
        return
    own = -1
    for k in range(first, count):
        other = out[k]
        is_one = is_of_every(other, 1 - train["side"], train["answer_len"])
        if not (is_one or is_alike(other, 1 - train["side"], train["answer_len"])) or other["gaps"] < 2:
            continue
        amid = train["count"] - train["unanswered"] - answered
        if is_even(other) and (other["count"] > answered + 1 or 4 * amid > answered):
            return
        alike = 8 * abs(period_of(other) - period_of(train)) <= period_of(train)
        if alike and not is_one and (not is_due(other) or other["slowest_ns"] > train["slowest_ns"]):
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
def is_as_even(train: Record, other: Record) -> bool:
    """Say whether a train's distances differ hardly more than those of another."""
    spread_ns = train["high_ns"] - train["low_ns"]
    as_even: bool = spread_ns <= 2 * (other["high_ns"] - other["low_ns"]) + period_of(other) // 16
    return as_even


@loop
def prefer_every(out: Rows, first: int, count: int) -> None:
    """Keep a train of every message of a length where these are beats and none an answer, else the others of it.

    Both explain the same messages. Those that look like answers are beats if the train of all of them is even and
    either has beats where there was nothing to answer, and more than the train without answers, which has holes; or
    they are answers to a train that has none to beats amid others; or both ends beat by one clock.
    """
    for j in range(first, count):
        every = out[j]
        if every["every"] == 1 and every["count"] > 0 and is_preferred(out, first, count, every):
            every["every"] = PREFERRED
    for j in range(first, count):
        for k in range(first, count):
            mutual = is_of_one_clock(out[j], out[k]) and is_of_one_clock(out[k], out[j])
            if mutual and not (asks(out, first, count, out[j]) and asks(out, first, count, out[k])):
                out[j]["every"] = PREFERRED
                out[k]["every"] = PREFERRED
    for j in range(first, count):
        every = out[j]
        if every["every"] == 1 and every["count"] > 0 and is_drawn_along(out, first, count, every):
            every["every"] = PREFERRED
    for j in range(first, count):
        every = out[j]
        if every["every"] == PREFERRED:
            every["answered"] = 0
            every["answer_len"] = 0
            every["slowest_ns"] = 0
            every["answer_ns"] = -1
            for k in range(first, count):
                if is_alike(out[k], every["side"], every["length"]):
                    out[k]["count"] = 0
                elif is_answered_so(out[k], every):
                    out[k]["due"] = -1
        elif every["every"] == 1:
            every["count"] = 0


@loop
def is_preferred(out: Rows, first: int, count: int, every: Record) -> bool:
    """Say whether a train of every message of a length is one of beats, as ``prefer_every`` tells."""
    own = own_of(out, first, count, every)
    if not is_all(every, out[own]["others"] if own >= 0 else 0):
        return False
    if has_drifted(out, first, count, every) or has_crossed(out, first, count, every):
        return True
    if only_follows(out, first, count, every):
        return False
    doubted = is_doubted(out, first, count, every)
    if own < 0 or out[own]["count"] < 2:
        return doubted
    if is_asked(out[own]) and 3 * every["count"] <= 4 * out[own]["count"]:
        return False
    if doubted:
        fewer: bool = every["count"] > out[own]["count"]
        return fewer
    has_holes = not (is_answered(out[own]) and is_whole(out[own], every))
    return has_holes and every["count"] >= out[own]["count"] + 2


@loop
def is_of_one_clock(every: Record, other: Record) -> bool:
    """Say whether what an end sends like the other end is as even as that, and comes behind it, but not each time.

    An answer never comes before it is asked for. So where both trains of every message are so, either end came first
    once at least, in the rhythm of both: they beat by themselves, at the same instants. Unless both ask and answer.
    """
    if every["every"] == 0 or other["every"] == 0 or every["count"] == 0 or every["side"] == other["side"]:
        return False
    if every["length"] != other["length"] or every["answer_len"] != other["length"]:
        return False
    if not 0 < every["answered"] < every["count"] or abs(every["count"] - other["count"]) > 1:
        return False
    period_ns = period_of(every)
    if 16 * abs(period_of(other) - period_ns) > period_ns:
        return False
    return is_all(every, 0) and 16 * (every["high_ns"] - every["low_ns"]) <= period_ns


@loop
def asks(out: Rows, first: int, count: int, every: Record) -> bool:
    """Say whether messages as long as those of a train of every one are pings with answers, but for such answers."""
    own = own_of(out, first, count, every)
    return own >= 0 and is_even(out[own]) and is_answered(out[own])


@loop
def is_drawn_along(out: Rows, first: int, count: int, every: Record) -> bool:
    """Say whether a train of every message has more beats than any, and seems to answer one that gave way to such."""
    own = own_of(out, first, count, every)
    if own >= 0 and out[own]["count"] >= every["count"]:
        return False
    if not is_all(every, out[own]["others"] if own >= 0 else 0):
        return False
    if only_follows(out, first, count, every):
        return False
    for j in range(first, count):
        other = out[j]
        if other["every"] == PREFERRED and other["count"] > 0 and other["side"] != every["side"]:
            own = own_of(out, first, count, other)
            if own >= 0 and is_answered_so(out[own], every):
                return True
    return False


@loop
def only_follows(out: Rows, first: int, count: int, every: Record) -> bool:
    """Say whether messages come right behind those of one length of the other end, and behind most of these."""
    if 8 * every["answered"] < 7 * every["count"]:
        return False
    most = 0
    for k in range(first, count):
        other = out[k]
        is_other = other["count"] > 0 and other["side"] != every["side"]
        if is_other and abs(other["length"] - every["answer_len"]) <= BEAT_LENGTH_PLAY:
            most = max(most, other["count"])
    return 4 * every["count"] >= 3 * most


@loop
def has_drifted(out: Rows, first: int, count: int, every: Record) -> bool:
    """Say whether messages come behind those of the other end, as long, by so many times that both have a timer.

    Both have jitter, and how far they are apart changes by more than distances of the second may differ. Were these
    answers, one that took so long would make its sender's distances uneven, twice.
    """
    period_ns = period_of(every)
    if every["count"] < BEAT_LOOSE_COUNT or every["others"] > 0 or not has_jitter(every):
        return False
    if 8 * (every["high_ns"] - every["low_ns"]) > 3 * period_ns:
        return False
    if 8 * (every["slowest_ns"] - every["answer_ns"]) <= 3 * period_ns:
        return False
    for k in range(first, count):
        other = out[k]
        if not is_answered_so(other, every) or abs(other["length"] - every["length"]) > BEAT_LENGTH_PLAY:
            continue
        is_whole_too = BEATS_LEAST <= other["count"] <= every["count"] + 1
        if is_whole_too and has_jitter(other) and is_even(other):
            return True
    return False


@loop
def has_crossed(out: Rows, first: int, count: int, every: Record) -> bool:
    """Say whether messages come as often as those of the other end, as long, and one was sent before that was there.

    So that one is no answer; and all of them are by one timer.
    """
    if every["crossed"] == 0:
        return False
    for k in range(first, count):
        other = out[k]
        is_other = other["count"] > 0 and other["side"] != every["side"] and is_even(other)
        alike = is_other and abs(other["length"] - every["length"]) <= BEAT_LENGTH_PLAY
        if alike and abs(other["count"] - every["count"]) <= 1:
            return True
    return False


@loop
def is_all(every: Record, others: int) -> bool:
    """Say whether a train of every message of a length is even, and no more out of its rhythm than these, or few."""
    return is_even(every) and (every["others"] <= others or 16 * every["others"] <= every["count"])


@loop
def own_of(out: Rows, first: int, count: int, every: Record) -> int:
    """Return the train of messages as long as those of one of every message, that look like no answers; -1 if none."""
    found = -1
    for k in range(first, count):
        if is_alike(out[k], every["side"], every["length"]) and (found < 0 or out[k]["count"] > out[found]["count"]):
            found = k
    return found


@loop
def is_answered_so(train: Record, every: Record) -> bool:
    """Say whether messages as long as those of a train of every message seem to answer a train."""
    is_other = train["count"] > 0 and train["every"] == 0 and train["side"] != every["side"]
    seem = is_other and train["answered"] + train["late"] > 0
    return seem and abs(train["answer_len"] - every["length"]) <= BEAT_LENGTH_PLAY


@loop
def is_doubted(out: Rows, first: int, count: int, every: Record) -> bool:
    """Say whether a train that messages of this length seem to answer has beats amid others that they do not."""
    for k in range(first, count):
        train = out[k]
        amid = train["missed"] - train["unanswered"] - train["late"]
        if is_answered_so(train, every) and (3 * amid > train["count"] or is_unheard(train)):
            return True
    return False


@loop
def is_whole(train: Record, every: Record) -> bool:
    """Say whether a train has all beats that its period lets expect while every message as long passed."""
    if train["gaps"] <= 0 or not is_even(train):
        return False
    period_ns = period_of(train)
    passed_ns = every["last_ns"] - every["first_ns"]
    whole: bool = (train["count"] + 1) * period_ns >= passed_ns
    return whole


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
