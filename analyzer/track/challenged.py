"""What a challenge ACK answers: a SYN on a connection that its receiver has, or an ACK of data never sent.

The receiver of either answers at once with an empty ACK at SND.NXT and RCV.NXT, and takes nothing from the segment
(RFC 9293 3.10.7.4, RFC 5961 4.2). Where data, a probe or a change of the window explains such an ACK as well, it is
left alone; that a RST was challenged is for whoever knows which RST is ignored.

It must not decide what such an ACK means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, NOTE_TCP, RST, SYN
from analyzer.tolerances import WENT_ON_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record

BY_SYN: Final = 1
BY_UNSENT_ACK: Final = 2
"""What drew a challenge ACK: ``provocation`` of a SEEN row."""


@loop
def note_provocation(flow: Record, end: Record, peer: Record, side: int, row: Record) -> None:
    """Remember a SYN of ``end`` that is sent again although the connection is established."""
    if not row["flags"] & SYN:
        return
    established = end["ack_frame"] > 0 or peer["ack_frame"] > 0
    # what its peer has yet to acknowledge, or to react to, may explain its next ACK
    waits = end["pending_seq"] >= 0 or end["snd_una"] < end["snd_nxt"]
    if end["syn_count"] > 1 and established and not waits:
        flow["provoked_frame"] = row["frame"]
        flow["provoked_ns"] = row["ts_ns"]
        flow["provoked_side"] = side


@loop
def is_challenge(end: Record, peer: Record, row: Record, seq: int, ack: int, since_ns: int) -> bool:
    """Say whether a segment of ``end`` can be a challenge ACK to its peer's last segment, of that time."""
    # what the text of tcpdump does not number cannot be exact
    numbered = row["note"] == NOTE_TCP
    empty = numbered and row["payload_len"] == 0 and row["flags"] & (ACK | SYN | FIN | RST) == ACK
    at_once = peer["last_ns"] <= since_ns and 0 <= row["ts_ns"] - since_ns <= WENT_ON_NS
    exact = end["snd_una"] >= 0 and seq == end["snd_nxt"] and ack == peer["snd_nxt"] and row["window"] == end["window"]
    return empty and at_once and exact and peer["pending_seq"] < 0


@loop
def answers_syn(flow: Record, end: Record, peer: Record, side: int, row: Record, seq: int, ack: int) -> int:
    """Return the frame of the SYN that a segment of ``end`` answers with a challenge ACK, or 0; it is settled now."""
    if flow["provoked_side"] < 0 or flow["provoked_side"] == side:
        return 0
    flow["provoked_side"] = -1
    frame: int = flow["provoked_frame"]
    flow["provoked_frame"] = 0
    return frame if is_challenge(end, peer, row, seq, ack, flow["provoked_ns"]) else 0
