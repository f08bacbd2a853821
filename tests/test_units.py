"""Nanoseconds inside, seconds and words outside."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.units import (
    NS_PER_S,
    Clock,
    Zero,
    format_date,
    format_duration,
    format_instant,
    format_offset,
    nanoseconds,
    seconds,
)


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
    [
        (66_491_170_000, "+66.491"),
        (0, "+0.000"),
        (-400_000, "+0.000"),
        (-1_500_000_000, "-1.500"),
        (999_600_000, "+1.000"),
    ],
)
def test_offsets_are_signed_and_to_the_millisecond(ns, expected):
    """An instant is written as its signed distance from the capture's first frame."""
    assert expected == format_offset(ns)


@pytest.mark.parametrize(
    ("ts_ns", "clock", "expected"),
    [
        (1_700_000_066_491_000_000, Clock.RELATIVE, "+66.491"),
        (1_700_000_066_491_000_000, Clock.UTC, "22:14:26.491"),
        (1_700_006_400_000_000_000, Clock.UTC, "11-15 00:00:00.000"),
        (1_700_000_000_999_600_000, Clock.UTC, "22:13:21.000"),
        (1 << 62, Clock.UTC, "2116-02-20 23:53:38.427"),
    ],
)
def test_an_instant_is_said_by_the_clock_of_its_zero(ts_ns, clock, expected):
    """An instant counts from the zero, or is the time of day, with the date on another day than the zero's."""
    assert expected == format_instant(ts_ns, Zero(1_700_000_000_000_000_000, clock))


def test_an_instant_of_no_calendar_stays_an_offset():
    """Where no calendar has an instant, it is said as an offset, and has no date."""
    beyond = Zero(10**30, Clock.UTC)

    assert "+1.000" == format_instant(10**30 + 10**9, beyond)
    assert format_date(10**30) is None


def test_this_machines_clock_has_its_zone(monkeypatch):
    """Local time follows the zone of the machine, and a date names it."""
    monkeypatch.setenv("TZ", "EET-2")
    time.tzset()
    try:
        assert "2023-11-15 00:13:20.000 EET" == format_date(1_700_000_000_000_000_000, Clock.LOCAL)
        assert "2023-11-14 22:13:20.000 UTC" == format_date(1_700_000_000_000_000_000)
    finally:
        monkeypatch.undo()
        time.tzset()
