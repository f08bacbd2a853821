"""Which silences of a capture are holes, by what comes behind them."""

import pytest

from analyzer.segment import SegmentBatch
from analyzer.track.awake import MERGED_NS, NO_CAPTURE_NS, RENEWED_NS, why_hole
from analyzer.track.tracker import Tracker
from tests.notation import SCENARIOS, load

S = 1_000_000_000


def holes(name, *cuts):
    """Return the holes of a scenario, fed in batches that begin at these rows."""
    tracker = Tracker()
    for batch in load(SCENARIOS / f"{name}.pkt").batches(*cuts):
        tracker.feed(batch)
    return tracker.holes


@pytest.mark.parametrize(
    ("passed_ns", "counts", "why"),
    [
        (20 * S, (1, 0, 0, 0, 0, 0), "missed"),
        (20 * S, (1, 2, 0, 0, 0, 3), None),
        (7200 * S, (0, 1, 0, 0, 0, 0), None),
        (7200 * S, (0, 0, 0, 5, 0, 0), None),
        (MERGED_NS, (0, 0, 2, 1, 0, 0), "merged"),
        (MERGED_NS, (0, 1, 2, 0, 0, 0), None),
        (MERGED_NS - 1, (0, 0, 9, 0, 0, 0), None),
        (RENEWED_NS, (0, 0, 0, 1, 0, 0), "days"),
        (RENEWED_NS, (0, 1, 0, 1, 0, 0), None),
        (RENEWED_NS - 1, (0, 0, 0, 1, 0, 0), None),
        (NO_CAPTURE_NS, (0, 1, 0, 0, 0, 0), "years"),
        (3600 * S, (0, 2, 0, 0, 1, 0), "clock"),
        (3600 * S, (0, 2, 0, 0, 1, 1), None),
        (-2 * S, (0, 1, 0, 0, 0, 0), "clock"),
    ],
)
def test_what_makes_a_hole(passed_ns, counts, why):
    """Jumps in numbers, clocks that disagree, other connections altogether, or no capture being that long."""
    assert why == why_hole(passed_ns, counts)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("hole_of_years", [(5, 6, "years")]),
        ("suspended_capture", [(5, 6, "missed")]),
        ("quiet_link_is_no_hole", []),
        ("clock_set_forward", [(4, 5, "clock")]),
        ("host_asleep", []),
        ("midstream_live", []),
    ],
)
def test_holes_of_scenarios(name, found):
    """A hole is told by its frames; however the capture is cut into batches, it is the same."""
    assert found == [(hole.from_frame, hole.to_frame, hole.why) for hole in holes(name)]
    assert holes(name) == holes(name, *range(1, len(load(SCENARIOS / f"{name}.pkt").rows)))


def test_plain_and_compiled_say_the_same():
    """Both kinds of loops count the same testimony."""
    pytest.importorskip("numba")
    scene = load(SCENARIOS / "suspended_capture.pkt")
    tracker = Tracker(jit=True)
    tracker.feed(scene.batch())

    assert tracker.holes == holes("suspended_capture")


def test_a_batch_without_leaps_has_no_holes():
    """Rows without word of a leap are taken as captured without one."""
    scene = load(SCENARIOS / "suspended_capture.pkt")
    tracker = Tracker()
    tracker.feed(SegmentBatch(scene.rows, len(scene.rows)))

    assert () == tracker.holes
