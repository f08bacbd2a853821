"""Who sent a RST, in answer to what, and whether it ended the flow.

Judged from its shape (RFC 9293 3.5.2: with or without ACK, which numbers), from what was waiting for an answer, and
from how it compares with the endpoint's own earlier packets (TTL, MAC, IP ID).

It must not know the outcome of the flow beyond its RSTs, or any word about it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.label.outcome import ANSWER_RST, ANSWERED, COPY, ICMP, NO_ANSWER, OCTET, PROBE, RESET
from analyzer.loops.loop import loop
from analyzer.segment import ACK
from analyzer.tolerances import ANSWER_RST_NS, GIVE_UP_NS, JITTER_NS, OTHER_PACE, SAME_PACE, WENT_ON_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

ENDING: Final = np.dtype(
    [
        ("reset_row", np.int32),  # the accepted RST, row of the flow; -1 none
        ("reset_side", np.int8),
        ("reset_kind", np.int8),
        ("stranger", np.int8),
        ("answers_row", np.int32),  # the probe it answers, -1 none
        ("reset_ns", np.int64),
        ("reset_frame", np.int64),
        ("ignored", np.int32),  # RSTs that did not end the flow
        ("icmp_errors", np.int32),
    ],
    align=True,
)
"""What the RSTs and ICMP errors of one flow add up to."""

PROBER: Final = np.dtype(
    [
        ("row", np.int64),  # its last probe, -1 none
        ("ts_ns", np.int64),  # when that was
        ("count", np.int64),  # of its probes so far
        ("first_gap_ns", np.int64),  # between its first two
        ("last_gap_ns", np.int64),  # between its last two
        ("led_ns", np.int64),  # its last segment, if it sent nothing but answers since the probe; -1 if it did
    ],
    align=True,
)
"""What an endpoint did as a prober, up to a RST."""


class ResetKind(IntEnum):
    """What a RST says."""

    NONE = 0
    NO_SOCKET = 1
    """No ACK, window 0: the address answered, but knows no such connection (RFC 9293 3.10.7.1)."""
    GAVE_UP = 2
    """The prober's own, one interval after its last unanswered probe (Linux tcp_keepalive_timer)."""
    ABORT = 3
    """Any other: close with unread data, SO_LINGER 0, a closing side that gave up waiting, a crash."""
    IGNORED = 4
    """Outside what the receiver accepts (RFC 5961 3.2), and the connection went on."""


class Stranger(IntEnum):
    """How a RST can differ from its sender's other packets; bits."""

    TTL = 1
    MAC = 2
    IP_ID = 4


NO_SOCKET: Final = int(ResetKind.NO_SOCKET)
GAVE_UP: Final = int(ResetKind.GAVE_UP)
ABORT: Final = int(ResetKind.ABORT)
IGNORED: Final = int(ResetKind.IGNORED)
OTHER_TTL: Final = int(Stranger.TTL)
OTHER_MAC: Final = int(Stranger.MAC)
OTHER_IP_ID: Final = int(Stranger.IP_ID)
"""Names for loops, which take plain ints."""

ROUTE_CHANGE: Final = 2
"""A TTL this little lower is a longer way of the same packet; a box in between, being nearer, gives a higher one."""
ID_FAR: Final = 0x2000
"""IP IDs further apart than this do not belong to one counter."""


@loop
def strangeness(row: Record) -> int:
    """Return the Stranger bits of a RST: where it does not look like its sender's earlier packets."""
    bits = 0
    if row["ttl_low"] >= 0 and (row["ttl"] < row["ttl_low"] - ROUTE_CHANGE or row["ttl"] > row["ttl_high"]):
        bits += OTHER_TTL
    if row["own_mac"] >= 0 and row["src_mac"] >= 0 and row["own_mac"] != row["src_mac"]:
        bits += OTHER_MAC
    if row["own_ip_id"] > 0 and row["ip_id"] > 0:
        step = (row["ip_id"] - row["own_ip_id"]) & 0xFFFF
        if step > ID_FAR and step < 0x10000 - 64:
            bits += OTHER_IP_ID
    return bits


@loop
def acceptable(row: Record) -> int:
    """Say whether the receiver would take this RST: SEG.SEQ at its RCV.NXT as far as a bystander can know.

    One below is taken in CLOSE-WAIT (Linux tcp_reset_check, for macOS); between SND.UNA and SND.NXT its RCV.NXT can
    be anywhere.
    """
    una = row["snd_una"]
    if una < 0:
        return 1
    return 1 if una - 1 <= row["seq"] <= max(una, row["snd_nxt"]) else 0


@loop
def forget(prober: Record) -> None:
    """Begin without a probe."""
    prober["row"] = -1
    prober["count"] = 0
    prober["led_ns"] = -1


@loop
def note_probe(prober: Record, at: int, ts_ns: int) -> None:
    """Take the next probe of an endpoint, row ``at``."""
    gap = ts_ns - prober["ts_ns"]
    if prober["count"] == 1:
        prober["first_gap_ns"] = gap
    prober["last_gap_ns"] = gap
    prober["count"] += 1
    prober["row"] = at
    prober["ts_ns"] = ts_ns
    prober["led_ns"] = ts_ns


