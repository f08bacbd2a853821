"""Who probes, and how often."""

import pytest

from analyzer import explain
from tests.judging import codes, opened, scenario, texts, told

PROBED = """
+5   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
+5   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
"""
"""Two answered probes, behind OPENING."""


@pytest.mark.parametrize(("gap", "found"), [(9, True), (11, False)])
def test_probing_is_aggressive_below_ten_seconds(gap, found):
    """Three gaps of under ten seconds between answered probes are aggressive."""
    judged = opened(
        f"""
+{gap}   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
"""
        * 4
        + "end: +1"
    )

    assert found == ("aggressive-probing" in codes(judged))


def test_two_gaps_are_no_rhythm():
    """Two gaps are too few to speak of a rhythm."""
    assert "aggressive-probing" not in codes(opened(PROBED + "end: +1"))


def test_what_would_be_enough_is_said_once_of_both_ends():
    """Each end has its rhythm told, and the last of them what is enough for the path."""
    each = "+4 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n+2 b > a . 0:0(0) ack 6\n+.01 a > b . 6:6(0) ack 1\n"
    also = texts(told(opened(5 * each + "end: +1")), "Also")

    assert "The client probes about every" in also
    assert "The server probes about every" in also
    assert 1 == also.count("would be enough to keep the connection")


def test_an_interval_below_the_round_trip():
    """Answers that come behind later probes show that the interval is shorter than the round trip."""
    judged = scenario("answers_overlap")[0]
    found = judged.finding("interval-below-round-trip")

    assert ("a", 3, 1_000_000_000) == (found.about, found.data["behind"], found.data["gap_ns"])
    assert explain.detail(found, judged).endswith("The interval is shorter than the round trip.")


def test_answers_before_the_next_probe_show_no_such_interval():
    """Answers that come in time say nothing of the kind."""
    assert "interval-below-round-trip" not in codes(scenario("live_peer_answers")[0])
