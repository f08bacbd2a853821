"""``SENDER``: what one endpoint of a flow had done up to a RST, noted row by row, so that no RST looks back itself.

It must not judge any of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.label.outcome import ANSWERED, NO_ANSWER
from analyzer.loops.loop import loop
from analyzer.tolerances import ID_FAR

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

SENDER: Final = np.dtype(
    [
        ("row", np.int64),  # its last probe, -1 none
        ("ts_ns", np.int64),  # when that was
        ("count", np.int64),  # of its probes so far
        ("first_gap_ns", np.int64),  # between its first two
        ("last_gap_ns", np.int64),  # between its last two
        ("interval_ns", np.int64),  # between the last two of one idle time of which the earlier was unanswered, or -1
        ("led_ns", np.int64),  # its last segment, if it sent nothing but answers since the probe; -1 if it did
        ("id_steps", np.int64),  # how often its IP ID went on like a counter; -1 once it did not
    ],
    align=True,
)


@loop
def forget(sender: Record) -> None:
    """Begin with nothing."""
    sender["row"] = -1
    sender["count"] = 0
    sender["interval_ns"] = -1
    sender["led_ns"] = -1
    sender["id_steps"] = 0


@loop
def note_probe(sender: Record, rows: Rows, at: int) -> None:
    """Take the next probe of an endpoint, row ``at``."""
    row = rows[at]
    gap = row["ts_ns"] - sender["ts_ns"]
    if sender["count"] == 1:
        sender["first_gap_ns"] = gap
    if sender["row"] >= 0:
        before = rows[sender["row"]]
        if before["answer"] == NO_ANSWER and before["flow_active_ns"] == row["flow_active_ns"]:
            sender["interval_ns"] = gap
    sender["last_gap_ns"] = gap
    sender["count"] += 1
    sender["row"] = at
    sender["ts_ns"] = row["ts_ns"]
    sender["led_ns"] = row["ts_ns"]


@loop
def note_other(sender: Record, row: Record) -> None:
    """Take a row of an endpoint that is no probe of it: whether it still did nothing but answer since its last one.

    Each row knows when its sender sent last, so each answer must follow on the probe or on the answer before it.
    """
    if row["kind"] == ANSWERED and row["own_last_ns"] == sender["led_ns"]:
        sender["led_ns"] = row["ts_ns"]
    elif row["ts_ns"] == sender["led_ns"]:
        sender["led_ns"] = -1


@loop
def note_ip_id(sender: Record, row: Record) -> None:
    """Take the IP ID of a row of an endpoint that is no RST and no copy: whether it went on from the one before."""
    if row["own_ip_id"] <= 0 or row["ip_id"] <= 0 or sender["id_steps"] < 0:
        return
    step = (row["ip_id"] - row["own_ip_id"]) & 0xFFFF
    if 0 < step <= ID_FAR:
        sender["id_steps"] += 1
    else:
        sender["id_steps"] = -1
