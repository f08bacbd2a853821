"""The table of heartbeats: trains of beats, in a chain beside each flow that has any, and the exchange that is open.

A *beat* is one of a few small messages that pass after a pause of both ends, before again nothing does: an *exchange*
(``exchange``). Others of these answer (``turns``). Beats of one length whose distances are even (``rhythm``) make a
*train* (``beat_trains``, ``placing``), and a train may be one of heartbeats (``heartbeats``). MOST_TRAINS are kept of a
flow at most. Where messages of one length seem to answer they may be beats all the same, which shows only in all of
them: so a second train takes *every* message as long.

It must not know when a beat belongs to a train.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop
from analyzer.tolerances import BEAT_LENGTH_PLAY, BEAT_PROMPT_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Numbers, Record, Rows

BEATS: Final = np.dtype(
    [
        ("number", np.int64),  # of the flow, once it left
        ("next", np.int32),  # the next train of the flow, -1 none
        ("side", np.int8),  # who beats: 0 a, 1 b
        ("every", np.int8),  # 1 if it takes every message of its length, also those that look like answers
        ("loose", np.int8),  # 1 if it takes distances with much jitter: a train beside the one that takes few
        ("due", np.int8),  # once the flow left: 1 if answers are due, 0 if not; before: -1 if they are not, else 0
        ("instead", np.int8),  # messages of another length in place of a beat since the last, at most MOST_INSTEAD
        ("asks", np.int8),  # 1 if the last beat passed amid other data and may be answered yet, 2 what is remembered
        ("asked", np.int8),  # messages as long that got an answer before it had beats enough, at most MOST_INSTEAD
        ("length", np.int16),  # octets of payload of the first beat
        ("others", np.int16),  # messages of its end out of the rhythm, or in place of a beat; at most MOST_OTHERS
        ("unlike", np.int16),  # answers of another length, at most MOST_OTHERS
        ("answer_len", np.int16),  # octets of the first answer, at most MOST_OTHERS
        ("astray", np.int16),  # messages as long amid other data that were none of its beats, at most MOST_OTHERS
        ("crossed", np.int16),  # beats sent behind one of the other end, before that was there, at most MOST_OTHERS
        ("count", np.int32),
        ("gaps", np.int32),  # distances that are in the sum
        ("answered", np.int32),
        ("missed", np.int32),  # beats that nothing answered
        ("unanswered", np.int32),  # those of them behind the last that was answered
        ("acked", np.int32),  # those of these, from the last on, that the peer's kernel acknowledged
        ("late", np.int32),  # beats that may have been answered late, by what looks like a beat itself
        ("amid", np.int32),  # beats that passed amid other data (amid)
        ("amid_answered", np.int32),  # those of them that were answered
        ("ago_ns", np.int64),  # a message as long amid other data since the last beat, which may have been the next
        ("ago_frame", np.int64),  # ... 0 none, below 0 if it was answered
        ("sum_ns", np.int64),
        ("low_ns", np.int64),  # the shortest distance and the longest
        ("high_ns", np.int64),
        ("first_frame", np.int64),
        ("first_ns", np.int64),
        ("last_frame", np.int64),
        ("last_ns", np.int64),
        ("answer_frame", np.int64),  # the last answer, 0 none
        ("answer_ns", np.int64),  # when; of every message: the shortest that one came behind another, -1 none
        ("silent_frame", np.int64),  # the first beat behind it that nothing answered, 0 none
        ("silent_ns", np.int64),
        ("slowest_ns", np.int64),  # the longest that an answer took; of every message: that one came behind another
        # one message each of the exchange that is open, in the order of the chain, whatever train the record is of
        ("open_side", np.int8),  # who sent it: 1 a, 2 b
        ("open_count", np.int8),  # in the first of the chain: how many messages there are
        ("open_length", np.int16),
        ("open_answer_len", np.int16),
        ("open_unread", np.int8),  # 1 if it was sent before the last that the other end had sent was there
        ("open_crossed", np.int8),  # ... and that is as long
        ("open_ns", np.int64),
        ("open_frame", np.int64),
        ("open_answer_frame", np.int64),
        ("open_answer_ns", np.int64),
        ("open_idle_ns", np.int64),  # how long nobody had sent data before it
        ("open_own_ns", np.int64),  # ... and its sender had not
        ("open_before", np.int64),  # the frame of what it had sent then, if as long, else 0; below 0: without an answer
        ("open_known", np.int64),  # in the first of the chain: up to which frame messages belong to earlier exchanges
    ],
    align=True,
)
"""A train of beats of one end of a flow that lives."""

LEARNED: Final = (
    ("protocol", np.int8),  # which protocol they are of (judge.protocols), 0 unknown: form says nothing of it
    ("refused_for", np.int8),  # 1 if the other program said that it refuses them, 2 something else, 0 not what
    ("limit_ns", np.int64),  # what the ends agreed on (0: to do without), if that could be read, else -1
    ("safe_ns", np.int64),  # the longest silence that connections to the service survive here, -1 not measured
    ("fatal_ns", np.int64),  # and the shortest that they do not
    ("refused_frame", np.int64),  # where the other program said that there are too many, 0 nowhere
    ("said", np.int16),  # why an end says that it ends the connection, as a place in judge.farewells, 0 nobody does
    ("said_side", np.int8),  # who said that: 0 a, 1 b
    ("said_frame", np.int64),  # where
    ("lapse_frame", np.int64),  # the first beat without an answer that a later one has one behind, 0 not known
    ("lapse_last_frame", np.int64),  # and the last of these
    ("slow_frame", np.int64),  # the beat whose answer took longest, 0 not known
)
"""What may be learned of a train when its flow left."""
TRAINS: Final = np.dtype(
    [*((name, BEATS[name]) for name in BEATS.names or () if not name.startswith("open_")), *LEARNED], align=True
)
"""A train of heartbeats of a flow that left: what BEATS has of it, and what others say of it."""

SLOW_ANSWERS: Final = 4
"""Whoever waits this many times as long as for the slowest answer so far waits in vain."""
MOST_OTHERS: Final = 32_000
MOST_INSTEAD: Final = 100
MOST_TRAINS: Final = 8
"""So many trains are kept of a flow."""
MOST_SAID: Final = 7
"""So many small messages one exchange may have: both ends may beat, twice each, at the same time."""

MOST_NEW: Final = 2
"""So many records one segment may need."""

USED: Final = 0
FREE: Final = 1
LIVE: Final = 2
REGISTERS: Final = 3
"""Places in the registers of the table: its high-water mark, the first free record or -1, and how many are in use."""


def of_those_that_left(records: NDArray[np.void]) -> NDArray[np.void]:
    """Return BEATS records as TRAINS, of which nobody has said anything yet."""
    trains = np.zeros(len(records), dtype=TRAINS)
    for name in TRAINS.names or ():
        if name in (BEATS.names or ()):
            trains[name] = records[name]
        elif name.endswith("_ns"):
            trains[name] = -1
    return trains


def is_awaited(trains: NDArray[np.void], until_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of which trains the last beat may still be answered, if they could be heard until then.

    It may for as long as programs mostly need, or four times as long as the slowest answer before took.
    """
    least_ns = np.maximum(SLOW_ANSWERS * trains["slowest_ns"], BEAT_PROMPT_NS)
    waits = (trains["due"] == 1) & (trains["unanswered"] > 0)
    awaited: NDArray[np.bool_] = waits & (until_ns - trains["last_ns"] < least_ns)
    return awaited


