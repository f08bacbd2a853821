"""Trains of beats: how their beats are counted, how far they are apart, and how many were answered.

It must not know when a small message is a beat, or which train it goes on with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.tolerances import BEAT_LENGTH_PLAY
from analyzer.track.beats import MOST_OTHERS
from analyzer.track.rhythm import hidden_in, is_step

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

ACKED: Final = 1
TOO_SOON: Final = 2


@loop
def begin_train(train: Record, opened: Record, acked: int) -> None:
    """Let an open message be the first beat of a train; what was asked before by such messages stays known."""
    side = opened["open_side"] - 1
    same = train["side"] == side and abs(train["length"] - opened["open_length"]) <= BEAT_LENGTH_PLAY
    if train["count"] > 0 or not same:
        train["asked"] = 0
    train["side"] = side
    train["every"] = 0
    train["loose"] = 0
    train["due"] = 0
    train["length"] = opened["open_length"]
    train["count"] = 0
    train["answered"] = 0
    train["missed"] = 0
    train["unanswered"] = 0
    train["acked"] = 0
    train["answer_len"] = 0
    train["unlike"] = 0
    train["late"] = 0
    train["others"] = 0
    train["instead"] = 0
    train["asks"] = 0
    train["ago_frame"] = 0
    train["astray"] = 0
    train["amid"] = 0
    train["crossed"] = 0
    train["amid_answered"] = 0
    train["answer_frame"] = 0
    train["answer_ns"] = -1
    train["silent_frame"] = 0
    train["silent_ns"] = -1
    train["slowest_ns"] = 0
    train["gaps"] = -1
    train["sum_ns"] = 0
    train["low_ns"] = 0
    train["high_ns"] = 0
    train["first_frame"] = opened["open_frame"]
    train["first_ns"] = opened["open_ns"]
    train["last_ns"] = opened["open_ns"]
    if opened["open_before"] == 0:
        add_beat(train, opened, 0, acked)
        return
    train["first_frame"] = abs(opened["open_before"])
    train["first_ns"] = opened["open_ns"] - opened["open_own_ns"]
    add_hidden(train, opened, 0)
    add_beat(train, opened, opened["open_own_ns"], acked)


@loop
def restart(train: Record) -> None:
    """Let a train begin with its last beat: those before it were at another distance."""
    waits = 1 if train["unanswered"] > 0 else 0
    late = 0 if waits > 0 else min(train["late"], 1)
    answered = 1 - waits - late
    train["count"] = 1
    train["answered"] = answered
    train["late"] = late
    train["missed"] = 1 - answered
    train["unanswered"] = waits
    train["acked"] = min(train["acked"], waits)
    train["unlike"] = 0
    train["others"] = 0
    train["instead"] = 0
    train["asks"] = 0
    train["astray"] = 0
    train["amid"] = 0
    train["crossed"] = 0
    train["amid_answered"] = 0
    train["gaps"] = 0
    train["sum_ns"] = 0
    train["first_frame"] = train["last_frame"]
    train["first_ns"] = train["last_ns"]
    if waits > 0:
        train["silent_frame"] = train["last_frame"]
        train["silent_ns"] = train["last_ns"]
        train["answer_frame"] = 0
        train["answer_ns"] = -1


@loop
def add_beat(train: Record, opened: Record, distance_ns: int, acked: int) -> None:
    """Add an open message to a train, and what was hidden before it; a distance of 0 is not counted among others."""
    hidden_ns = hidden_in(train, opened)
    if hidden_ns >= 0:
        add_hidden(train, opened, hidden_ns)
        distance_ns = opened["open_own_ns"]
    count_beat(train, opened["open_frame"], opened["open_ns"], distance_ns)
    train["crossed"] = min(MOST_OTHERS, train["crossed"] + opened["open_crossed"])
    if opened["open_answer_frame"] == 0:
        note_missed(train, acked)
        return
    note_length(train, opened["open_answer_len"])
    train["answered"] += 1
    train["unanswered"] = 0
    train["acked"] = 0
    note_answer(train, opened["open_answer_frame"], opened["open_answer_ns"], opened["open_ns"])


@loop
def add_hidden(train: Record, opened: Record, distance_ns: int) -> None:
    """Add what the sender of an open message had sent before it; of its answer only that there was one is known."""
    count_beat(train, abs(opened["open_before"]), opened["open_ns"] - opened["open_own_ns"], distance_ns)
    if opened["open_before"] > 0:
        train["answered"] += 1
        train["unanswered"] = 0
        train["acked"] = 0
    else:
        note_missed(train, ACKED)


@loop
def count_beat(train: Record, frame: int, ts_ns: int, distance_ns: int) -> None:
    """Count a beat, and its distance from the one before if it has one.

    What stood in its place is out of its rhythm, unless the beat came nevertheless, one period after the last.
    """
    if train["instead"] > 0:
        if not is_step(train, ts_ns - train["last_ns"]):
            train["others"] = min(MOST_OTHERS, train["others"] + train["instead"])
        train["instead"] = 0
    train["count"] += 1
    train["asks"] = 0
    if train["gaps"] < 0:
        train["gaps"] = 0
    elif distance_ns > 0:
        train["low_ns"] = distance_ns if train["gaps"] == 0 else min(train["low_ns"], distance_ns)
        train["high_ns"] = distance_ns if train["gaps"] == 0 else max(train["high_ns"], distance_ns)
        train["gaps"] += 1
        train["sum_ns"] += distance_ns
    train["last_frame"] = frame
    train["last_ns"] = ts_ns


@loop
def note_missed(train: Record, acked: int) -> None:
    """Note that nothing answered a train's last beat; ``acked`` is 1 if the peer's kernel acknowledged it, else 0.

    Or it is TOO_SOON: no acknowledgement could be there yet, and those before it count.
    """
    if train["unanswered"] == 0:
        train["silent_frame"] = train["last_frame"]
        train["silent_ns"] = train["last_ns"]
    train["missed"] += 1
    train["unanswered"] += 1
    if acked != TOO_SOON:
        train["acked"] = train["acked"] + 1 if acked == ACKED else 0


@loop
def note_length(train: Record, length: int) -> None:
    """Note how long an answer is; where most are of other lengths than the first it is the latest that counts."""
    if train["answer_len"] == 0:
        train["answer_len"] = length
    elif abs(train["answer_len"] - length) > BEAT_LENGTH_PLAY:
        train["unlike"] = min(MOST_OTHERS, train["unlike"] + 1)
        if 2 * train["unlike"] > train["answered"] + train["late"]:
            train["answer_len"] = length


@loop
def note_answer(train: Record, frame: int, ts_ns: int, asked_ns: int) -> None:
    """Note the last answer, and how long it took."""
    train["answer_frame"] = frame
    train["answer_ns"] = ts_ns
    train["slowest_ns"] = max(train["slowest_ns"], ts_ns - asked_ns)


@loop
def add_late(train: Record, opened: Record) -> None:
    """Note for a train that an exchange of one message, of the other end, may be a late answer to its last beat.

    It is the first that was said since. Whether it answers, or is a beat of its own, shows in all of them.
    """
    waits = train["count"] > 0 and train["side"] == 2 - opened["open_side"] and train["unanswered"] > 0
    if not waits or train["every"] == 1 or train["last_ns"] != opened["open_ns"] - opened["open_idle_ns"]:
        return
    note_length(train, opened["open_length"])
    train["late"] += 1
    train["unanswered"] = 0
    train["acked"] = 0
    note_answer(train, opened["open_frame"], opened["open_ns"], train["last_ns"])


@loop
def take_answers(train: Record, opened: Record) -> None:
    """Take an open message for late answers to the last beats of a train; several may come in one segment."""
    count = answers_in(train, opened["open_length"])
    train["answered"] += count
    train["missed"] -= count
    train["unanswered"] -= count
    train["acked"] = min(train["acked"], train["unanswered"])
    note_answer(train, opened["open_frame"], opened["open_ns"], train["silent_ns"])
    if train["unanswered"] > 0:  # whichever these are, they are behind the first that waited
        train["silent_frame"] = train["last_frame"]
        train["silent_ns"] = train["last_ns"]


@loop
def answers_in(train: Record, length: int) -> int:
    """Return how many answers to a train's last beats a message of this length may be: 0 if none."""
    answer_len = train["answer_len"]
    if abs(answer_len - length) <= BEAT_LENGTH_PLAY:
        return 1
    if answer_len == 0 or length % answer_len > 0 or length // answer_len > train["unanswered"]:
        return 0
    several: int = length // answer_len
    return several


