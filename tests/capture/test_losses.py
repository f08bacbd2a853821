"""Where drop counters grew between two looks: placed among frames by their times."""

import numpy as np
import pytest

from analyzer.capture.losses import MOST_WAITING, TimedLosses
from analyzer.segment import SegmentBatch, empty_rows


def batch(*ts_ns):
    """A batch of frames of these times, with them."""
    return SegmentBatch(empty_rows(0), len(ts_ns)), np.array(ts_ns, dtype=np.int64)


def told(*batches):
    """The stretches that batches have, as tuples."""
    return [loss for each in batches if each is not None for loss in each.losses.tolist()]


def test_a_look_lies_between_the_frames_before_and_behind_it():
    """Frames read late are placed by their times, not by when they were read."""
    losses = TimedLosses(0)
    losses.look(100, 0)
    losses.look(200, 7)
    first = losses.found(*batch(10, 90, 110, 190))
    second = losses.found(*batch(195, 210, 220))

    assert [] == told(first)
    assert [(90, 210, 2, 6, 7, 0)] == told(second)


def test_frames_that_were_read_before_the_counter_grew_are_within():
    """A look that saw nothing bounds the next one, though frames of later times were read meanwhile."""
    losses = TimedLosses(0)
    losses.found(*batch(10, 20))
    losses.look(100, 0)
    losses.found(*batch(110, 120))
    losses.look(200, 7)

    assert [(20, 230, 2, 5, 7, 0)] == told(losses.found(*batch(230)))


def test_what_no_frame_follows_goes_on_to_the_end():
    """Where no frame comes behind the second look, or even the first, the stretch ends with the capture."""
    losses = TimedLosses(0)
    losses.found(*batch(10, 20))
    losses.look(100, 0)
    losses.look(200, 7)

    assert [(20, 20, 2, 3, 7, 1)] == told(losses.rest())
    assert losses.rest() is None


def test_drops_before_the_first_frame_say_nothing():
    """Without any frame there is nothing to measure."""
    losses = TimedLosses(0)
    losses.look(100, 7)

    assert losses.rest() is None


@pytest.mark.parametrize("more", [1, 50])
def test_few_wait(more):
    """While no frame comes the stretches that wait become no more than so many; no packet is forgotten."""
    losses = TimedLosses(0)
    losses.found(*batch(10))
    for look in range(1, MOST_WAITING + more):
        losses.look(100 + look, 2 * look)
    found = told(losses.rest())

    assert MOST_WAITING == len(found)
    assert 2 * (MOST_WAITING + more - 1) == sum(loss[4] for loss in found)


def test_an_interface_that_goes_down():
    """From the frame before to the one behind nothing passed; where none follows, to the end."""
    losses = TimedLosses(0)
    losses.found(*batch(10, 20))
    losses.went_down(100)

    assert [(20, 150, 2, 3, -1, 0)] == told(losses.found(*batch(150, 160)))

    losses.went_down(200)

    assert [(160, 160, 4, 5, -1, 1)] == told(losses.rest())
