"""Answers that overlap: where the round trip is longer than the interval, each answer comes behind later probes.

``answers`` pairs an answer with the latest probe, which is right as long as no other answer follows. Each that does
shows that the answers before it belong one probe further back, until one that seemed unanswered has its own. Where
the handshake was captured, its round trip says which probe each answers, also if some are lost.

It must not know how the flow ended, or any word about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.label.outcome import ANSWER_ACK, ANSWERED, NO_ANSWER, OCTET, OPENED, OTHER, PROBE, SHUT
from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.tolerances import ANSWER_NS, GAP_LEAST_NS, JITTER_NS, LATENESS_PARTS

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

MOST_BACK: Final = 512
"""So many rows are looked at for a probe that has no answer: a train in step for longer lacks it in its beginning."""


@loop
def overlap(rows: Rows, start: int, latest: int, j: int) -> None:
    """Let row ``j`` answer an endpoint's ``latest`` probe, which has an answer, if that leads back to one without.

    All answers before it must then answer the probe before theirs, after the same time.
    """
    row = rows[j]
    if latest < start or row["payload_len"] > 0 or (row["flags"] & (ACK | SYN | FIN | RST)) != ACK:
        return
    delay = row["ts_ns"] - rows[latest]["ts_ns"]
    if delay > ANSWER_NS or row["ack"] != rows[latest]["seq"] + 1:
        return
    spread = max(JITTER_NS, delay // LATENESS_PARTS)
    if goes_back(rows, start, latest, delay, spread) == 0:
        return
    probe = latest
    answer = j
    while True:
        displaced = rows[probe]["answer_row"]
        pair(rows, start, probe, answer)
        if displaced < 0:
            return
        answer = start + displaced
        probe = probe_before(rows, start, probe)


@loop
def goes_back(rows: Rows, start: int, latest: int, delay: int, spread: int) -> int:
    """Say whether from the ``latest`` probe back each answer fits the probe before its own, to one that has none."""
    probe = latest
    while latest - probe < MOST_BACK:
        if rows[probe]["answer"] == NO_ANSWER:
            return 1 if probe != latest else 0
        if rows[probe]["answer"] != ANSWER_ACK or rows[probe]["answer_row"] < probe - start:
            return 0
        answered_ns = rows[start + rows[probe]["answer_row"]]["ts_ns"]
        before = probe_before(rows, start, probe)
        if before < 0 or rows[before]["flow_active_ns"] != rows[probe]["flow_active_ns"]:
            return 0
        if abs(answered_ns - rows[before]["ts_ns"] - delay) > spread:
            return 0
        probe = before
    return 0


@loop
def probe_before(rows: Rows, start: int, at: int) -> int:
    """Return the probe of the same endpoint before row ``at``, -1 if none is near."""
    side = rows[at]["side"]
    for back in range(1, MOST_BACK):
        k = at - back
        if k < start:
            return -1
        if rows[k]["side"] == side and rows[k]["kind"] in (PROBE, OCTET):
            return k
    return -1


@loop
def pair(rows: Rows, start: int, probe: int, answer: int) -> None:
    """Let one row answer another."""
    rows[probe]["answer"] = ANSWER_ACK
    rows[probe]["answer_row"] = answer - start
    rows[answer]["answers_row"] = probe - start
    if rows[answer]["kind"] not in (SHUT, OPENED):
        rows[answer]["kind"] = ANSWERED


@loop
def by_round_trip(rows: Rows, start: int, stop: int, a: Record, b: Record) -> None:
    """Let answers answer the probes that were sent one round trip before them, where a train is faster than that.

    ``a`` and ``b`` are the flow's ENDPOINT records. The handshake shows the round trip. Nothing is changed unless all
    answers of an end fit, each a later probe than the one before it.
    """
    for side in range(2):
        trip = trip_of(a, b) if side == 0 else trip_of(b, a)
        if trip < GAP_LEAST_NS:
            continue
        last = -1
        moved = 0
        for j in range(start, stop):
            if may_answer(rows, start, side, j) == 0:
                continue
            probe = sent_before(rows, start, side, j, trip)
            if probe < 0 and rows[j]["kind"] != ANSWERED:
                continue
            if probe <= last:
                moved = -1
                break
            last = probe
            if rows[j]["answers_row"] != probe - start:
                moved += 1
        if moved > 0:
            pair_anew(rows, start, stop, side, trip)


@loop
def trip_of(end: Record, peer: Record) -> int:
    """Return how long the handshake took from an endpoint's segment to what answered it; -1 where that is not known."""
    if end["syn_count"] != 1 or peer["syn_count"] != 1:
        return -1
    answered_ns = peer["syn_ns"] if peer["syn_had_ack"] == 1 else peer["ack_ns"]
    return answered_ns - end["syn_ns"] if answered_ns >= end["syn_ns"] >= 0 else -1


@loop
def may_answer(rows: Rows, start: int, side: int, j: int) -> int:
    """Say whether row ``j`` is an empty ACK that answers a probe of an endpoint, or may."""
    row = rows[j]
    if row["side"] == side or row["payload_len"] > 0 or (row["flags"] & (ACK | SYN | FIN | RST)) != ACK:
        return 0
    if row["kind"] == ANSWERED:
        asked = row["answers_row"]
        return 1 if asked >= 0 and rows[start + asked]["kind"] in (PROBE, OCTET) else 0
    return 1 if row["kind"] == OTHER and row["seq"] == row["snd_nxt"] and row["is_copy"] == 0 else 0


@loop
def sent_before(rows: Rows, start: int, side: int, j: int, trip: int) -> int:
    """Return the probe of an endpoint that was sent one round trip before row ``j``, -1 if none was."""
    sent_ns = rows[j]["ts_ns"] - trip
    spread = max(JITTER_NS, trip // LATENESS_PARTS)
    best = -1
    least = spread + 1
    for back in range(1, MOST_BACK):
        k = j - back
        if k < start or rows[k]["ts_ns"] < sent_ns - spread:
            break
        off = abs(rows[k]["ts_ns"] - sent_ns)
        is_probe = rows[k]["side"] == side and rows[k]["kind"] in (PROBE, OCTET)
        if is_probe and off < least and rows[j]["ack"] == rows[k]["seq"] + 1:
            best = k
            least = off
    return best


@loop
def pair_anew(rows: Rows, start: int, stop: int, side: int, trip: int) -> None:
    """Pair all answers to an endpoint's probes by the round trip."""
    for j in range(start, stop):
        if rows[j]["kind"] == ANSWERED and may_answer(rows, start, side, j) == 1:
            asked = start + rows[j]["answers_row"]
            rows[asked]["answer"] = NO_ANSWER
            rows[asked]["answer_row"] = -1
    for j in range(start, stop):
        if may_answer(rows, start, side, j) == 1:
            probe = sent_before(rows, start, side, j, trip)
            if probe >= 0:
                pair(rows, start, probe, j)