@loop
def waiting_for(beats: Rows, first: int, opened: Record) -> int:
    """Return which train, whose beats are answered as a rule, waits for answers that an open message may be; -1 none.

    It is the one that has waited longest.
    """
    found = -1
    at = first
    while at >= 0:
        train = beats[at]
        waits = train["count"] > 0 and train["side"] == 2 - opened["open_side"] and train["unanswered"] > 0
        is_one = waits and train["every"] == 0 and is_asked(train) and answers_in(train, opened["open_length"]) > 0
        if is_one and (found < 0 or train["silent_ns"] < beats[found]["silent_ns"]):
            found = at
        at = train["next"]
    return found


@loop
def is_answered(train: Record) -> bool:
    """Say whether beats are answered as a rule: half of them at least up to the last answer, and two."""
    return train["answered"] > 1 and 2 * train["answered"] >= train["count"] - train["unanswered"]


@loop
def is_asked(train: Record) -> bool:
    """Say whether so many beats are answered, up to the last answer, that one without an answer is missed."""
    return train["answered"] > 1 and 4 * (train["missed"] - train["unanswered"]) <= train["answered"]


@loop
def is_unheard(train: Record) -> bool:
    """Say whether so few beats are answered that these answers may be none."""
    return train["count"] > 2 and 4 * train["answered"] <= train["count"]