@loop
def is_alike(train: Record, side: int, length: int) -> bool:
    """Say whether a train is one of this end, of messages as long as this, but not one of every message."""
    same = train["count"] > 0 and train["side"] == side and train["every"] == 0
    return same and abs(train["length"] - length) <= BEAT_LENGTH_PLAY


@loop
def is_of_every(train: Record, side: int, length: int) -> bool:
    """Say whether a train is the one of every message of this end that is as long as this."""
    same = train["count"] > 0 and train["side"] == side and train["every"] == 1
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
    train = beats[at]
    train["next"] = -1
    train["side"] = side
    train["count"] = 0
    train["gaps"] = 0  # a record that is used again may have those of another flow
    train["sum_ns"] = 0
    train["others"] = 0
    train["late"] = 0
    train["every"] = 0
    train["loose"] = 0
    train["instead"] = 0
    train["asked"] = 0
    train["asks"] = 0
    train["ago_frame"] = 0
    train["astray"] = 0
    train["amid"] = 0
    train["crossed"] = 0
    train["amid_answered"] = 0
    train["open_count"] = 0
    train["open_known"] = 0
    return at


@loop
def copy_train(train: Record, copy: Record) -> None:
    """Copy what is known of a train."""
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
    copy["late"] = train["late"]
    copy["every"] = train["every"]
    copy["loose"] = train["loose"]
    copy["others"] = train["others"]
    copy["due"] = train["due"]
    copy["instead"] = train["instead"]
    copy["asked"] = train["asked"]
    copy["asks"] = train["asks"]
    copy["ago_ns"] = train["ago_ns"]
    copy["ago_frame"] = train["ago_frame"]
    copy["astray"] = train["astray"]
    copy["amid"] = train["amid"]
    copy["crossed"] = train["crossed"]
    copy["amid_answered"] = train["amid_answered"]
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


@loop
def copy_said(train: Record, copy: Record) -> None:
    """Copy the message of the open exchange that a record holds."""
    copy["open_side"] = train["open_side"]
    copy["open_count"] = train["open_count"]
    copy["open_length"] = train["open_length"]
    copy["open_answer_len"] = train["open_answer_len"]
    copy["open_ns"] = train["open_ns"]
    copy["open_frame"] = train["open_frame"]
    copy["open_answer_frame"] = train["open_answer_frame"]
    copy["open_answer_ns"] = train["open_answer_ns"]
    copy["open_crossed"] = train["open_crossed"]
    copy["open_unread"] = train["open_unread"]
    copy["open_idle_ns"] = train["open_idle_ns"]
    copy["open_own_ns"] = train["open_own_ns"]
    copy["open_before"] = train["open_before"]
    copy["open_known"] = train["open_known"]


@loop
def take_out(train: Record, copy: Record, number: int) -> None:
    """Copy a train of a flow that leaves."""
    copy_train(train, copy)
    copy["number"] = number
    copy["next"] = -1


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
