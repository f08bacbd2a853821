"""Which trains are even enough, and answered alike."""

import numpy as np

from analyzer.track.beats import BEATS
from analyzer.track.evenness import is_train
from tests.heartbeats import S, Talk, each, known, modes


def test_unlike_answers_are_counted():
    """One answer in four may be of another length."""
    train = dict.fromkeys(BEATS.names, 0) | {
        "count": 8, "gaps": 7, "sum_ns": 70 * S, "low_ns": 10 * S, "high_ns": 10 * S, "length": 6, "answered": 8,
    }  # fmt: skip

    assert [unlike for unlike in range(9) if is_train(train | {"unlike": unlike})] == [0, 1, 2]
    assert np.dtype(BEATS).itemsize <= 256


@modes
def test_one_that_a_busy_machine_holds_up(jit):
    """One distance that is much longer than all others takes nothing from a train of many."""
    (train,) = Talk().beats([8.586, 10, 11.03, *each(12.03, 1, 12)], 14, 7).trains(jit=jit)

    assert known(train, "count", "answered", "missed") == (15, 15, 0)
