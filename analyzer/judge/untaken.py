"""What became of RSTs at the end that they were sent to.

One behind which that end went on did not close it: it did not reach it, or something refused it. What it sends within a
second may have crossed the RST on the way, and shows nothing. One that was seen on the own link of an end whose kernel
had just answered reached it.

It must not know who sent them, or what that means for the flow.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from analyzer.judge.record import other
from analyzer.label.distance import FULL_TTLS
from analyzer.tolerances import OVERDUE, OVERDUE_NS, SILENCE_LEAST_NS

if TYPE_CHECKING:
    from analyzer.judge.events import Reset
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side


def sent_behind(record: FlowRecord, side: Side, reset: Reset) -> list[tuple[int, int]]:
    """Return what an end sent of the connection behind a RST, as frames and times, in order."""
    behind = [(late.sender, late.frame, late.ts_ns) for late in record.late if late.is_ != "syn"]
    behind += [(fin.sender, fin.frame, fin.ts_ns) for fin in record.fins]
    behind += [(probe.sender, probe.frame, probe.ts_ns) for probe in record.probes]
    behind += [(probe.sender, probe.frame, probe.ts_ns) for probe in record.zero_window_probes]
    sent = {(frame, ts_ns) for sender, frame, ts_ns in behind if sender == side and frame > reset.frame}
    return sorted((frame, ts_ns) for frame, ts_ns in sent if ts_ns - reset.ts_ns >= SILENCE_LEAST_NS)


def untaken(record: FlowRecord, side: Side) -> dict[int, int]:
    """Return the frames of the RSTs in its peer's name behind which an end went on, and when it then first sent.

    From the RST on that ended the flow.
    """
    ending = record.ending_reset
    if ending is None or not (sent := sent_behind(record, side, ending)):
        return {}
    frames, times = [frame for frame, _ in sent], list(accumulate((ts_ns for _, ts_ns in sent), max))
    found = {}
    for reset in record.resets:
        if reset.sender == side or reset.frame < ending.frame:
            continue
        at = max(bisect_right(frames, reset.frame), bisect_left(times, reset.ts_ns + SILENCE_LEAST_NS))
        if at < len(sent):
            found[reset.frame] = sent[at][1]
    return found


def reached(record: FlowRecord, reset: Reset) -> bool:
    """Say whether the RST of a prober was seen on the link of its peer, whose kernel had answered the last probe."""
    receiver, sent = other(reset.sender), record.probes_from(reset.sender)
    ttl = record.facts(receiver).ttl
    if ttl is None or ttl[0] != ttl[1] or ttl[0] not in FULL_TTLS or not sent:
        return False
    return sent[-1].frame < reset.frame and sent[-1].answered and reset.frame not in untaken(record, receiver)


def has_ceased(record: FlowRecord, side: Side, reset: Reset) -> bool:
    """Say whether an end that had gone on was silent behind a RST for longer than it ever paused between its probes."""
    gaps = [late.ts_ns - early.ts_ns for early, late in pairwise(record.probes_from(side))]
    return bool(gaps) and record.end_ns - reset.ts_ns > OVERDUE * max(gaps) + OVERDUE_NS
