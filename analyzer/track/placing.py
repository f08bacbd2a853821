"""Which train a beat goes on with, once the exchange that it is of is over.

What comes between beats (requests, their replies) neither counts nor breaks a train.

It must not know when an exchange begins or ends, or which trains are heartbeats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.loops.loop import loop
from analyzer.tolerances import BEAT_LENGTH_PLAY, BEAT_MOST_JITTER_PARTS, BEATS_LEAST
from analyzer.track.amid import recall
from analyzer.track.beat_trains import (
    add_beat,
    add_late,
    begin_train,
    count_beat,
    note_missed,
    restart,
    take_answers,
    waiting_for,
)
from analyzer.track.beats import MOST_INSTEAD, MOST_OTHERS, copy_train, is_alike, is_of_every
from analyzer.track.changing import note_change, note_new_pace
from analyzer.track.rhythm import distance_in, is_in_place, is_unexplained, is_within, period_of
from analyzer.track.turns import AGAIN, LATE, nearest, turns_of

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows


@loop
def close_exchange(beats: Rows, first: int, acked: int) -> None:
    """Add the messages of the exchange that is open to trains.

    ``acked`` has two bits of each end: ACKED if all of its data is, TOO_SOON if the last of it could not be yet.
    ``first`` is the first record of the flow's chain.
    """
    opened = beats[first]
    count = opened["open_count"]
    note_crossed(beats, first, count)
    turns = turns_of(beats, first, count)
    if count == 1 and turns == 0:
        at = first
        while at >= 0:
            add_late(beats[at], opened)
            at = beats[at]["next"]
    at = first
    for j in range(count):
        turn = turns >> 4 * j & 15
        if turn == LATE:
            waiting = waiting_for(beats, first, beats[at])
            if waiting >= 0:
                take_answers(beats[waiting], beats[at])
        elif 0 < turn < AGAIN:
            answer(beats, first, turn - 1, beats[at])
        at = beats[at]["next"]
    at = first
    for j in range(count):
        said = beats[at]
        turn = turns >> 4 * j & 15
        is_acked = acked >> 2 * (said["open_side"] - 1) & 3
        if turn == 0:
            place_beat(beats, first, said, is_acked)
        elif turn == AGAIN:
            pass_over(beats, first, said)
        place_every(beats, first, j, is_acked, 0 < turn != AGAIN)
        at = said["next"]
    opened["open_count"] = 0


@loop
def note_crossed(beats: Rows, first: int, count: int) -> None:
    """Note which open messages were sent before the last of the other end, as long, was there."""
    at = first
    for j in range(count):
        said = beats[at]
        said["open_crossed"] = 0
        near = nearest(beats, first, j) if said["open_unread"] == 1 else -1
        if near >= 0 and abs(beats[nth(beats, first, near)]["open_length"] - said["open_length"]) <= BEAT_LENGTH_PLAY:
            said["open_crossed"] = 1
        at = said["next"]


@loop
def answer(beats: Rows, first: int, to: int, said: Record) -> None:
    """Enter an open message as the answer to the one at a place."""
    asks = beats[nth(beats, first, to)]
    asks["open_answer_len"] = said["open_length"]
    asks["open_answer_frame"] = said["open_frame"]
    asks["open_answer_ns"] = said["open_ns"]


@loop
def place_beat(beats: Rows, first: int, opened: Record, acked: int) -> None:
    """Find the train that an open message goes on with and add it there, or let it begin one."""
    side = opened["open_side"] - 1
    length = opened["open_length"]
    note_instead(beats, first, opened)
    best = best_of(beats, first, opened)
    loose = -1
    loosened = -1
    restarted = -1
    spare = -1
    at = first
    while at >= 0:
        train = beats[at]
        if is_alike(train, side, length) and train["loose"] == 1:
            loose = at
        elif at != best and is_alike(train, side, length):
            train["others"] = min(MOST_OTHERS, train["others"] + 1)
            loosened = at if may_have_jitter(train, opened) else loosened
            restarted = at if train["count"] < BEATS_LEAST else restarted
        if at != best and is_spare(train) and (spare < 0 or is_staler(train, beats[spare])):
            spare = at
        at = train["next"]
    if best >= 0:
        note_change(beats, first, best, spare, opened)
        add_beat(beats[best], opened, distance_in(beats[best], opened), acked)
        note_new_pace(beats, first, best)
    if loose >= 0:
        place_loosely(beats[loose], opened, acked)
    elif loosened >= 0 and spare >= 0 and beats[spare]["count"] == 0 and best < 0:
        loosen(beats[loosened], beats[spare])
        add_beat(beats[spare], opened, opened["open_ns"] - beats[spare]["last_ns"], acked)
        spare = -1
    if best >= 0:
        return
    if restarted >= 0:
        restart(beats[restarted])
        recall(beats[restarted], opened["open_ns"])
        add_beat(beats[restarted], opened, opened["open_ns"] - beats[restarted]["last_ns"], acked)
    elif spare >= 0:
        begin_train(beats[spare], opened, acked)


@loop
def best_of(beats: Rows, first: int, opened: Record) -> int:
    """Return the train that an open message goes on with, of those that take few distances; -1 if none.

    Of several it is that whose last beat came last: who changes to another period, or has two, has a train of each. One
    that has no distance yet is the last resort.
    """
    best = -1
    at = first
    while at >= 0:
        train = beats[at]
        if is_alike(train, opened["open_side"] - 1, opened["open_length"]) and train["loose"] == 0:
            recall(train, opened["open_ns"])
            if distance_in(train, opened) >= 0 and (best < 0 or is_nearer(train, beats[best], opened)):
                best = at
        at = train["next"]
    return best


@loop
def is_nearer(train: Record, other: Record, opened: Record) -> bool:
    """Say whether a message goes on with a train rather than with another, if it is in step with both."""
    rank, others = rank_of(train, opened), rank_of(other, opened)
    nearer: bool = rank > others or (rank == others and train["last_ns"] > other["last_ns"])
    return nearer


@loop
def rank_of(train: Record, opened: Record) -> int:
    """Return how surely an open message goes on with a train that it is in step with: in the next step most of all.

    A train that has no distance yet comes before one whose last beat is more than two periods ago.
    """
    if train["gaps"] == 0:
        return 1
    if distance_in(train, opened) > 0:
        return 2
    return 2 if 2 * (opened["open_ns"] - train["last_ns"]) <= 5 * period_of(train) else 0


@loop
def is_spare(train: Record) -> bool:
    """Say whether another train may take a record: it has too few beats to be one."""
    spare: bool = train["count"] < BEATS_LEAST and train["loose"] == 0
    return spare


@loop
def place_every(beats: Rows, first: int, j: int, acked: int, answers: bool) -> None:  # noqa: FBT001
    """Add the message at a place to the train of every one as long, which begins with the first of them that answers.

    Those that come behind another message of the other end count as answered there.
    """
    opened = beats[nth(beats, first, j)]
    side = opened["open_side"] - 1
    length = opened["open_length"]
    every = -1
    alike = -1
    spare = -1
    at = first
    while at >= 0:
        train = beats[at]
        if is_of_every(train, side, length):
            every = at
        elif is_alike(train, side, length) and train["loose"] == 0:
            alike = at
        elif train["count"] == 0:
            spare = at
        at = train["next"]
    if every < 0:
        if spare < 0 or not answers:
            return
        every = spare
        if alike < 0:
            begin_train(beats[every], opened, acked)
            set_apart(beats[every])
            note_behind(beats, first, j, beats[every])
            return
        copy_train(beats[alike], beats[every])
        set_apart(beats[every])
    train = beats[every]
    distance_ns = distance_in(train, opened)
    if distance_ns < 0 or (distance_ns == 0 and is_unexplained(train, opened)):
        train["others"] = min(MOST_OTHERS, train["others"] + 1)
    if distance_ns < 0 and train["count"] < BEATS_LEAST:
        distance_ns = opened["open_ns"] - train["last_ns"]
        behind = min(train["answered"], 1)
        restart(train)
        train["answered"] = behind
        train["slowest_ns"] = 0
        train["answer_ns"] = -1
    if distance_ns >= 0:
        count_beat(train, opened["open_frame"], opened["open_ns"], distance_ns)
        train["crossed"] = min(MOST_OTHERS, train["crossed"] + opened["open_crossed"])
        note_missed(train, acked)
        note_behind(beats, first, j, train)


@loop
def note_behind(beats: Rows, first: int, j: int, every: Record) -> None:
    """Count in a train of every message that the one at a place came behind another of the other end, and how far.

    What had been sent before the other was there came not behind it.
    """
    said = beats[nth(beats, first, j)]
    length = 0
    behind_ns = 0
    at = first
    unread = nearest(beats, first, j) if said["open_unread"] == 1 else -1
    for k in range(j):
        before = beats[at]
        if before["open_side"] != said["open_side"] and k != unread:
            length = before["open_length"]
            behind_ns = said["open_ns"] - before["open_ns"]
        at = before["next"]
    if length > 0:
        every["slowest_ns"] = max(every["slowest_ns"], behind_ns)
        every["answer_ns"] = behind_ns if every["answer_ns"] < 0 else min(every["answer_ns"], behind_ns)
        every["answered"] += 1
        every["answer_len"] = length


@loop
def nth(beats: Rows, first: int, place: int) -> int:
    """Return the record of a chain at a place."""
    at = first
    for _ in range(place):
        at = beats[at]["next"]
    return at


@loop
def set_apart(train: Record) -> None:
    """Let a train take every message as long from here on: none of them asks anything."""
    train["every"] = 1
    train["due"] = -1
    train["late"] = 0
    train["answered"] = 0
    train["asks"] = 0
    train["amid_answered"] = 0
    train["missed"] = train["count"]
    train["unanswered"] = train["count"]
    train["answer_frame"] = 0
    train["answer_ns"] = -1
    train["slowest_ns"] = 0


@loop
def note_instead(beats: Rows, first: int, opened: Record) -> None:
    """Note for the trains of other lengths in whose place an open message stands that it does."""
    side = opened["open_side"] - 1
    at = first
    while at >= 0:
        train = beats[at]
        if abs(train["length"] - opened["open_length"]) > BEAT_LENGTH_PLAY and is_in_place(train, side, opened):
            train["instead"] = min(MOST_INSTEAD, train["instead"] + 1)
        at = train["next"]


@loop
def may_have_jitter(train: Record, opened: Record) -> bool:
    """Say whether a timer with much jitter explains an open message, which no other does, and a train's distances."""
    gap_ns = opened["open_ns"] - train["last_ns"]
    return train["gaps"] > 0 and is_within(train, gap_ns, BEAT_MOST_JITTER_PARTS)


@loop
def loosen(train: Record, loose: Record) -> None:
    """Let a train that takes distances with much jitter go on beside one."""
    copy_train(train, loose)
    loose["loose"] = 1
    loose["others"] -= 1  # the open message, which goes on with it


@loop
def place_loosely(train: Record, opened: Record, acked: int) -> None:
    """Add an open message to a train that takes distances with much jitter, or count it as out of its rhythm."""
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
def pass_over(beats: Rows, first: int, opened: Record) -> None:
    """Note for the trains of messages like an open one that it came out of their rhythm."""
    side = opened["open_side"] - 1
    at = first
    while at >= 0:
        train = beats[at]
        if is_alike(train, side, opened["open_length"]) or is_of_every(train, side, opened["open_length"]):
            train["others"] = min(MOST_OTHERS, train["others"] + 1)
        at = train["next"]


@loop
def note_asked(beats: Rows, first: int) -> None:
    """Remember that the open exchange, which is none of a heartbeat, got an answer: messages as long ask something.

    Without a train of such messages a record that has none remembers it.
    """
    opened = beats[first]
    side = opened["open_side"] - 1
    found = -1
    at = first
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
