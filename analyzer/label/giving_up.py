"""Whether a prober's own RST is its giving up: the answer was due, and none came.

A kernel gives up where it would probe again: one interval after its last probe, at the same number. So the interval is
measured, and a RST out of turn is an abort (a killed process, a close with unread data).

It must not know what a RST of the peer says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.label.outcome import NO_ANSWER
from analyzer.loops.loop import loop
from analyzer.tolerances import GAP_LEAST_NS, JITTER_NS, OTHER_PACE, SAME_PACE, WHEEL

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows


@loop
def gave_up(rows: Rows, row: Record, sender: Record) -> int:
    """Say whether a RST (a SEEN row) is its sender giving up on its last probe, by what it had done as a prober."""
    if sender["row"] < 0:
        return 0
    probe = rows[sender["row"]]
    # nothing was sent since the probe but answers to probes of the peer
    only_answered = sender["led_ns"] >= 0 and row["own_last_ns"] == sender["led_ns"]
    if not only_answered or row["seq"] != probe["seq"] + 1:
        return 0
    waited = row["ts_ns"] - probe["ts_ns"]
    if probe["answer"] == NO_ANSWER:
        return one_interval(sender, waited)
    return retrying(sender, waited)


@loop
def one_interval(sender: Record, waited: int) -> int:
    """Say whether a prober had waited for one interval since its last, unanswered probe.

    A kernel gives up where it would probe again, so the interval is measured: the last time between two of its probes
    of which the earlier was not answered. Where there is none, only that no timer is shorter than a second is known.
    """
    interval = sender["interval_ns"]
    if interval < 0:
        return 1 if waited >= GAP_LEAST_NS else 0
    spread = int(interval * WHEEL) + JITTER_NS
    return 1 if interval - spread <= waited <= interval + spread else 0


@loop
def retrying(sender: Record, waited: int) -> int:
    """Say whether a prober was repeating its probe although the capture shows answers: they did not reach it.

    It shows in the rhythm: the RST keeps the pace of the last gap, and that pace is not the one the train began with
    (interval, not idle).
    """
    last_gap = sender["last_gap_ns"]
    if waited < GAP_LEAST_NS or sender["count"] < 2 or abs(waited - last_gap) > last_gap // SAME_PACE + JITTER_NS:
        return 0
    return 1 if abs(sender["first_gap_ns"] - last_gap) > last_gap // OTHER_PACE + JITTER_NS else 0
