"""Small messages after a pause, which may be beats: nothing is read but lengths and times, encrypted flows or not.

Whether a message is a beat shows only in what follows, so the latest, the *exchange* that is open, waits until it is
known; then it goes to the trains of its flow.

It must not know what a train is made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import FIN, RST, SYN
from analyzer.tolerances import BEAT_AT_ONCE_NS, BEAT_LENGTH_PLAY, BEAT_MOST_OCTETS, BEAT_PAUSE_NS, BEAT_PROMPT_NS
from analyzer.track.beat_trains import close_exchange, is_answered, pass_over
from analyzer.track.beats import is_alike, new_train

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
                # at once it answers a beat of the other end
                is_answer = ts_ns - peer["data_ns"] < BEAT_AT_ONCE_NS
                if not is_answer and abs(opened["open_length"] - length) <= BEAT_LENGTH_PLAY:
                    pass_over(flow, beats)
            else:
                note_answer(opened, row)
            if not small or opened["open_own"] > MOST_EACH or opened["open_peer"] > MOST_EACH:
                pass_over(flow, beats)
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
