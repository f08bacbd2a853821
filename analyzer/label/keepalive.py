"""Folds the probes of one flow and their answers into trains, and settles what only several segments can tell.

``settle_kinds`` goes over the SEEN rows of one flow, in order: it matches answers to probes by direction (never by
adjacency, so that crossing probes pair correctly), relabels mid-stream candidates once the peer's ACK or the prober's
RST proves them, and lets the spacing of a train decide between window probes and keepalives; ``add_up`` numbers the
trains. Columns OUTCOME of the rows and one RUN record per endpoint are its result.

It must not know how the flow ended, or any word about it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np

from analyzer.label.rules import Kind
from analyzer.loops.loop import loop

RUN: Final = np.dtype(
    [
        ("probes", np.int32),  # of every certainty
        ("suspected", np.int32),
        ("octets", np.int32),  # probes that carried one octet
        ("answered", np.int32),  # by an ACK or data
        ("zero_window", np.int32),
        ("undecided", np.int32),  # at a zero window, too few to tell
        ("trains", np.int32),
        ("trailing", np.int32),  # unanswered probes since the peer was last heard
        ("lost", np.int32),  # unanswered probes before the peer was heard again
        ("after_fin", np.int32),  # probes after a FIN of either end
        ("after_peer_fin", np.int32),  # probes after the peer's FIN: the prober is in CLOSE-WAIT
        ("after_peer_fin_answered", np.int32),
        ("first_row", np.int32),  # rows of the flow, -1 none
        ("last_row", np.int32),
        ("first_after_fin_row", np.int32),
        ("last_ns", np.int64),
        ("first_ns", np.int64),
        ("trailing_ns", np.int64),  # the first of the trailing ones
        ("gap_least_ns", np.int64),  # smallest gap between two probes of a train, 0 none
    ],
    align=True,
)
"""What the probes of one endpoint of one flow add up to."""


class Answer(IntEnum):
    """What answered a probe."""

    NONE = 0
    ACK = 1
    RST = 2
    DATA = 3


class Certainty(IntEnum):
    """How sure it is that a probe is one."""

    NONE = 0
    SUSPECTED = 1
    PROBABLE = 2
    CERTAIN = 3


class Doubt(IntEnum):
    """Why a probe is not certain."""

    NONE = 0
    MIDSTREAM = 1
    """The capture began in mid-flow; what followed proves the probe."""
    ONE_SIDED = 2
    """Nothing of the peer was captured; only the even spacing speaks for it."""
    ZERO_WINDOW = 3
    """Under a closed window; only the even spacing tells it from a window probe."""
    MISSED = 4
    """The capture missed segments; the answer proves the probe."""


PROBE: Final = int(Kind.KEEPALIVE_PROBE)
OCTET: Final = int(Kind.KEEPALIVE_OCTET)
WINDOW_PROBE: Final = int(Kind.ZERO_WINDOW_PROBE)
AT_ZERO: Final = int(Kind.AT_ZERO_WINDOW)
UNANCHORED: Final = int(Kind.UNANCHORED)
RESET: Final = int(Kind.RESET)
COPY: Final = int(Kind.DUPLICATE_COPY)
ICMP: Final = int(Kind.ICMP_ERROR)
OTHER: Final = int(Kind.OTHER)
ANSWERED: Final = int(Kind.ANSWER)
SHUT: Final = int(Kind.WINDOW_SHUT)
OPENED: Final = int(Kind.WINDOW_OPENED)

ANSWER_NS: Final = 10_000_000_000
"""An empty ACK later than this after a probe answers something else."""
ANSWER_DATA_NS: Final = 2_000_000_000
"""Data later than this after a probe is sent for its own reason."""
IDLE_NS: Final = 900_000_000
DOUBLING: Final = 1.6
"""From this ratio of successive gaps on a train backs off (tcp_send_probe0), which keepalive never does."""
EVEN: Final = 0.13
"""A timer wheel makes equal timers differ by up to an eighth (field guide 2.3), and then some SLACK_NS."""
SLACK_NS: Final = 50_000_000
RTO_MOST_NS: Final = 120_000_000_000
"""Linux TCP_RTO_MAX: a window probe that has backed off this far comes evenly too."""


@loop
def proves(probe: Any, row: Any) -> int:  # noqa: ANN401 - SEEN records
    """Say whether an acknowledgement shows that an unanchored segment was a probe.

    An empty segment carries nothing to acknowledge, so SEG.ACK = its SEG.SEQ+1 means the number had been used before.
    One octet is shown to be old only by a D-SACK block that covers just it (RFC 2883 4).
    """
    if row["ack"] != probe["seq"] + 1:
        return 0
    if probe["payload_len"] == 0:
        return 1
    low = probe["seq"] & 0xFFFFFFFF
    return 1 if row["sack_left"] == low and row["sack_right"] == ((low + 1) & 0xFFFFFFFF) else 0


@loop
def match_answers(rows: Any, start: int, stop: int) -> None:  # noqa: ANN401
    """Pair each probe with the first segment of the peer that reacts to it, by direction."""
    waiting_a = -1
    waiting_b = -1
    for j in range(start, stop):
        row = rows[j]
        row["answer_row"] = -1
        row["answers_row"] = -1
        row["answer"] = 0
        row["certainty"] = 0
        row["doubt"] = 0
        row["train"] = -1
        row["gap_ns"] = -1
        row["idle_ns"] = -1
        row["after_fin"] = 0
        kind = row["kind"]
        side = row["side"]
        if kind in (PROBE, OCTET, AT_ZERO, WINDOW_PROBE, UNANCHORED):
            if side == 0:
                waiting_a = j
            else:
                waiting_b = j
            continue
        waiting = waiting_b if side == 0 else waiting_a
        if waiting < 0 or row["answers_pending"] == 0 or kind in (RESET, COPY, ICMP):
            continue
        probe = rows[waiting]
        if side == 0:
            waiting_b = -1
        else:
            waiting_a = -1
        late = row["ts_ns"] - probe["ts_ns"]
        if probe["kind"] == UNANCHORED and proves(probe, row) == 0:
            if late <= ANSWER_NS:
                probe["kind"] = OTHER
            continue
        if probe["kind"] == UNANCHORED:
            probe["kind"] = PROBE if probe["payload_len"] == 0 else OCTET
            probe["certainty"] = 2
            probe["doubt"] = 1 if probe["snd_una"] < 0 else 4
        if row["payload_len"] > 0:
            if late <= ANSWER_DATA_NS:
                probe["answer"] = 3
                probe["answer_row"] = j - start
                row["answers_row"] = waiting - start
        elif late <= ANSWER_NS:
            probe["answer"] = 1
            probe["answer_row"] = j - start
            row["answers_row"] = waiting - start
            if kind not in (SHUT, OPENED):
                row["kind"] = ANSWERED


@loop
def settle_midstream(rows: Any, start: int, stop: int) -> None:  # noqa: ANN401
    """Relabel what is still unanchored: proven by a later probe or the prober's RST, or suspected by even spacing.

    Proof: the same endpoint later sends an empty probe, or a RST one above, at the same number. Suspicion: three or
    more identical empty segments, evenly spaced by 0.9 s or more. All else is nothing.
    """
    for j in range(start, stop):
        row = rows[j]
        if row["kind"] != UNANCHORED:
            continue
        proven = 0
        for k in range(start, stop):
            other = rows[k]
            if other["side"] != row["side"] or row["payload_len"] > 0:
                continue
            if k > j and other["kind"] == RESET and other["seq"] == row["seq"] + 1:
                proven = 1
            if other["kind"] == PROBE and other["seq"] == row["seq"] and other["doubt"] != 2:
                proven = 1
        if proven == 1:
            row["kind"] = PROBE
            row["certainty"] = 2
            row["doubt"] = 1 if row["snd_una"] < 0 else 4
    for side in range(2):
        suspect_even_spacing(rows, start, stop, side)


@loop
def suspect_even_spacing(rows: Any, start: int, stop: int, side: int) -> None:  # noqa: ANN401
    """Call an endpoint's unanchored segments suspected probes if three or more come evenly, else nothing."""
    count = 0
    last_ns = -1
    least = -1
    most = -1
    number = -1
    same = 1
    for j in range(start, stop):
        row = rows[j]
        if row["kind"] != UNANCHORED or row["side"] != side:
            continue
        count += 1
        if last_ns >= 0:
            gap = row["ts_ns"] - last_ns
            if least < 0 or gap < least:
                least = gap
            most = max(most, gap)
        last_ns = row["ts_ns"]
        if number >= 0 and row["seq"] != number:
            same = 0
        number = row["seq"]
    suspected = count >= 3 and same == 1 and least >= IDLE_NS and most <= least * (1 + EVEN) + SLACK_NS
    for j in range(start, stop):
        row = rows[j]
        if row["kind"] == UNANCHORED and row["side"] == side:
            if suspected:
                row["kind"] = PROBE if row["payload_len"] == 0 else OCTET
                row["certainty"] = 1
                row["doubt"] = 2
            else:
                row["kind"] = OTHER


