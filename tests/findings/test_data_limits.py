"""Which times without data fit a limit."""

import pytest

from analyzer.findings.data_limits import limit_ns

S = 1_000_000_000


@pytest.mark.parametrize(
    ("quiet_ns", "limit"),
    [
        (60 * S, 60),
        (60 * S + S // 2, 60),
        (62 * S, None),
        (59 * S, None),
        (350 * S, 350),
        (5 * S, None),
        (3600 * S, 3600),
    ],
)
def test_a_close_comes_at_a_limit_or_little_later(quiet_ns, limit):
    """Timers are late, and hardly ever early; what is shorter than half a minute says nothing."""
    assert limit_ns(quiet_ns) == (None if limit is None else limit * S)
