"""Trains of beats: which one a beat goes on with, and how many were answered.

What comes between beats (requests, their replies) neither counts nor breaks a train.

It must not know when a small message is a beat, or which trains are heartbeats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.loops.loop import loop
from analyzer.tolerances import BEAT_AT_ONCE_NS, BEAT_LENGTH_PLAY, BEAT_MOST_JITTER_PARTS, BEATS_LEAST
from analyzer.track.beats import MOST_INSTEAD, MOST_OTHERS, MOST_TRAINS, copy_train, is_alike, new_train
from analyzer.track.rhythm import distance_in, hidden_in, is_in_place, is_step, is_unexplained, is_within, steps_in

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
    at = flow["beats"]
    found = False
    while at >= 0:
        if is_pair(opened) and not (found and beats[at]["loose"] == 0):
            found |= add_second(beats[at], opened, 1 - side) and beats[at]["loose"] == 0
        elif opened["open_own"] == 1 and opened["open_peer"] == 0:
            add_late(beats[at], opened, 1 - side)
        at = beats[at]["next"]
    place_exchange(flow, beats, registers, side, acked)
    if opened["next"] >= 0 and beats[opened["next"]]["open_side"] > 0:
        within = beats[opened["next"]]
        take_second(opened, within)
        place_exchange(flow, beats, registers, within["open_side"] - 1, acked)
        within["open_side"] = 0


@loop
def take_second(opened: Record, within: Record) -> None:
    """Let the exchange that is open be the one within it, once it was placed itself."""
    opened["open_ns"] = within["open_ns"]
    opened["open_frame"] = within["open_frame"]
    opened["open_length"] = within["open_length"]
    opened["open_own"] = 1
    opened["open_peer"] = within["open_peer"]
    opened["open_answer_len"] = within["open_answer_len"]
    opened["open_answer_frame"] = within["open_answer_frame"]
    opened["open_answer_ns"] = within["open_answer_ns"]
    opened["open_idle_ns"] = within["open_idle_ns"]
    opened["open_own_ns"] = within["open_own_ns"]
    opened["open_before"] = 0


@loop
def forget_second(flow: Record, beats: Rows) -> None:
    """Forget the exchange within the open one."""
    at = beats[flow["beats"]]["next"]
    if at >= 0:
        beats[at]["open_side"] = 0


@loop
def add_late(train: Record, opened: Record, side: int) -> bool:
    """Note for a train that the open exchange, of the other end alone, may be a late answer to its last beat.

    It is the first that was said since. Whether it answers, or is a beat of its own, shows in all of them.
    """
    waits = train["count"] > 0 and train["side"] == side and train["unanswered"] > 0
    if not waits or train["last_ns"] != opened["open_ns"] - opened["open_idle_ns"]:
        return False
    if train["answer_len"] == 0:
        train["answer_len"] = opened["open_length"]
    elif abs(train["answer_len"] - opened["open_length"]) > BEAT_LENGTH_PLAY:
        train["unlike"] = min(MOST_OTHERS, train["unlike"] + 1)
    train["late"] += 1
    train["unanswered"] = 0
    train["acked"] = 0
    train["answer_frame"] = opened["open_frame"]
    train["answer_ns"] = opened["open_ns"]
    train["slowest_ns"] = max(train["slowest_ns"], opened["open_ns"] - train["last_ns"])
    return True


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
    note_instead(flow, beats, side)
    opened = beats[flow["beats"]]
    length = opened["open_length"]
    found = False
    loose = -1
    loosened = -1
    restarted = -1
    spare = -1
    last = -1
    trains = 0
    at = flow["beats"]
    while at >= 0:
        train = beats[at]
        if is_alike(train, side, length) and train["loose"] == 1:
            loose = at
        elif is_alike(train, side, length):
            distance_ns = -1 if found else distance_in(train, opened)
            if distance_ns >= 0:
                if distance_ns == 0 and is_unexplained(train, opened):
                    train["others"] = min(MOST_OTHERS, train["others"] + 1)
                add_beat(train, opened, distance_ns, acked)
                found = True
            else:
                train["others"] = min(MOST_OTHERS, train["others"] + 1)
                loosened = at if may_have_jitter(train, opened) else loosened
                if train["count"] < BEATS_LEAST:
                    restarted = at
        if train["count"] < BEATS_LEAST and train["loose"] == 0 and (spare < 0 or is_staler(train, beats[spare])):
            spare = at
        trains += 1
        last = at
        at = train["next"]
    if loose >= 0:
        place_loosely(beats[loose], opened, acked)
    elif loosened >= 0 and trains < MOST_TRAINS and not found:
        last = loosen(beats, registers, loosened, last)
        trains += 1
        add_beat(beats[last], opened, opened["open_ns"] - beats[last]["last_ns"], acked)
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
def note_instead(flow: Record, beats: Rows, side: int) -> None:
    """Note for the trains of other lengths in whose place the open exchange stands that it does."""
    opened = beats[flow["beats"]]
    at = flow["beats"]
    while at >= 0:
        train = beats[at]
        if not is_alike(train, side, opened["open_length"]) and is_in_place(train, side, opened):
            train["instead"] = min(MOST_INSTEAD, train["instead"] + 1)
        at = train["next"]


@loop
def may_have_jitter(train: Record, opened: Record) -> bool:
    """Say whether a timer with much jitter explains the open exchange, which no other does, and a train's distances."""
    gap_ns = opened["open_ns"] - train["last_ns"]
    return train["gaps"] > 0 and is_within(train, gap_ns, BEAT_MOST_JITTER_PARTS)


