"""Instants as people write them."""

import argparse

import pytest

from analyzer.cli import window
from analyzer.survey.selection import Instant, Window

S = 1_000_000_000
DAY_2026_11_28 = 1_795_824_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+90", Instant(90 * S, "start")),
        ("1.5h", Instant(5400 * S, "start")),
        ("0.000000001", Instant(1, "start")),
        ("250ms", Instant(S // 4, "start")),
        ("14:05", Instant((14 * 60 + 5) * 60 * S, "day")),
        ("14:05:06,25", Instant(((14 * 60 + 5) * 60 + 6) * S + S // 4, "day")),
        ("@1795824000.5", Instant(DAY_2026_11_28 * S + S // 2)),
        ("2026-11-28", Instant(DAY_2026_11_28 * S)),
        ("2026-11-28T01:00:00Z", Instant((DAY_2026_11_28 + 3600) * S)),
        ("2026-11-28 01:00:00.123456789+01:00", Instant(DAY_2026_11_28 * S + 123_456_789)),
    ],
)
def test_an_instant_is_read(text, expected):
    """A time is a date, a time of day, a span from the start or seconds since 1970, to the nanosecond."""
    assert expected == window.instant(text)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "12:60", "2026-13-01", "-5", "1e9", "@x", "999999999999h"])
def test_what_is_no_time_is_refused(text):
    """Anything else is refused with examples."""
    with pytest.raises(argparse.ArgumentTypeError, match="is not a time such as"):
        window.instant(text)


def test_a_window_is_asked_for_by_either_end():
    """--from and --to make a window together or alone; without them there is none."""
    parser = argparse.ArgumentParser()
    window.add_window(parser)

    assert window.asked(parser.parse_args([])) is None
    assert Window(None, Instant(5 * S, "start")) == window.asked(parser.parse_args(["--to", "+5"]))
    assert Window(Instant(0, "day"), None) == window.asked(parser.parse_args(["--from", "0:00"]))


def test_flows_that_lived_in_the_window_are_told_whole(keepalive):
    """A flow that only ended in the window is told from its first frame; one outside is not told."""
    inside = keepalive("report", "founding_go_fin60.pcap", "--from", "+80", "--json")
    outside = keepalive("report", "founding_go_fin60.pcap", "--from", "+82", "--json")
    by_day = keepalive("report", "founding_go_fin60.pcap", "--from", "12:40", "--to", "2026-11-23T12:45", "--json")

    assert '"first_frame": 1' in inside.out
    assert inside.out == by_day.out
    assert '"flows": 0' in outside.out
