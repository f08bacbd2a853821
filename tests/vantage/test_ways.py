"""What the matched packets of two flows show of the pair."""

import numpy as np
import pytest

from analyzer.vantage.ways import BY, keeps, ways_of

MS = 1_000_000
ALL_OF_ONE = np.zeros(4, dtype=np.int64)


def seen(ts_ms, ttl, side=(0, 1, 0, 1)):
    """Sightings of four packets, alternately of both directions."""
    return {
        "ts_ns": np.array(ts_ms, dtype=np.int64) * MS,
        "ttl": np.array(ttl, dtype=np.int16),
        "side": np.array(side, dtype=np.int8),
    }


def rows(columns):
    """The same as records, which can be picked from."""
    made = np.zeros(4, dtype=[("ts_ns", np.int64), ("ttl", np.int16), ("side", np.int8)])
    for name, column in columns.items():
        made[name] = column
    return made


@pytest.mark.parametrize(
    ("there", "here", "one_clock", "expected"),
    [
        (seen([0, 10, 20, 30], [64, 60, 64, 60]), seen([0, 10, 20, 30], [62, 62, 62, 62]), False, (1, "ttl")),
        (seen([0, 10, 20, 30], [62, 62, 62, 62]), seen([0, 10, 20, 30], [64, 60, 64, 60]), False, (-1, "ttl")),
        (seen([0, 10, 20, 30], [64] * 4), seen([705, 705, 725, 725], [64] * 4), False, (1, "time")),
        (seen([0, 10, 20, 30], [64] * 4), seen([1, 9, 21, 29], [64] * 4), True, (1, "time")),
        (seen([0, 10, 20, 30], [64] * 4), seen([0, 10, 20, 30], [64] * 4), True, (0, "")),
    ],
    ids=["hops", "hops the other way", "times on two clocks", "times on one clock", "nothing"],
)
def test_which_point_is_passed_first(there, here, one_clock, expected):
    """Hops tell which point is nearer to an end, else times do, whatever the clocks differ by."""
    (way,), (by,) = ways_of(rows(there), rows(here), ALL_OF_ONE, 1, one_clock=one_clock)

    assert expected == (way, BY[by])


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [([1, 2, 3, 4], [1, 2, 3, 9], 1), ([1, 2, 3, 4], [1, 2, 8, 9], 0), ([0, 0, -1, 0], [1, 2, 3, 4], -1)],
)
def test_a_field_passes_unchanged_if_it_mostly_does(one, other, kept):
    """Three of four are enough; where a point lacks the field, nothing tells."""
    assert [kept] == keeps(np.array(one), np.array(other), ALL_OF_ONE, 1).tolist()
