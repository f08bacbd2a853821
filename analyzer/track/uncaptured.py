"""Numbers of an end that no captured segment shows: its peer acknowledged them, or it skipped them.

Of a flow the latest such oddity is kept, so that it can be taken back: where an acknowledgement turns out to claim what
was never sent, or where what was skipped comes later.

It must not decide what a segment is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import FIN, SYN

if TYPE_CHECKING:
    from analyzer.untyped import Record

CLAIM: Final = 1
HOLE: Final = 2
"""Kinds of oddities: numbers of an end that its peer acknowledged, or that it skipped, and that were not captured."""


@loop
def settle_claim(flow: Record, end: Record, side: int, row: Record, seq: int) -> int:
    """Take back what an acknowledgement claimed of numbers never seen, if their owner's next segment shows them unsent.

    Mostly the capture missed what was acknowledged. But an ACK of data never sent is answered by an ACK at SND.NXT, and
    moves nothing (RFC 9293 3.10.7.4): so an empty segment at the number before the claim, or a probe of it, shows.

    Returns:
        The frame of that acknowledgement, if it is taken back and was an empty ACK, else 0.
    """
    if flow["odd_kind"] != CLAIM or flow["odd_side"] != side:
        return 0
    flow["odd_kind"] = 0
    before = flow["odd_from"]
    silent = end["last_ns"] <= end["missed_ns"] and end["snd_nxt"] == end["snd_una"]
    empty = row["payload_len"] == 0 and not row["flags"] & (SYN | FIN)
    # one below what is acknowledged is a probe, also where one octet was missed
    shown = before - 1 <= seq <= before and seq != end["snd_una"] - 1
    if not (silent and empty and shown):
        return 0
    end["snd_nxt"] = before
    end["snd_una"] = flow["odd_to"]
    end["missed"] -= 1
    end["missed_ns"] = -1
    if flow["odd_to"] < before:
        end["unacked_ns"] = end["data_ns"]
        end["unacked_frame"] = end["data_frame"]
    return flow["odd_frame"]


@loop
def note_oddity(flow: Record, kind: int, side: int, low: int, high: int, frame: int) -> None:
    """Remember what the capture does not show of the numbers of an end: the latest of a flow only.

    ``frame`` is that of the segment if it is an empty ACK, else 0.
    """
    flow["odd_kind"] = kind
    flow["odd_side"] = side
    flow["odd_from"] = low
    flow["odd_to"] = high
    flow["odd_frame"] = frame


@loop
def fills_hole(flow: Record, side: int, seq: int, length: int) -> bool:
    """Say whether a segment that comes behind later ones is part of what was skipped."""
    known = flow["odd_kind"] == HOLE and flow["odd_side"] == side
    fills: bool = known and seq >= flow["odd_from"] and seq + length <= flow["odd_to"]
    return fills


@loop
def fill_hole(flow: Record, end: Record, side: int, seq: int, length: int) -> None:
    """Count the octets of a segment that comes behind later ones, if they are part of what was skipped."""
    beyond = seq + length
    if not fills_hole(flow, side, seq, length):
        return
    end["payload"] += length
    if seq == flow["odd_from"]:
        flow["odd_from"] = beyond
    else:
        flow["odd_to"] = seq
    if flow["odd_from"] == flow["odd_to"]:
        flow["odd_kind"] = 0
        end["missed"] -= 1
