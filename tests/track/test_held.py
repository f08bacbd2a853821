"""What a tracker holds: tables that grow, and records that are used again."""

import numpy as np
import pytest
from hypothesis import given, settings

from analyzer.segment import SegmentBatch
from analyzer.track.tracker import Tracker
from tests.notation import START_NS, follow, parse
from tests.track.tracking import CLOSED, S, in_order, many, modes, numbers
from tests.traffic import captures


@modes
def test_the_table_grows_around_living_flows(jit):
    """When the table must grow, the flows in it are found again."""
    tracker = Tracker(jit=jit)
    rows = many(4000)
    for part in np.split(rows, 8):
        tracker.feed(SegmentBatch(part, len(part)))
    tracker.feed(SegmentBatch(rows[:500], 500))

    assert (4000, 4500) == (tracker.live, tracker.segments)


@modes
def test_records_of_departed_flows_are_used_again(jit):
    """However many flows come and go, memory follows those that are alive."""
    tracker = Tracker(jit=jit)
    sizes = []
    for turn in range(4):
        rows = many(300)
        rows["ts_ns"] += turn * 200 * S
        tracker.feed(SegmentBatch(rows, len(rows)))
        gone = tracker.advance(START_NS + (turn + 1) * 200 * S - S)
        sizes.append((len(tracker._flows), len(tracker._seen), len(tracker._slots)))

        assert list(range(300 * turn, 300 * turn + 300)) == numbers(gone)
    assert 0 == tracker.live
    assert [sizes[1]] * 3 == sizes[1:]


@modes
def test_the_table_is_renewed_when_departed_flows_fill_it(jit):
    """Slots of departed flows are swept out before they crowd the living ones."""
    tracker = Tracker(jit=jit)
    for turn in range(30):
        rows = many(400)
        rows["dst_port"] = 1 + turn
        rows["ts_ns"] += turn * 200 * S
        tracker.feed(SegmentBatch(rows, len(rows)))
        tracker.advance(START_NS + (turn + 1) * 200 * S - S)

    assert 0 == tracker.live
    assert len(tracker._slots) < 12_000


@settings(max_examples=15)
@given(captures(30))
def test_going_on_compiled_changes_nothing(rows):
    """A tracker that turns to compiled loops in the middle gives what it would have given anyway."""
    pytest.importorskip("numba")
    half = len(rows) // 2
    tracker = Tracker()
    parts = [tracker.feed(SegmentBatch(rows[:half], half))]
    tracker.compile()
    tracker.compile()
    parts += [tracker.feed(SegmentBatch(rows[half:], len(rows) - half)), *tracker.close()]

    assert in_order(follow([SegmentBatch(rows, len(rows))])) == in_order(parts)


def test_who_asks_is_told_whose_each_row_is():
    """Of each row the number of its flow, its sender and whether it is a copy are told, across batches."""
    rows = parse(CLOSED).rows
    tracker = Tracker()
    tracker.tell()
    told = []
    for part in (rows[:3], rows[3:3], np.concatenate([rows[3:4], rows[3:4], rows[4:]])):
        tracker.feed(SegmentBatch(part, len(part)))
        told += tracker.take_told().tolist()

    assert [0, 1, 0, 1, 3, 0, 8, 9, 8] == told
