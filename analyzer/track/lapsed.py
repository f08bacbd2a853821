"""``LAPSE``: which flows lost probes in the same while as others of the same prober, and got answers again.

Only flows that leave memory together are compared, as all do at a capture's end. It must not judge: not what was lost,
nor where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.label.outcome import Answer
from analyzer.label.rules import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch

LAPSE: Final = np.dtype(
    [
        ("flow", np.int64),  # number of the flow
        ("side", np.int64),  # the prober
        ("from_ns", np.int64),  # its first lost probe
        ("to_ns", np.int64),  # the first that was answered again
        ("same", np.int64),  # other flows between the same two hosts, and the number of one of them, or -1
        ("same_flow", np.int64),
        ("other", np.int64),  # flows of the same prober with other hosts
        ("other_flow", np.int64),
    ]
)
LEAST: Final = 2
"""So many probes in a row are a while: that one alone is lost happens everywhere."""
_PROBES: Final = (Kind.KEEPALIVE_PROBE, Kind.KEEPALIVE_OCTET)
_ANSWERED: Final = (Answer.ACK, Answer.DATA)
_TICK_NS: Final = 1_000


def lapses(batch: FlowBatch) -> NDArray[np.void]:
    """Return the LAPSE records of those flows of a batch that lost probes together with others, in order."""
    some = np.zeros(len(batch), dtype=np.bool_)
    for run in (batch.run_a, batch.run_b):
        some |= run["probes"] - run["answered"] - run["trailing"] >= LEAST
    # the other side of a router or translation is no other flow
    index = np.flatnonzero(some & (batch.flow["twin_is_first"] == 0))
    if len(index) < 2:
        return np.empty(0, dtype=LAPSE)
    found = _longest(batch, index)
    return _shared(batch, index, found) if len(found) > 1 else np.empty(0, dtype=LAPSE)


def _longest(batch: FlowBatch, index: NDArray[np.int64]) -> NDArray[np.void]:
    """Return the longest row of lost probes of each end that got answers again; ``flow`` is the flow's place."""
    counts = np.diff(batch.start)[index]
    owner = np.repeat(np.arange(len(index)), counts)
    rows = batch.seen[np.repeat(batch.start[index] - (np.cumsum(counts) - counts), counts) + np.arange(len(owner))]
    probes = np.flatnonzero(np.isin(rows["kind"], _PROBES))
    key = 2 * owner[probes] + rows["side"][probes]
    order = np.argsort(key, kind="stable")
    key, probes = key[order], probes[order]
    lost = rows["answer"][probes] == Answer.NONE
    answered = np.isin(rows["answer"][probes], _ANSWERED)
    new = np.ones(len(key), dtype=np.bool_)
    new[1:] = (key[1:] != key[:-1]) | (lost[1:] != lost[:-1])
    first = np.flatnonzero(new)
    length = np.diff(np.append(first, len(key)))
    after = np.append(first[1:], 0)
    again = (np.append(key[first[1:]], -1) == key[first]) & answered[after]
    is_lapse = np.flatnonzero(lost[first] & again & (length >= LEAST))
    is_lapse = is_lapse[np.lexsort((length[is_lapse], key[first[is_lapse]]))]
    keys = key[first[is_lapse]]
    last = np.ones(len(keys), dtype=np.bool_)
    last[:-1] = keys[1:] != keys[:-1]
    picked = is_lapse[last]
    found = np.zeros(len(picked), dtype=LAPSE)
    found["flow"], found["side"] = np.divmod(key[first[picked]], 2)
    found["from_ns"] = rows["ts_ns"][probes[first[picked]]]
    found["to_ns"] = rows["ts_ns"][probes[after[picked]]]
    return found


def _shared(batch: FlowBatch, index: NDArray[np.int64], found: NDArray[np.void]) -> NDArray[np.void]:
    """Return those that overlap with others of the same prober, with their number."""
    flow, at = batch.flow, index[found["flow"]]
    words = [flow[f"{end}_lo"][at] ^ (flow[f"{end}_hi"][at] * 3) for end in "ab"]
    prober, peer = np.where(found["side"] == 0, words[0], words[1]), np.where(found["side"] == 0, words[1], words[0])
    _, host = np.unique(prober, return_inverse=True)
    _, pair = np.unique(np.stack([prober, peer]), axis=1, return_inverse=True)
    numbers = flow["number"][at]
    same, found["same_flow"] = _overlapping(pair.ravel(), found, numbers)
    every, found["other_flow"] = _overlapping(host.ravel(), found, numbers)
    found["same"], found["other"] = same, every - same
    order = np.argsort(numbers, kind="stable")
    there = order[np.minimum(np.searchsorted(numbers[order], found["other_flow"]), len(order) - 1)]
    found["other_flow"][pair.ravel()[there] == pair.ravel()] = -1
    found["flow"] = numbers
    kept = found[every > 0]
    return kept[np.argsort(kept["flow"], kind="stable")]


def _overlapping(
    group: NDArray[np.int64], found: NDArray[np.void], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return with how many of its group each overlaps in time, and the number of the one before or behind, or -1."""
    # ranks in place of times, so that no capture, however long, makes the products too large
    _, ranks = np.unique(np.concatenate((found["from_ns"], found["to_ns"])) // _TICK_NS, return_inverse=True)
    begin, end = ranks.ravel()[: len(found)], ranks.ravel()[len(found) :]
    span = len(ranks) + 1
    begins, ends = group * span + begin, group * span + end
    order = np.argsort(begins, kind="stable")
    count = np.searchsorted(begins[order], ends, side="right") - np.searchsorted(np.sort(ends), begins, side="left") - 1
    example = np.full(len(found), -1, dtype=np.int64)
    for step in (1, -1):
        near = np.roll(order, step)
        touches = (group[near] == group[order]) & (begins[near] <= ends[order]) & (begins[order] <= ends[near])
        touches &= near != order
        example[order[touches]] = numbers[near[touches]]
    return count, example
