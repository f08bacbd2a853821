"""The short way through the tracker, for the segment that goes on where both endpoints stand.

Most segments of any capture are data in order, or acknowledge some, between two endpoints that have both been heard,
with nothing pending, closing or odd about them. For these every question that ``seen.notable`` and ``endpoint`` ask has
one answer, so they are told at once by ``goes_on``, and ``go_on`` changes what the long way would change, and sooner.
Every other segment takes the long way.

This module holds no rule of its own. Whatever it does, ``endpoint`` does too, and a test compares the two; what is
asked of an endpoint's past is asked once, by the long way, and kept in ``steady``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.tolerances import REPEAT_NS
from analyzer.track.endpoint import PLAUSIBLE, learn_pause

if TYPE_CHECKING:
    from analyzer.untyped import Record

NOT_STEADY: Final = 0
STEADY: Final = 1
STEADY_SENDER: Final = 2


@loop
def steady(flow: Record, end: Record) -> int:
    """Say whether an endpoint's segments may go the short way: NOT_STEADY, STEADY, or STEADY_SENDER if it sent data."""
    if (
        flow["reset_count"] > 0
        or flow["provoked_side"] >= 0
        or flow["stray"] > 0
        or end["snd_nxt"] < 0
        or end["snd_una"] < 0
        or end["ack_frame"] == 0
    ):
        return NOT_STEADY
    if end["window"] <= 0 or end["fin_seq"] >= 0 or end["pending_seq"] >= 0:
        return NOT_STEADY
    return STEADY if end["first_data_frame"] == 0 else STEADY_SENDER


@loop
def goes_on(flow: Record, end: Record, peer: Record, row: Record, sign: int) -> bool:
    """Say whether a segment, of that signature, only goes on: none of the long way's exceptions applies to it."""
    length = row["payload_len"]
    behind = (peer["snd_nxt"] - row["ack"]) & 0xFFFFFFFF
    fresh = (row["flags"] & (ACK | SYN | FIN | RST)) == ACK
    fresh &= end["steady"] > (length > 0)
    fresh &= peer["steady"] > NOT_STEADY
    fresh &= row["seq"] == end["snd_nxt"] & 0xFFFFFFFF
    fresh &= length < PLAUSIBLE
    fresh &= (behind < PLAUSIBLE) & (behind <= peer["snd_nxt"] - peer["snd_una"])
    # an empty one that says nothing new, out of a silence, may answer a probe that was written behind it
    news = (length > 0) | (behind < peer["snd_nxt"] - peer["snd_una"])
    fresh &= news | (row["ts_ns"] - flow["last_ns"] < REPEAT_NS)
    fresh &= row["window"] > 0
    fresh &= row["ts_ns"] >= flow["last_ns"]
    fresh &= (row["tsval"] >= 0) == (end["timestamps_on"] == 1)
    fresh &= (row["ttl"] == end["ttl_low"]) | (row["ttl"] == end["ttl_high"])
    fresh &= row["src_mac"] == end["mac"]
    fresh &= (row["ip_id"] > 0) | (row["ip_id"] == end["ip_id"])
    alike = (sign == end["sign0"]) | (sign == end["sign1"]) | (sign == end["sign2"]) | (sign == end["sign3"])
    return bool(fresh & (not alike))


@loop
def go_on(flow: Record, end: Record, peer: Record, row: Record) -> None:
    """Let a segment that ``goes_on`` change what is known of both endpoints."""
    length = row["payload_len"]
    ts_ns = row["ts_ns"]
    frame = row["frame"]
    seq = end["snd_nxt"]
    ack = peer["snd_nxt"] - ((peer["snd_nxt"] - row["ack"]) & 0xFFFFFFFF)
    if length > 0:
        end["snd_nxt"] = seq + length
        end["payload"] += length
        if end["unacked_ns"] < 0:
            learn_pause(end, ts_ns)
            end["unacked_ns"] = ts_ns
            end["unacked_frame"] = frame
        end["data_seq"] = seq
        end["data_len"] = length
        end["data_octet"] = row["first_octet"]
        end["data_flags"] = row["flags"]
        end["data_ns"] = ts_ns
        end["data_frame"] = frame
    end["window"] = row["window"]
    if ack > peer["snd_una"]:
        peer["snd_una"] = ack
        peer["resent"] = 0
        if ack >= peer["snd_nxt"]:
            peer["unacked_ns"] = -1
        elif peer["unacked_ns"] >= 0:
            peer["unacked_ns"] = ts_ns
            peer["unacked_frame"] = frame
    end["segments"] += 1
    end["last_ns"] = ts_ns
    end["last_seq"] = seq
    end["last_ack"] = ack
    if (row["tsval"] - end["tsval"]) & 0xFFFFFFFF < 0x80000000:
        end["tsval"] = row["tsval"]
    if row["ip_id"] > 0:
        end["id_zero_frame"] = 0
    end["ip_id"] = row["ip_id"]
    silence_ns = ts_ns - flow["active_ns"]
    if silence_ns > flow["silence_ns"] and flow["active_ns"] >= 0:
        flow["silence_ns"] = silence_ns
        flow["silence_from"] = flow["active_frame"]
        flow["silence_to"] = frame
    flow["after_reset"] += 1
    flow["last_ns"] = ts_ns
    flow["last_frame"] = frame
    flow["active_ns"] = ts_ns
    flow["active_frame"] = frame
    end["active_ns"] = ts_ns
    end["active_frame"] = frame
