"""How long a packet may take from one point to another, judging by those of which that is known.

It must not know which packets are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.vantage.clock import Clock

    Ints = NDArray[np.int64]

SHORTEST_NS: Final = 50_000_000
"""Delays up to this are always believed; longer ones where others are as long."""
QUICK_NS: Final = 1_000_000
"""Of what is there twice within moments, that is one which took as long as others do, but for so much."""
LONGEST_NS: Final = 3_000_000_000
"""Longer ones are never believed."""
TIMES_LONGER: Final = 4
"""What takes so many times as long as others is slow."""


def as_most(delays_ns: Ints, clock: Clock) -> int:
    """Return the longest that a packet takes that is no slower than most, where these are quick."""
    median = int(np.median(delays_ns)) if len(delays_ns) else SHORTEST_NS
    return min(TIMES_LONGER * median + QUICK_NS, SHORTEST_NS) + clock.width_ns


def usual(delays_ns: Ints, clock: Clock) -> int:
    """Return how long most packets take at most, judging by those that are known."""
    median = int(np.median(delays_ns)) if len(delays_ns) else 0
    return min(max(SHORTEST_NS, TIMES_LONGER * median), LONGEST_NS) + clock.width_ns


def slowest(delays_ns: Ints, clock: Clock) -> int:
    """Return how long a packet may take, judging by those that are known."""
    long = int(np.quantile(delays_ns, 0.99)) if len(delays_ns) else 0
    return min(max(SHORTEST_NS, TIMES_LONGER * long), LONGEST_NS) + clock.width_ns