@loop
def settle_zero_window(rows: Any, start: int, stop: int, side: int) -> None:  # noqa: ANN401
    """Let the spacing of an endpoint's train under a closed window decide what it probes.

    Window probes start near the RTO and double (Linux tcp_send_probe0); keepalive waits a whole number of seconds and
    stays even. One alone, later than a second, stays undecided (field guide 9.6), so do two that may begin either, and
    trains at the pace at which window probes stop doubling.
    """
    first = -1
    last = -1
    for j in range(start, stop + 1):
        here = j < stop and rows[j]["kind"] == AT_ZERO and rows[j]["side"] == side
        if here and first >= 0 and rows[j]["data_ns"] > rows[last]["ts_ns"]:
            decide_zero_window(rows, first, last + 1, side)
            first = -1
        if here:
            if first < 0:
                first = j
            last = j
        elif first >= 0 and (j == stop or (rows[j]["side"] != side and rows[j]["kind"] == OPENED)):
            decide_zero_window(rows, first, last + 1, side)
            first = -1


@loop
def decide_zero_window(rows: Any, start: int, stop: int, side: int) -> None:  # noqa: ANN401
    """Decide one train under one closed window: the endpoint's AT_ZERO rows from ``start`` to ``stop``."""
    count = 0
    last_ns = -1
    last_gap = -1
    backs_off = 0
    even = 1
    grew = 0
    for j in range(start, stop):
        row = rows[j]
        if row["kind"] != AT_ZERO or row["side"] != side:
            continue
        # the peer has closed its window, so there is a segment before the first
        base = last_ns if count > 0 else max(row["own_last_ns"], row["peer_last_ns"])
        gap = row["ts_ns"] - base
        if gap < IDLE_NS:
            backs_off = 1
        if count > 0 and last_gap > 0:
            longer = gap > last_gap * (1 + EVEN) + SLACK_NS
            shorter = gap * (1 + EVEN) + SLACK_NS < last_gap
            # once it may change, from the idle time to the interval
            if count == 1:
                grew = 1 if longer else 0
            else:
                if gap >= last_gap * DOUBLING:
                    backs_off = 1
                if longer or shorter:
                    even = 0
        last_gap = gap
        last_ns = row["ts_ns"]
        count += 1
    for j in range(start, stop):
        row = rows[j]
        if row["kind"] == AT_ZERO and row["side"] == side:
            if backs_off == 1:
                row["kind"] = WINDOW_PROBE
            elif even == 1 and count >= 2 + grew and not RTO_MOST_NS <= last_gap <= RTO_MOST_NS * (1 + EVEN):
                row["kind"] = PROBE if row["payload_len"] == 0 else OCTET
                row["certainty"] = 2
                row["doubt"] = 3