@loop
def note_other(prober: Record, row: Record) -> None:
    """Take a row of an endpoint that is no probe of it: whether it still did nothing but answer since its last one.

    Each row knows when its sender sent last, so each answer must follow on the probe or on the answer before it.
    """
    if row["kind"] == ANSWERED and row["own_last_ns"] == prober["led_ns"]:
        prober["led_ns"] = row["ts_ns"]
    elif row["ts_ns"] == prober["led_ns"]:
        prober["led_ns"] = -1


@loop
def judge(
    rows: Rows,
    start: int,
    stop: int,
    last_a_ns: int,
    last_b_ns: int,
    after_last: int,
    probers: Rows,
    ending: Record,
) -> None:
    """Judge the RSTs among the SEEN rows of one flow; the first accepted one is its ending.

    ``last_*_ns`` is when each endpoint last sent anything but a RST, ``after_last`` how many segments followed the
    last RST. ``probers`` is room for what is known of both ends as probers.
    """
    ending["reset_row"] = -1
    ending["answers_row"] = -1
    forget(probers[0])
    forget(probers[1])
    last_other = last_but_resets(rows, start, stop)
    for j in range(start, stop):
        row = rows[j]
        row["reset_kind"] = 0
        row["stranger"] = 0
        side = row["side"]
        kind = row["kind"]
        if kind == ICMP:
            ending["icmp_errors"] += 1
        if kind in (PROBE, OCTET):
            note_probe(probers[side], j, row["ts_ns"])
        if kind != RESET:
            if kind not in (PROBE, OCTET):
                note_other(probers[side], row)
            continue
        asked = probers[1 - side]["row"]
        row["stranger"] = strangeness(row)
        what = shape(rows, row, probers[side])
        note_other(probers[side], row)
        last_ns = last_a_ns if side == 0 else last_b_ns
        later = after_last > 0 or j < last_other
        if (acceptable(row) == 0 and later) or last_ns > row["ts_ns"] + WENT_ON_NS:
            what = IGNORED
        row["reset_kind"] = what
        if what == IGNORED:
            ending["ignored"] += 1
            continue
        if what != GAVE_UP and asked >= 0 and answers(rows[asked], row) == 1:
            row["answers_row"] = asked - start
            rows[asked]["answer"] = ANSWER_RST
            rows[asked]["answer_row"] = j - start
        if ending["reset_row"] < 0:
            ending["reset_row"] = j - start
            ending["reset_side"] = side
            ending["reset_kind"] = what
            ending["stranger"] = row["stranger"]
            ending["answers_row"] = row["answers_row"]
            ending["reset_ns"] = row["ts_ns"]
            ending["reset_frame"] = row["frame"]


@loop
def shape(rows: Rows, row: Record, prober: Record) -> int:
    """Return the ResetKind of a RST by its form and what its sender did as a prober."""
    has_ack = (row["flags"] & ACK) != 0
    if prober["row"] >= 0 and has_ack:
        probe = rows[prober["row"]]
        waited = row["ts_ns"] - probe["ts_ns"]
        # nothing was sent since the probe but answers to probes of the peer
        only_answered = row["own_last_ns"] == prober["led_ns"] and prober["led_ns"] >= 0
        in_turn = row["seq"] == probe["seq"] + 1 and waited >= GIVE_UP_NS and only_answered
        if in_turn and (probe["answer"] == NO_ANSWER or retrying(prober, waited) == 1):
            return GAVE_UP
    if not has_ack and row["window"] == 0:
        return NO_SOCKET
    return ABORT


@loop
def retrying(prober: Record, waited: int) -> int:
    """Say whether a prober was repeating its probe although the capture shows answers: they did not reach it.

    It shows in the rhythm: the RST keeps the pace of the last gap, and that pace is not the one the train began with
    (interval, not idle).
    """
    last_gap = prober["last_gap_ns"]
    if prober["count"] < 2 or last_gap < 0 or abs(waited - last_gap) > last_gap // SAME_PACE + JITTER_NS:
        return 0
    return 1 if abs(prober["first_gap_ns"] - last_gap) > last_gap // OTHER_PACE + JITTER_NS else 0


@loop
def answers(probe: Record, row: Record) -> int:
    """Say whether a RST answers a probe: right behind it, with the numbers that RFC 9293 3.5.2 prescribes."""
    if (
        probe["answer"] != NO_ANSWER
        or row["peer_last_ns"] != probe["ts_ns"]
        or row["ts_ns"] - probe["ts_ns"] > ANSWER_RST_NS
    ):
        return 0
    if row["flags"] & ACK:
        return 1 if row["ack"] == probe["seq"] + 1 else 0
    return 1 if row["seq"] == probe["ack"] else 0


@loop
def last_but_resets(rows: Rows, start: int, stop: int) -> int:
    """Return the last of the SEEN rows that is no RST, copy or ICMP error; -1 if there is none."""
    for back in range(stop - start):
        kind = rows[stop - 1 - back]["kind"]
        if kind not in (RESET, COPY, ICMP):
            return stop - 1 - back
    return -1
