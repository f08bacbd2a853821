"""How long a packet may take from one point to another."""

import numpy as np
import pytest

from analyzer.vantage.clock import THE_REFERENCE
from analyzer.vantage.delays import LONGEST_NS, QUICK_NS, SHORTEST_NS, TIMES_LONGER, as_most, slowest, usual

MS = 1_000_000


@pytest.mark.parametrize(
    ("delays_ms", "expected"),
    [
        ([], (SHORTEST_NS, SHORTEST_NS, SHORTEST_NS)),
        ([2] * 99, (TIMES_LONGER * 2 * MS + QUICK_NS, SHORTEST_NS, SHORTEST_NS)),
        ([30] * 99, (SHORTEST_NS, TIMES_LONGER * 30 * MS, TIMES_LONGER * 30 * MS)),
        ([2000] * 99, (SHORTEST_NS, LONGEST_NS, LONGEST_NS)),
    ],
    ids=["none", "quick", "slow", "too slow"],
)
def test_what_is_slow_follows_from_what_others_took(delays_ms, expected):
    """Up to 50 ms are always believed, longer delays where others are as long, and none beyond three seconds."""
    delays = np.array(delays_ms, dtype=np.int64) * MS

    assert expected == tuple(limit(delays, THE_REFERENCE) for limit in (as_most, usual, slowest))


def test_few_that_were_late_count_for_the_slowest_alone():
    """A few slow packets say that others may be slow, and nothing of what is usual."""
    delays = np.array([2] * 95 + [100] * 5, dtype=np.int64) * MS

    assert SHORTEST_NS == usual(delays, THE_REFERENCE)
    assert TIMES_LONGER * 100 * MS == slowest(delays, THE_REFERENCE)
