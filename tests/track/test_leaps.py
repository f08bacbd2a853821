"""Leaps of time while segments pass."""

from analyzer.segment import SegmentBatch
from analyzer.track.held import CHUNK
from analyzer.track.tracker import Tracker
from tests.notation import SCENARIOS, load
from tests.track.tracking import many, modes, numbers


@modes
def test_more_rows_than_a_chunk(jit):
    """A batch larger than one pass through the loop comes out whole, and tables grow with the flows."""
    count = CHUNK // 2 + 100
    tracker = Tracker(jit=jit)
    tracker.feed(SegmentBatch(many(count, 2), 2 * count))

    assert (count, 2 * count) == (tracker.live, tracker.segments)
    assert list(range(count)) == [number for batch in tracker.close() for number in numbers(batch)]


def test_a_leap_stands_between_two_parts():
    """Rows of before a leap and of behind it do not pass together, and what stands between them is a hole."""
    batch = load(SCENARIOS / "suspended_capture.pkt").batch()
    tracker = Tracker()
    parts = [part["frame"].tolist() for part in tracker._parts(batch)]
    (leap,) = batch.leaps

    assert batch.rows["frame"].tolist() == [frame for part in parts for frame in part]
    assert leap["to_frame"] in {part[0] for part in parts}
    assert () == Tracker().holes
