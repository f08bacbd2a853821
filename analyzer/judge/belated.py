"""Answers that came when the prober had given up: as many as its last probes, and as far apart as they.

A peer that slept, or a path that was cut, lets what waited come at once; these are what a slow way brings. It must not
know why it was slow.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other

if TYPE_CHECKING:
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side

LEAST: Final = 2
"""One may have been sent for another reason."""
EVEN: Final = 4
"""Their delays differ by less than such a part of the shortest time between two of the probes."""


def belated_ns(record: FlowRecord, prober: Side) -> tuple[int, tuple[int, ...]] | None:
    """Return how late the answers to the last probes came at least, and their frames; None if none came so."""
    reset = record.ending_reset
    if reset is None or reset.kind != "gave_up" or reset.sender != prober:
        return None
    asked = record.trailing(prober)
    came = [late for late in record.late if late.sender == other(prober) and late.is_ == "ack"]
    if len(asked) < LEAST or len(came) != len(asked):
        return None
    delays = [late.ts_ns - probe.ts_ns for probe, late in zip(asked, came, strict=True)]
    shortest = min(after.ts_ns - before.ts_ns for before, after in pairwise(asked))
    if max(delays) - min(delays) >= shortest // EVEN or not record.keeps_time(asked[0].frame, came[-1].frame):
        return None
    return min(delays), tuple(late.frame for late in came)
