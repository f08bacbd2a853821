"""Which trains are even enough, and answered alike."""

import numpy as np

from analyzer.track.beats import BEATS
from analyzer.track.evenness import is_train
from tests.heartbeats import S


def test_unlike_answers_are_counted():
    """One answer in four may be of another length."""
    train = dict.fromkeys(BEATS.names, 0) | {
        "count": 8, "gaps": 7, "sum_ns": 70 * S, "low_ns": 10 * S, "high_ns": 10 * S, "length": 6, "answered": 8,
    }  # fmt: skip

    assert [unlike for unlike in range(9) if is_train(train | {"unlike": unlike})] == [0, 1, 2]
    assert np.dtype(BEATS).itemsize <= 256
