"""Sightings that wait lie in a table that is used over and over."""

import numpy as np
import pytest

from analyzer.segment import SEGMENT, SegmentBatch
from analyzer.track.observe import TOLD_FLOW
from analyzer.vantage.places import Places
from analyzer.vantage.sighting import NO_CONTENT, SIGHTING, Unwritten, scattered
from analyzer.vantage.waiting import BEFORE, Waiting

JIT = pytest.mark.parametrize("jit", [False, True])
NO_FLOW = -1


def written(seen):
    """Return sightings as compiled loops take them: a batch, and whose its rows are, with a row of no flow between."""
    at = np.arange(len(seen)) + (np.arange(len(seen)) > 0)
    rows, contents = np.zeros(len(seen) + 1, dtype=SEGMENT), np.zeros(len(seen) + 1, dtype=NO_CONTENT)
    for name in set(SEGMENT.names) & set(SIGHTING.names):
        rows[name][at] = seen[name]
    told = np.full(len(rows), NO_FLOW, dtype=np.int64)
    told[at] = seen["flow"] * TOLD_FLOW + seen["side"]
    return Unwritten(SegmentBatch(rows, len(rows), contents=contents), told)


def add(waiting, seen, places=None, *, jit=False):
    """Let sightings wait, written by a compiled loop or copied; return the indices of those of new flows."""
    return waiting.add(written(seen) if jit else seen, places, jit=jit).tolist()


def told(waiting):
    """Return what waits: numbers and flows, after a look at whether keys and flows are those of the records."""
    assert scattered(waiting.rows["key"].copy()).tolist() == waiting.keys.tolist()
    assert waiting.rows["flow"].tolist() == waiting.flows.tolist()
    return waiting.rows["seq"].tolist(), waiting.flows.tolist()


@JIT
def test_sightings_wait_in_order(sightings, jit):
    """What is added stands behind, what comes back stands before all, and what is kept stays in its order."""
    waiting, some = Waiting(), sightings(*((at, 0, at, 7) for at in range(6)), raw=True)
    some["flow"] = [9, 9, 1, 2, 2, 3]
    assert add(waiting, some[2:4], jit=jit) == []
    add(waiting, some[4:], jit=jit)
    waiting.put_before(some[:2])
    assert told(waiting) == ([0, 1, 2, 3, 4, 5], [9, 9, 1, 2, 2, 3])
    assert np.flatnonzero(waiting.present(12, jit=jit)).tolist() == [1, 2, 3, 9]
    waiting.keep(np.array([1, 4]), jit=jit)  # the first comes to lie behind where it was
    add(waiting, some[:1], jit=jit)
    assert told(waiting) == ([1, 4, 0], [9, 2, 9])
    waiting.keep(np.array([1, 2]), jit=jit)
    assert told(waiting) == ([4, 0], [2, 9])
    waiting.keep(np.array([], dtype=np.int64), jit=jit)
    assert told(waiting) == ([], [])


@JIT
def test_places_stand_for_flows(sightings, jit):
    """With places a sighting has that of its flow; which are of new flows is returned, however high their numbers."""
    waiting, places = Waiting(), Places()
    some = sightings(*((at, 0, at, 7) for at in range(5)), raw=True)
    some["flow"] = [8, 3, 8, 90_000, 3]
    assert add(waiting, some, places, jit=jit) == [0, 1, 3]
    assert told(waiting) == ([0, 1, 2, 3, 4], [0, 1, 0, 2, 1])
    places.release(np.array([0]))
    some["flow"][:2] = 3, 91_000
    assert add(waiting, some[:2], places, jit=jit) == [6]
    assert told(waiting)[1][5:] == [1, 0]
    assert places.numbers(np.array([0, 1, 2])).tolist() == [91_000, 3, 90_000]


@JIT
def test_however_many_come_back_nothing_is_lost(sightings, jit):
    """More sightings than there is room for find room, before and behind."""
    waiting, some = Waiting(), sightings((0, 0, 1, 7), (1, 0, 2, 7), raw=True)
    some["flow"] = 3, 4
    for _ in range(3):
        waiting.put_before(np.repeat(some, BEFORE))
        add(waiting, some, jit=jit)
    numbers, flows = told(waiting)
    assert numbers == [*([1] * BEFORE + [2] * BEFORE) * 3, *[1, 2] * 3]
    assert flows[-6:] == [3, 4] * 3


def test_what_is_kept_finds_room_behind_where_it_was(sightings):
    """All of many that came back may be kept, although they then begin further behind."""
    waiting, some = Waiting(), sightings((0, 0, 1, 7), (1, 0, 2, 7), raw=True)
    waiting.put_before(np.repeat(some, BEFORE // 2))
    waiting.keep(np.arange(BEFORE), jit=True)
    assert told(waiting)[0] == [1] * (BEFORE // 2) + [2] * (BEFORE // 2)