@loop
def number_trains(rows: Any, start: int, stop: int, side: int, heard_ns: int, run: Any) -> None:  # noqa: ANN401
    """Number an endpoint's trains of probes, give each probe its gaps and certainty, and add them up in ``run``.

    ``heard_ns`` is when the peer was last heard (anything but a RST). A train ends where anything but keepalive passes.
    """
    run["first_row"] = -1
    run["last_row"] = -1
    run["first_after_fin_row"] = -1
    run["last_ns"] = -1
    run["first_ns"] = -1
    previous = -1
    stir_ns = -1
    stir_peer_ns = -1
    for j in range(start, stop):
        row = rows[j]
        kind = row["kind"]
        if kind == WINDOW_PROBE and row["side"] == side:
            run["zero_window"] += 1
        if kind == AT_ZERO and row["side"] == side:
            run["undecided"] += 1
        if kind not in (PROBE, OCTET):
            if kind not in (ANSWERED, COPY, ICMP, WINDOW_PROBE, AT_ZERO, RESET):
                stir_ns = row["ts_ns"]
                if row["side"] != side:
                    stir_peer_ns = row["ts_ns"]
            continue
        if row["side"] != side:
            continue
        ts_ns = row["ts_ns"]
        active = max(row["flow_active_ns"], stir_ns)
        if previous < 0 or active > rows[previous]["ts_ns"]:
            run["trains"] += 1
            row["gap_ns"] = ts_ns - row["flow_last_ns"] if row["flow_last_ns"] >= 0 else -1
        else:
            row["gap_ns"] = ts_ns - rows[previous]["ts_ns"]
            if run["gap_least_ns"] == 0 or row["gap_ns"] < run["gap_least_ns"]:
                run["gap_least_ns"] = row["gap_ns"]
        base = max(row["peer_active_ns"], stir_peer_ns)
        row["idle_ns"] = ts_ns - base if base >= 0 else -1
        row["train"] = run["trains"] - 1
        if row["certainty"] == 0:
            row["certainty"] = 3 if active >= 0 or previous >= 0 else 2
            row["doubt"] = 0 if row["certainty"] == 3 else 1
        row["after_fin"] = (1 if row["own_fin_seq"] >= 0 else 0) + (2 if row["peer_fin_seq"] >= 0 else 0)
        previous = j
        add_probe(row, j - start, heard_ns, run)


