"""Small messages after a pause, which may be beats: nothing is read but lengths and times, encrypted flows or not.

Whether a message is a beat shows only in what follows, so the latest, the *exchange* that is open, waits until it is
known; then it goes to the trains of its flow.

It must not know what a train is made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.tolerances import (
    BEAT_AT_ONCE_NS,
    BEAT_LENGTH_PLAY,
    BEAT_MOST_OCTETS,
    BEAT_PAUSE_NS,
    BEAT_PROMPT_NS,
    BEATS_LEAST,
)
from analyzer.track.amid import answer_amid, awaiting, place_amid, watched_of
from analyzer.track.beat_trains import ACKED, is_answered
from analyzer.track.beats import MOST_OTHERS, MOST_SAID, MOST_TRAINS, is_alike, is_of_every, new_train
from analyzer.track.placing import close_exchange, note_asked, pass_over
from analyzer.track.rhythm import is_step, period_of
from analyzer.track.uncaptured import fills_hole

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows


@loop
def quiet_ns(flow: Record, end: Record, peer: Record, ts_ns: int) -> int:
    """Return how long neither end had sent new data by now; of a flow without data, since when it is known."""
    return ts_ns - max(end["data_ns"], peer["data_ns"], flow["first_ns"])


@loop
def may_beat(flow: Record, end: Record, peer: Record, side: int, row: Record) -> bool:
    """Say whether new data concerns heartbeats.

    It does if an exchange is open, or if it is small and comes after a pause, or its sender is watched.
    """
    length = row["payload_len"]
    if length == 0:
        return False
    if flow["exchange"] > 0:
        return True
    ts_ns = row["ts_ns"]
    # as ``quiet_ns`` says, but when the flow began, which lies where little else is touched, is asked last
    if length > BEAT_MOST_OCTETS:
        return False
    if flow["watched"] >> side & 1:
        return True
    if ts_ns - end["data_ns"] < BEAT_PAUSE_NS:  # what is known of the peer's data is mostly not in the cache
        return False
    if ts_ns - peer["data_ns"] < BEAT_PAUSE_NS:
        return False
    paused: bool = ts_ns - flow["first_ns"] >= BEAT_PAUSE_NS
    return paused


@loop
def is_new_data(flow: Record, end: Record, peer: Record, side: int, row: Record, seq: int) -> bool:
    """Say whether a segment that is not known to go on brings new data: nothing sent again, no probe of a window.

    What fills a hole is new, too: it was lost before this point, or not captured, when it was sent first.
    """
    length = row["payload_len"]
    if length == 0 or row["flags"] & (SYN | RST) or (length == 1 and peer["window"] == 0):
        return False
    new: bool = seq >= end["snd_nxt"] or fills_hole(flow, side, seq, length)
    return new


@loop
def watch_beats(
    flow: Record, end: Record, peer: Record, side: int, row: Record, beats: Rows, registers: Numbers
) -> None:
    """Let new data of which ``may_beat`` is true close the exchange that is open, go on with it, or open another."""
    ts_ns = row["ts_ns"]
    small = row["payload_len"] <= BEAT_MOST_OCTETS and not row["flags"] & (SYN | FIN | RST)
    idle_ns = quiet_ns(flow, end, peer, ts_ns)
    again = False
    if flow["exchange"] > 0:
        opened = beats[flow["beats"]]
        begun = flow["exchange"] - 1
        if idle_ns < BEAT_PAUSE_NS:
            again = side == begun and small and is_next_beat(opened, end, peer, row)
            goes_on = not again
        else:
            goes_on = side != begun and small and is_late_answer(beats, flow["beats"], ts_ns)
        if goes_on:
            if small and opened["open_count"] < MOST_SAID:
                say(flow, beats, registers, end, peer, side, row)
                return
            give_up(flow, beats, side)
        else:
            close_open(flow, beats, side, end, peer)
    if not small:
        return
    begins = again or idle_ns >= BEAT_PAUSE_NS
    if flow["watched"] >> side & 1 and hear_amid(flow, beats, side, end, peer, row, begins):
        return
    if not begins:
        return
    if flow["beats"] < 0:
        flow["beats"] = new_train(beats, registers, side)
    flow["exchange"] = 1 + side
    say(flow, beats, registers, end, peer, side, row)
    opened = beats[flow["beats"]]
    opened["open_idle_ns"] = idle_ns
    as_long = end["data_frame"] > 0 and abs(end["data_len"] - opened["open_length"]) <= BEAT_LENGTH_PLAY
    if as_long and (end["data_frame"] > opened["open_known"] or is_first(beats, flow["beats"])):
        if peer["data_frame"] > end["data_frame"]:
            opened["open_before"] = end["data_frame"]
        elif not is_answering(beats, flow, end, peer):
            opened["open_before"] = -end["data_frame"]


@loop
def is_first(beats: Rows, first: int) -> bool:
    """Say whether the message that began the open exchange is like those of no train."""
    opened = beats[first]
    side = opened["open_side"] - 1
    at = first
    while at >= 0:
        if is_alike(beats[at], side, opened["open_length"]) or is_of_every(beats[at], side, opened["open_length"]):
            return False
        at = beats[at]["next"]
    return True


@loop
def close_open(flow: Record, beats: Rows, side: int, end: Record, peer: Record) -> None:
    """Close the exchange that is open, of whose flow these are the ends; this side's first."""
    acked = (ACKED if end["unacked_ns"] < 0 else 0) << 2 * side
    acked |= (ACKED if peer["unacked_ns"] < 0 else 0) << 2 * (1 - side)
    close_exchange(beats, flow["beats"], acked)
    beats[flow["beats"]]["open_known"] = max(end["data_frame"], peer["data_frame"])
    flow["exchange"] = 0
    flow["watched"] = watched_of(beats, flow["beats"])


