"""Trains of beats: which one a beat goes on with, and how many were answered.

What comes between beats (requests, their replies) neither counts nor breaks a train.

It must not know when a small message is a beat, or which trains are heartbeats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.loops.loop import loop
from analyzer.tolerances import BEAT_AT_ONCE_NS, BEAT_LENGTH_PLAY, BEATS_LEAST
from analyzer.track.beats import MOST_OTHERS, MOST_TRAINS, is_alike, new_train
from analyzer.track.rhythm import distance_in, hidden_in, steps_in

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows


@loop
def close_exchange(flow: Record, beats: Rows, registers: Numbers, acked: bool) -> None:  # noqa: FBT001
    """Add the open exchange of a flow to the train that it goes on with, or let it begin one.

    Its answer may be a beat of the other end, which beats by itself and came second this time: if it is the only one,
    as long, and in step with a train that this end has.
    """
    opened = beats[flow["beats"]]
    side = flow["exchange"] - 1
    if is_pair(opened):
        at = flow["beats"]
        while at >= 0 and not add_second(beats[at], opened, 1 - side):
            at = beats[at]["next"]
    place_exchange(flow, beats, registers, side, acked)


@loop
def is_pair(opened: Record) -> bool:
    """Say whether the open exchange has one message of each end, as long as each other."""
    alone = opened["open_own"] == 1 and opened["open_peer"] == 1
    return alone and abs(opened["open_answer_len"] - opened["open_length"]) <= BEAT_LENGTH_PLAY


@loop
def add_second(train: Record, opened: Record, side: int) -> bool:
    """Add the answer of the open exchange to a train of its sender if it is in step with it; say whether it is.

    Of who is answered at once as a rule it is an answer: both ends ask, and each answers.
    """
    if not is_alike(train, side, opened["open_answer_len"]) or train["gaps"] == 0:
        return False
    if is_answered(train) and train["slowest_ns"] < BEAT_AT_ONCE_NS:
        return False
    distance_ns = steps_in(train, opened["open_answer_ns"] - train["last_ns"])
    if distance_ns < 0:
        return False
    count_beat(train, opened["open_answer_frame"], opened["open_answer_ns"], distance_ns)
    note_missed(train, True)  # noqa: FBT003
    train["due"] = -1
    return True


@loop
def place_exchange(flow: Record, beats: Rows, registers: Numbers, side: int, acked: bool) -> None:  # noqa: FBT001
    """Find the train that the open exchange goes on with and add it there, or let it begin one."""
    opened = beats[flow["beats"]]
    length = opened["open_length"]
    found = False
    restarted = -1
    spare = -1
    last = -1
    trains = 0
    at = flow["beats"]
    while at >= 0:
        train = beats[at]
        if is_alike(train, side, length):
            distance_ns = -1 if found else distance_in(train, opened)
            if distance_ns >= 0:
                add_beat(train, opened, distance_ns, acked)
                found = True
            else:
                train["others"] = min(MOST_OTHERS, train["others"] + 1)
                if train["count"] < BEATS_LEAST:
                    restarted = at
        if train["count"] < BEATS_LEAST and (spare < 0 or is_staler(train, beats[spare])):
            spare = at
        trains += 1
        last = at
        at = train["next"]
    if found:
        return
    if restarted >= 0:
        restart(beats[restarted])
        add_beat(beats[restarted], opened, opened["open_ns"] - beats[restarted]["last_ns"], acked)
        return
    if spare < 0 or (beats[spare]["count"] > 0 and trains < MOST_TRAINS):
        if trains >= MOST_TRAINS:
            return
        spare = new_train(beats, registers, side)
        beats[last]["next"] = spare
    begin_train(beats[spare], opened, side, acked)


@loop
def pass_over(flow: Record, beats: Rows) -> None:
    """Note for the trains of messages like that of the open exchange that one came out of their rhythm."""
    opened = beats[flow["beats"]]
    at = flow["beats"]
    while at >= 0:
        train = beats[at]
        if is_alike(train, flow["exchange"] - 1, opened["open_length"]):
            train["others"] = min(MOST_OTHERS, train["others"] + 1)
        at = train["next"]


@loop
def is_staler(train: Record, other: Record) -> bool:
    """Say whether a train is easier spared than another: it has no beat, or an older one."""
    if train["count"] == 0 or other["count"] == 0:
        return other["count"] > 0
    older: bool = train["last_ns"] < other["last_ns"]
    return older


@loop
def begin_train(train: Record, opened: Record, side: int, acked: bool) -> None:  # noqa: FBT001
    """Let the open exchange be the first beat of a train."""
    train["side"] = side
    train["due"] = 0
    train["length"] = opened["open_length"]
    train["count"] = 0
    train["answered"] = 0
    train["missed"] = 0
    train["unanswered"] = 0
    train["acked"] = 0
    train["answer_len"] = 0
    train["unlike"] = 0
    train["others"] = 0
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
    answered = 1 if train["unanswered"] == 0 else 0
    train["count"] = 1
    train["answered"] = answered
    train["missed"] = 1 - answered
    train["unanswered"] = 1 - answered
    train["acked"] = min(train["acked"], 1 - answered)
    train["unlike"] = 0
    train["others"] = 0
    train["gaps"] = 0
    train["sum_ns"] = 0
    train["first_frame"] = train["last_frame"]
    train["first_ns"] = train["last_ns"]
    if answered == 0:
        train["silent_frame"] = train["last_frame"]
        train["silent_ns"] = train["last_ns"]
        train["answer_frame"] = 0
        train["answer_ns"] = -1


@loop
def add_beat(train: Record, opened: Record, distance_ns: int, acked: bool) -> None:  # noqa: FBT001
    """Add the open exchange to a train, and what was hidden before it; a distance of 0 is not counted among others."""
    hidden_ns = hidden_in(train, opened)
    if hidden_ns >= 0:
        add_hidden(train, opened, hidden_ns)
        distance_ns = opened["open_own_ns"]
    count_beat(train, opened["open_frame"], opened["open_ns"], distance_ns)
    if opened["open_answer_frame"] == 0:
        note_missed(train, acked)
        return
    if train["answer_len"] == 0:
        train["answer_len"] = opened["open_answer_len"]
    elif abs(train["answer_len"] - opened["open_answer_len"]) > BEAT_LENGTH_PLAY:
        train["unlike"] += 1
    train["answered"] += 1
    train["unanswered"] = 0
    train["acked"] = 0
    train["answer_frame"] = opened["open_answer_frame"]
    train["answer_ns"] = opened["open_answer_ns"]
    train["slowest_ns"] = max(train["slowest_ns"], opened["open_answer_ns"] - opened["open_ns"])


@loop
def add_hidden(train: Record, opened: Record, distance_ns: int) -> None:
    """Add what the sender of the open exchange had sent before it; of its answer only that there was one is known."""
    count_beat(train, abs(opened["open_before"]), opened["open_ns"] - opened["open_own_ns"], distance_ns)
    if opened["open_before"] > 0:
        train["answered"] += 1
        train["unanswered"] = 0
        train["acked"] = 0
    else:
        note_missed(train, True)  # noqa: FBT003


@loop
def count_beat(train: Record, frame: int, ts_ns: int, distance_ns: int) -> None:
    """Count a beat, and its distance from the one before if it has one."""
    train["count"] += 1
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
def note_missed(train: Record, acked: bool) -> None:  # noqa: FBT001
    """Note that nothing answered a train's last beat."""
    if train["unanswered"] == 0:
        train["silent_frame"] = train["last_frame"]
        train["silent_ns"] = train["last_ns"]
    train["missed"] += 1
    train["unanswered"] += 1
    train["acked"] = train["acked"] + 1 if acked else 0


@loop
def is_answered(train: Record) -> bool:
    """Say whether beats are answered as a rule: half of them at least up to the last answer, and two."""
    return train["answered"] > 1 and 2 * train["answered"] >= train["count"] - train["unanswered"]
