"""``SEEN``: a notable segment together with what a bystander knew just before it.

The tracker passes most segments by (data and acknowledgements that advance normally) and keeps a row here for each
one that may matter: handshake, FIN, RST, ICMP errors, everything that looks like a probe, what may answer one, window
closings, timed-out retransmissions. All history that a rule may ask for is a column, so that the rules are row-wise.

Names follow RFC 9293 3.3.1, seen from the segment's *sender*: ``snd_nxt`` is the highest SEG.SEQ+SEG.LEN seen from it
(or acknowledged by the peer, where the capture missed it), ``snd_una`` the highest SEG.ACK of the peer, ``rcv_nxt``
the highest SEG.ACK it sent itself, ``snd_wnd`` the last window the peer advertised, unscaled. Sequence numbers are
unwrapped (int64), -1 is unknown.

``notable`` decides which segments become rows, generously; it must not decide what a segment *is*: that is ``rules``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, NOTE_UNNUMBERED, RST, SYN
from analyzer.tolerances import REPEAT_NS, RTO_LEAST_NS
from analyzer.track.unnumbered import may_probe

if TYPE_CHECKING:
    from analyzer.untyped import Record


LIKE_KEEPALIVE: Final = 2
"""``notable``'s answer for what looks like keepalive, and so does not count as activity."""

HISTORY: Final = [
    ("snd_nxt", np.int64),
    ("snd_una", np.int64),
    ("rcv_nxt", np.int64),
    ("peer_nxt", np.int64),  # highest SEG.SEQ+SEG.LEN seen from the peer
    ("snd_wnd", np.int32),  # peer's last raw window; -1 if it sent nothing yet
    ("own_wnd", np.int32),  # this sender's previous raw window; -1 if first
    ("own_tsval", np.int64),  # highest TSval before, -1 unknown
    ("own_fin_seq", np.int64),  # -1 if it had not sent FIN
    ("peer_fin_seq", np.int64),
    ("own_last_ns", np.int64),  # previous segment of this sender; -1 if first
    ("peer_last_ns", np.int64),  # previous segment of the peer
    ("flow_last_ns", np.int64),  # previous segment of the flow
    ("own_active_ns", np.int64),  # the same, not counting keepalive-like segments; -1 if none
    ("own_active_frame", np.int64),
    ("peer_active_ns", np.int64),
    ("peer_active_frame", np.int64),
    ("flow_active_ns", np.int64),
    ("flow_active_frame", np.int64),  # 0 none
    ("data_seq", np.int64),  # the sender's last segment that carried data: SEG.SEQ, -1 if none
    ("data_len", np.int32),
    ("data_octet", np.int16),  # its first octet, -1 not visible
    ("data_flags", np.int16),
    ("data_ns", np.int64),
    ("ttl_low", np.int16),  # range of the TTLs of this sender so far; -1 if first
    ("ttl_high", np.int16),
    ("own_ip_id", np.int32),  # its previous IP ID, -1 unknown
    ("own_mac", np.int64),  # its previous source MAC, -1 unknown
    ("timestamps_on", np.int8),  # 1 if its earlier segments carried TSval
    ("provocation", np.int8),  # challenged.BY_SYN or BY_UNSENT_ACK: what it answers with a challenge ACK, 0 nothing
    ("provoked", np.int64),  # the frame of that
]

OUTCOME: Final = [
    # filled by rules.classify
    ("kind", np.int8),
    # filled by label.answers, midstream, zero_window and trains
    ("certainty", np.int8),
    ("doubt", np.int8),
    ("answer", np.int8),
    ("answer_row", np.int32),  # row index within the flow, -1 none
    ("answers_row", np.int32),  # the probe this row answers, -1 none
    ("gap_ns", np.int64),
    ("idle_ns", np.int64),
    ("idle_frame", np.int64),  # the segment that idle_ns counts from, 0 none
    ("train", np.int32),  # number of the train of probes this one belongs to, -1 none
    ("after_fin", np.int8),  # bit 0 sent, bit 1 received
    # filled by reset_acceptance.receive
    ("receiver_state", np.int8),
    ("reception", np.int8),
    ("taken", np.int8),  # 1 for a RST that ended the connection
    # filled by label.reset
    ("reset_kind", np.int8),
    ("stranger", np.int8),  # bits: why a RST does not look like its sender's own
]

SEEN: Final = np.dtype(
    [
        ("flow", np.int64),
        ("next", np.int64),  # next SEEN row of the same flow, -1 last
        ("ts_ns", np.int64),
        ("frame", np.int64),
        ("seq", np.int64),
        ("ack", np.int64),  # in the peer's sequence space; -1 without the ACK flag
        ("tsval", np.int64),
        ("tsecr", np.int64),
        ("sack_left", np.int64),  # 32 bits as on the wire, -1 none
        ("sack_right", np.int64),
        ("src_mac", np.int64),
        ("payload_len", np.int32),
        ("window", np.int32),
        ("ip_id", np.int32),
        ("icmp", np.int32),
        ("first_octet", np.int16),
        ("flags", np.int16),
        ("ttl", np.int16),
        ("header_len", np.int16),
        ("options_cut", np.int8),
        ("note", np.int8),
        ("host", np.int16),  # of a RST: bits of ``habits``, what its host's packets look like
        ("interface", np.int32),
        ("side", np.int8),  # 0 endpoint a sent it, 1 endpoint b
        ("is_copy", np.int8),
        ("answers_pending", np.int8),  # 1 if the peer had a probe-like segment waiting for an answer
        *HISTORY,
        *OUTCOME,
    ],
    align=True,
)