@loop
def add_probe(row: Any, at: int, heard_ns: int, run: Any) -> None:  # noqa: ANN401
    """Count one probe into its endpoint's RUN."""
    run["probes"] += 1
    if row["certainty"] == 1:
        run["suspected"] += 1
    if row["payload_len"] > 0:
        run["octets"] += 1
    answered = 1 if row["answer"] in (1, 3) else 0
    run["answered"] += answered
    if answered == 0 and row["answer"] == 0:
        if row["ts_ns"] > heard_ns:
            if run["trailing"] == 0:
                run["trailing_ns"] = row["ts_ns"]
            run["trailing"] += 1
        else:
            run["lost"] += 1
    if row["after_fin"] > 0:
        run["after_fin"] += 1
        if run["first_after_fin_row"] < 0:
            run["first_after_fin_row"] = at
    if row["after_fin"] & 2:
        run["after_peer_fin"] += 1
        run["after_peer_fin_answered"] += answered
    if run["first_row"] < 0:
        run["first_row"] = at
        run["first_ns"] = row["ts_ns"]
    run["last_row"] = at
    run["last_ns"] = row["ts_ns"]


@loop
def settle_kinds(rows: Any, start: int, stop: int) -> None:  # noqa: ANN401
    """Match answers and settle the kinds of the SEEN rows ``start`` to ``stop``, which are one flow's."""
    match_answers(rows, start, stop)
    settle_midstream(rows, start, stop)
    for side in range(2):
        settle_zero_window(rows, start, stop, side)


@loop
def add_up(rows: Any, start: int, stop: int, heard_a_ns: int, heard_b_ns: int, run_a: Any, run_b: Any) -> None:  # noqa: ANN401
    """Number one flow's trains and add them up; ``heard_*_ns`` is when each endpoint last sent anything but a RST.

    Comes after ``reset.judge``, because a RST may be a probe's answer.
    """
    number_trains(rows, start, stop, 0, heard_b_ns, run_a)
    number_trains(rows, start, stop, 1, heard_a_ns, run_b)
