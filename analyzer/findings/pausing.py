"""When a prober was itself silent for far longer than it usually waits: of flows as columns, and of one as a record.

A wait is from a probe that was answered to the next, or the idle time before the first of a train. What is usual is the
middle of them, where two agree on it. Only between probes of one train is a longer one a pause: idle time may be set
late. Nor is one that it has waited before a first probe: that is its idle time, and shorter ones are its interval, of
probes whose answers it did not hear. Where a third of them is so long, keepalive was set anew. It must not say why a
prober paused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.tolerances import OVERDUE, OVERDUE_NS
from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Column, Flows, Mask
    from analyzer.judge.events import Standstill
    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side

AGREEING: Final = 2
"""This many waits show what is usual."""
ALIKE_PART: Final = 4
"""Waits that are no longer than another by more than such a part of it agree with it."""


LEAST_NS: Final = 30 * NS_PER_S
"""Shorter pauses matter to nobody."""
MOST_PART: Final = 3
"""Fewer than such a part of the waits are pauses."""


class Pause(NamedTuple):
    """A stretch in which a prober should have probed, and nothing of the flow passed."""

    ns: int
    usual_ns: int
    probe: Probe
    """The one that ended it."""
    before: int
    """The frame of its probe before."""
    from_frame: int
    """And of that one's answer."""


def overdue_ns(usual_ns: Column) -> Column:
    """Return after how long a prober that usually waits so long has paused."""
    return OVERDUE * usual_ns + OVERDUE_NS


def _is_pause(gap_ns: Column, usual_ns: Column) -> Mask:
    return (gap_ns > overdue_ns(usual_ns)) & (gap_ns >= LEAST_NS)


def wait_rows(f: Flows) -> tuple[Column, Column]:
    """Return the rows of probes before which it waited by its own timer, and how long."""
    begins = f.probing & f.sure & (f.seen("after_fin") == 0) & (f.seen("idle_ns") >= 0)
    early, late = f.pairs
    begins[late[f.seen("train")[early] == f.seen("train")[late]]] = False
    between = f.answered_gaps & (f.seen("after_fin") == 0)
    at = np.flatnonzero(begins | between)
    return at, np.where(between[at], f.seen("gap_ns")[at], f.seen("idle_ns")[at])


def pauses(f: Flows) -> Mask:
    """Say which rows are probes before which it paused: more than two of the waits known of it, and nothing else."""
    at, waits = f.once(wait_rows)
    found = np.zeros(len(f.columns.owner), dtype=np.bool_)
    may_be = f.answered_gaps[at] & (f.seen("gap_ns")[at] >= LEAST_NS)
    if not may_be.any():
        return found
    owner = f.columns.owner[at]
    order = np.lexsort((waits, owner))
    counts = np.bincount(owner, minlength=len(f))
    there = np.flatnonzero(counts)
    middle = np.cumsum(counts)[there] - counts[there] + (counts[there] - 1) // 2
    usual = np.full(len(f), -1, dtype=np.int64)
    usual[there] = waits[order][middle]
    agree = np.bincount(owner[waits <= usual[owner] + usual[owner] // ALIKE_PART], minlength=len(f))
    known = np.maximum(usual[owner], _longest_start(owner, np.where(f.answered_gaps[at], -1, waits)))
    longer = may_be & _is_pause(f.seen("gap_ns")[at], known) & (agree >= AGREEING)[owner]
    few = np.bincount(owner[longer], minlength=len(f)) * MOST_PART < counts
    found[at] = longer & few[owner] & awake_before(f, at)
    return found


def _longest_start(owner: Column, started_ns: Column) -> Column:
    """Return for waits, flow by flow, the longest so far before the first probe of a train; -1 where none was."""
    values, rank = np.unique(started_ns, return_inverse=True)
    so_far = np.maximum.accumulate(owner * len(values) + rank.reshape(-1)) - owner * len(values)
    longest: Column = values[so_far]
    return longest


def awake_before(f: Flows, at: Column) -> Mask:
    """Say for probes whether the capture was awake since the probe before; the first of each end has none."""
    awake = np.ones(len(f.columns.owner), dtype=np.bool_)
    early, late = f.pairs
    awake[late] = f.columns.is_awake(early, late)
    mask: Mask = awake[at]
    return mask


def pauses_of(case: Case) -> list[Pause]:
    """Return the same of one flow."""
    waits: list[tuple[int, Probe, Probe | None]] = []
    for at, probe in enumerate(case.probes):
        before = case.probes[at - 1] if at else None
        if probe.after_fin is not None:
            continue
        if before is not None and not probe.first_of_train:
            if before.answer == "ack" and probe.gap_ns is not None:
                waits.append((probe.gap_ns, probe, before))
        elif probe.idle_ns is not None and probe.certainty != "suspected":
            waits.append((probe.idle_ns, probe, before))
    if not waits:
        return []
    usual_ns = sorted(ns for ns, _, _ in waits)[(len(waits) - 1) // 2]
    if sum(ns <= usual_ns + usual_ns // ALIKE_PART for ns, _, _ in waits) < AGREEING:
        return []
    long = []
    known_ns = usual_ns
    for ns, probe, before in waits:
        if probe.first_of_train:
            known_ns = max(known_ns, ns)
        elif before is not None and _is_pause(ns, known_ns):
            long.append(Pause(ns, usual_ns, probe, before.frame, before.answer_frame or before.frame))
    if len(long) * MOST_PART >= len(waits):
        return []
    awake = case.record.is_awake
    return [pause for pause in long if awake(pause.before, pause.probe.frame)]


def shortest_other_wait(f: Flows, failed: Column) -> Column:
    """Return the shortest wait of each flow before another probe than this row; -1 where there is none."""
    at, waits = f.once(wait_rows)
    owner = f.columns.owner[at]
    others = at != failed[owner]
    least = np.full(len(f), np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(least, owner[others], waits[others])
    return np.where(least == np.iinfo(np.int64).max, -1, least)


def standstills_of(record: FlowRecord, side: Side) -> list[Standstill]:
    """Return where an end's timestamp clock stood still, the capture awake meanwhile."""
    return [each for each in record.standstills if each.sender == side and record.is_awake(each.from_frame, each.frame)]


def due_of(f: Flows) -> Column:
    """Return the longest time that each end ever waited before a probe, -1 if it never surely probed."""
    first = f.probing & f.sure
    train = f.seen("train")
    early, late = f.pairs
    first[late[train[early] == train[late]]] = False
    due_ns: Column = np.maximum(
        f.largest(f.seen("idle_ns"), first & (f.seen("idle_ns") >= 0)), f.largest(f.seen("gap_ns"), f.answered_gaps)
    )
    return due_ns
