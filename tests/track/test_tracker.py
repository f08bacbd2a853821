"""All live flows: memory that follows them, time that comes from outside."""

import numpy as np
import pytest

from analyzer.judge import recording
from analyzer.segment import SegmentBatch, empty_rows
from analyzer.track.held import CHUNK, Limits
from analyzer.track.tracker import LINGER_NS, Tracker
from tests.notation import START_NS, follow, parse
from tests.track.tracking import CLOSED, CLOSED_NS, PROBE, PROBED, S, fed, flood_of_syns, many, modes, numbers

# ── feeding ──


def test_nothing_is_finished_while_it_lasts():
    """Feeding returns nothing as long as no flow gives its addresses up."""
    tracker = Tracker()

    assert tracker.feed(parse(CLOSED).batch()) is None
    assert (2, 8, 0) == (tracker.live, tracker.segments, tracker.copies)


def test_a_batch_without_rows_brings_time():
    """An empty batch changes nothing but the time."""
    tracker = fed(CLOSED)
    tracker.feed(SegmentBatch(empty_rows(0), 7, last_ts_ns=START_NS + 9 * S))

    assert (2, START_NS + 9 * S) == (tracker.live, tracker.now_ns)


def test_time_never_goes_back():
    """The tracker's time is the latest it was told, by segments or by frames of other kinds."""
    tracker = fed("# Two segments.\n+5 a > b S 0:0(0)\n+-3 a > b S 0:0(0)\n")
    tracker.feed(SegmentBatch(empty_rows(0), 1, last_ts_ns=START_NS))

    assert START_NS + 5 * S == tracker.now_ns


@modes
def test_an_incarnation_pushes_the_older_one_out(jit):
    """A SYN with another number finishes the flow whose addresses it uses, judged up to that SYN."""
    reused = "# Reused.\n+0 a > b S 0:0(0)\n+1 a > b S 7:7(0)\n+1 a > b S 9:9(0)\nend: +50\n"
    tracker = Tracker(jit=jit)
    tracker.feed(parse(reused).batch())
    gone = tracker.advance(tracker.now_ns)

    assert [0, 1] == numbers(gone)
    assert [START_NS + S, START_NS + 2 * S] == gone.ends_ns.tolist()
    assert [2] == numbers(*tracker.close())


@modes
def test_flows_that_were_pushed_out_wait_until_there_are_some(monkeypatch, jit):
    """They are handed over together, and seen meanwhile by whoever asks how all flows stand."""
    monkeypatch.setattr("analyzer.track.tracker.AT_ONCE", 2)
    tracker = Tracker(jit=jit)
    lines = "# Reused.\n+0 a > b S 0:0(0)\n+1 a > b S 7:7(0)\n+1 a > b S 9:9(0)\nend: +50\n"
    first, second, third = np.split(parse(lines).batch().rows, 3)
    none = [tracker.feed(SegmentBatch(part, 1)) for part in (first, second)]
    waiting = numbers(tracker.snapshot())
    both = tracker.feed(SegmentBatch(third, 1))

    assert [None, None] == none
    assert [0, 1] == waiting
    assert [0, 1] == numbers(both)
    assert [2] == numbers(*tracker.close())


# ── leaving ──


def test_a_closed_flow_lingers_for_stragglers():
    """A closed flow stays for two TIME-WAITs, then it leaves; the open one stays."""
    tracker = fed(CLOSED)

    assert tracker.advance(CLOSED_NS + LINGER_NS - 1) is None
    assert [0] == numbers(tracker.advance(CLOSED_NS + LINGER_NS))
    assert 1 == tracker.live
    assert [1] == numbers(*tracker.close())


def test_a_long_capture_is_swept_by_itself(monkeypatch):
    """After many segments closed flows leave without being asked to."""
    monkeypatch.setattr("analyzer.track.tracker.SWEEP", 65536)
    rows = many(40, 200)
    rows["ts_ns"] += np.arange(len(rows)) * S
    tracker = Tracker(jit=False)
    finished = []
    for turn in range(10):
        batch = rows.copy()
        batch["ts_ns"] += turn * 10_000 * S
        batch["dst_port"] = 100 + turn
        finished += numbers(tracker.feed(SegmentBatch(batch, len(batch))))

    assert finished
    assert tracker.live < 400


@modes
def test_more_flows_leave_than_one_pass_can_push_out(jit):
    """All flows may leave at once, however many there are."""
    rows = many(CHUNK + 100)
    tracker = Tracker(jit=jit)
    tracker.feed(SegmentBatch(rows, len(rows)))

    assert CHUNK + 100 == len(tracker.advance(START_NS + 1000 * S))
    assert 0 == tracker.live


# ── snapshots, closing, compiling ──


@modes
def test_a_close_yields_flows_in_pieces(jit, monkeypatch):
    """Many flows, or flows with many rows, are handed over in several batches, in order."""
    monkeypatch.setattr("analyzer.track.tracker.AT_THE_END", 10)
    tracker = Tracker(jit=jit)
    rows = np.concatenate([parse(PROBED + PROBE * 30).rows, many(95)])
    tracker.feed(SegmentBatch(rows, len(rows)))
    pieces = list(tracker.close())

    assert list(range(97)) == [number for piece in pieces for number in numbers(piece)]
    assert all(len(piece) <= 10 and (len(piece) == 1 or len(piece.seen) <= 40) for piece in pieces)


@modes
def test_a_snapshot_keeps_everything(jit):
    """A snapshot judges live flows as they stand, without changing what comes of them."""
    scenario = parse(CLOSED)
    tracker = Tracker(jit=jit)
    for batch in scenario.batches(*range(1, len(scenario.rows))):
        tracker.feed(batch)
        shown = tracker.snapshot()

    (whole,) = follow([scenario.batch()])
    (closed,) = tracker.close()
    assert [recording.build(whole, at) for at in (0, 1)] == [recording.build(shown, at) for at in (0, 1)]
    assert [recording.build(whole, at) for at in (0, 1)] == [recording.build(closed, at) for at in (0, 1)]


def test_a_closed_tracker_begins_anew():
    """After closing nothing is left, and the tracker can be used again."""
    tracker = fed(CLOSED)
    assert 1 == len(list(tracker.close()))

    assert (0, -1) == (tracker.live, tracker.now_ns)
    assert [] == list(tracker.close())


# ── where memory runs short ──


@pytest.mark.parametrize("jit", [False, True])
def test_where_memory_runs_short_flows_that_are_over_leave_sooner(jit):
    """Lone SYNs are let go after a second, or at once, and counted; all are handed over."""
    tracker = Tracker(jit=jit, limits=Limits(octets=1 << 20))
    flows = 0
    for first in range(0, 8000, 2000):
        batch = tracker.feed(flood_of_syns(2000, first))
        flows += len(batch) if batch is not None else 0

        assert not tracker.full
    flows += sum(len(batch) for batch in tracker.close())

    assert 8000 == flows
    assert tracker.hurried > 6000


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("limits", [Limits(flows=500), Limits(octets=1 << 19)])
def test_a_tracker_with_too_many_flows_that_go_on_is_full(jit, limits):
    """Flows that are not over are kept, and it is for the caller to stop."""
    tracker = Tracker(jit=jit, limits=limits)
    batch = flood_of_syns(1000)
    batch.rows["flags"] = 0x10
    tracker.feed(batch)

    assert tracker.full
    assert 1000 == sum(len(part) for part in tracker.close())
