"""Durations on axes."""

import pytest
from matplotlib.figure import Figure

from analyzer.report.plot import times
from analyzer.units import NS_PER_S


def axes_to(low, high, scale="linear", width_in=9.6):
    """An Axes whose x axis is marked with durations."""
    axes = Figure(figsize=(width_in, 3)).add_subplot()
    axes.set_xscale(scale)
    axes.set_xlim(low, high)
    times.mark_time(axes)
    return axes


def tick_texts(axes):
    """The labels of the x axis that are in view."""
    low, high = axes.get_xlim()
    return axes.xaxis.get_major_formatter().format_ticks(
        [place for place in axes.xaxis.get_major_locator()() if low <= place <= high]
    )


@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        (27_000, "27 us"),
        (428_100_000, "428 ms"),
        (NS_PER_S, "1 s"),
        (5 * NS_PER_S, "5 s"),
        (61_463_000_000, "61.5 s"),
        (75 * NS_PER_S, "75 s"),
        (121 * NS_PER_S, "2 min 1 s"),
        (7200 * NS_PER_S, "2 h"),
    ],
)
def test_a_duration_is_brief(ns, expected):
    """A label has three digits at most, and no zeros for show."""
    assert expected == times.brief(ns)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-1.0, 83, ["0", "10 s", "20 s", "30 s", "40 s", "50 s", "60 s", "70 s", "80 s"]),
        (0, 40, ["0", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s", "35 s", "40 s"]),
        (0, 60, ["0", "10 s", "20 s", "30 s", "40 s", "50 s", "1 min"]),
        (0, 7200, ["0", "15 min", "30 min", "45 min", "1 h", "1 h 15 min", "1 h 30 min", "1 h 45 min", "2 h"]),
        (0, 300_000, ["0", "12 h", "1 d", "1 d 12 h", "2 d", "2 d 12 h", "3 d"]),
        (0, 0.004, ["0", "500 us", "1 ms", "1.5 ms", "2 ms", "2.5 ms", "3 ms", "3.5 ms", "4 ms"]),
    ],
)
def test_ticks_are_where_a_clock_has_them(low, high, expected):
    """Ticks stand at round durations, written in units that people use."""
    assert expected == tick_texts(axes_to(low, high))


def test_a_narrow_axis_has_fewer_ticks():
    """The number of ticks goes by the room there is."""
    assert ["0", "30 s", "1 min"] == tick_texts(axes_to(0, 80, width_in=3))


def test_time_far_into_a_capture_counts_from_near_by():
    """A short flow late in a long capture has short ticks, and the axis says from where they count."""
    axes = axes_to(27_263_741.0, 27_263_759.0)

    assert ["0", "2 s", "4 s", "6 s", "8 s", "10 s", "12 s", "14 s", "16 s", "18 s"] == tick_texts(axes)
    assert "after 315 d 13 h 15 min 41 s" == axes.get_xlabel()


@pytest.mark.parametrize(("low", "high"), [(-1, 80), (100, 110), (500, 700)])
def test_time_near_the_start_counts_from_it(low, high):
    """Everywhere else ticks count from the capture's first frame."""
    assert "since the capture's first frame" == axes_to(low, high).get_xlabel()


def test_a_logarithmic_axis_has_round_ticks_far_enough_apart():
    """Over decades ticks stand at round durations too, and no minor tick writes over them."""
    axes = axes_to(0.2, 8000, "log", width_in=6)

    assert ["200 ms", "2 s", "15 s", "2 min", "15 min", "2 h"] == tick_texts(axes)
    assert [] == list(axes.xaxis.get_minorticklocs())


def test_the_formatter_writes_single_places():
    """What matplotlib shows of the pointer is a duration as well."""
    formatter = times.DurationFormatter()

    assert ["0", "90 s", "-5 s"] == [formatter(place) for place in (0, 90, -5)]
    assert [] == times._NoTicks().tick_values(0, 1)
