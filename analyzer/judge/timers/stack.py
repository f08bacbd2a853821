"""Which family of TCP implementations sent the probes: by their form and by their rhythm.

It must not know options, or how long any of them is.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from analyzer.judge.record import other
from analyzer.judge.signatures import Stack
from analyzer.judge.timers.gaps import agree, backs_off, clearly_longer, shortest
from analyzer.tolerances import GAP_LEAST_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.timers.gaps import Gaps
    from analyzer.track.flow import Side


def stack_of(record: FlowRecord, side: Side, probes: Sequence[Probe], gaps: Gaps, *, near: bool) -> Stack | None:
    """Return the family of TCP implementations that the form and the rhythm of the probes show."""
    if all(probe.payload_len for probe in probes):
        sure = any(probe.certainty != "suspected" for probe in probes)  # else the byte may be new data
        if not sure:
            return None
        return Stack.ILLUMOS if backs_off(gaps.unanswered) else Stack.ONE_OCTET
    if (record.facts_a.timestamps or record.facts_b.timestamps) and all(probe.header_len == 20 for probe in probes):
        return Stack.XNU
    if any(probe.payload_len for probe in probes):
        return None
    waits = near and _waits_interval(gaps)  # elsewhere lost probes look the same
    return Stack.LINUX if waits or _ignores_peer_probes(record, side, probes) else None


def _ignores_peer_probes(record: FlowRecord, side: Side, probes: Sequence[Probe]) -> bool:
    """Say whether a probe came right after the prober had received, and answered, one of the peer's.

    Any received segment restarts the clock of BSD and macOS; on Linux an empty probe is dropped before it does.
    """
    theirs = record.probes_from(other(side))
    if not theirs:
        return False
    own = sorted(probes, key=lambda probe: probe.ts_ns)
    times = [probe.ts_ns for probe in own]
    for row in theirs:
        if row.answer == "ack" and not row.payload_len and row.answer_frame is not None:
            last = bisect_left(times, row.ts_ns + GAP_LEAST_NS) - 1
            if last >= 0 and times[last] > row.ts_ns and own[last].frame > row.answer_frame:
                return True
    return False


def _waits_interval(gaps: Gaps) -> bool:
    """Say whether answered probes come evenly, and clearly later than a train begins: that waits for the interval."""
    if not gaps.starts or len(gaps.answered) < 2:
        return False
    first, short = shortest(gaps.starts), shortest(gaps.answered)
    least_ns = min([gap.least_ns for gap in gaps.answered])
    late = clearly_longer(short._replace(ns=least_ns), first)
    return late and all(agree(short, gap) for gap in gaps.answered)
