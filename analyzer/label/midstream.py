"""Segments that cannot be judged alone, because what precedes them was not captured: probe, suspicion, or nothing.

It must not know how the flow ended, or any word about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.label.outcome import (
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
)
from analyzer.label.spacing import EVEN, IDLE_NS, SLACK_NS
from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from analyzer.untyped import Rows


@loop
def settle_midstream(rows: Rows, start: int, stop: int) -> None:
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
            if other["kind"] == PROBE and other["seq"] == row["seq"] and other["doubt"] != ONE_SIDED:
                proven = 1
        if proven == 1:
            row["kind"] = PROBE
            row["certainty"] = PROBABLE
            row["doubt"] = MIDSTREAM if row["snd_una"] < 0 else MISSED
    for side in range(2):
        suspect_even_spacing(rows, start, stop, side)


@loop
def suspect_even_spacing(rows: Rows, start: int, stop: int, side: int) -> None:
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
                row["certainty"] = SUSPECTED
                row["doubt"] = ONE_SIDED
            else:
                row["kind"] = OTHER
