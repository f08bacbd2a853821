"""Which silences of a capture are holes, by what comes behind them."""

import numpy as np
import pytest

from analyzer.segment import LOSS, SegmentBatch
from analyzer.track.awake import COUNTS, MERGED_NS, MOST_LOSSES, NO_CAPTURE_NS, RENEWED_NS, why_hole, with_loss
from analyzer.track.tracker import Tracker
from tests.notation import SCENARIOS, load, parse

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
        (20 * S, (1, 0, 0, 0, 0, 0, 0, 0), "missed"),
        (20 * S, (1, 2, 0, 0, 0, 3, 0, 0), None),
        (7200 * S, (0, 1, 0, 0, 0, 0, 0, 0), None),
        (7200 * S, (0, 0, 0, 5, 0, 0, 0, 0), None),
        (MERGED_NS, (0, 0, 2, 1, 0, 0, 0, 0), "merged"),
        (MERGED_NS, (0, 1, 2, 0, 0, 0, 0, 0), None),
        (MERGED_NS - 1, (0, 0, 9, 0, 0, 0, 0, 0), None),
        (RENEWED_NS, (0, 0, 0, 1, 0, 0, 0, 0), "days"),
        (RENEWED_NS, (0, 1, 0, 1, 0, 0, 0, 0), None),
        (RENEWED_NS - 1, (0, 0, 0, 1, 0, 0, 0, 0), None),
        (NO_CAPTURE_NS, (0, 1, 0, 0, 0, 0, 0, 0), "years"),
        (3600 * S, (0, 2, 0, 0, 1, 0, 0, 0), "clock"),
        (3600 * S, (0, 2, 0, 0, 1, 1, 0, 0), None),
        (-2 * S, (0, 1, 0, 0, 0, 0, 0, 0), "clock"),
        (30 * S, (0, 2, 0, 0, 0, 0, 2, 0), "missed"),
        (30 * S, (0, 3, 0, 0, 0, 0, 2, 1), "missed"),
        (30 * S, (0, 4, 0, 0, 0, 0, 2, 2), None),
        (30 * S, (0, 1, 0, 0, 0, 0, 1, 0), None),
        (7200 * S, (0, 2, 0, 0, 0, 0, 0, 0, 2), "paused"),
        (7200 * S, (0, 2, 0, 0, 0, 0, 1, 0, 1), "paused"),
        (7200 * S, (0, 4, 0, 0, 0, 0, 0, 2, 2), None),
        (7200 * S, (0, 1, 0, 0, 0, 0, 0, 0, 1), None),
        (3600 * S, (0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 7, 0), "clock"),
        (3600 * S, (0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7, 0), None),
        (3600 * S, (0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 7, 1), None),
    ],
)
def test_what_makes_a_hole(passed_ns, counts, why):
    """Jumps in numbers, clocks that disagree, other connections altogether, or no capture being that long."""
    assert why == why_hole(passed_ns, (*counts, *[0] * (COUNTS - len(counts))))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("hole_of_years", [(5, 6, "years")]),
        ("suspended_capture", [(5, 6, "missed")]),
        ("probes_missing_of_several_rhythms", [(14, 15, "missed")]),
        ("probes_missing_of_one_rhythm", []),
        ("quiet_link_is_no_hole", []),
        ("clock_set_forward", [(4, 5, "clock")]),
        ("clock_leaps_between_probes", [(9, 10, "clock")]),
        ("clock_leaps_behind_a_probe", [(8, 9, "clock")]),
        ("prober_clock_stood_still", []),
        ("probers_pause_together", [(14, 15, "paused")]),
        ("host_asleep", []),
        ("midstream_live", []),
    ],
)
def test_holes_of_scenarios(name, found):
    """A hole is told by its frames; however the capture is cut into batches, it is the same."""
    assert found == [(hole.from_frame, hole.to_frame, hole.why) for hole in holes(name)]
    assert holes(name) == holes(name, *range(1, len(load(SCENARIOS / f"{name}.pkt").rows)))


@pytest.mark.parametrize(
    "name",
    [
        "suspended_capture",
        "clock_leaps_between_probes",
        "clock_leaps_behind_a_probe",
        "prober_clock_stood_still",
        "probers_pause_together",
    ],
)
def test_plain_and_compiled_say_the_same(name):
    """Both kinds of loops count the same testimony."""
    pytest.importorskip("numba")
    scene = load(SCENARIOS / f"{name}.pkt")
    tracker = Tracker(jit=True)
    tracker.feed(scene.batch())

    assert tracker.holes == holes(name)


def test_a_batch_without_leaps_has_no_holes():
    """Rows without word of a leap are taken as captured without one."""
    scene = load(SCENARIOS / "suspended_capture.pkt")
    tracker = Tracker()
    tracker.feed(SegmentBatch(scene.rows, len(scene.rows)))

    assert () == tracker.holes


def test_drops_are_holes_in_the_order_of_frames():
    """A stretch with drops stands among the silences, and bears how many packets are missing."""
    scene = load(SCENARIOS / "idle_across_drops_is_not_measured.pkt")
    tracker = Tracker()
    for batch in scene.batches(2, 6):
        tracker.feed(batch)

    assert [(5, 6, "dropped", 7)] == [
        (hole.from_frame, hole.to_frame, hole.why, hole.packets) for hole in tracker.holes
    ]


def gathered(*losses):
    """Stretches with drops, of these first and last frames and packets, as few as they become."""
    found = ()
    for first, last, packets in losses:
        found = with_loss(found, np.array([(first * S, last * S, first, last, packets, 0)], dtype=LOSS)[0])
    return [(hole.from_frame, hole.to_frame, hole.packets) for hole in found]


def test_an_interface_that_was_down_is_a_hole_of_its_own():
    """A stretch in which the interface was down stays apart from drops beside it, and has no frames in it."""
    losses = np.array([(5, 9, 3, 4, -1, 0), (4, 8, 2, 6, 7, 0), (9, 12, 5, 8, 2, 0)], dtype=LOSS)
    holes: tuple = ()
    for loss in losses:
        holes = with_loss(holes, loss)

    assert [("dropped", 2, 8, 9), ("down", 3, 4, 0)] == [
        (hole.why, hole.from_frame, hole.to_frame, hole.packets) for hole in holes
    ]


def test_stretches_with_drops_that_touch_become_one():
    """Two looks apart from each other are two; one within another, or that begins where one ends, is part of it."""
    assert [(1, 4, 7), (8, 9, 2)] == gathered((8, 9, 2), (1, 4, 7))
    assert [(1, 6, 9)] == gathered((1, 4, 7), (3, 6, 2))
    assert [(1, 9, 9)] == gathered((2, 4, 7), (1, 9, 2))


def test_stretches_with_drops_are_few():
    """However often the counter grows, so many are told apart, and no packet is forgotten."""
    found = gathered(*((10 * at, 10 * at + 5, 1) for at in range(1, 2 * MOST_LOSSES + 1)))

    assert MOST_LOSSES == len(found)
    assert 2 * MOST_LOSSES == sum(packets for _, _, packets in found)


def test_acknowledgements_of_an_end_that_is_never_captured_make_no_hole():
    """Where a capture has one direction only, what an end acknowledges anew is no sign that frames are missing."""
    lines = ["# One direction.", "+0 a > b . 1:1(0) ack 1"]
    lines += [f"@{60 + 60 * at} a > b P. {1 + 2 * at}:{3 + 2 * at}(2) ack {3 + 2 * at}" for at in range(8)]
    tracker = Tracker()
    tracker.feed(parse("\n".join(lines) + "\n").batch())

    assert () == tracker.holes
