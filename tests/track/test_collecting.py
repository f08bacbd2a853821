"""How flows are copied out of a tracker: rows packed, in order, and dropped."""

import itertools

import numpy as np
import pytest

from analyzer.judge import recording
from analyzer.segment import SegmentBatch
from analyzer.track.tracker import Tracker
from tests.notation import follow, parse
from tests.track.tracking import CLOSED, PROBE, PROBED, S, modes


@pytest.fixture
def crowded(monkeypatch):
    """Let a table of few rows count as crowded."""
    monkeypatch.setattr("analyzer.track.tracker.CROWDED", 1)
    monkeypatch.setattr("analyzer.track.tracker.CROWDED_PLAIN", 1)


@modes
def test_a_small_table_is_left_alone(jit):
    """While there are few rows altogether, nobody has to unpack any."""
    tracker = Tracker(jit=jit)
    rows = parse(PROBED + PROBE * 400).rows
    tracker.feed(SegmentBatch(rows, len(rows)))
    tracker.advance(int(rows["ts_ns"][-1]))

    assert {} == tracker._packed


@modes
@pytest.mark.usefixtures("crowded")
def test_rows_of_a_long_lived_flow_are_packed_meanwhile(jit):
    """Its older rows leave the table at every sweep, and are there again when somebody looks."""
    rows = parse(PROBED + PROBE * 400).rows
    tracker = Tracker(jit=jit)
    for part in np.split(rows, [300, 310, 600]):
        tracker.feed(SegmentBatch(part, len(part)))
        tracker.advance(int(part["ts_ns"][-1]))

    (expected,) = follow([SegmentBatch(rows, len(rows))])
    for batch in (tracker.snapshot(), *tracker.close()):
        assert [recording.build(expected, at) for at in (0, 1)] == [recording.build(batch, at) for at in (0, 1)]
    assert len(tracker._seen) <= (1024 if jit else 0)


@modes
@pytest.mark.usefixtures("crowded")
def test_the_table_of_rows_does_not_grow_with_probes(jit):
    """However long a flow is probed, only its latest rows are in the table."""
    tracker = Tracker(jit=jit)
    rows = parse(PROBED + PROBE * 3000).rows
    for part in np.array_split(rows, 30):
        tracker.feed(SegmentBatch(part, len(part)))
        tracker.advance(int(part["ts_ns"][-1]))

    assert len(tracker._seen) <= 1024
    assert [6000, 1] == [int(tracker.snapshot().a["segments"][at] * 2 - 2 + at) for at in (0, 1)]


@modes
@pytest.mark.usefixtures("crowded")
def test_flows_that_leave_take_their_packed_rows_along(jit):
    """A flow that ended after a long life has all its rows, and another in its record has none of them."""
    rows = parse(
        PROBED + PROBE * 200 + "+.01 b > a F. 1:1(0) ack 1\n+.01 a > b F. 1:1(0) ack 2\n+.01 b > a . 2:2(0) ack 2\n"
    ).rows
    tracker = Tracker(jit=jit)
    for part in np.split(rows, [350]):
        tracker.feed(SegmentBatch(part, len(part)))
        tracker.advance(int(part["ts_ns"][-1]))
    gone = tracker.advance(int(rows["ts_ns"][-1]) + 200 * S)
    later = parse("# Later.\n+0 a > b S 0:0(0)\n").rows
    tracker.feed(SegmentBatch(later, 1))
    left = [batch.rows(at) for batch in tracker.close() for at in range(len(batch))]

    assert 201 == len(recording.build(gone, 0).probes)
    assert [2, 0] == [len(each) for each in left]


def test_picked_flows_keep_their_rows():
    """Taking some flows of a batch takes their rows with them."""
    text = "# Two flows.\n" + "".join(
        f"+1 {a} > {b} P. 1:6(5) ack 1\n+.01 {b} > {a} . 1:1(0) ack 6\n+5 {a} > {b} . 5:5(0) ack 1\n"
        for a, b in ("ab", "cd")
    )
    (batch,) = follow([parse(text).batch()])
    second = batch.take(np.array([1]))

    assert (2, 1) == (len(batch), len(second))
    assert batch.rows(1).tolist() == second.rows(0).tolist()
    assert recording.build(batch, 1) == recording.build(second, 0)
    assert 0 == len(batch.take(np.array([], dtype=np.int64)))


def test_rows_of_flows_stand_flow_by_flow():
    """The rows of a batch are those of its flows, one after the other."""
    (batch,) = follow([parse(CLOSED + "+5 c > d . 0:0(0) ack 1\n+.01 d > c . 1:1(0) ack 1\n").batch()])
    lengths = [len(batch.rows(index)) for index in range(len(batch))]

    assert list(itertools.accumulate(lengths, initial=0)) == batch.start.tolist()
    assert [0, 2] == lengths


@pytest.mark.parametrize("jit", [False, True])
def test_of_a_flow_with_very_many_rows_the_middle_is_dropped(jit, monkeypatch):
    """The first and the last rows are kept, and what is between is told."""
    monkeypatch.setattr("analyzer.track.collecting.MOST_ROWS", 4096)
    monkeypatch.setattr("analyzer.track.collecting.PIECE", 512)
    monkeypatch.setattr("analyzer.track.tracker.CROWDED", 1)
    monkeypatch.setattr("analyzer.track.tracker.CROWDED_PLAIN", 1)
    monkeypatch.setattr("analyzer.track.tracker.SWEEP", 1000)
    tracker = Tracker(jit=jit)
    one = parse("# A probe.\n+0 a > b . 99:99(0) ack 50\n").batch().rows
    for first in range(0, 20_000, 1000):
        rows = np.repeat(one, 1000)
        rows["frame"] = np.arange(first + 1, first + 1001)
        rows["ts_ns"] = 1_000_000_000_000 + rows["frame"] * 1_000_000_000
        tracker.feed(SegmentBatch(rows, 1000, (0, 0, 0), int(rows["ts_ns"][-1])))
    (dropped,) = tracker.dropped.values()
    (flows,) = tracker.close()
    frames = flows.rows(0)["frame"].tolist()

    assert 4096 - 512 <= len(frames) <= 4096 + 1000
    assert (1, 20_000) == (frames[0], frames[-1])
    assert 20_000 == len(frames) + dropped.rows
    assert list(range(dropped.first_frame, dropped.last_frame + 1)) == sorted({*range(1, 20_001)} - {*frames})
    assert len(frames) == flows.flow[0]["seen_count"]
