"""Which flows look the same in a picture: the same kinds of segments, at the same places in time as far as an eye sees.

A scan or a flood is a hundred thousand flows of which each picture is like the others but for addresses.

It must not draw, or judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.report.segment_table import evidence
from analyzer.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Hashable

    from analyzer.judge.judged import JudgedFlow

PARTS: Final = 200
"""So many places in the time of a flow an eye tells apart."""


def look_of(judged: JudgedFlow) -> Hashable | None:
    """Return what is equal for flows whose pictures look the same; None for one with many segments to show."""
    record = judged.record
    rows, left_out, _ = evidence(judged, record.first_ns)
    if left_out or record.heartbeats or judged.witnesses:
        return None
    life_ns = max(record.last_ns - record.first_ns, 1)

    def place(ts_ns: int) -> int:
        return round((ts_ns - record.first_ns) * PARTS / life_ns)

    return (
        judged.ending.verdict,
        judged.ending.by,
        record.starts_with,
        format_duration(life_ns),
        tuple((place(row.ts_ns), row.sender, row.what.partition(",")[0], row.mark) for row in rows),
        tuple((place(change.ts_ns), change.side, change.state) for change in record.changes),
        tuple((late.sender, place(late.ts_ns)) for late in record.late),
        None if record.new_syn is None else (record.new_syn.sender, place(record.new_syn.ts_ns)),
        tuple((place(change.ts_ns), change.sender, change.shut) for change in record.windows),
        tuple((record.facts(side).payload_bytes, record.facts(side).missed) for side in ("a", "b")),
    )
