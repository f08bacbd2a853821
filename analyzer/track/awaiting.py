"""How long an endpoint's probes wait for answers: which answers may still come, and which came too early to be seen so.

It must not decide what a segment is, or what answers what: that is ``label.answers``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, NOTE_TCP, NOTE_UNNUMBERED, RST, SYN
from analyzer.tolerances import ANSWER_NS, EARLY_ANSWER_NS, REPEAT_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record

MOST_OVERLAPPING: Final = 100
"""More probes than this are never on their way at once."""


@loop
def await_another(end: Record, row: Record) -> None:
    """Let an endpoint probe again: if that is soon, answers to its earlier probes may still be on their way.

    Where the round trip is longer than the interval each probe is answered, and the answers come behind later probes.
    """
    soon = end["pending_seq"] >= 0 and row["ts_ns"] - end["last_ns"] <= ANSWER_NS and row["note"] != NOTE_UNNUMBERED
    end["overlapping"] = min(end["overlapping"] + 1, MOST_OVERLAPPING) if soon else 0


@loop
def await_less(peer: Record, row: Record, alike: int) -> None:
    """Let a segment be what a waiting probe of its ``peer`` waits for; ``alike`` is 1 if it can be an empty answer.

    A FIN is none: its sender's program closes, and its kernel answers the probe besides.
    """
    if row["flags"] & FIN and row["payload_len"] == 0:
        return
    if alike == 1 and peer["overlapping"] > 0 and row["ts_ns"] - peer["last_ns"] <= ANSWER_NS:
        peer["overlapping"] -= 1
        return
    peer["pending_seq"] = -1
    peer["overlapping"] = 0


@loop
def take_early(flow: Record, end: Record, peer: Record, side: int, row: Record, seq: int, before: Record) -> None:
    """Take back that the segment before a probe was activity, if it is the probe's answer, written before it.

    ``before`` is the flow's last SEEN row. Its history says how things stood before it.
    """
    if before["side"] == side or before["ts_ns"] != peer["last_ns"] or end["last_ns"] >= before["ts_ns"]:
        return
    apart = row["ts_ns"] - before["ts_ns"]
    empty = before["payload_len"] == 0 and (before["flags"] & (ACK | SYN | FIN | RST)) == ACK
    old = before["note"] == NOTE_TCP and before["seq"] == before["snd_nxt"] and before["ack"] == before["rcv_nxt"]
    if not (empty and old) or before["ack"] != seq + 1 or not 0 <= apart <= EARLY_ANSWER_NS:
        return
    if before["snd_una"] < 0 or before["ts_ns"] - before["flow_last_ns"] < REPEAT_NS:
        return
    if flow["active_frame"] == before["frame"]:
        flow["active_ns"] = before["flow_active_ns"]
        flow["active_frame"] = before["flow_active_frame"]
    if peer["active_frame"] == before["frame"]:
        peer["active_ns"] = before["own_active_ns"]
        peer["active_frame"] = before["own_active_frame"]
