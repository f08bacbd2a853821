"""Answers that overlap: where the round trip is longer than the interval, each answer comes behind later probes.

``answers`` pairs an answer with the latest probe, which is right as long as no other answer follows. Each that does
shows that the answers before it belong one probe further back, until one that seemed unanswered has its own.

It must not know how the flow ended, or any word about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.label.outcome import ANSWER_ACK, ANSWERED, NO_ANSWER, OCTET, OPENED, PROBE, SHUT
from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.tolerances import ANSWER_NS, JITTER_NS, LATENESS_PARTS

if TYPE_CHECKING:
    from analyzer.untyped import Rows

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
