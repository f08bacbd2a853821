"""Which segment of the peer answers which probe.

Answers are matched by direction, never by adjacency, so that crossing probes pair correctly. What answers a segment
that could not be judged alone may also prove it to be a probe: see ``midstream`` for the other proofs. A RST answers
in ``reset``.

It must not know how the flow ended, or any word about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.label.outcome import (
    ANSWER_ACK,
    ANSWER_DATA,
    ANSWERED,
    AT_ZERO,
    COPY,
    ICMP,
    MIDSTREAM,
    MISSED,
    NO_ANSWER,
    NO_DOUBT,
    OCTET,
    OPENED,
    OTHER,
    PROBABLE,
    PROBE,
    RESET,
    SHUT,
    SUSPECTED,
    UNANCHORED,
    UNJUDGED,
    UNNUMBERED,
    WINDOW_PROBE,
)
from analyzer.label.overlapping import overlap
from analyzer.label.receipt import is_missed, is_sent_again
from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, NOTE_UNNUMBERED, PSH, RST, SYN
from analyzer.tolerances import ANSWER_DATA_NS, ANSWER_NS, EARLY_ANSWER_NS, GAP_LEAST_NS, REPEAT_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows


@loop
def proves(probe: Record, row: Record) -> int:
    """Say whether an acknowledgement shows that an unanchored segment was a probe.

    An empty segment carries nothing to acknowledge, so SEG.ACK = its SEG.SEQ+1 means the number had been used before:
    unless its sender's FIN, or an octet, was sent at that number since. One octet is shown to be old only by a D-SACK
    block that covers just it (RFC 2883 4); with PSH it may be data that was sent again.
    """
    if probe["seq"] < 0:  # nothing at all is known of its number: an empty ACK answers it, as none answers another ACK
        return 1 if row["flags"] == ACK and row["payload_len"] == 0 and row["ack"] >= 0 else 0
    if row["ack"] != probe["seq"] + 1:
        return 0
    if probe["payload_len"] == 0:
        return 1 if row["peer_nxt"] <= max(probe["snd_nxt"], probe["seq"]) else 0
    if probe["flags"] & PSH:
        return 0
    low = probe["seq"] & 0xFFFFFFFF
    return 1 if row["sack_left"] == low and row["sack_right"] == ((low + 1) & 0xFFFFFFFF) else 0


@loop
def match_answers(rows: Rows, start: int, stop: int) -> None:
    """Pair each probe with the first segment of the peer that reacts to it, by direction."""
    waiting_a = -1
    waiting_b = -1
    latest_a = -1
    latest_b = -1
    asked_a = -1
    asked_b = -1
    for j in range(start, stop):
        row = rows[j]
        clear(row)
        side = row["side"]
        if row["kind"] == UNANCHORED and row["note"] == NOTE_UNNUMBERED:
            asked = asked_a if side == 0 else asked_b
            if asked >= 0 and cross(rows, start, asked, j) == 1:
                if side == 0:
                    waiting_a = asked
                else:
                    waiting_b = asked
                continue
            if side == 0:
                asked_a = j
            else:
                asked_b = j
        kind = row["kind"]
        if kind in (PROBE, OCTET, AT_ZERO, WINDOW_PROBE, UNANCHORED):
            if side == 0:
                waiting_a = waits(rows, start, j)
                latest_a = j
            else:
                waiting_b = waits(rows, start, j)
                latest_b = j
            continue
        if row["taken"] == 1:
            # what comes after a RST answers nothing from before it; what the RST answers is for ``reset`` to say
            waiting_a = -1
            waiting_b = -1
            latest_a = -1
            latest_b = -1
            continue
        if row["answers_pending"] == 0 or kind in (RESET, COPY, ICMP):
            continue
        if side == 0:
            waiting_b = hear(rows, start, stop, waiting_b, latest_b, j)
        else:
            waiting_a = hear(rows, start, stop, waiting_a, latest_a, j)


@loop
def waits(rows: Rows, start: int, at: int) -> int:
    """Return row ``at``, a probe, as the one that waits for an answer, -1 if its answer was written before it."""
    if at > start and answers_early(rows[at - 1], rows[at]) == 1:
        react(rows, start, at, at - 1)
    return at if rows[at]["answer_row"] < 0 else -1


@loop
def hear(rows: Rows, start: int, stop: int, waiting: int, latest: int, j: int) -> int:
    """Let row ``j`` answer the peer's probe that waits, or its ``latest``, and return which one waits still, or -1."""
    row = rows[j]
    if row["flags"] & FIN and row["payload_len"] == 0:
        # its program closes; its kernel answers the probe besides
        return waiting
    if row["payload_len"] == 0 and 0 <= row["ack"] < rows[max(waiting, 0)]["seq"] and waiting >= 0:
        # an acknowledgement of less than the prober knows acknowledged: its kernel drops it (RFC 9293 3.10.7.4)
        return waiting
    if waiting < 0:
        overlap(rows, start, latest, j)
        return -1
    patient = row["ts_ns"] - rows[waiting]["ts_ns"] >= REPEAT_NS
    if patient and j + 1 < stop and is_probe(rows[j + 1]) == 1 and answers_early(row, rows[j + 1]) == 1:
        return waiting
    if is_sent_again(row) or (row["payload_len"] > 0 and is_missed(rows, stop, j)):
        # a timer sent it, or it did not reach the prober: it stands for no answer, though it may prove a probe
        if rows[waiting]["kind"] == UNANCHORED:
            show(rows[waiting], row)
        return waiting if is_probe(rows[waiting]) == 1 else -1
    if patient and acknowledges_later(rows[waiting], row) == 1:
        return -1
    react(rows, start, waiting, j)
    return -1


