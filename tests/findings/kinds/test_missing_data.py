"""Data that was lost before the capture point, while both ends are alive."""

from analyzer import explain
from tests.judging import codes, opened, scenario, texts

CODE = "data-lost-before-capture"
LATER = "+1 a > b P. {0}:{1}(100) ack 1\n+.01 b > a . 1:1(0) ack 6\n"
"""Data behind a gap after OPENING, and its receiver's ACK of what came before the gap."""


def test_what_never_passed_is_counted_and_both_ends_are_told_alive():
    """The bytes that are missing and how long they did are told, and the path's MTU as an inference."""
    (judged,) = scenario("data_lost_before_capture")
    found = judged.finding(CODE)
    told = explain.story(judged, judged.record.first_ns)

    assert (5712, 6) == (found.data["bytes"], found.data["later_frame"])
    assert told.headline.startswith("The client's data hangs: 5,712 bytes of it never passed here, in 18.000 s")
    assert "Inferred: full segments do not get through" in texts(told, "Why")
    assert "numbers jump" not in texts(told, "What this capture cannot show")


def test_a_gap_below_a_full_segment_says_nothing_of_the_mtu():
    """Where less than a full segment is missing, its size is no reason."""
    judged = opened(LATER.format(56, 156) + "+20 b > a . 1:1(0) ack 6\n")

    assert CODE in codes(judged)
    assert "full segments" not in texts(explain.story(judged, 0), "Why")


def test_a_gap_that_was_filled_acknowledged_is_fresh_or_beyond_the_window_is_none():
    """What came later, what had arrived, what misses for seconds only, and what fits no window is not lost for good."""
    filled = opened(LATER.format(56, 156) + "+.3 a > b P. 6:56(50) ack 1\n+20 b > a . 0:0(0) ack 156\n")
    missed = opened(LATER.format(56, 156) + "+20 b > a . 1:1(0) ack 156\n")
    fresh = opened(LATER.format(56, 156) + "+3 b > a . 1:1(0) ack 6\n")
    beyond = opened(LATER.format(70_000_056, 70_000_156) + "+20 b > a . 1:1(0) ack 6\n")

    assert not [flow for flow in (filled, missed, fresh, beyond) if CODE in codes(flow)]
