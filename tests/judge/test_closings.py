"""Closings of a receive window, each by itself."""

from analyzer.judge.closings import closings, unanswered
from tests.judging import opened, scenario, written


def test_a_closing_has_its_frames_its_probes_and_its_length():
    """A closing lasts from the frame that shuts the window to the one that opens it, with the probes between."""
    (judged,) = scenario("window_closes_several_times")
    first, second = closings(judged.record, "b")

    assert (5, 7, [6], 210_000_000) == (
        first.shut_frame, first.opened_frame, [probe.frame for probe in first.probes], first.lasted_ns,
    )  # fmt: skip
    assert (9, 11) == (second.shut_frame, second.opened_frame)
    assert () == closings(judged.record, "a")


def test_a_closing_without_opening_lasts_to_the_end():
    """A window that stays closed was so for as long as the flow was heard of; for how much longer, nobody knows."""
    judged = opened("+1 b > a . 1:1(0) ack 6 win 0\n+30 b > a . 1:1(0) ack 6 win 0\nend: +90")
    (closing,) = closings(judged.record, "b")

    assert (None, 30_000_000_000) == (closing.opened_frame, closing.lasted_ns)


def test_a_closing_that_began_before_the_capture_is_as_long_as_it_was_seen():
    """Where the frame that shut the window is not there, the closing begins to be seen with the first that shows it."""
    judged = written("""
+0   b > a  .   1:1(0) ack 1001 win 0
+.4  a > b  P.  1001:1002(1) ack 1
+.01 b > a  .   1:1(0) ack 1001 win 0
+.8  a > b  P.  1001:1002(1) ack 1
end: +1
""")
    (closing,) = closings(judged.record, "a")

    assert closing.closed_before
    assert closing.lasted_ns == judged.record.last_ns - judged.record.first_ns


def test_probes_since_the_peer_was_heard_are_unanswered():
    """Window probes before the peer's last segment were answered by it, or lost; those since have no answer."""
    (silent,) = scenario("window_probes_unanswered")
    (live,) = scenario("window_closed_for_long")

    assert ((8, 9), ()) == (unanswered(silent.record, "a"), unanswered(live.record, "a"))