@loop
def loosen(beats: Rows, registers: Numbers, at: int, last: int) -> int:
    """Let a train that takes distances with much jitter go on beside one, behind the last of the chain; return it."""
    loose = new_train(beats, registers, beats[at]["side"])
    beats[last]["next"] = loose
    copy_train(beats[at], beats[loose], 0)
    beats[loose]["loose"] = 1
    beats[loose]["others"] -= 1  # the open exchange, which goes on with it
    beats[loose]["open_side"] = 0
    return loose


@loop
def place_loosely(train: Record, opened: Record, acked: bool) -> None:  # noqa: FBT001
    """Add the open exchange to a train that takes distances with much jitter, or count it as out of its rhythm."""
    distance_ns = distance_in(train, opened)
    if distance_ns < 0 or (distance_ns == 0 and is_unexplained(train, opened)):
        train["others"] = min(MOST_OTHERS, train["others"] + 1)
    if distance_ns >= 0:
        add_beat(train, opened, distance_ns, acked)
    elif train["count"] < BEATS_LEAST:
        gap_ns = opened["open_ns"] - train["last_ns"]
        restart(train)
        add_beat(train, opened, gap_ns, acked)


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
def note_asked(flow: Record, beats: Rows) -> None:
    """Remember that the open exchange, which is none of a heartbeat, got an answer: messages as long ask something.

    Without a train of such messages a record that has none remembers it.
    """
    opened = beats[flow["beats"]]
    side = flow["exchange"] - 1
    found = -1
    at = flow["beats"]
    while at >= 0:
        train = beats[at]
        same = train["side"] == side and abs(train["length"] - opened["open_length"]) <= BEAT_LENGTH_PLAY
        if same and (train["count"] > 0 or train["asked"] > 0):
            if train["count"] < BEATS_LEAST:
                train["asked"] = min(MOST_INSTEAD, train["asked"] + 1)
            return
        if train["count"] == 0 and train["asked"] == 0:
            found = at
        at = train["next"]
    if found >= 0:
        beats[found]["side"] = side
        beats[found]["length"] = opened["open_length"]
        beats[found]["asked"] = 1


@loop
def is_staler(train: Record, other: Record) -> bool:
    """Say whether a train is easier spared than another: it has no beat, or an older one."""
    if train["count"] == 0 or other["count"] == 0:
        return other["count"] > 0
    older: bool = train["last_ns"] < other["last_ns"]
    return older


@loop
def begin_train(train: Record, opened: Record, side: int, acked: bool) -> None:  # noqa: FBT001
    """Let the open exchange be the first beat of a train; what was asked before by such messages stays known."""
    same = train["side"] == side and abs(train["length"] - opened["open_length"]) <= BEAT_LENGTH_PLAY
    if train["count"] > 0 or not same:
        train["asked"] = 0
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
    train["late"] = 0
    train["others"] = 0
    train["instead"] = 0
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
        train["unlike"] = min(MOST_OTHERS, train["unlike"] + 1)
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
    """Count a beat, and its distance from the one before if it has one.

    What stood in its place is out of its rhythm, unless the beat came nevertheless, one period after the last.
    """
    if train["instead"] > 0:
        if not is_step(train, ts_ns - train["last_ns"]):
            train["others"] = min(MOST_OTHERS, train["others"] + train["instead"])
        train["instead"] = 0
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
