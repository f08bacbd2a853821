"""What a bystander knows of each endpoint of a flow, and how each segment changes it.

Read RFC 9293 3.3.1 and 3.4 first. A bystander's SND.NXT is the highest SEG.SEQ+SEG.LEN seen from an endpoint, or the
peer's highest SEG.ACK where the capture missed segments (BSD's snd_max); his SND.UNA is the peer's highest SEG.ACK.
Sequence numbers are unwrapped here, once.

It must not decide what a segment *is*, nor keep any segment: only the sums and the latest values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.tolerances import COPY_SAME_ID_NS, RTO_LEAST_NS
from analyzer.track.uncaptured import CLAIM, HOLE, fill_hole, note_oddity

if TYPE_CHECKING:
    from analyzer.untyped import Record

ENDPOINT: Final = np.dtype(
    [
        # touched by nearly every segment: the first cache line by those of the peer too, four by its own
        ("snd_nxt", np.int64),
        ("snd_una", np.int64),
        ("unacked_ns", np.int64),  # since when something is outstanding, -1 nothing
        ("unacked_frame", np.int64),
        ("steady", np.int8),  # whether ``fast_path`` may take its segments
        ("timestamps_on", np.int8),
        ("ttl_low", np.int16),
        ("ttl_high", np.int16),
        ("data_octet", np.int16),
        ("window", np.int32),
        ("resent", np.int32),  # retransmissions since the peer last acknowledged anything new
        ("last_ns", np.int64),
        ("tsval", np.int64),
        ("sign0", np.int64),  # signatures and times of the last four segments
        ("sign1", np.int64),
        ("sign2", np.int64),
        ("sign3", np.int64),
        ("sign0_ns", np.int64),
        ("sign1_ns", np.int64),
        ("sign2_ns", np.int64),
        ("sign3_ns", np.int64),
        ("last_seq", np.int64),
        ("last_ack", np.int64),
        ("active_ns", np.int64),
        ("active_frame", np.int64),
        ("ip_id", np.int32),
        ("segments", np.int32),
        ("mac", np.int64),
        ("id_zero_frame", np.int64),  # first of the current row of segments with IP ID 0 after others
        ("data_seq", np.int64),
        ("data_ns", np.int64),
        ("data_frame", np.int64),
        ("payload", np.int64),  # octets of new data
        ("data_len", np.int32),
        ("data_flags", np.int16),
        ("window_scale", np.int8),
        ("overlapping", np.int8),  # probes before the latest that may still be answered too, MOST_OVERLAPPING at most
        ("pending_seq", np.int64),  # SEG.SEQ of a probe-like segment the peer has not reacted to, -1 none
        ("fin_seq", np.int64),
        ("first_data_frame", np.int64),
        ("ack_frame", np.int64),  # first segment with ACK and without SYN or RST
        ("window_shut_frame", np.int64),  # since when this endpoint advertises window 0, 0 if it does not
        # milestones and rarities: frame numbers, 0 where it did not happen
        ("resent_total", np.int32),
        ("missed", np.int32),  # how often the peer acknowledged, or the sender skipped, what the capture missed
        ("resent_ns", np.int64),
        ("resent_frame", np.int64),
        ("first_data_ns", np.int64),
        ("iss", np.int64),
        ("syn_frame", np.int64),
        ("syn_ns", np.int64),
        ("syn_count", np.int32),
        ("syn_had_ack", np.int16),
        ("fin_resent", np.int16),  # retransmissions of its FIN alone, before that was acknowledged; MOST_RESENT at most
        ("ack_ns", np.int64),
        ("fin_frame", np.int64),
        ("fin_ns", np.int64),
        ("fin_acked_frame", np.int64),
        ("fin_acked_ns", np.int64),
        ("short_header_frames", np.int32),  # segments without timestamps on a connection that has them
        ("paused_us", np.int32),  # how long it had sent no data before the last it sent, if for PAUSE_NS or longer
        ("missed_ns", np.int64),  # when the peer last acknowledged what the capture missed
    ],
    align=True,
)
"""What is kept per endpoint of a live flow (two records per flow)."""

PLAUSIBLE: Final = 1 << 30
"""The largest window (RFC 7323): a number further off belongs to no valid segment."""


PAUSE_NS: Final = 1_000_000_000
"""Data after so long is another message than the data before it."""
LONGEST_PAUSE_US: Final = 0x7FFFFFFF
MOST_RESENT: Final = 0x7FFF
"""More retransmissions of a FIN are not counted."""


@loop
def new_endpoint(end: Record) -> None:
    """Set an endpoint to nothing known."""
    end["snd_nxt"] = -1
    end["snd_una"] = -1
    end["last_ns"] = -1
    end["last_seq"] = -1
    end["last_ack"] = -1
    end["active_ns"] = -1
    end["active_frame"] = 0
    end["tsval"] = -1
    end["mac"] = -1
    end["payload"] = 0
    end["window"] = -1
    end["segments"] = 0
    end["ip_id"] = -1
    end["ttl_low"] = -1
    end["ttl_high"] = -1
    end["timestamps_on"] = 0
    end["steady"] = 0
    end["window_scale"] = -1
    end["sign0_ns"] = -COPY_SAME_ID_NS
    end["sign1_ns"] = -COPY_SAME_ID_NS
    end["sign2_ns"] = -COPY_SAME_ID_NS
    end["sign3_ns"] = -COPY_SAME_ID_NS
    end["sign0"] = 0
    end["sign1"] = 0
    end["sign2"] = 0
    end["sign3"] = 0
    end["data_seq"] = -1
    end["data_ns"] = -1
    end["data_frame"] = 0
    end["data_len"] = 0
    end["data_octet"] = -1
    end["data_flags"] = 0
    end["unacked_ns"] = -1
    end["unacked_frame"] = 0
    end["resent"] = 0
    end["resent_total"] = 0
    end["fin_resent"] = 0
    end["resent_ns"] = -1
    end["resent_frame"] = 0
    end["missed"] = 0
    end["first_data_frame"] = 0
    end["first_data_ns"] = -1
    end["iss"] = -1
    end["syn_frame"] = 0
    end["syn_ns"] = -1
    end["syn_count"] = 0
    end["syn_had_ack"] = 0
    end["ack_frame"] = 0
    end["ack_ns"] = -1
    end["fin_seq"] = -1
    end["fin_frame"] = 0
    end["fin_ns"] = -1
    end["fin_acked_frame"] = 0
    end["fin_acked_ns"] = -1
    end["id_zero_frame"] = 0
    end["pending_seq"] = -1
    end["overlapping"] = 0
    end["window_shut_frame"] = 0
    end["short_header_frames"] = 0
    end["paused_us"] = 0
    end["missed_ns"] = -1


@loop
def begins_incarnation(flow: Record, end: Record, peer: Record, row: Record) -> int:
    """Say whether a segment with SYN opens a new connection on the addresses of an older one.

    RFC 9293 3.4.1 and 3.6.1: another initial sequence number, or a first SYN behind other segments or a RST. The second
    SYN of a simultaneous open (3.5, figure 7) and a SYN,ACK that answers the SYN seen belong to the connection at hand,
    the latter even behind leftovers of an older one (3.5.1, half-open; RFC 5961 4, challenge ACK), and with another
    number than the one before: who was reset in SYN-RECEIVED listens again (3.10.7.4), and answers the SYN anew.
    """
    if end["syn_frame"] != 0 and (end["iss"] & 0xFFFFFFFF) == row["seq"]:
        return 0
    if row["flags"] & ACK:
        awaited = peer["syn_frame"] != 0 and peer["syn_had_ack"] == 0 and peer["ack_frame"] == 0
        if awaited and (row["ack"] - peer["iss"] - 1) & 0xFFFFFFFF <= 0xFFFF:
            return 0
        return 1 if end["segments"] > 0 else 0
    if end["syn_frame"] != 0:
        return 1
    if end["segments"] > 0 or flow["reset_count"] > 0:
        return 1
    return 1 if peer["ack_frame"] != 0 else 0


@loop
def learn_numbers(flow: Record, end: Record, peer: Record, side: int, row: Record, seq: int, ack: int) -> None:
    """Let a segment (no RST, no copy) move the sender's SND.NXT and the peer's SND.UNA."""
    flags = row["flags"]
    length = row["payload_len"]
    ts_ns = row["ts_ns"]
    nxt = end["snd_nxt"]
    beyond = seq + length + (1 if flags & SYN else 0) + (1 if flags & FIN else 0)
    if nxt >= 0 and beyond > nxt + PLAUSIBLE:
        return
    if flags & SYN:
        end["iss"] = seq
        end["window_scale"] = row["window_scale"]
        end["syn_count"] += 1
        if end["syn_frame"] == 0:
            end["syn_frame"] = row["frame"]
            end["syn_ns"] = ts_ns
            # of the first one only: a simultaneous open ends in SYN,ACKs too (RFC 9293 3.5, figure 7)
            end["syn_had_ack"] = 1 if flags & ACK else 0
    elif flags & ACK and end["ack_frame"] == 0:
        end["ack_frame"] = row["frame"]
        end["ack_ns"] = ts_ns
    if flags & FIN and end["fin_seq"] < 0:
        end["fin_seq"] = seq + length
        end["fin_frame"] = row["frame"]
        end["fin_ns"] = ts_ns
    if length > 0:
        if nxt >= 0 and seq < nxt and beyond <= nxt:
            # a one-octet segment below SND.UNA is a probe, not a retransmission
            if length > 1 or seq >= end["snd_una"]:
                fill_hole(flow, end, side, seq, length)
                learn_resent(end, row)
        else:
            end["payload"] += length if nxt < 0 or seq >= nxt else beyond - nxt
            if end["first_data_frame"] == 0:
                end["first_data_frame"] = row["frame"]
                end["first_data_ns"] = ts_ns
            if end["unacked_ns"] < 0:
                learn_pause(end, ts_ns)
            end["data_seq"] = seq + (1 if flags & SYN else 0)
            end["data_len"] = length
            end["data_octet"] = row["first_octet"]
            end["data_flags"] = flags
            end["data_ns"] = ts_ns
            end["data_frame"] = row["frame"]
    elif flags & FIN and nxt >= 0 and beyond <= nxt:
        learn_resent(end, row)
    if beyond > nxt:
        if nxt >= 0 and seq > nxt:
            end["missed"] += 1
            note_oddity(flow, HOLE, side, nxt, seq, 0)
        end["snd_nxt"] = beyond
        if (length > 0 or flags & (SYN | FIN)) and end["unacked_ns"] < 0:
            end["unacked_ns"] = ts_ns
            end["unacked_frame"] = row["frame"]
    if flags & ACK:
        learn_ack(flow, end, peer, side, row, ack)


@loop
def learn_pause(end: Record, ts_ns: int) -> None:
    """Note how long an endpoint had sent no data, before new data at this time; anything shorter is one message."""
    if end["data_ns"] >= 0 and ts_ns - end["data_ns"] >= PAUSE_NS:
        end["paused_us"] = min((ts_ns - end["data_ns"]) // 1_000, LONGEST_PAUSE_US)


@loop
def learn_resent(end: Record, row: Record) -> None:
    """Count a segment that sends nothing new, if a retransmission timer can have sent it (RFC 6298 5.4)."""
    if row["ts_ns"] - max(end["data_ns"], end["resent_ns"], end["fin_ns"]) < RTO_LEAST_NS:
        return
    end["resent"] += 1
    end["resent_total"] += 1
    end["resent_ns"] = row["ts_ns"]
    end["resent_frame"] = row["frame"]


@loop
def in_syn_sent(end: Record, peer: Record) -> bool:
    """Say whether the peer of ``end`` is in SYN-SENT: it sent a SYN, and nothing answered that yet."""
    return peer["ack_frame"] == 0 and peer["syn_frame"] != 0 and end["syn_frame"] == 0


@loop
def learn_ack(flow: Record, end: Record, peer: Record, side: int, row: Record, ack: int) -> None:
    """Let an acknowledgement of ``end`` move what is known of its peer."""
    una = peer["snd_una"]
    nxt = peer["snd_nxt"]
    if nxt >= 0 and ack > nxt + PLAUSIBLE:
        return
    # RFC 9293 3.10.7.3: in SYN-SENT only an acknowledgement of the SYN is acceptable
    if in_syn_sent(end, peer) and (ack <= peer["iss"] or ack > nxt):
        return
    if ack >= una:
        if row["window"] == 0:
            if end["window_shut_frame"] == 0:
                end["window_shut_frame"] = row["frame"]
        elif end["window"] == 0:
            end["window_shut_frame"] = 0
        end["window"] = row["window"]
    if ack > una:
        peer["snd_una"] = ack
        resent = peer["resent"] if peer["unacked_frame"] == peer["fin_frame"] else 0
        peer["resent"] = 0
        if ack > nxt:
            if nxt >= 0 and not (ack == nxt + 1 and peer["pending_seq"] >= 0):
                peer["missed"] += 1
                peer["missed_ns"] = row["ts_ns"]
                empty = row["payload_len"] == 0 and not row["flags"] & (SYN | FIN)
                note_oddity(flow, CLAIM, 1 - side, nxt, una, row["frame"] if empty else 0)
            peer["snd_nxt"] = ack
        if ack >= peer["snd_nxt"]:
            peer["unacked_ns"] = -1
        elif peer["unacked_ns"] >= 0:
            peer["unacked_ns"] = row["ts_ns"]
            peer["unacked_frame"] = row["frame"]
        if peer["fin_seq"] >= 0 and ack > peer["fin_seq"] and peer["fin_acked_frame"] == 0:
            peer["fin_acked_frame"] = row["frame"]
            peer["fin_acked_ns"] = row["ts_ns"]
            peer["fin_resent"] = min(resent, MOST_RESENT)


@loop
def learn_header(end: Record, row: Record, seq: int, ack: int) -> None:
    """Let a segment (no RST) tell what this endpoint's packets look like."""
    end["segments"] += 1
    end["last_ns"] = row["ts_ns"]
    end["last_seq"] = seq
    end["last_ack"] = ack
    if row["tsval"] >= 0:
        # the newest, not the last: one that was overtaken must not make the next one look fresh (RFC 7323 5.2)
        if end["tsval"] < 0 or (row["tsval"] - end["tsval"]) & 0xFFFFFFFF < 0x80000000:
            end["tsval"] = row["tsval"]
        # a SYN only offers them; a SYN,ACK that carries them agrees (RFC 7323 3.2)
        if row["flags"] & ACK:
            end["timestamps_on"] = 1
    elif end["timestamps_on"] == 1 and row["options_cut"] == 0:
        end["short_header_frames"] += 1
    ttl = row["ttl"]
    if end["ttl_low"] < 0 or ttl < end["ttl_low"]:
        end["ttl_low"] = ttl
    end["ttl_high"] = max(end["ttl_high"], ttl)
    if row["ip_id"] == 0 and end["ip_id"] > 0:
        end["id_zero_frame"] = row["frame"]
    elif row["ip_id"] > 0:
        end["id_zero_frame"] = 0
    end["ip_id"] = row["ip_id"]
    end["mac"] = row["src_mac"]


@loop
def learn_time(flow: Record, end: Record, row: Record, alike: int) -> None:
    """Let a segment move the clocks; ``alike`` is 1 for what looks like keepalive, which is not activity."""
    ts_ns = row["ts_ns"]
    if ts_ns < flow["last_ns"]:
        flow["backwards"] += 1
    flow["last_ns"] = ts_ns
    flow["last_frame"] = row["frame"]
    if alike == 1:
        return
    if flow["active_ns"] >= 0 and ts_ns - flow["active_ns"] > flow["silence_ns"]:
        flow["silence_ns"] = ts_ns - flow["active_ns"]
        flow["silence_from"] = flow["active_frame"]
        flow["silence_to"] = row["frame"]
    if row["flags"] & RST:
        # who goes on behind it has not taken it: it restarts nobody's clock
        return
    flow["active_ns"] = ts_ns
    flow["active_frame"] = row["frame"]
    end["active_ns"] = ts_ns
    end["active_frame"] = row["frame"]
