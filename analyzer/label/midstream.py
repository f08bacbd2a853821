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
def settle_midstream(rows: Rows, order: Numbers, first: int, last: int) -> None:
    """Relabel what is still unanchored: proven by a later probe or the prober's RST, or suspected by even spacing.

    Proof: the same endpoint sends an empty probe at the same number, or later a RST one above, and neither FIN nor new
    data in between, which would have used the number. Suspicion: three or more identical empty segments, evenly spaced
    by 0.9 s or more, and then others of the same end one below what it had sent. What was unprovoked, and of which only
    the number is not known, is suspected by itself, and probable if evenly spaced. All else is nothing.
    ``order[first:last]`` is what ``by_number`` says of the flow.
    """
    even_a = 0
    even_b = 0
    at = first
    while at < last:
        begin = at
        at = run_end(rows, order, begin, last)
        prove(rows, order, begin, at)
        if suspect_run(rows, order, begin, at) == 1:
            if rows[order[begin]]["side"] == 0:
                even_a = 1
            else:
                even_b = 1
    for i in range(first, last):
        row = rows[order[i]]
        if row["kind"] == UNANCHORED:
            settle_rest(row, even_a if row["side"] == 0 else even_b)


@loop
def run_end(rows: Rows, order: Numbers, begin: int, last: int) -> int:
    """Return where in ``order`` the rows of one endpoint and one number end that begin at ``begin``."""
    row = rows[order[begin]]
    side = row["side"]
    number = number_of(row)
    for at in range(begin + 1, last):
        row = rows[order[at]]
        if row["side"] != side or number_of(row) != number:
            return at
    return last


@loop
def prove(rows: Rows, order: Numbers, begin: int, end: int) -> None:
    """Relabel what probes and RSTs of one endpoint at one number prove; ``order[begin:end]`` are its rows.

    A probe proves what came before it, and what comes after; a RST only what came before.
    """
    number = number_of(rows[order[begin]])
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
def suspect_run(rows: Rows, order: Numbers, begin: int, end: int) -> int:
    """Call an endpoint's unanchored segments of one number suspected probes if they are even; say whether they are."""
    if end - begin < 3 or even(rows, order, begin, end) == 0:
        return 0
    for i in range(begin, end):
        row = rows[order[i]]
        if row["kind"] == UNANCHORED:
            suspected(row)
    return 1


@loop
def settle_rest(row: Record, probes: int) -> None:
    """Settle a segment that nothing proves and that is in no even run: nothing, or a suspected probe beside others.

    An endpoint with an even run (``probes``) probes; then so does an empty segment one below the number that it is
    known to have reached (``below_what_was_sent``), after a pause, however few there are of them.
    """
    if row["note"] == NOTE_UNNUMBERED and row["seq"] >= 0:
        row["kind"] = PROBE
        row["certainty"] = SUSPECTED
        row["doubt"] = UNNUMBERED
    elif probes == 1 and below_what_was_sent(row) == 1:
        suspected(row)
    else:
        row["kind"] = OTHER


@loop
def even(rows: Rows, order: Numbers, begin: int, end: int) -> int:
    """Say whether ``order[begin:end]``, an endpoint's segments of one number, hold three or more at even distances.

    What came too soon to be a candidate counts too, because each row knows when its sender sent last. A number that the
    sender is known to have sent up to, with data, is no probe's: what repeats it answers probes that were not captured.
    """
    count = 0
    last_ns = -1
    least = -1
    most = -1
    for i in range(begin, end):
        row = rows[order[i]]
        if row["kind"] != UNANCHORED:
            continue
        if row["own_fin_seq"] == row["seq"] or (row["data_seq"] >= 0 and row["seq"] >= row["snd_nxt"]):
            return 0
        if count > 0:
            gap = row["ts_ns"] - last_ns
            if row["own_last_ns"] > last_ns:
                return 0
            if least < 0 or gap < least:
                least = gap
            most = max(most, gap)
        count += 1
        last_ns = row["ts_ns"]
    return 1 if count >= 3 and least >= GAP_LEAST_NS and most <= least * (1 + WHEEL) + JITTER_NS else 0


@loop
def below_what_was_sent(row: Record) -> int:
    """Say whether a segment is empty, one below what its sender sent before, and comes out of a pause of the sender."""
    if row["payload_len"] > 0 or row["own_fin_seq"] == row["seq"] or row["own_last_ns"] < 0:
        return 0
    return 1 if row["seq"] == row["snd_nxt"] - 1 and row["ts_ns"] - row["own_last_ns"] >= GAP_LEAST_NS else 0


@loop
def suspected(row: Record) -> None:
    """Call a segment a suspected probe; of which only the number is not known, a probable one."""
    if row["note"] == NOTE_UNNUMBERED and row["seq"] >= 0:
        row["kind"] = PROBE
        row["certainty"] = PROBABLE
        row["doubt"] = UNNUMBERED
    else:
        row["kind"] = PROBE if row["payload_len"] == 0 else OCTET
        row["certainty"] = SUSPECTED
        row["doubt"] = ONE_SIDED
