"""Heartbeats of programs, found by form: small messages of one length at even intervals on a flow that is else quiet.

A *beat* is what an end sends after a pause of both: one small payload, perhaps answered by another small one, and then
again nothing. Beats of one length whose distances are even make a *train*. What comes between them (requests, their
replies) neither counts nor breaks it: a program whose timer any data restarts beats when it paused for as long as
before, and one that beats by the clock a whole number of periods later. Nothing is read but lengths and times, so
that encrypted flows are no different.

Whether a message is a beat shows only in what follows, so the latest, the *exchange* that is open, waits until it is
known. Trains are kept beside the flows, in a chain from those that have any: of each length one, MOST_TRAINS at most.

Deciding what a train means, or what protocol it is, is none of this module's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop
from analyzer.segment import FIN, RST, SYN
from analyzer.tolerances import (
    BEAT_ANSWER_MORE,
    BEAT_AT_ONCE_NS,
    BEAT_JITTER_PARTS,
    BEAT_LENGTH_PLAY,
    BEAT_LOOSE_COUNT,
    BEAT_MOST_OCTETS,
    BEAT_ONE_WAY_NS,
    BEAT_PAUSE_NS,
    BEAT_PROMPT_NS,
    BEAT_SHORT_OCTETS,
    BEAT_SLACK_NS,
    BEAT_TINY_OCTETS,
    BEATS_LEAST,
)

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

BEATS: Final = np.dtype(
    [
        ("number", np.int64),  # of the flow, once it left
        ("next", np.int32),  # the next train of the flow, -1 none
        ("side", np.int16),  # who beats: 0 a, 1 b
        ("length", np.int16),  # octets of payload of the first beat
        ("count", np.int32),
        ("gaps", np.int32),  # distances that are in the sum
        ("answered", np.int32),
        ("missed", np.int32),  # beats that nothing answered
        ("unanswered", np.int32),  # those of them behind the last that was answered
        ("acked", np.int32),  # those of these, from the last on, that the peer's kernel acknowledged
        ("answer_len", np.int32),  # octets of the first answer
        ("unlike", np.int32),  # answers of another length
        (
            "due",
            np.int16,
        ),  # once the flow left: 1 if answers are due, 0 if not; before: -1 if a beat came second, else 0
        ("protocol", np.int16),  # ... which protocol they are of (judge.protocols), 0 unknown: form says nothing of it
        ("refused_for", np.int16),  # ... 1 if the other program said that it refuses them, 2 something else, 0 not what
        ("limit_ns", np.int64),  # ... what the ends agreed on, if that could be read, else -1
        ("safe_ns", np.int64),  # ... the longest silence that connections to the service survive here, -1 not measured
        ("fatal_ns", np.int64),  # ... and the shortest that they do not
        ("refused_frame", np.int64),  # ... where the other program said that there are too many, 0 nowhere
        ("sum_ns", np.int64),
        ("low_ns", np.int64),  # the shortest distance and the longest
        ("high_ns", np.int64),
        ("first_frame", np.int64),
        ("first_ns", np.int64),
        ("last_frame", np.int64),
        ("last_ns", np.int64),
        ("answer_frame", np.int64),  # the last answer, 0 none
        ("answer_ns", np.int64),
        ("silent_frame", np.int64),  # the first beat behind it that nothing answered, 0 none
        ("silent_ns", np.int64),
        ("slowest_ns", np.int64),  # the longest that an answer took
        ("open_ns", np.int64),  # in the first of a flow's chain: the exchange that is open
        ("open_frame", np.int64),
        ("open_length", np.int16),
        ("open_own", np.int16),  # messages of who began it
        ("open_peer", np.int16),  # ... and of the other end
        ("open_answer_len", np.int32),
        ("open_answer_frame", np.int64),
        ("open_answer_ns", np.int64),
        ("open_idle_ns", np.int64),  # how long nobody had sent data before it
        ("open_own_ns", np.int64),  # ... and its sender had not
        ("open_before", np.int64),  # the frame of what it had sent then, if as long, else 0; below 0: without an answer
    ],
    align=True,
)
"""A train of heartbeats of one end of a flow."""

MOST_TRAINS: Final = 4
"""So many trains are kept of a flow."""
MOST_EACH: Final = 2
"""Small messages of each end that one exchange may have: both ends may beat at the same time."""

USED: Final = 0
FREE: Final = 1
LIVE: Final = 2
REGISTERS: Final = 3
"""Places in the registers of the table: its high-water mark, the first free record or -1, and how many are in use."""


@loop
def quiet_ns(flow: Record, end: Record, peer: Record, ts_ns: int) -> int:
    """Return how long neither end had sent new data by now; of a flow without data, since when it is known."""
    return ts_ns - max(end["data_ns"], peer["data_ns"], flow["first_ns"])


@loop
def may_beat(flow: Record, end: Record, peer: Record, row: Record) -> bool:
    """Say whether new data concerns heartbeats: an exchange is open, or it is small and comes after a pause."""
    length = row["payload_len"]
    if length == 0:
        return False
    if flow["exchange"] > 0:
        return True
    return length <= BEAT_MOST_OCTETS and quiet_ns(flow, end, peer, row["ts_ns"]) >= BEAT_PAUSE_NS


@loop
def is_new_data(end: Record, peer: Record, row: Record, seq: int) -> bool:
    """Say whether a segment that is not known to go on brings new data: nothing sent again, no probe of a window."""
    length = row["payload_len"]
    if length == 0 or row["flags"] & (SYN | RST) or (length == 1 and peer["window"] == 0):
        return False
    new: bool = seq >= end["snd_nxt"]
    return new


@loop
def watch_beats(
    flow: Record, end: Record, peer: Record, side: int, row: Record, beats: Rows, registers: Numbers
) -> None:
    """Let new data of which ``may_beat`` is true close the exchange that is open, go on with it, or open another."""
    ts_ns = row["ts_ns"]
    length = row["payload_len"]
    small = length <= BEAT_MOST_OCTETS and not row["flags"] & (SYN | FIN | RST)
    idle_ns = quiet_ns(flow, end, peer, ts_ns)
    paused = idle_ns >= BEAT_PAUSE_NS
    again = False
    if flow["exchange"] > 0:
        opened = beats[flow["beats"]]
        begun = flow["exchange"] - 1
        again = not paused and side == begun and small and is_next_beat(opened, end, row)
        if not (paused or again):
            if side == begun:
                opened["open_own"] += 1
            else:
                note_answer(opened, row)
            if not small or opened["open_own"] > MOST_EACH or opened["open_peer"] > MOST_EACH:
                flow["exchange"] = 0
            return
        if side != begun and small and opened["open_answer_frame"] == 0 and is_late_answer(beats, flow, ts_ns):
            note_answer(opened, row)
            return
        acked = (end if side == begun else peer)["unacked_ns"] < 0
        close_exchange(flow, beats, registers, acked)
        flow["exchange"] = 0
    if not (small and (paused or again)):
        return
    if flow["beats"] < 0:
        flow["beats"] = new_train(beats, registers, side)
    opened = beats[flow["beats"]]
    flow["exchange"] = 1 + side
    opened["open_ns"] = ts_ns
    opened["open_frame"] = row["frame"]
    opened["open_length"] = length
    opened["open_own"] = 1
    opened["open_peer"] = 0
    opened["open_answer_len"] = 0
    opened["open_answer_frame"] = 0
    opened["open_answer_ns"] = -1
    opened["open_idle_ns"] = idle_ns
    opened["open_own_ns"] = ts_ns - end["data_ns"] if end["data_ns"] >= 0 else 0
    opened["open_before"] = 0
    if end["data_ns"] >= 0 and abs(end["data_len"] - length) <= BEAT_LENGTH_PLAY:
        answered = peer["data_frame"] > end["data_frame"]
        opened["open_before"] = end["data_frame"] if answered else -end["data_frame"]


@loop
def is_next_beat(opened: Record, end: Record, row: Record) -> bool:
    """Say whether data of who began the open exchange is another beat, though the other end's came just before it.

    It is if both said one thing, and this is as long and comes after a pause of its sender: the answer was late, or a
    beat of the other end's own.
    """
    alone = opened["open_own"] == 1 and opened["open_peer"] == 1
    alike = abs(opened["open_length"] - row["payload_len"]) <= BEAT_LENGTH_PLAY
    return alone and alike and row["ts_ns"] - end["data_ns"] >= BEAT_PAUSE_NS


@loop
def note_answer(opened: Record, row: Record) -> None:
    """Note data of the other end in the exchange that is open; the first is the answer."""
    opened["open_peer"] += 1
    if opened["open_answer_frame"] == 0:
        opened["open_answer_frame"] = row["frame"]
        opened["open_answer_ns"] = row["ts_ns"]
        opened["open_answer_len"] = row["payload_len"]


@loop
def is_late_answer(beats: Rows, flow: Record, ts_ns: int) -> bool:
    """Say whether small data of the other end after a pause answers the open exchange, not begins one of its own.

    It does if it comes soon, or if beats of that length were answered before.
    """
    opened = beats[flow["beats"]]
    if ts_ns - opened["open_ns"] <= BEAT_PROMPT_NS:
        return True
    at = flow["beats"]
    while at >= 0:
        train = beats[at]
        if is_alike(train, flow["exchange"] - 1, opened["open_length"]) and is_answered(train):
            return True
        at = train["next"]
    return False


@loop
def is_alike(train: Record, side: int, length: int) -> bool:
    """Say whether a train is one of this end, of messages as long as this."""
    same = train["count"] > 0 and train["side"] == side
    return same and abs(train["length"] - length) <= BEAT_LENGTH_PLAY


@loop
def new_train(beats: Rows, registers: Numbers, side: int) -> int:
    """Take a free record for a train without a beat, and return its index."""
    at = registers[FREE]
    if at >= 0:
        registers[FREE] = beats[at]["next"]
    else:
        at = registers[USED]
        registers[USED] = at + 1
    registers[LIVE] += 1
    beats[at]["next"] = -1
    beats[at]["side"] = side
    beats[at]["count"] = 0
    return at


@loop
def slack_ns(period_ns: int) -> int:
    """Return by how much a distance may differ from a period: who looks at the clock once a second beats so late."""
    return max(period_ns // 10, min(period_ns // 4, BEAT_SLACK_NS))


@loop
def period_of(train: Record) -> int:
    """Return the mean distance of a train's beats, 0 of one that has none."""
    if train["gaps"] == 0:
        return 0
    mean: int = train["sum_ns"] // train["gaps"]
    return mean


