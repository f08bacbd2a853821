"""Small messages after a pause, which may be beats: nothing is read but lengths and times, encrypted flows or not.

Whether a message is a beat shows only in what follows, so the latest, the *exchange* that is open, waits until it is
known; then it goes to the trains of its flow.

It must not know what a train is made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import FIN, RST, SYN
from analyzer.tolerances import (
    BEAT_AT_ONCE_NS,
    BEAT_LENGTH_PLAY,
    BEAT_MOST_OCTETS,
    BEAT_PAUSE_NS,
    BEAT_PROMPT_NS,
    BEATS_LEAST,
)
from analyzer.track.beat_trains import close_exchange, forget_second, is_answered, note_asked, pass_over, restart
from analyzer.track.beats import is_alike, new_train
from analyzer.track.endpoint import fills_hole
from analyzer.track.rhythm import is_step, period_of

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

MOST_EACH: Final = 2
"""Small messages of each end that one exchange may have: both ends may beat at the same time."""


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
    ts_ns = row["ts_ns"]
    # as ``quiet_ns`` says, but when the flow began, which lies where little else is touched, is asked last
    if length > BEAT_MOST_OCTETS or ts_ns - max(end["data_ns"], peer["data_ns"]) < BEAT_PAUSE_NS:
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
            alone = opened["open_own"] == 1 and opened["open_peer"] <= 1
            if alone and small and note_second(flow, end, peer, side, row, beats, registers):
                return
            if side == begun:
                opened["open_own"] += 1
                # at once it answers a beat of the other end
                is_answer = ts_ns - peer["data_ns"] < BEAT_AT_ONCE_NS
                if not is_answer and abs(opened["open_length"] - length) <= BEAT_LENGTH_PLAY:
                    pass_over(flow, beats)
            else:
                note_answer(opened, row)
            if not small or opened["open_own"] > MOST_EACH or opened["open_peer"] > MOST_EACH:
                pass_over(flow, beats)
                if opened["open_peer"] > 0:
                    note_asked(flow, beats)
                forget_second(flow, beats)
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
    flow["exchange"] = 1 + side
    open_exchange(beats[flow["beats"]], end, peer, row, idle_ns)
    if opened_before(beats, flow) < 0 and is_answering(beats, flow, end, peer):
        beats[flow["beats"]]["open_before"] = 0
        forget_answers(flow, beats)


@loop
def open_exchange(opened: Record, end: Record, peer: Record, row: Record, idle_ns: int) -> None:
    """Begin an exchange in this record of a flow's chain."""
    ts_ns = row["ts_ns"]
    length = row["payload_len"]
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
def forget_answers(flow: Record, beats: Rows) -> None:
    """Let the trains of messages like that of the open exchange begin anew that may have begun with an answer."""
    opened = beats[flow["beats"]]
    at = flow["beats"]
    while at >= 0:
        train = beats[at]
        few = is_alike(train, flow["exchange"] - 1, opened["open_length"]) and 1 < train["count"] < BEATS_LEAST
        if few and train["missed"] > train["unanswered"]:
            restart(train)
        at = train["next"]


@loop
def opened_before(beats: Rows, flow: Record) -> int:
    """Return which frame the sender of the open exchange sent before, if as long; below 0 without an answer."""
    frame: int = beats[flow["beats"]]["open_before"]
    return frame


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
def note_second(
    flow: Record, end: Record, peer: Record, side: int, row: Record, beats: Rows, registers: Numbers
) -> bool:
    """Take a small message amid the open exchange for another beat, or the answer to that; say whether it is either.

    It is another if it answers nothing, and is of another length than the first, or comes from the other end once that
    answered. One is kept: two trains of one end whose periods are multiples of each other meet all the time.
    """
    opened = beats[flow["beats"]]
    at = opened["next"]
    ts_ns = row["ts_ns"]
    if at >= 0 and beats[at]["open_side"] > 0:
        second = beats[at]
        if second["open_side"] - 1 != side and second["open_answer_frame"] == 0:
            has_answer = opened["open_answer_frame"] > 0 or flow["exchange"] - 1 == side
            if has_answer or not is_its_answer(beats, flow, opened, row["payload_len"]):
                note_answer(second, row)
                return True
            return False
        opened["open_own"] = MOST_EACH  # with one more there are too many
        opened["open_peer"] = MOST_EACH
        return False
    answered_ns = opened["open_answer_ns"]
    if side == flow["exchange"] - 1:
        if abs(opened["open_length"] - row["payload_len"]) <= BEAT_LENGTH_PLAY or opened["open_peer"] > 1:
            return False
        if ts_ns - peer["data_ns"] < BEAT_AT_ONCE_NS and peer["data_ns"] != answered_ns:
            return False
    elif answered_ns < 0 or opened["open_own"] > 1 or ts_ns - max(end["data_ns"], peer["data_ns"]) < BEAT_AT_ONCE_NS:
        return False
    if at < 0:
        at = new_train(beats, registers, side)
        opened["next"] = at
    open_exchange(beats[at], end, peer, row, ts_ns - max(end["data_ns"], peer["data_ns"]))
    beats[at]["open_side"] = 1 + side
    return True


@loop
def is_its_answer(beats: Rows, flow: Record, opened: Record, length: int) -> bool:
    """Say whether beats like the first of two that were sent at once had answers of this length."""
    at = flow["beats"]
    while at >= 0:
        train = beats[at]
        if is_alike(train, flow["exchange"] - 1, opened["open_length"]) and is_answered(train):
            alike: bool = abs(train["answer_len"] - length) <= BEAT_LENGTH_PLAY
            return alike
        at = train["next"]
    return True


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
def may_show_answer(flow: Record, peer: Record, side: int, ack: int) -> bool:
    """Say whether an acknowledgement shows data of the peer, since the open exchange began, that was not captured.

    A single octet may be a FIN.
    """
    waits = flow["exchange"] == 1 + side
    shows: bool = waits and peer["snd_nxt"] >= 0 and ack > peer["snd_nxt"] + 1
    return shows


@loop
def note_unseen_answer(flow: Record, beats: Rows, peer: Record, row: Record, ack: int) -> None:
    """Note an answer that was not captured, by the frame that acknowledges it, unless one was."""
    opened = beats[flow["beats"]]
    if opened["open_answer_frame"] > 0:
        return
    opened["open_peer"] += 1
    opened["open_answer_frame"] = row["frame"]
    opened["open_answer_ns"] = row["ts_ns"]
    opened["open_answer_len"] = ack - peer["snd_nxt"]


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