@loop
def acknowledges_later(probe: Record, row: Record) -> int:
    """Say whether an acknowledgement is of something that was sent after a probe.

    That called for it, and a probe gets an answer of its own, at the number that stood when it came.
    """
    if probe["kind"] not in (PROBE, OCTET) or row["payload_len"] > 0 or not row["flags"] & ACK:
        return 0
    return 1 if 0 <= probe["snd_nxt"] < row["ack"] else 0


@loop
def is_probe(row: Record) -> int:
    """Say whether a row is of a kind that the peer answers."""
    return 1 if row["kind"] in (PROBE, OCTET, AT_ZERO, WINDOW_PROBE, UNANCHORED) else 0


@loop
def answers_early(row: Record, probe: Record) -> int:
    """Say whether a row answers the probe right behind it, which was written later than it passed.

    It is an ACK with the very numbers of the answer, and came out of a silence: nothing else called for it.
    """
    if row["side"] == probe["side"] or row["payload_len"] > 0 or row["kind"] in (COPY, ICMP) or is_probe(row) == 1:
        return 0
    apart = probe["ts_ns"] - row["ts_ns"]
    if not 0 <= apart <= EARLY_ANSWER_NS or (row["flags"] & (ACK | SYN | FIN | RST)) != ACK:
        return 0
    silent = row["flow_last_ns"] >= 0 and row["ts_ns"] - row["flow_last_ns"] >= REPEAT_NS
    exact = probe["seq"] >= 0 and row["ack"] == probe["seq"] + 1 and row["seq"] == probe["peer_nxt"]
    return 1 if silent and exact and row["note"] != NOTE_UNNUMBERED else 0


@loop
def cross(rows: Rows, start: int, asked: int, j: int) -> int:
    """Let probes that crossed be told apart: 1 if row ``j`` shows that what seemed to answer ``asked`` was a probe.

    Both rows are unnumbered and of one endpoint. It cannot have probed twice within a second, and nothing makes it
    answer an answer: so the second answers a probe of the peer, the one that came between.
    """
    probe = rows[asked]
    between = probe["answer_row"]
    if between < 0 or rows[j]["ts_ns"] - probe["ts_ns"] >= GAP_LEAST_NS:
        return 0
    other = rows[start + between]
    if other["note"] != NOTE_UNNUMBERED or other["payload_len"] > 0:
        return 0
    other["kind"] = PROBE
    other["certainty"] = PROBABLE
    other["doubt"] = UNNUMBERED
    other["answers_row"] = -1
    other["answer"] = ANSWER_ACK
    other["answer_row"] = j - start
    rows[j]["kind"] = ANSWERED
    rows[j]["answers_row"] = between
    probe["answer"] = NO_ANSWER
    probe["answer_row"] = -1
    return 1


@loop
def clear(row: Record) -> None:
    """Set what settling writes to nothing."""
    row["answer_row"] = -1
    row["answers_row"] = -1
    row["answer"] = NO_ANSWER
    row["certainty"] = UNJUDGED
    row["doubt"] = NO_DOUBT
    row["train"] = -1
    row["gap_ns"] = -1
    row["idle_ns"] = -1
    row["idle_frame"] = 0
    row["after_fin"] = 0


@loop
def show(probe: Record, row: Record) -> None:
    """Let the peer's first segment after an unanchored segment prove it to be a probe, or say that it is none."""
    if proves(probe, row) == 0:
        if row["ts_ns"] - probe["ts_ns"] <= ANSWER_NS:
            probe["kind"] = OTHER
        return
    if row["window"] == 0 and probe["snd_wnd"] < 0:
        # the window may have been closed before the capture began
        probe["kind"] = AT_ZERO
        return
    probe["kind"] = PROBE if probe["payload_len"] == 0 else OCTET
    probe["certainty"] = PROBABLE if probe["seq"] >= 0 else SUSPECTED
    if probe["note"] == NOTE_UNNUMBERED:
        probe["doubt"] = UNNUMBERED
    else:
        probe["doubt"] = MIDSTREAM if probe["snd_una"] < 0 else MISSED


@loop
def react(rows: Rows, start: int, waiting: int, j: int) -> None:
    """Let the peer's first segment after a probe (row ``waiting``) answer it, or prove or disprove it."""
    probe = rows[waiting]
    row = rows[j]
    late = row["ts_ns"] - probe["ts_ns"]
    if probe["kind"] == UNANCHORED:
        show(probe, row)
        if is_probe(probe) == 0 or probe["kind"] == UNANCHORED:
            return
    if row["payload_len"] > 0:
        if late <= ANSWER_DATA_NS:
            probe["answer"] = ANSWER_DATA
            probe["answer_row"] = j - start
            row["answers_row"] = waiting - start
    elif late <= ANSWER_NS:
        probe["answer"] = ANSWER_ACK
        probe["answer_row"] = j - start
        row["answers_row"] = waiting - start
        if row["kind"] not in (SHUT, OPENED):
            row["kind"] = ANSWERED
