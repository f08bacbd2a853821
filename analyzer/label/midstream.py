"""Segments that cannot be judged alone, because what precedes them was not captured: probe, suspicion, or nothing.

It must not know how the flow ended, or any word about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.label.outcome import (
    ANSWERED,
    MIDSTREAM,
    MISSED,
    OCTET,
    ONE_SIDED,
    OTHER,
    PROBABLE,
    PROBE,
    RESET,
    SUSPECTED,
    UNANCHORED,
    UNNUMBERED,
)
from analyzer.loops.loop import loop
from analyzer.segment import NOTE_UNNUMBERED
from analyzer.tolerances import GAP_LEAST_NS, JITTER_NS, WHEEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Numbers, Record, Rows


def by_number(seen: NDArray[np.void], start: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Put what ``settle_midstream`` compares in order, so that it need not look at each row for each.

    Args:
        seen: classified SEEN rows, flow by flow.
        start: where each flow's rows begin, and one more entry.

    Returns:
        Indices of rows by flow, side, number and place, of flows with a segment that cannot be judged alone; where
        those of each flow begin, and one more entry.
    """
    flows = np.repeat(np.arange(len(start) - 1), np.diff(start))
    kinds = seen["kind"]
    with_some = np.zeros(len(start), dtype=bool)
    with_some[flows[kinds == UNANCHORED]] = True
    picked = np.flatnonzero(with_some[flows] & np.isin(kinds, (UNANCHORED, PROBE, RESET)))
    number = seen["seq"][picked] - (kinds[picked] == RESET)
    order = picked[np.lexsort((picked, number, seen["side"][picked], flows[picked]))]
    return order, np.searchsorted(flows[order], np.arange(len(start))).astype(np.int64)


@loop
def settle_midstream(rows: Rows, start: int, stop: int, order: Numbers, first: int, last: int) -> None:
    """Relabel what is still unanchored: proven by a later probe or the prober's RST, or suspected by even spacing.

    Proof: the same endpoint sends an empty probe at the same number, or later a RST one above, and neither FIN nor new
    data in between, which would have used the number. Suspicion: three or more identical empty segments, evenly spaced
    by 0.9 s or more. What was unprovoked, and of which only the number is not known, is suspected by itself, and
    probable if evenly spaced. All else is nothing. ``order[first:last]`` is what ``by_number`` says of the flow.
    """
    at = first
    while at < last:
        side = rows[order[at]]["side"]
        number = number_of(rows[order[at]])
        begin = at
        while at < last and rows[order[at]]["side"] == side and number_of(rows[order[at]]) == number:
            at += 1
        prove(rows, order, begin, at, number)
    if first < last:
        for side in range(2):
            suspect_even_spacing(rows, start, stop, side)


@loop
def prove(rows: Rows, order: Numbers, begin: int, end: int, number: int) -> None:
    """Relabel what probes and RSTs of one endpoint at one number prove; ``order[begin:end]`` are its rows.

    A probe proves what came before it, and what comes after; a RST only what came before.
    """
    sent_ns = -1  # when the endpoint had last sent new data, by the next row that proves; -1 none
    for back in range(end - begin):
        row = rows[order[end - 1 - back]]
        if row["kind"] in (PROBE, RESET):
            sent_ns = -1 if row["own_fin_seq"] == number else max(row["data_ns"], 0)
        elif sent_ns >= 0 and row["payload_len"] == 0 and row["ts_ns"] >= sent_ns and row["kind"] != ANSWERED:
            proven(row)
    last_ns = -1
    for i in range(begin, end):
        row = rows[order[i]]
        if row["kind"] == PROBE:
            last_ns = row["ts_ns"]
        elif row["kind"] == UNANCHORED and row["payload_len"] == 0 and last_ns >= row["data_ns"] and last_ns >= 0:
            proven(row)


@loop
def proven(row: Record) -> None:
    """Call a segment a probe."""
    row["kind"] = PROBE
    row["certainty"] = PROBABLE
    if row["note"] == NOTE_UNNUMBERED:
        row["doubt"] = UNNUMBERED
    else:
        row["doubt"] = MIDSTREAM if row["snd_una"] < 0 else MISSED


@loop
def number_of(row: Record) -> int:
    """Return the number at which a probe would be proven by this row: one below that of the prober's RST."""
    number: int = row["seq"]
    return number - 1 if row["kind"] == RESET else number


@loop
def suspect_even_spacing(rows: Rows, start: int, stop: int, side: int) -> None:
    """Call an endpoint's unanchored segments suspected probes if three or more come evenly, else nothing.

    What came too soon to be a candidate counts too, because each row knows when its sender sent last.
    """
    count = 0
    last_ns = -1
    before_ns = -1
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
        before_ns = last_ns
        last_ns = row["ts_ns"]
        if number >= 0 and row["seq"] != number:
            same = 0
        if count > 1 and row["own_last_ns"] > before_ns:
            same = 0
        if row["own_fin_seq"] == row["seq"]:
            same = 0
        number = row["seq"]
    suspected = count >= 3 and same == 1 and least >= GAP_LEAST_NS and most <= least * (1 + WHEEL) + JITTER_NS
    for j in range(start, stop):
        row = rows[j]
        if row["kind"] == UNANCHORED and row["side"] == side:
            if row["note"] == NOTE_UNNUMBERED and row["seq"] >= 0:
                row["kind"] = PROBE
                row["certainty"] = PROBABLE if suspected else SUSPECTED
                row["doubt"] = UNNUMBERED
            elif suspected:
                row["kind"] = PROBE if row["payload_len"] == 0 else OCTET
                row["certainty"] = SUSPECTED
                row["doubt"] = ONE_SIDED
            else:
                row["kind"] = OTHER
