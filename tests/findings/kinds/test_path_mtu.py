"""Large segments that are lost while the peer is alive."""

from analyzer import explain
from tests.judging import codes, opened, scenario, texts

AGAIN = """
+1   a > b  P.  6:{0}({1}) ack 1
+.3  a > b  .   6:{0}({1}) ack 1
+.6  a > b  .   6:{0}({1}) ack 1
+1.2 a > b  .   6:{0}({1}) ack 1
"""
"""A segment sent again three times, behind OPENING."""


def test_the_mtu_is_inferred_not_claimed():
    """How often the segment was sent again is counted, that its size is the reason is inferred."""
    (judged,) = scenario("large_segments_lost")
    found = judged.finding("large-segments-lost")
    told = explain.story(judged, judged.record.first_ns)

    assert (1460, 3, 6) == (found.data["bytes"], found.data["resent"], found.data["since_frame"])
    assert "segment of 1,460 bytes was retransmitted 3 times in 2.100 s and never acknowledged" in told.headline
    assert told.section("Why").lines[0].text.startswith("Inferred: segments of this size do not get through")


def test_an_icmp_message_proves_it():
    """Where ICMP says that the segment does not fit, nothing is inferred."""
    judged = opened(AGAIN.format(1466, 1460) + "+.01 a > b icmp 3/4 6:1466(1460)\n+1 b > a . 1:1(0) ack 6\n")

    assert "ICMP says so" in explain.story(judged, 0).section("Why").lines[0].text


def test_a_silent_peer_or_a_closed_window_is_another_story():
    """A peer that is not heard may be dead, and one whose window is closed takes nothing: neither is the path's MTU."""
    silent = opened(AGAIN.format(1466, 1460) + "end: +60")
    shut = opened(AGAIN.format(1466, 1460) + "+1 b > a . 1:1(0) ack 6 win 0\n")
    small = opened(AGAIN.format(106, 100) + "+1 b > a . 1:1(0) ack 6\n")

    assert not [code for flow in (silent, shut, small) for code in codes(flow) if code == "large-segments-lost"]


def test_it_is_told_also_where_the_sender_gave_up():
    """That a RST answered the peer's next probe is the end of the same story, and not a host that restarted."""
    (judged,) = scenario("large_segments_lost_and_given_up")
    story = explain.story(judged, judged.record.first_ns)

    assert ("path-mtu", "likely") == (judged.cause.code, judged.cause.certainty.value)
    assert story.headline.startswith("The client's segment of 1,460 bytes was retransmitted 3 times")
    assert "gave up without a word; a RST answered the next probe" in story.headline
    assert "restarted" not in story.headline + texts(story, "What to change")
    assert "ETIMEDOUT" in texts(story, "What the programs see (expected, not captured)")
