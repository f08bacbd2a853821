"""The trains of heartbeats of flows that leave, or are looked at: of all trains of beats those that are heartbeats.

Deciding what a train means, or what protocol it is, is none of this module's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.loops.loop import loop
from analyzer.tolerances import BEAT_PAUSE_NS, BEATS_LEAST
from analyzer.track.beat_trains import ACKED, TOO_SOON
from analyzer.track.beats import copy_said, take_out
from analyzer.track.choosing import choose_rhythm, excuse, forget_as_it_was, prefer_every, take_back_amid, take_late
from analyzer.track.evenness import is_due, is_mutual, is_of_many_lengths, is_train
from analyzer.track.placing import close_exchange

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows


@loop
def may_have_heartbeats(beats: Rows, at: int) -> bool:
    """Say whether a train of a chain has beats enough, were the open exchange, and one before it, of it too."""
    while at >= 0:
        if beats[at]["count"] >= BEATS_LEAST - 2:
            return True
        at = beats[at]["next"]
    return False


@loop
def acked_by(flow: Record, end: Record) -> int:
    """Say whether all data of an end is acknowledged, at the end of a flow; what was sent right before cannot be."""
    if end["unacked_ns"] < 0:
        return ACKED
    return TOO_SOON if flow["last_ns"] - end["data_ns"] < BEAT_PAUSE_NS else 0


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
        if not may_have_heartbeats(beats, flow["beats"]):
            continue
        at = flow["beats"]
        first = count
        while at >= 0:
            take_out(beats[at], out[count], flow["number"])
            copy_said(beats[at], out[count])
            count += 1
            at = beats[at]["next"]
            out[count - 1]["next"] = count if at >= 0 else -1
        if flow["exchange"] > 0:
            close_exchange(out, first, acked_by(flow, a[i]) | acked_by(flow, b[i]) << 2)
        for j in range(first, count):
            forget_as_it_was(out[j])
            take_back_amid(out[j])
        for j in range(first, count):
            excuse(out, first, count, j)
        for j in range(first, count):
            take_late(out, first, count, j)
        prefer_every(out, first, count)
        kept = first
        choose_rhythm(out, first, count)
        for j in range(first, count):
            if is_of_many_lengths(out, first, count, j):
                continue
            if is_train(out[j]) or is_mutual(out, first, count, j):
                peer = b[i] if out[j]["side"] == 0 else a[i]
                # what only acknowledgements show of an end that is never captured tells no answers from data of its own
                out[j]["due"] = 1 if is_due(out[j]) and peer["segments"] > 0 else 0
                take_out(out[j], out[kept], flow["number"])
                kept += 1
        count = kept
    return count