@loop
def hear_amid(
    flow: Record,
    beats: Rows,
    side: int,
    end: Record,
    peer: Record,
    row: Record,
    begins: bool,  # noqa: FBT001
) -> bool:
    """Let a small message, while no exchange is open, be a beat or an answer amid other data; say whether it is.

    One that ``begins`` an exchange may be no more than an answer.
    """
    first = flow["beats"]
    said = beats[first]
    enter(said, side, end, peer, row)
    if not begins:
        heard = place_amid(beats, first, said)
    else:
        waiting = awaiting(beats, first, said)
        heard = waiting >= 0
        if heard:
            answer_amid(beats, first, waiting, said)
    flow["watched"] = watched_of(beats, first)
    return heard


@loop
def give_up(flow: Record, beats: Rows, side: int) -> None:
    """End the exchange that is open: so much passes that its messages are amid other data."""
    first = flow["beats"]
    opened = beats[first]
    at = first
    for j in range(opened["open_count"]):
        heard = place_amid(beats, first, beats[at])
        if j == 0 and not heard:
            pass_over(beats, first, opened)
            if side != flow["exchange"] - 1 or has_answer(beats, first):
                note_asked(beats, first)
        at = beats[at]["next"]
    opened["open_count"] = 0
    flow["exchange"] = 0
    flow["watched"] = watched_of(beats, first)


@loop
def say(flow: Record, beats: Rows, registers: Numbers, end: Record, peer: Record, side: int, row: Record) -> None:
    """Add a message to the exchange that is open."""
    enter(beats[room_for(flow, beats, registers, side, row["payload_len"])], side, end, peer, row)
    beats[flow["beats"]]["open_count"] += 1


@loop
def enter(said: Record, side: int, end: Record, peer: Record, row: Record) -> None:
    """Enter a message, of the end at this side, where one of an exchange is kept."""
    ts_ns = row["ts_ns"]
    said["open_side"] = 1 + side
    said["open_length"] = row["payload_len"]
    said["open_ns"] = ts_ns
    said["open_frame"] = row["frame"]
    said["open_idle_ns"] = ts_ns - max(end["data_ns"], peer["data_ns"])
    said["open_own_ns"] = ts_ns - end["data_ns"] if end["data_ns"] >= 0 else 0
    said["open_before"] = 0
    said["open_answer_frame"] = 0
    said["open_answer_len"] = 0
    said["open_answer_ns"] = -1
    said["open_crossed"] = 0
    said["open_unread"] = 1 if is_unread(peer, row) else 0


@loop
def is_unread(peer: Record, row: Record) -> bool:
    """Say whether data was sent before the last that the peer had sent was there: then it does not answer that.

    Each segment acknowledges what its sender has received (RFC 9293 3.4), and no program reads what has not come.
    """
    if not row["flags"] & ACK or peer["snd_nxt"] < 0:
        return False
    unread: bool = 0 < (peer["snd_nxt"] - row["ack"] & 0xFFFFFFFF) < 1 << 31
    return unread


@loop
def room_for(flow: Record, beats: Rows, registers: Numbers, side: int, length: int) -> int:
    """Return the record for one more message of the open exchange.

    It is the next of the flow's chain, which gets one more if too few are without a train: a message of another kind
    may begin two, and so may the first, and what is out of the step of a train may begin another.
    """
    at = flow["beats"]
    opened = beats[at]
    place = opened["open_count"]
    is_known = False
    is_paced = False
    is_every = place == 0
    is_first_known = place == 0
    spare = 0
    records = 0
    found = -1
    last = -1
    while at >= 0:
        train = beats[at]
        if records == place:
            found = at
        if train["count"] == 0:
            spare += 1
        elif is_alike(train, side, length):
            is_known = True
            is_paced |= train["count"] >= BEATS_LEAST
        elif is_of_every(train, side, length):
            is_every = True
        elif not is_first_known and is_alike(train, opened["open_side"] - 1, opened["open_length"]):
            is_first_known = True
        records += 1
        last = at
        at = train["next"]
    needed = (0 if is_known and not is_paced else 1) + (0 if is_every else 1) + (0 if is_first_known else 1)
    if found >= 0 and (records >= MOST_TRAINS or spare >= needed):
        return found
    at = new_train(beats, registers, side)
    beats[last]["next"] = at
    return found if found >= 0 else at


