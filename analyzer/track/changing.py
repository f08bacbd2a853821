"""Trains whose period changes to a whole number of the one before: each period is a train of its own.

That beats come one in three is no proof: the others may have been lost, or a timer held up. So when nothing passed for
several periods a train is remembered as it was, and goes on. Where as many beats as make a train follow at that larger
distance, what is remembered is the train that was, and these are another.

It must not know which train a beat goes on with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.tolerances import BEAT_LENGTH_PLAY, BEATS_LEAST
from analyzer.track.beats import MOST_OTHERS, copy_train
from analyzer.track.rhythm import distance_in, is_unexplained, slack_ns

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

AS_IT_WAS: Final = 3
"""In the field of a train that says whether it is of every message: it is what another train was before a change."""


@loop
def note_change(beats: Rows, first: int, best: int, spare: int, opened: Record) -> None:
    """Note, before an open message is added to a train, whether it comes several periods late, and nothing passed.

    ``spare`` is a record that another train may take, -1 for none.
    """
    train = beats[best]
    was = as_it_was(beats, first, train)
    if distance_in(train, opened) != 0 or not is_unexplained(train, opened):
        if was >= 0:
            beats[was]["count"] = 0
        return
    train["others"] = min(MOST_OTHERS, train["others"] + 1)
    gap_ns = opened["open_ns"] - train["last_ns"]
    if was >= 0 and abs(gap_ns - beats[was]["ago_ns"]) > slack_ns(gap_ns):
        beats[was]["count"] = 0
        was = -1
    if was >= 0:
        beats[was]["ago_ns"] = min(beats[was]["ago_ns"], gap_ns)
        beats[was]["ago_frame"] = max(beats[was]["ago_frame"], gap_ns)
    elif spare >= 0 and beats[spare]["count"] == 0:
        copy_train(train, beats[spare])
        beats[spare]["every"] = AS_IT_WAS
        beats[spare]["asks"] = 0
        beats[spare]["others"] -= 1
        beats[spare]["ago_ns"] = gap_ns  # of what it was: the shortest distance since, and beside it the longest
        beats[spare]["ago_frame"] = gap_ns
        train["ago_ns"] = opened["open_ns"]
        train["ago_frame"] = opened["open_frame"]


@loop
def as_it_was(beats: Rows, first: int, train: Record) -> int:
    """Return what a train was before a change, -1 if none is noted."""
    at = first
    while at >= 0:
        was = beats[at]
        same = was["count"] > 0 and was["every"] == AS_IT_WAS and was["side"] == train["side"]
        if same and abs(was["length"] - train["length"]) <= BEAT_LENGTH_PLAY:
            return at
        at = was["next"]
    return -1


@loop
def note_new_pace(beats: Rows, first: int, best: int) -> None:
    """Let a train begin where its period changed, if as many beats as make one came since; what it was is another."""
    train = beats[best]
    at = as_it_was(beats, first, train)
    if at < 0 or train["count"] - beats[at]["count"] < BEATS_LEAST:
        return
    was = beats[at]
    was["every"] = 0
    count = train["count"] - was["count"]
    train["count"] = count
    train["answered"] = max(0, train["answered"] - was["answered"])
    train["missed"] = max(0, train["missed"] - was["missed"])
    train["late"] = max(0, train["late"] - was["late"])
    train["unanswered"] = min(train["unanswered"], count)
    train["acked"] = min(train["acked"], count)
    train["amid"] = max(0, train["amid"] - was["amid"])
    train["amid_answered"] = max(0, train["amid_answered"] - was["amid_answered"])
    train["astray"] = 0
    train["others"] = 0
    train["unlike"] = 0
    train["first_frame"] = train["ago_frame"]
    train["first_ns"] = train["ago_ns"]
    train["ago_frame"] = 0
    train["gaps"] = count - 1
    train["sum_ns"] = train["last_ns"] - train["first_ns"]
    train["low_ns"] = was["ago_ns"]
    train["high_ns"] = was["ago_frame"]