@loop
def notable(flow: Record, end: Record, peer: Record, row: Record, seq: int, ack: int, copy: int) -> int:
    """Say whether the rules may want to see this segment: 0 no, 1 yes, 2 yes and it looks like keepalive.

    Looks like keepalive: at most one octet, no SYN, FIN or RST, and either exactly one below what the peer has
    acknowledged, or one that cannot be judged yet (nothing of the peer, or of the sender, was seen before; or the text
    of tcpdump does not show its number).
    """
    flags = row["flags"]
    if flags & (SYN | FIN | RST):
        if (flags & FIN) and end["fin_acked_frame"] > 0 and copy == 0:
            return 1  # a FIN that its sender repeats although its acknowledgement passed here
        return 1 if (flags & RST) and copy == 0 else 0
    length = row["payload_len"]
    if row["note"] == NOTE_UNNUMBERED:
        if copy == 0 and may_probe(end, peer, row, ack) == 1:
            return 2
    elif length <= 1 and flags & ACK:
        nxt = end["snd_nxt"]
        una = end["snd_una"]
        if una >= 0:
            if seq == una - 1:
                return 2
            if seq < nxt:
                # one below SND.NXT and not acknowledged: a probe whose forerunner's ACK the capture missed,
                # a repeated octet or a belated ACK; the time since this sender's last segment hints which
                if seq == nxt - 1 and length == 0 and row["ts_ns"] - end["last_ns"] >= REPEAT_NS:
                    return 2
                return 1
            if length == 1 and peer["window"] == 0:
                return 1
        elif nxt < 0:
            return 2
        else:
            repeats = end["iss"] < 0 and seq == end["last_seq"] and ack == end["last_ack"]
            if (repeats or seq == nxt - 1) and row["ts_ns"] - end["last_ns"] >= REPEAT_NS:
                return 2
            if seq < nxt:
                return 1
    elif copy == 0 and seq < end["snd_nxt"] and row["ts_ns"] - end["last_ns"] >= RTO_LEAST_NS:
        return 1
    if copy != 0:
        return 0
    if peer["pending_seq"] >= 0:
        return 1
    if flow["reset_count"] > 0 and flow["after_reset"] < 4:
        return 1
    if comes_alone(flow, end, peer, row, seq, ack) == 1:
        return 1
    if (row["window"] == 0) != (end["window"] == 0) and (end["window"] >= 0 or row["window"] == 0):
        return 1
    return 0


@loop
def comes_alone(flow: Record, end: Record, peer: Record, row: Record, seq: int, ack: int) -> int:
    """Say whether an empty ACK says nothing new, out of a silence: it may answer a probe that was written behind it."""
    if row["note"] == NOTE_UNNUMBERED or row["payload_len"] > 0 or end["snd_una"] < 0:
        return 0
    same = seq == end["snd_nxt"] and ack == peer["snd_una"] and (row["flags"] & (ACK | SYN | FIN | RST)) == ACK
    return 1 if same and row["ts_ns"] - flow["last_ns"] >= REPEAT_NS else 0


@loop
def remember(at: Record, flow: Record, end: Record, peer: Record, row: Record, seq: int, ack: int) -> None:
    """Write a SEEN row: the segment, and what was known before it."""
    at["next"] = -1
    at["ts_ns"] = row["ts_ns"]
    at["frame"] = row["frame"]
    at["seq"] = seq
    at["ack"] = ack
    at["tsval"] = row["tsval"]
    at["tsecr"] = row["tsecr"]
    at["sack_left"] = row["sack_left"]
    at["sack_right"] = row["sack_right"]
    at["src_mac"] = row["src_mac"]
    at["payload_len"] = row["payload_len"]
    at["window"] = row["window"]
    at["ip_id"] = row["ip_id"]
    at["icmp"] = row["icmp"]
    at["first_octet"] = row["first_octet"]
    at["flags"] = row["flags"]
    at["ttl"] = row["ttl"]
    at["header_len"] = row["header_len"]
    at["options_cut"] = row["options_cut"]
    at["note"] = row["note"]
    at["host"] = 0
    at["interface"] = row["interface"]
    at["answers_pending"] = 1 if peer["pending_seq"] >= 0 else 0
    at["snd_nxt"] = end["snd_nxt"]
    at["snd_una"] = end["snd_una"]
    at["rcv_nxt"] = peer["snd_una"]
    at["peer_nxt"] = peer["snd_nxt"]
    at["snd_wnd"] = peer["window"]
    at["own_wnd"] = end["window"]
    at["own_tsval"] = end["tsval"]
    at["own_fin_seq"] = end["fin_seq"]
    at["peer_fin_seq"] = peer["fin_seq"]
    at["own_last_ns"] = end["last_ns"]
    at["peer_last_ns"] = peer["last_ns"]
    at["flow_last_ns"] = flow["last_ns"] if end["segments"] + peer["segments"] > 0 else -1
    at["own_active_ns"] = end["active_ns"]
    at["own_active_frame"] = end["active_frame"]
    at["peer_active_ns"] = peer["active_ns"]
    at["peer_active_frame"] = peer["active_frame"]
    at["flow_active_ns"] = flow["active_ns"]
    at["flow_active_frame"] = flow["active_frame"]
    at["data_seq"] = end["data_seq"]
    at["data_len"] = end["data_len"]
    at["data_octet"] = end["data_octet"]
    at["data_flags"] = end["data_flags"]
    at["data_ns"] = end["data_ns"]
    at["ttl_low"] = end["ttl_low"]
    at["ttl_high"] = end["ttl_high"]
    at["own_ip_id"] = end["ip_id"]
    at["own_mac"] = end["mac"]
    at["timestamps_on"] = end["timestamps_on"]
    at["provocation"] = 0
    at["provoked"] = 0
