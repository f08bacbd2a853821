"""Which flow a frame belongs to."""

import numpy as np
import pytest

from analyzer.segment import SegmentBatch
from analyzer.survey.membership import Membership, endpoints, identity
from analyzer.track.tracker import Tracker
from tests.notation import parse
from tests.traffic import at_random

REUSED = """
# The same ports three times, and another pair between.
+0      a > b  S   0:0(0)
+.01    b > a  R.  0:0(0) ack 1
+1      c > d  S   0:0(0)
isn: a 5000
+1      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.01    c > d  S   0:0(0)
isn: a 9000 b 70000
+60     a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
verdict: unestablished
verdict 2: unestablished
verdict 3: unestablished
verdict 4: unestablished
"""


def claimed(rows, frames, size, columns=None):
    """The flow number of each frame, in batches of so many rows."""
    tracker = Tracker()
    membership = Membership(np.array(frames, dtype=np.int64), columns=columns)
    found = {}

    def take(batch):
        if batch is not None:
            picked, owner = membership.claim(batch)
            found.update(zip(picked["frame"].tolist(), batch.flow["number"][owner].tolist(), strict=True))

    for at in range(0, len(rows), size):
        batch = SegmentBatch(rows[at : at + size], len(rows[at : at + size]))
        membership.see(batch)
        take(tracker.feed(batch))
    for batch in tracker.close():
        take(batch)
    return found


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("columns", [None, (), ("seq",)])
def test_every_use_of_the_ports_claims_its_own_frames(size, columns):
    """Frames of the same addresses go to the flow that began last before them, however the capture was cut."""
    rows = parse(REUSED).rows

    assert {1: 0, 2: 0, 3: 1, 4: 2, 5: 2, 6: 1, 7: 3, 8: 3} == claimed(rows, range(1, 9), size, columns)


def test_only_frames_that_are_looked_out_for_are_kept():
    """The rows of other frames pass by."""
    assert {2: 0, 7: 3} == claimed(parse(REUSED).rows, [2, 7, 900], 2)


def test_no_frames_are_nothing():
    """Who looks out for nothing gets nothing, and may add frames later."""
    rows = parse(REUSED).rows
    membership = Membership(np.zeros(0, dtype=np.int64))
    batch = SegmentBatch(rows, len(rows))
    membership.see(batch)
    membership.also(np.array([4], dtype=np.int64))
    membership.see(batch)
    tracker = Tracker()
    tracker.feed(batch)
    flows = [tracker.advance(tracker.now_ns), *tracker.close()]

    assert [[4], []] == [membership.claim(finished)[0]["frame"].tolist() for finished in flows]


@pytest.mark.parametrize("seed", range(20))
def test_all_frames_of_drawn_traffic_find_their_flow(seed):
    """Every row is claimed by exactly one flow, between its first and its last frame."""
    rows = at_random(seed, 60)
    found = claimed(rows, rows["frame"].tolist(), 7)

    assert sorted(rows["frame"].tolist()) == sorted(found)


def test_identity_is_the_same_in_both_directions():
    """Which end sends does not matter, the tag does, and it does not for the endpoints alone."""
    rows = parse(REUSED).rows
    there, back = identity(rows, "src", "dst"), identity(rows, "dst", "src")
    tagged = rows.copy()
    tagged["tag"] = 7

    assert there.tolist() == back.tolist()
    assert there[0] == there[1] != there[2]
    assert not set(there.tolist()) & set(identity(tagged, "src", "dst").tolist())
    assert endpoints(rows, "src", "dst").tolist() == endpoints(tagged, "dst", "src").tolist()
