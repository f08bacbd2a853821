"""Whose turn it is: which messages of an exchange are beats, and which of the others answers which.

Of an exchange of two messages the second answers the first. Where more pass at once, because both ends beat, or one end
twice, each way to read them costs what is unlikely of it: a beat out of its rhythm, one that nothing answers though
others are answered, two alike at once, an answer that is not as long as others. The way that costs least is taken.

It must not know how a beat is counted. Of MOST_SAID messages each is a bit, each pair of them one of 49.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.tolerances import BEAT_AT_ONCE_NS, BEAT_LENGTH_PLAY, BEATS_LEAST
from analyzer.track.beat_trains import is_asked, is_unheard, waiting_for
from analyzer.track.beats import MOST_SAID, is_alike
from analyzer.track.rhythm import distance_in

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

TWICE: Final = 8
"""What it costs that two beats alike come at once."""
OUT_OF_STEP: Final = 4
"""... that a beat is out of the rhythm of those before."""
UNHEARD: Final = 4
"""... that nothing answers a beat, though beats like it are answered."""
OWN: Final = 3
"""... that what comes in step with beats that nobody answers is an answer."""
DUE: Final = 2
"""... that what comes when a beat of its kind is due is an answer."""
UNLIKE: Final = 3
"""... that an answer is not as long as others."""
NEW: Final = 2
"""... that a message is the first beat of its kind."""
AT_ONCE: Final = 5
"""... that a message that comes at once behind a beat of the other end, and in no step, does not answer it."""
FIRST: Final = 1
"""... that an answer is the first to beats of its kind that nothing answered so far."""
SLOW: Final = 1
"""... that an answer takes its time, or that nothing answers a beat of which it is not known whether it should."""
IMPOSSIBLE: Final = 1000

AGAIN: Final = 14
LATE: Final = 15


OF_B: Final = 1
"""What is known of a message, as bits: that b sent it,"""
IN_STEP: Final = 2
"""... that it comes in step with a train of its kind,"""
OFF: Final = 4
"""... that it does not, though there is a train of beats enough,"""
ASKED: Final = 8
"""... that beats of its kind are answered as a rule,"""
UNHEARD_OF: Final = 16
"""... that they hardly ever are,"""
NEVER: Final = 32
"""... that none was so far,"""
BELATED: Final = 64
"""... that beats of the other end wait for such a message."""
EACH: Final = 8
"""So many bits are kept of a message."""


@loop
def turns_of(beats: Rows, first: int, count: int) -> int:
    """Return what the messages of the exchange that is open are, in the order in which they came: four bits of each.

    Returns:
        0 for a beat, AGAIN for one that comes at once behind another that is alike, LATE for an answer to earlier
        beats, else one more than the place of the beat that it answers.
    """
    kinds = 0
    alike = 0
    fit = 0
    unfit = 0
    slow = 0
    apart = 0
    at = first
    for j in range(count):
        said = beats[at]
        near = nearest(beats, first, j) if said["open_unread"] == 1 else -1
        apart |= 1 << (near * MOST_SAID + j) if near >= 0 else 0
        known = known_of(beats, first, said)
        kinds |= kind_of(beats, first, said, known) << EACH * j
        answer_len = beats[known]["answer_len"] if known >= 0 else 0
        behind = said["next"]
        for k in range(j + 1, count):
            later = beats[behind]
            pair = 1 << (j * MOST_SAID + k)
            if later["open_side"] == said["open_side"]:
                both = pair | 1 << (k * MOST_SAID + j)
                alike |= both if abs(later["open_length"] - said["open_length"]) <= BEAT_LENGTH_PLAY else 0
            elif answer_len > 0 and abs(later["open_length"] - answer_len) > BEAT_LENGTH_PLAY:
                unfit |= pair
            elif answer_len > 0:
                fit |= pair
            slow |= pair if later["open_ns"] - said["open_ns"] >= BEAT_AT_ONCE_NS else 0
            behind = later["next"]
        at = said["next"]
    best = 0
    least = IMPOSSIBLE
    for answers in range(1 << count):
        cost = cost_of(answers, count, kinds, alike, fit, unfit, slow, apart)
        if cost <= least:  # of two that cost as much, that in which later messages answer
            least = cost
            best = answers
    return told_of(best, count, kinds, alike, fit, unfit, apart)


@loop
def nearest(beats: Rows, first: int, place: int) -> int:
    """Return the place of the last open message of the other end before the one at a place, -1 if there is none."""
    at = first
    for _ in range(place):
        at = beats[at]["next"]
    side = beats[at]["open_side"]
    found = -1
    at = first
    for j in range(place):
        if beats[at]["open_side"] != side:
            found = j
        at = beats[at]["next"]
    return found


@loop
def known_of(beats: Rows, first: int, said: Record) -> int:
    """Return the train of most beats that are like a message, -1 if there is none."""
    known = -1
    at = first
    while at >= 0:
        train = beats[at]
        is_one = is_alike(train, said["open_side"] - 1, said["open_length"])
        if is_one and (known < 0 or train["count"] > beats[known]["count"]):
            known = at
        at = train["next"]
    return known


@loop
def kind_of(beats: Rows, first: int, said: Record, known: int) -> int:
    """Return what is known of a message, of which this train has most beats alike."""
    kind = OF_B if said["open_side"] == OF_B + 1 else 0
    if waiting_for(beats, first, said) >= 0:
        kind |= BELATED
    if known < 0:
        return kind
    train = beats[known]
    if is_asked(train):
        kind |= ASKED
    elif is_unheard(train):
        kind |= UNHEARD_OF
    if train["answered"] == 0:
        kind |= NEVER
    if train["count"] < BEATS_LEAST:
        return kind
    at = first
    while at >= 0:
        train = beats[at]
        is_one = is_alike(train, said["open_side"] - 1, said["open_length"])
        if is_one and train["count"] >= BEATS_LEAST and distance_in(train, said) >= 0:
            return kind | IN_STEP
        at = train["next"]
    return kind | OFF


@loop
def told_of(answers: int, count: int, kinds: int, alike: int, fit: int, unfit: int, apart: int) -> int:
    """Return what messages are of which those that answer are known, as ``turns_of`` says it."""
    told = 0
    owed = 0
    for j in range(count):
        if answers >> j & 1:
            to = asked_by(owed, j, kinds, fit, unfit, apart)
            if to >= 0:
                owed &= ~(1 << to)
            told |= (1 + to if to >= 0 else LATE) << 4 * j
        else:
            told |= (AGAIN if has_alike(j, j, alike, answers) else 0) << 4 * j
            owed |= 1 << j
    return told


@loop
def cost_of(answers: int, count: int, kinds: int, alike: int, fit: int, unfit: int, slow: int, apart: int) -> int:
    """Return what it costs to take these messages for answers, and the others for beats.

    ``kinds`` has EACH bits of each message, the last five have one of each pair: both are beats alike, the second is as
    long as answers to the first, it is not, it takes its time, it was sent before the first was there.
    """
    cost = 0
    owed = 0
    for j in range(count):
        kind = kinds >> EACH * j
        if not answers >> j & 1:
            cost += cost_of_beat(j, answers, owed, kinds, alike, unfit | slow | apart)
            owed |= 1 << j
            continue
        to = asked_by(owed, j, kinds, fit, unfit, apart)
        if to >= 0:
            owed &= ~(1 << to)
            pair = to * MOST_SAID + j
            asks = kinds >> EACH * to
            cost += (UNLIKE if unfit >> pair & 1 else 0) + (SLOW if slow >> pair & 1 else 0)
            cost += (OWN if kind & IN_STEP and asks & UNHEARD_OF else 0) + (FIRST if asks & NEVER else 0)
            cost += DUE if kind & IN_STEP and not has_alike(j, count, alike, answers) else 0
        elif kind & BELATED:
            cost += SLOW + (TWICE if kind & IN_STEP else 0)
        else:
            return IMPOSSIBLE
    for j in range(count):
        kind = kinds >> EACH * j
        if owed >> j & 1:
            cost += UNHEARD if kind & ASKED else 0 if kind & (UNHEARD_OF | NEVER) else SLOW
    return cost


@loop
def cost_of_beat(j: int, answers: int, owed: int, kinds: int, alike: int, unlikely: int) -> int:
    """Return what it costs to take the message at ``j`` for a beat, behind these that no message has answered."""
    kind = kinds >> EACH * j
    if has_alike(j, j, alike, answers):
        return TWICE
    if kind & OFF:
        return OUT_OF_STEP
    if kind & IN_STEP:
        return 0
    return NEW + (AT_ONCE if follows(owed, j, kinds, unlikely) else 0)


@loop
def is_others(i: int, j: int, kinds: int) -> bool:
    """Say whether two messages are of different ends."""
    differ: bool = (kinds >> EACH * i ^ kinds >> EACH * j) & OF_B != 0
    return differ


@loop
def asked_by(owed: int, j: int, kinds: int, fit: int, unfit: int, apart: int) -> int:
    """Return which beat, of those that no message has answered, the message at ``j`` answers; -1 none.

    It is the first of the other end's whose answers are as long, or of which none is known, or the first; but of none
    that was not there yet when the message was sent (``apart``).
    """
    found = -1
    new = -1
    for i in range(j):
        pair = i * MOST_SAID + j
        if owed >> i & 1 and is_others(i, j, kinds) and not apart >> pair & 1:
            if fit >> pair & 1:
                return i
            if new < 0 and not unfit >> pair & 1:
                new = i
            if found < 0:
                found = i
    return new if new >= 0 else found


@loop
def follows(owed: int, j: int, kinds: int, unlikely: int) -> bool:
    """Say whether the message at ``j`` may well answer a beat of the other end that no message has answered."""
    found = False
    for i in range(j):
        found |= owed >> i & 1 == 1 and is_others(i, j, kinds) and not unlikely >> (i * MOST_SAID + j) & 1
    return found


@loop
def has_alike(j: int, before: int, alike: int, answers: int) -> bool:
    """Say whether a beat, before the message at a place, is of the same end as the one at ``j``, and as long."""
    found = False
    for i in range(before):
        found |= alike >> (i * MOST_SAID + j) & 1 == 1 and not answers >> i & 1
    return found
