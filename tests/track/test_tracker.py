"""All live flows: memory that follows them, time that comes from outside."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

from analyzer.judge import recording
from analyzer.segment import SegmentBatch, empty_rows
from analyzer.track.tracker import CHUNK, LINGER_NS, Limits, Tracker
from tests.notation import START_NS, follow, parse
from tests.traffic import captures

S = 1_000_000_000
CLOSED = """# Closed in order, then another flow.
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.01    a > b  F.  1:1(0) ack 1
+.01    b > a  F.  1:1(0) ack 2
+.01    a > b  .   2:2(0) ack 2
+0      c > d  S   0:0(0)
+.01    d > c  S.  0:0(0) ack 1
+.01    c > d  .   1:1(0) ack 1
"""
CLOSED_NS = START_NS + 40_000_000

modes = pytest.mark.parametrize("jit", [False, pytest.param(True, id="compiled")])


@pytest.fixture(autouse=True)
def _numba_where_needed(request):
    """Skip compiled variants without numba."""
    if "jit" in request.fixturenames and request.getfixturevalue("jit"):
        pytest.importorskip("numba")


def fed(text, **fields):
    """Return a tracker that hand-written lines have passed."""
    tracker = Tracker(**fields)
    tracker.feed(parse(text).batch())
    return tracker


def many(count, per_flow=1):
    """Return rows of this many flows, ``per_flow`` SYNs each."""
    row = parse("# A SYN.\n+0 a > b S 0:0(0)\n").rows
    rows = np.repeat(row, count * per_flow)
    rows["src_port"] = 1 + np.arange(len(rows)) % count
    rows["frame"] = 1 + np.arange(len(rows))
    rows["ts_ns"] += np.arange(len(rows)) * 1000
    return rows


def in_order(batches):
    """Return the records of all flows in order of their first segment."""
    flows = [recording.build(batch, at) for batch in batches if batch is not None for at in range(len(batch))]
    return sorted(flows, key=lambda each: each.number)


def numbers(batch):
    """Return the numbers of the flows of a batch; none for no batch."""
    return [] if batch is None else batch.flow["number"].tolist()


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


@modes
def test_more_rows_than_a_chunk(jit):
    """A batch larger than one pass through the loop comes out whole, and tables grow with the flows."""
    count = CHUNK // 2 + 100
    tracker = Tracker(jit=jit)
    tracker.feed(SegmentBatch(many(count, 2), 2 * count))

    assert (count, 2 * count) == (tracker.live, tracker.segments)
    assert list(range(count)) == [number for batch in tracker.close() for number in numbers(batch)]


@modes
def test_the_table_grows_around_living_flows(jit):
    """When the table must grow, the flows in it are found again."""
    tracker = Tracker(jit=jit)
    rows = many(4000)
    for part in np.split(rows, 8):
        tracker.feed(SegmentBatch(part, len(part)))
    tracker.feed(SegmentBatch(rows[:500], 500))

    assert (4000, 4500) == (tracker.live, tracker.segments)


# ── leaving ──


def test_a_closed_flow_lingers_for_stragglers():
    """A closed flow stays for two TIME-WAITs, then it leaves; the open one stays."""
    tracker = fed(CLOSED)

    assert tracker.advance(CLOSED_NS + LINGER_NS - 1) is None
    assert [0] == numbers(tracker.advance(CLOSED_NS + LINGER_NS))
    assert 1 == tracker.live
    assert [1] == numbers(*tracker.close())


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


# ── rows that wait ──


PROBED = """# A connection that is probed again and again, and another that is not.
+0      a > b  .   0:0(0) ack 1
+.01    b > a  .   1:1(0) ack 1
+0      c > d  .   0:0(0) ack 1
+.01    d > c  .   1:1(0) ack 1
"""
PROBE = "+5      a > b  .   0:0(0) ack 1\n+.01    b > a  .   1:1(0) ack 1\n"


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


# ── snapshots, closing, compiling ──


@modes
def test_a_close_yields_flows_in_pieces(jit, monkeypatch):
    """Many flows, or flows with many rows, are handed over in several batches, in order."""
    monkeypatch.setattr("analyzer.track.tracker.AT_ONCE", 10)
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


# ── batches of flows ──


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


def flood_of_syns(count, first=0):
    """A batch of lone SYNs from so many ports, a millisecond apart."""
    rows = np.concatenate([parse("# A SYN.\n+0 a > b S 0:0(0)\n").batch().rows] * count)
    rows["frame"] = np.arange(first + 1, first + count + 1)
    rows["ts_ns"] = 1_000_000_000_000 + rows["frame"] * 1_000_000
    rows["src_port"], rows["src_lo"] = 1 + np.arange(count) % 60_000, 1 + np.arange(first, first + count)
    return SegmentBatch(rows, count, (0, 0, 0), int(rows["ts_ns"][-1]))


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


@pytest.mark.parametrize("jit", [False, True])
def test_of_a_flow_with_very_many_rows_the_middle_is_dropped(jit, monkeypatch):
    """The first and the last rows are kept, and what is between is told."""
    monkeypatch.setattr("analyzer.track.tracker.MOST_ROWS", 4096)
    monkeypatch.setattr("analyzer.track.tracker.PIECE", 512)
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