@loop
def distance_in(train: Record, opened: Record) -> int:
    """Return which distance the open exchange has from a train's last beat.

    Returns:
        -1 if none that fits, 0 if some other whole number of periods, else the distance in nanoseconds: from the last
        beat, or from the last data of either end or its own, if that is even.
    """
    gap_ns = opened["open_ns"] - train["last_ns"]
    if train["gaps"] == 0:
        return gap_ns
    period_ns = period_of(train)
    slack = slack_ns(period_ns)
    if is_step(train, gap_ns):
        return gap_ns
    if gap_ns > period_ns:
        if abs(opened["open_idle_ns"] - period_ns) <= slack:
            idle: int = opened["open_idle_ns"]
            return idle
        if abs(opened["open_own_ns"] - period_ns) <= slack:
            own: int = opened["open_own_ns"]
            return own
    return steps_in(train, gap_ns)


@loop
def steps_in(train: Record, gap_ns: int) -> int:
    """Return the distance itself if it is one period of a train, 0 if it is some other whole number of them, or -1."""
    if is_step(train, gap_ns):
        return gap_ns
    period_ns = period_of(train)
    periods = (gap_ns + period_ns // 2) // period_ns
    if train["count"] < BEATS_LEAST or periods < 2:
        return -1
    if abs(gap_ns - periods * period_ns) <= period_ns // 10:
        return 0
    if has_jitter(train) and periods * train["low_ns"] <= gap_ns <= periods * train["high_ns"]:
        return 0
    return -1


@loop
def is_step(train: Record, gap_ns: int) -> bool:
    """Say whether a distance is one period of a train: about as long as the mean, or within the jitter of them all."""
    period_ns = period_of(train)
    if abs(gap_ns - period_ns) <= slack_ns(period_ns):
        return True
    if train["length"] > BEAT_SHORT_OCTETS:
        return False
    high_ns = max(train["high_ns"], gap_ns)
    within: bool = 32 * (high_ns - min(train["low_ns"], gap_ns)) <= BEAT_JITTER_PARTS * high_ns
    return within


@loop
def has_jitter(train: Record) -> bool:
    """Say whether a train's distances differ by more than a tenth."""
    differ: bool = 10 * (train["high_ns"] - train["low_ns"]) > train["high_ns"]
    return differ


@loop
def hidden_in(train: Record, opened: Record) -> int:
    """Return which distance a beat between a train's last and the open exchange has, that other data hid.

    It is what their sender had sent before, if that is as long and one period earlier.

    Returns:
        -1 if there is none, else as ``steps_in``.
    """
    hidden_ns = opened["open_ns"] - opened["open_own_ns"]
    if opened["open_before"] == 0 or hidden_ns <= train["last_ns"]:
        return -1
    own_ns = opened["open_own_ns"]
    if train["gaps"] > 0:
        return steps_in(train, hidden_ns - train["last_ns"]) if is_step(train, own_ns) else -1
    period_ns = hidden_ns - train["last_ns"]
    return period_ns if abs(own_ns - period_ns) <= slack_ns(period_ns) else -1


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
    restarted = -1
    spare = -1
    last = -1
    trains = 0
    at = flow["beats"]
    while at >= 0:
        train = beats[at]
        if is_alike(train, side, length):
            distance_ns = distance_in(train, opened)
            if distance_ns >= 0:
                add_beat(train, opened, distance_ns, acked)
                return
            if train["count"] < BEATS_LEAST:
                restarted = at
        if train["count"] < BEATS_LEAST and (spare < 0 or is_staler(train, beats[spare])):
            spare = at
        trains += 1
        last = at
        at = train["next"]
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
    """Say whether beats are enough for a train, and even enough for so many."""
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
def copy_train(train: Record, copy: Record, number: int) -> None:
    """Copy a train, and the exchange that is open, of this flow."""
    copy["number"] = number
    copy["next"] = -1
    copy["side"] = train["side"]
    copy["length"] = train["length"]
    copy["count"] = train["count"]
    copy["gaps"] = train["gaps"]
    copy["answered"] = train["answered"]
    copy["missed"] = train["missed"]
    copy["unanswered"] = train["unanswered"]
    copy["acked"] = train["acked"]
    copy["answer_len"] = train["answer_len"]
    copy["unlike"] = train["unlike"]
    copy["due"] = train["due"]
    copy["protocol"] = 0
    copy["refused_for"] = 0
    copy["limit_ns"] = -1
    copy["safe_ns"] = -1
    copy["fatal_ns"] = -1
    copy["refused_frame"] = 0
    copy["sum_ns"] = train["sum_ns"]
    copy["low_ns"] = train["low_ns"]
    copy["high_ns"] = train["high_ns"]
    copy["first_frame"] = train["first_frame"]
    copy["first_ns"] = train["first_ns"]
    copy["last_frame"] = train["last_frame"]
    copy["last_ns"] = train["last_ns"]
    copy["answer_frame"] = train["answer_frame"]
    copy["answer_ns"] = train["answer_ns"]
    copy["silent_frame"] = train["silent_frame"]
    copy["silent_ns"] = train["silent_ns"]
    copy["slowest_ns"] = train["slowest_ns"]
    copy["open_ns"] = train["open_ns"]
    copy["open_frame"] = train["open_frame"]
    copy["open_length"] = train["open_length"]
    copy["open_own"] = train["open_own"]
    copy["open_peer"] = train["open_peer"]
    copy["open_answer_len"] = train["open_answer_len"]
    copy["open_answer_frame"] = train["open_answer_frame"]
    copy["open_answer_ns"] = train["open_answer_ns"]
    copy["open_idle_ns"] = train["open_idle_ns"]
    copy["open_own_ns"] = train["open_own_ns"]
    copy["open_before"] = train["open_before"]


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
        at = flow["beats"]
        first = count
        while at >= 0:
            copy_train(beats[at], out[count], flow["number"])
            count += 1
            at = beats[at]["next"]
        if count == first:
            continue
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


@loop
def give_back_beats(having: Numbers, flows: Rows, beats: Rows, registers: Numbers) -> None:
    """Chain the records of the trains of the flows at these indices in front of the free ones."""
    for which in range(len(having)):
        at = flows[having[which]]["beats"]
        while at >= 0:
            following = beats[at]["next"]
            beats[at]["next"] = registers[FREE]
            registers[FREE] = at
            registers[LIVE] -= 1
            at = following
