"""Beats amid other data: a train is a clock, and what is as long as its beats when the next is due is one of them.

Before a train is there only what comes after a pause may be a beat (``exchange``). Once its beats have a rhythm, each
message that is as long is held against it, whatever surrounds it. What fits counts, and so does its answer, if one that
is as long as others comes in time; else nothing is said of an answer, which may have come with other data. What does
not fit is counted too: where it is much, as long means little, and ``trains_of`` takes what passed amid data out again.

It must not know when an exchange begins or ends, or which trains are heartbeats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.tolerances import BEAT_AT_ONCE_NS, BEAT_LENGTH_PLAY, BEAT_PAUSE_NS, BEAT_PROMPT_NS, BEATS_LEAST
from analyzer.track.beat_trains import ACKED, count_beat, note_answer, note_missed, restart
from analyzer.track.beats import MOST_OTHERS, SLOW_ANSWERS, is_alike, is_of_every
from analyzer.track.rhythm import distance_amid

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

LAST: Final = 1
"""What a train asks: its last beat may be answered yet,"""
BEFORE: Final = 2
"""... or what it remembers."""


@loop
def watched_of(beats: Rows, first: int) -> int:
    """Return of which ends small messages concern the trains of a chain amid other data: 1 for a's, plus 2 for b's."""
    watched = 0
    at = first
    while at >= 0:
        train = beats[at]
        if train["count"] > 0:
            watched |= 1 << train["side"]
            if train["asks"] > 0:
                watched |= 2 >> train["side"]
        at = train["next"]
    return watched


@loop
def place_amid(beats: Rows, first: int, said: Record) -> bool:
    """Let a message amid other data answer the last beat of a train, or be the next, if it is either; say so."""
    waiting = awaiting(beats, first, said)
    at_once = waiting >= 0 and said["open_ns"] - asked_ns(beats[waiting]) < BEAT_AT_ONCE_NS
    if goes_on(beats, first, said, waiting >= 0, at_once):
        return True
    if waiting >= 0:
        answer_amid(beats, first, waiting, said)
        return True
    return False


@loop
def asked_ns(train: Record) -> int:
    """Return when the message passed that may have an answer yet."""
    ns: int = train["last_ns"] if train["asks"] == LAST else train["ago_ns"]
    return ns


@loop
def awaiting(beats: Rows, first: int, said: Record) -> int:
    """Return the train of which a message that passed amid other data may have this one as its answer; -1 if none.

    It is the one that has waited longest.
    """
    side = said["open_side"] - 1
    found = -1
    at = first
    while at >= 0:
        train = beats[at]
        if train["count"] > 0 and train["asks"] > 0 and train["side"] != side:
            waited_ns = said["open_ns"] - asked_ns(train)
            if waited_ns > max(BEAT_PROMPT_NS, SLOW_ANSWERS * train["slowest_ns"]):
                train["asks"] = 0
            elif abs(train["answer_len"] - said["open_length"]) <= BEAT_LENGTH_PLAY and (
                found < 0 or asked_ns(train) < asked_ns(beats[found])
            ):
                found = at
        at = train["next"]
    return found


@loop
def answer_amid(beats: Rows, first: int, waiting: int, said: Record) -> None:
    """Enter a message as the answer to that of a train, and of those beside it that have the same."""
    asks = beats[waiting]
    since_ns = asked_ns(asks)
    at = first
    while at >= 0:
        train = beats[at]
        same = train["asks"] > 0 and is_alike(train, asks["side"], asks["length"])
        if same and asked_ns(train) == since_ns:
            if train["asks"] == LAST:
                train["answered"] += 1
                train["amid_answered"] += 1
                train["unanswered"] = 0
                train["acked"] = 0
                note_answer(train, said["open_frame"], said["open_ns"], since_ns)
            else:
                train["ago_frame"] = -train["ago_frame"]
            if at != waiting:
                train["asks"] = 0
        at = train["next"]
    asks["asks"] = 0


@loop
def goes_on(
    beats: Rows,
    first: int,
    said: Record,
    may_answer: bool,  # noqa: FBT001
    at_once: bool,  # noqa: FBT001
) -> bool:
    """Count a message amid other data in the trains whose next beat it is; say whether there is one.

    Of several trains of messages as long it goes on with that whose last beat came last. One that takes distances with
    much jitter, and one of every message as long, stand beside these. What comes ``at_once`` behind what asks is an
    answer, and what ``may_answer`` counts against nobody.
    """
    side = said["open_side"] - 1
    length = said["open_length"]
    best = -1
    best_ns = -1
    loose = False
    at = first
    while at >= 0:
        train = beats[at]
        if is_of_every(train, side, length):
            distance_ns = distance_amid(train, said)
            if distance_ns >= 0:
                add_amid(train, said, distance_ns)
            else:
                train["astray"] = min(MOST_OTHERS, train["astray"] + 1)
        elif is_alike(train, side, length) and not at_once:
            distance_ns = distance_amid(train, said)
            if distance_ns < 0 and train["loose"] == 0 and train["gaps"] < 2 and is_halfway(train, said["open_ns"]):
                if train["gaps"] > 0:
                    restart(train)
                add_ago(train)
                distance_ns = said["open_ns"] - train["last_ns"]
            if distance_ns < 0:
                if not may_answer:
                    stray(train, said)
            elif train["loose"] == 1:
                add_amid(train, said, distance_ns)
                loose = True
            elif best < 0 or train["last_ns"] > beats[best]["last_ns"]:
                best = at
                best_ns = distance_ns
        at = train["next"]
    if best >= 0:
        add_amid(beats[best], said, best_ns)
    return loose or best >= 0


@loop
def stray(train: Record, said: Record) -> None:
    """Note that a message amid other data is as long as the beats of a train, and none of them as far as is known.

    It is remembered, while they are few: the next may show that it was.
    """
    train["astray"] = min(MOST_OTHERS, train["astray"] + 1)
    if train["count"] < BEATS_LEAST and said["open_ns"] - train["last_ns"] >= BEAT_PAUSE_NS:
        train["ago_ns"] = said["open_ns"]
        train["ago_frame"] = said["open_frame"]
        train["asks"] = BEFORE if train["answered"] > 0 else 0


@loop
def recall(train: Record, ts_ns: int) -> None:
    """Let a train of one beat go on with what it remembers, if that lies halfway to this instant."""
    if train["gaps"] == 0 and is_halfway(train, ts_ns):
        add_ago(train)


@loop
def is_halfway(train: Record, ts_ns: int) -> bool:
    """Say whether what a train remembers lies halfway between its last beat and this instant: then it was one."""
    if train["ago_frame"] == 0 or train["ago_ns"] <= train["last_ns"]:
        return False
    before_ns = train["ago_ns"] - train["last_ns"]
    after_ns = ts_ns - train["ago_ns"]
    halfway: bool = before_ns >= BEAT_PAUSE_NS and abs(before_ns - after_ns) <= after_ns // 16
    return halfway


@loop
def add_ago(train: Record) -> None:
    """Add what a train remembers to its beats."""
    answered = train["ago_frame"] < 0
    count_beat(train, abs(train["ago_frame"]), train["ago_ns"], train["ago_ns"] - train["last_ns"])
    train["ago_frame"] = 0
    train["amid"] += 1
    train["astray"] = max(0, train["astray"] - 1)
    if answered:
        train["answered"] += 1
        train["amid_answered"] += 1
    elif train["answered"] == 0:
        note_missed(train, ACKED)


@loop
def add_amid(train: Record, said: Record, distance_ns: int) -> None:
    """Add a beat that passed amid other data; of an answer nothing is known yet, if any is due."""
    count_beat(train, said["open_frame"], said["open_ns"], distance_ns)
    train["amid"] += 1
    if train["answered"] > 0 and train["every"] == 0:
        train["asks"] = LAST
    else:
        note_missed(train, ACKED)