@loop
def has_answer(beats: Rows, first: int) -> bool:
    """Say whether both ends said something in the exchange that is open."""
    opened = beats[first]
    at = first
    for _ in range(opened["open_count"]):
        if beats[at]["open_side"] != opened["open_side"]:
            return True
        at = beats[at]["next"]
    return False


@loop
def is_answering(beats: Rows, flow: Record, end: Record, peer: Record) -> bool:
    """Say whether the last data of who began the open exchange, behind which its peer sent none, answers the peer.

    Both ends may ask. It does if it came at once, or in time where beats of the peer's that are as long are answered;
    but not if it is as long ago as those are apart: then it may be a beat of its own that came second.
    """
    if peer["data_ns"] < 0:
        return False
    took_ns = end["data_ns"] - peer["data_ns"]
    own_ns = beats[flow["beats"]]["open_own_ns"]
    at = flow["beats"]
    while at >= 0 and took_ns <= BEAT_PROMPT_NS:
        train = beats[at]
        if is_alike(train, 2 - flow["exchange"], peer["data_len"]):
            if took_ns < BEAT_AT_ONCE_NS and train["gaps"] > 1:
                apart_ns = own_ns - period_of(train)
                return apart_ns > BEAT_PAUSE_NS // 2 or apart_ns < -BEAT_PAUSE_NS // 2
            if is_answered(train):
                answers: bool = train["gaps"] == 0 or not is_step(train, own_ns)
                return answers
        at = train["next"]
    return took_ns < BEAT_AT_ONCE_NS


@loop
def is_next_beat(opened: Record, end: Record, peer: Record, row: Record) -> bool:
    """Say whether data of who began the open exchange is another beat, though other data came just before it.

    It is if it is as long as the first and comes a pause later, and a pause after what its sender said last, or after
    both ends said two things. What comes at once behind what the other end said is an answer.
    """
    if abs(opened["open_length"] - row["payload_len"]) > BEAT_LENGTH_PLAY or opened["open_count"] < 2:
        return False
    if row["ts_ns"] - peer["data_ns"] < BEAT_AT_ONCE_NS:
        return False
    later: bool = row["ts_ns"] - opened["open_ns"] >= BEAT_PAUSE_NS
    return later and (row["ts_ns"] - end["data_ns"] >= BEAT_PAUSE_NS or opened["open_count"] > 3)


@loop
def may_show_answer(flow: Record, peer: Record, side: int, ack: int) -> bool:
    """Say whether an acknowledgement shows data of the peer, since the open exchange began, that was not captured.

    A single octet may be a FIN.
    """
    waits = flow["exchange"] == 1 + side
    shows: bool = waits and peer["snd_nxt"] >= 0 and ack > peer["snd_nxt"] + 1
    return shows


@loop
def note_unseen_answer(
    flow: Record, beats: Rows, registers: Numbers, side: int, end: Record, peer: Record, row: Record, ack: int
) -> None:
    """Note an answer that was not captured, by the frame that acknowledges it, unless one was."""
    first = flow["beats"]
    if has_answer(beats, first) or beats[first]["open_count"] == MOST_SAID:
        return
    at = room_for(flow, beats, registers, 1 - side, min(ack - peer["snd_nxt"], BEAT_MOST_OCTETS))
    said = beats[at]
    said["open_side"] = 2 - side
    said["open_length"] = min(ack - peer["snd_nxt"], MOST_OTHERS)
    said["open_ns"] = row["ts_ns"]
    said["open_frame"] = row["frame"]
    said["open_idle_ns"] = row["ts_ns"] - max(end["data_ns"], peer["data_ns"])
    said["open_own_ns"] = row["ts_ns"] - peer["data_ns"] if peer["data_ns"] >= 0 else 0
    said["open_before"] = 0
    said["open_answer_frame"] = 0
    said["open_answer_len"] = 0
    said["open_answer_ns"] = -1
    said["open_crossed"] = 0
    said["open_unread"] = 0
    beats[first]["open_count"] += 1


@loop
def is_late_answer(beats: Rows, first: int, ts_ns: int) -> bool:
    """Say whether small data of the other end after a pause answers the open exchange, not begins one of its own.

    It does if nothing else has, and it comes soon.
    """
    return ts_ns - beats[first]["open_ns"] <= BEAT_PROMPT_NS and not has_answer(beats, first)
