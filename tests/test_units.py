"""Nanoseconds inside, seconds and words outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.units import NS_PER_S, format_duration, format_offset, nanoseconds, seconds


@given(st.integers(-(10**15), 10**15))
def test_seconds_carry_nanoseconds(ns):
    """Below 104 days the way to float seconds and back loses nothing."""
    assert ns == nanoseconds(seconds(ns))


@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        (0, "0 us"),
        (27_000, "27 us"),
        (999_499, "999 us"),
        (1_500_000, "1.5 ms"),
        (9_990_000, "9.99 ms"),
        (27_000_000, "27 ms"),
        (5_120_000_000, "5.120 s"),
        (119_999_000_000, "119.999 s"),
        (123 * NS_PER_S, "2 min 3 s"),
        (180 * NS_PER_S, "3 min"),
        (4500 * NS_PER_S, "1 h 15 min"),
        (7200 * NS_PER_S, "2 h"),
        (90 * 3600 * NS_PER_S, "3 d 18 h"),
        (-5_120_000_000, "-5.120 s"),
        (-27_000, "-27 us"),
        (-4500 * NS_PER_S, "-1 h 15 min"),
    ],
)
def test_durations_read_as_an_engineer_says_them(ns, expected):
    """A duration is written in the unit that suits it, with a second one where that says more."""
    assert expected == format_duration(ns)


@pytest.mark.parametrize(
    ("ns", "expected"),
    [(66_491_170_000, "+66.491"), (0, "+0.000"), (-1_500_000_000, "-1.500"), (999_600_000, "+1.000")],
)
def test_offsets_are_signed_and_to_the_millisecond(ns, expected):
    """An instant is written as its signed distance from the capture's first frame."""
    assert expected == format_offset(ns)
