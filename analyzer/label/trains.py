"""Numbers the trains of probes of each endpoint, and adds them up in one RUN record per endpoint.

Comes after ``answers``, ``midstream``, ``zero_window`` and ``reset``, which say what is a probe and what answers it.

It must not know how the flow ended, or any word about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.label.outcome import (
    ANSWER_ACK,
    ANSWER_DATA,
    ANSWERED,
    AT_ZERO,
    CERTAIN,
    CHALLENGE,
    COPY,
    ICMP,
    MIDSTREAM,
    NO_ANSWER,
    NO_DOUBT,
    OCTET,
    PROBABLE,
    PROBE,
    RESET,
    SUSPECTED,
    UNJUDGED,
    WINDOW_PROBE,
)
from analyzer.label.receipt import heard_all, is_sent_again
from analyzer.loops.loop import loop
from analyzer.segment import BACK_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

RUN: Final = np.dtype(
    [
        ("probes", np.int32),  # of every certainty
        ("answered", np.int32),  # by an ACK or data
        ("zero_window", np.int32),
        ("undecided", np.int32),  # at a zero window, too few to tell
        ("trains", np.int32),
        ("trailing", np.int32),  # unanswered probes since ``heard_ns``
        ("after_fin", np.int32),  # probes after a FIN of either end
        ("after_peer_fin", np.int32),  # probes after the peer's FIN: the prober is in CLOSE-WAIT
        ("first_row", np.int32),  # row of the flow, -1 none
        ("trailing_ns", np.int64),  # the first of the trailing ones
        ("trailing_echo", np.int64),  # TSecr of the last of them: what its sender had heard by then, -1 none
        ("window_trailing", np.int32),  # unanswered probes of a closed window since the peer was last heard
        ("window_trailing_ns", np.int64),  # the first of these
        ("window_wait_ns", np.int64),  # how long it had waited before that one, at least
        ("gap_least_ns", np.int64),  # smallest gap between two probes of a train, 0 none
        ("shut_ns", np.int64),  # the longest time that its own receive window was closed and opened again
        ("heard_ns", np.int64),  # when the peer last sent what might have answered: no RST, no empty probe of its own
    ],
    align=True,
)
"""What the probes of one endpoint of one flow add up to."""


@loop
def number_trains(rows: Rows, start: int, stop: int, side: int, heard_ns: int, run: Record) -> None:
    """Number an endpoint's trains of probes, give each probe its gaps and certainty, and add them up in ``run``.

    ``heard_ns`` is when the peer was last heard (anything but a RST). A train ends where anything but keepalive passes
    that the prober has heard, and where the capture's clock was set back: nothing is measured across that.
    """
    run["first_row"] = -1
    run["trailing_echo"] = -1
    run["heard_ns"] = answering_until(rows, start, stop, 1 - side, heard_ns)
    previous = -1
    stir_ns = -1
    stir_own_ns = -1
    stir_peer_ns = -1
    stir_peer_frame = 0
    for j in range(start, stop):
        row = rows[j]
        kind = row["kind"]
        if kind in (WINDOW_PROBE, AT_ZERO) and row["side"] == side:
            add_window_probe(row, heard_ns, run)
        if kind not in (PROBE, OCTET):
            if kind not in (ANSWERED, CHALLENGE, COPY, ICMP, WINDOW_PROBE, AT_ZERO, RESET):
                stir_ns = row["ts_ns"]
                if row["side"] == side:
                    stir_own_ns = row["ts_ns"]
                else:
                    stir_peer_ns = row["ts_ns"]
                    stir_peer_frame = row["frame"]
            continue
        if row["side"] != side:
            continue
        ts_ns = row["ts_ns"]
        active = last_stir(row, stir_ns, stir_own_ns)
        if previous < 0 or active > rows[previous]["ts_ns"] or past(rows[previous]["ts_ns"], ts_ns) < 0:
            run["trains"] += 1
            before_ns = before_probe(rows, start, j)
            row["gap_ns"] = ts_ns - before_ns if past(before_ns, ts_ns) >= 0 else -1
        else:
            row["gap_ns"] = ts_ns - rows[previous]["ts_ns"]
            if run["gap_least_ns"] == 0 or row["gap_ns"] < run["gap_least_ns"]:
                run["gap_least_ns"] = row["gap_ns"]
        base = max(past(row["peer_active_ns"], ts_ns), past(stir_peer_ns, ts_ns))
        row["train"] = run["trains"] - 1
        row["idle_ns"] = ts_ns - base if base >= 0 else -1
        row["idle_frame"] = stir_peer_frame if stir_peer_ns > row["peer_active_ns"] else row["peer_active_frame"]
        if previous >= 0 and not heard_all(row):
            wait_on(rows[previous], row)
        if row["certainty"] == UNJUDGED:
            trust(row, 1 if active >= 0 or previous >= 0 else 0)
        row["after_fin"] = (1 if row["own_fin_seq"] >= 0 else 0) + (2 if row["peer_fin_seq"] >= 0 else 0)
        previous = j
        add_probe(row, j - start, run)


@loop
def add_window_probe(row: Record, heard_ns: int, run: Record) -> None:
    """Count one probe of a closed window, or what may be one, into its endpoint's RUN."""
    if row["kind"] == WINDOW_PROBE:
        run["zero_window"] += 1
    else:
        run["undecided"] += 1
    if row["ts_ns"] > heard_ns:
        if run["window_trailing"] == 0:
            run["window_trailing_ns"] = row["ts_ns"]
            run["window_wait_ns"] = row["ts_ns"] - row["flow_last_ns"]
        run["window_trailing"] += 1


