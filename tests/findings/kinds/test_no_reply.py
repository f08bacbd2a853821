"""A request that the kernel acknowledged and no program answered."""

from analyzer import explain
from tests.judging import captured, codes, opened, scenario

PROBED = "+15 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"


def test_a_program_that_never_replies_is_told_as_inference():
    """The story says what the kernel did, and that the program hangs is inferred."""
    (judged,) = scenario("request_never_replied_to")
    told = explain.story(judged, judged.record.first_ns)

    assert "The server's program never replied" in told.headline
    assert "is inferred; a protocol without replies looks the same" in told.section("Why").lines[0].text


def test_a_reply_or_a_second_request_is_another_story():
    """Any data of the one asked, or requests that go on without a reply, are a conversation of their own."""
    assert "request-without-reply" in codes(opened(3 * PROBED))
    assert "request-without-reply" not in codes(
        opened(
            "+1 b > a P. 1:2(1) ack 6\n+.01 a > b . 6:6(0) ack 2\n"
            + 3 * ("+15 a > b . 5:5(0) ack 2\n+.01 b > a . 2:2(0) ack 6\n")
        )
    )
    assert "request-without-reply" not in codes(
        opened(3 * PROBED + "+1 a > b P. 6:11(5) ack 1\n+.01 b > a . 1:1(0) ack 11\n")
    )


def test_the_founding_question_is_not_this():
    """There the one asked probes and the one who asked closes: nobody waits for a reply."""
    (judged,), _ = captured("founding_go_fin60.pcap")

    assert "request-without-reply" not in codes(judged)
