"""Silences of a flow as trials: which of them the path, and both ends, let it survive.

A silence is between any two segments of a flow, of either end, probes too. Whoever breaks it waits for the other end:
if that reacts with anything but a RST, the silence was survived; if it never does, it was not. Of a flow the longest
survived silence is kept, and the one that still waits. A RST that nobody asked for tries nothing: whoever sent it
decided to; nor does a silence that is no longer than one that the flow survived, for what ends there has no limit.

It must not know what a limit is, or who has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop
from analyzer.segment import RST
from analyzer.track.flow import FREE, INDEX
from analyzer.track.subjects import digest_of

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

TRIALS: Final = np.dtype(
    [
        ("hi", np.int64),  # address and port of the service; -1: of a pair of hosts
        ("lo", np.int64),
        ("other_hi", np.int64),  # the other host of a pair, else 0
        ("other_lo", np.int64),
        ("ns", np.int64),  # the longest that survived, or the shortest that did not
        ("number", np.int64),  # of the flow
        ("from", np.int64),
        ("to", np.int64),
        ("first_ns", np.int64),  # when the first and the last of these flows ended
        ("last_ns", np.int64),
        ("count", np.int32),
        ("there", np.int32),  # how many are in the step of `ns` (step_of)
        ("beside", np.int32),  # and in the next one: a shorter one of what survived, a longer one of what did not
        ("capture", np.int32),
        ("port", np.int32),
        ("half", np.int16),  # 1 if one end had closed before the silence
        ("died", np.int16),
    ]
)

TRIAL_LEAST_NS: Final = 3_000_000_000
"""Shorter silences try nothing: no box forgets so soon."""
FEWEST: Final = 4
"""Steps to each doubling of a silence."""


@loop
def try_silence(flow: Record, end: Record, peer: Record, side: int, row: Record) -> None:
    """Let a segment settle the silence that waits, and begin another, before the flow knows of it."""
    if flow["trial_ns"] > 0 and side != flow["trial_side"] and not row["flags"] & RST:
        if flow["trial_ns"] > flow["survived_ns"]:
            flow["survived_ns"] = flow["trial_ns"]
            flow["survived_from"] = flow["trial_from"]
            flow["survived_to"] = flow["trial_to"]
            flow["survived_half"] = flow["trial_half"]
        flow["trial_ns"] = 0
    passed_ns = 0 if row["flags"] & RST else row["ts_ns"] - flow["last_ns"]
    if passed_ns >= TRIAL_LEAST_NS and flow["trial_ns"] == 0 and end["segments"] + peer["segments"] > 0:
        flow["trial_ns"] = passed_ns
        flow["trial_from"] = flow["last_frame"]
        flow["trial_to"] = row["frame"]
        flow["trial_side"] = side
        flow["trial_half"] = 1 if end["fin_frame"] > 0 or peer["fin_frame"] > 0 else 0


@loop
def was_survived(flow: Record) -> bool:
    """Say whether a flow survived a silence as long as the one that waits, in the same state."""
    as_long = flow["survived_ns"] >= flow["trial_ns"]
    return as_long and flow["survived_half"] == flow["trial_half"]


@loop
def trials_of(flows: Rows, ended: Numbers, responder_is_b: Numbers, capture: int, out: Rows) -> int:
    """Write the trials of flows, two at most each, as TRIALS with both hosts; return how many there are.

    ``ended`` says of which flows the silence that waits was not survived, ``responder_is_b`` which end is the service.
    """
    count = 0
    for i in range(len(flows)):
        flow = flows[i]
        if flow["twin_is_first"] != 0:
            continue
        for died in range(2):
            ns = flow["survived_ns"] if died == 0 else flow["trial_ns"]
            if ns <= 0 or (died == 1 and (not ended[i] or was_survived(flow))):
                continue
            row = out[count]
            count += 1
            is_b = responder_is_b[i]
            row["hi"] = flow["b_hi"] if is_b else flow["a_hi"]
            row["lo"] = flow["b_lo"] if is_b else flow["a_lo"]
            row["port"] = flow["b_port"] if is_b else flow["a_port"]
            row["other_hi"] = flow["a_hi"] if is_b else flow["b_hi"]
            row["other_lo"] = flow["a_lo"] if is_b else flow["b_lo"]
            row["ns"] = ns
            row["number"] = flow["number"]
            row["from"] = flow["survived_from"] if died == 0 else flow["trial_from"]
            row["to"] = flow["survived_to"] if died == 0 else flow["trial_to"]
            row["half"] = flow["survived_half"] if died == 0 else flow["trial_half"]
            row["first_ns"] = flow["last_ns"]
            row["last_ns"] = flow["last_ns"]
            row["count"] = 1
            row["there"] = 1
            row["beside"] = 0
            row["capture"] = capture
            row["died"] = died
    return count


@loop
def digest_of_group(row: Record, keys: Numbers) -> int:
    """Return a 31-bit hash, never zero, of what entries that are added up have in common."""
    of_service = digest_of(row["hi"], row["lo"], row["port"], keys)
    of_others = digest_of(row["other_hi"], row["other_lo"], row["capture"] * 4 + row["half"] * 2 + row["died"], keys)
    return digest_of(of_service, of_others, 0, keys)


@loop
def is_same_group(one: Record, other: Record) -> bool:
    """Say whether two entries are of one group, and of one kind."""
    same = (one["lo"] == other["lo"]) & (one["hi"] == other["hi"]) & (one["port"] == other["port"])
    same &= (one["other_lo"] == other["other_lo"]) & (one["other_hi"] == other["other_hi"])
    same &= (one["capture"] == other["capture"]) & (one["half"] == other["half"]) & (one["died"] == other["died"])
    return bool(same)


@loop
def fold(rows: Rows, slots: Numbers, found: Rows, keys: Numbers) -> int:
    """Add up entries of one group and kind: the silence that says most, and how many there are; return the entries.

    That is the longest that survived, of equals the last, and the shortest that did not, of equals the first. ``slots``
    are zeros, a power of two and more than the entries; ``keys`` are from ``flow.keys_of``.
    """
    mask = len(slots) - 1
    used = 0
    for i in range(len(rows)):
        row = rows[i]
        digest = digest_of_group(row, keys)
        at = digest & mask
        while slots[at] != FREE:
            if (slots[at] >> 32) == digest and is_same_group(found[(slots[at] & INDEX) - 1], row):
                break
            at = (at + 1) & mask
        is_new = slots[at] == FREE
        if is_new:
            used += 1
            slots[at] = (digest << 32) | used
        entry = found[(slots[at] & INDEX) - 1]
        if is_new:
            for_group(entry, row)
        count_near(entry, row)
        if (row["ns"] < entry["ns"]) if row["died"] == 1 else (row["ns"] >= entry["ns"]):
            say_most(entry, row)
        entry["count"] += row["count"]
        entry["first_ns"] = min(entry["first_ns"], row["first_ns"])
        entry["last_ns"] = max(entry["last_ns"], row["last_ns"])
    return used


@loop
def for_group(entry: Record, row: Record) -> None:
    """Begin an entry of a group, which counts none yet."""
    entry["hi"] = row["hi"]
    entry["lo"] = row["lo"]
    entry["port"] = row["port"]
    entry["other_hi"] = row["other_hi"]
    entry["other_lo"] = row["other_lo"]
    entry["capture"] = row["capture"]
    entry["half"] = row["half"]
    entry["died"] = row["died"]
    entry["count"] = 0
    entry["there"] = 0
    entry["beside"] = 0
    entry["first_ns"] = row["first_ns"]
    entry["last_ns"] = row["last_ns"]
    say_most(entry, row)


@loop
def say_most(entry: Record, row: Record) -> None:
    """Have a silence stand for its group."""
    entry["ns"] = row["ns"]
    entry["number"] = row["number"]
    entry["from"] = row["from"]
    entry["to"] = row["to"]


@loop
def step_of(ns: int) -> int:
    """Return in which step a silence is: four to each doubling, so that an eighth longer is at most one step more."""
    steps = 0
    shift = 32
    while shift > 0:
        if ns >> shift >= FEWEST:
            ns >>= shift
            steps += FEWEST * shift
        shift >>= 1
    return steps + ns


@loop
def count_near(entry: Record, row: Record) -> None:
    """Add up how many silences are near the one that says most, before another stands for the group."""
    closer = step_of(row["ns"]) - step_of(entry["ns"])
    if row["died"] == 1:
        closer = -closer
    if closer == 0:
        entry["there"] += row["there"]
        entry["beside"] += row["beside"]
    elif closer > 0:
        entry["beside"] = row["beside"] + (entry["there"] if closer == 1 else 0)
        entry["there"] = row["there"]
    elif closer == -1:
        entry["beside"] += row["there"]