@loop
def wait_on(before: Record, row: Record) -> None:
    """Let a probe, whose sender had not heard all, count its idle time from where that of the probe before it began."""
    if before["train"] == row["train"] and before["idle_ns"] >= 0:
        row["idle_ns"] = before["idle_ns"] + row["ts_ns"] - before["ts_ns"]
        row["idle_frame"] = before["idle_frame"]


@loop
def trust(row: Record, followed: int) -> None:
    """Give a probe its certainty: ``followed`` is 1 if anything that counts, or a probe, came before it."""
    row["certainty"] = CERTAIN if followed == 1 else PROBABLE
    row["doubt"] = NO_DOUBT if followed == 1 else MIDSTREAM


@loop
def last_stir(row: Record, stir_ns: int, stir_own_ns: int) -> int:
    """Return when anything but keepalive last passed before a probe, that its sender had heard or sent; -1 never.

    ``stir_ns`` and ``stir_own_ns`` are when a row was last that, of any end and of its own.
    """
    if heard_all(row):
        return max(past(row["flow_active_ns"], row["ts_ns"]), past(stir_ns, row["ts_ns"]))
    return max(past(row["own_active_ns"], row["ts_ns"]), past(stir_own_ns, row["ts_ns"]))


@loop
def past(at_ns: int, now_ns: int) -> int:
    """Return an instant that was known before another, -1 if the capture's clock was set back between the two."""
    return at_ns if at_ns - now_ns < BACK_NS else -1


@loop
def before_probe(rows: Rows, start: int, at: int) -> int:
    """Return when anything passed before a probe, row ``at``: not its own answer, if that was written before it.

    A time below 0 says that nothing did.
    """
    row = rows[at]
    before_ns: int = row["flow_last_ns"]
    answer = row["answer_row"]
    if 0 <= answer < at - start:
        before_ns = rows[start + answer]["flow_last_ns"]
    return before_ns


@loop
def answering_until(rows: Rows, start: int, stop: int, peer: int, heard_ns: int) -> int:
    """Return when an endpoint, last heard at ``heard_ns``, last sent anything but empty probes, and data once more.

    A probe says that it is alive, but answers nothing: whoever waits for an answer drops it as a segment outside the
    window, and counts on (RFC 9293 3.10.7.4; Linux tcp_validate_incoming). Data is sent again by a timer.
    """
    for k in range(start, stop):
        row = rows[start + stop - 1 - k]
        if row["side"] != peer or row["ts_ns"] > heard_ns:
            continue
        probes = row["kind"] == PROBE and row["certainty"] != SUSPECTED
        if (probes or is_sent_again(row)) and row["ts_ns"] == heard_ns:
            heard_ns = row["own_last_ns"]
    return heard_ns


@loop
def longest_shut(rows: Rows, start: int, stop: int, side: int) -> int:
    """Return the longest time that an endpoint's receive window was closed and opened again, 0 if it was not."""
    longest_ns = 0
    shut_ns = -1
    for j in range(start, stop):
        row = rows[j]
        if row["side"] != side or row["kind"] in (COPY, ICMP, RESET):
            continue
        if row["window"] > 0 and shut_ns >= 0:
            longest_ns = max(longest_ns, row["ts_ns"] - shut_ns)
            shut_ns = -1
        elif row["window"] == 0 and shut_ns < 0:
            shut_ns = row["ts_ns"]
    return longest_ns


@loop
def add_probe(row: Record, at: int, run: Record) -> None:
    """Count one probe into its endpoint's RUN."""
    run["probes"] += 1
    if row["answer"] in (ANSWER_ACK, ANSWER_DATA):
        run["answered"] += 1
    set_back = past(row["peer_last_ns"], row["ts_ns"]) < 0 and row["peer_last_ns"] == run["heard_ns"]
    unheard = row["ts_ns"] > run["heard_ns"] or set_back
    if row["answer"] == NO_ANSWER and unheard:
        if run["trailing"] == 0:
            run["trailing_ns"] = row["ts_ns"]
        run["trailing"] += 1
        run["trailing_echo"] = row["tsecr"]
    if row["after_fin"] > 0:
        run["after_fin"] += 1
    if row["after_fin"] & 2:
        run["after_peer_fin"] += 1
    if run["first_row"] < 0:
        run["first_row"] = at


@loop
def add_up(rows: Rows, start: int, stop: int, heard_a_ns: int, heard_b_ns: int, run_a: Record, run_b: Record) -> None:
    """Number one flow's trains and add them up; ``heard_*_ns`` is when each endpoint last sent anything but a RST.

    Comes after ``reset.settle_resets``, because a RST may be a probe's answer.
    """
    number_trains(rows, start, stop, 0, heard_b_ns, run_a)
    number_trains(rows, start, stop, 1, heard_a_ns, run_b)
    run_a["shut_ns"] = longest_shut(rows, start, stop, 0)
    run_b["shut_ns"] = longest_shut(rows, start, stop, 1)
