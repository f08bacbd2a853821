"""A request that the kernel acknowledged and no program answered."""

from analyzer import explain
from tests.judging import captured, codes, opened, scenario, texts, told, written

PROBED = "+15 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"


def test_a_program_that_never_replies_is_told_as_inference():
    """The story says what the kernel did, and that the program hangs is inferred."""
    (judged,) = scenario("request_never_replied_to")
    told = explain.story(judged, judged.record.first_ns)

    assert "The server's program never replied" in told.headline
    assert "is inferred; a protocol without replies looks the same" in told.section("Why").lines[0].text


def test_who_answers_may_be_another_machine():
    """Where what is sent in its name comes another way by then, neither its kernel nor its program is blamed."""
    story = told(scenario("request_never_replied_to_by_another_machine")[0])

    assert story.headline.startswith("The server never replied: ")
    assert "while something in its name answered 3 probes" in story.headline
    assert "From frame 7 on those in the server's name come another way than before" in texts(story, "Why")
    assert "from the server's kernel" not in str(story)


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


EXCHANGE = "+5 a > b P. 6:16(10) ack 1\n+.01 b > a P. 1:21(20) ack 16\n+.00001 a > b . 16:16(0) ack 21\n"
LATER = "+5 a > b P. 16:26(10) ack 21\n+.01 b > a . 21:21(0) ack 26\n"
WAITS = "+15 a > b . 25:25(0) ack 21\n+.01 b > a . 21:21(0) ack 26\n"


def test_a_program_may_hang_at_a_later_request():
    """Where replies had come before, the last request that got none is told with the last reply."""
    (judged,) = scenario("later_request_never_replied_to")
    told = explain.story(judged, judged.record.first_ns)

    assert "The server's program stopped replying" in told.headline
    assert judged.finding("request-without-reply").frames == (8, 10, 12, 14, 16)
    assert "program-hung" == judged.causes[0].code
    program = str(judged.record.endpoint(judged.finding("request-without-reply").about))
    assert f"the program on {program} (the server)" in told.section("What to change").lines[0].text


def test_a_kernel_that_probes_itself_is_alive_too():
    """Where the one asked probes, its own probes show that its kernel is alive, and its program is told to hang."""
    own = "+15 b > a . 20:20(0) ack 26\n+.01 a > b . 26:26(0) ack 21\n"
    judged = opened(EXCHANGE + LATER + 3 * own)

    assert "while the kernel sent 3 probes of its own" in explain.headline(judged, 0)
    assert "request-without-reply" not in codes(opened(EXCHANGE + LATER + "+9 a > b F. 26:26(0) ack 21\n" + 3 * own))


def test_who_speaks_last_does_not_wait_for_a_reply():
    """A last word right behind a reply (a window update of HTTP/2), or one of many without reply, is no request."""
    assert "request-without-reply" in codes(opened(EXCHANGE + LATER + 3 * WAITS))
    soon = "+.2 a > b P. 16:26(10) ack 21\n+.01 b > a . 21:21(0) ack 26\n"
    assert "request-without-reply" not in codes(opened(EXCHANGE + soon + 3 * WAITS))
    more = "+5 a > b P. 26:36(10) ack 21\n+.01 b > a . 21:21(0) ack 36\n"
    waits = 3 * "+15 a > b . 35:35(0) ack 21\n+.01 b > a . 21:21(0) ack 36\n"
    assert "request-without-reply" not in codes(opened(EXCHANGE + LATER + more + waits))


def test_both_ends_close_after_a_request_without_reply():
    """Where both ends sent FIN after a request that nothing answered, both FINs are told."""
    story = told(
        written("""
+0   a > b  S   0:0(0)
+.01 b > a  S.  0:0(0) ack 1
+.01 a > b  .   1:1(0) ack 1
+.1  a > b  P.  1:11(10) ack 1
+.01 b > a  .   1:1(0) ack 11
+10  b > a  .   0:0(0) ack 11
+.01 a > b  .   11:11(0) ack 1
+10  b > a  .   0:0(0) ack 11
+.01 a > b  .   11:11(0) ack 1
+10  b > a  .   0:0(0) ack 11
+.01 a > b  .   11:11(0) ack 1
+5   a > b  F.  11:11(0) ack 1
+.002 b > a F.  1:1(0) ack 11
+.01 a > b  .   12:12(0) ack 2
+.002 b > a .   2:2(0) ack 12
end: +1
""")
    )

    assert "never replied" in story.headline
    assert "The server closed as well: it sent its FIN 2 ms later." in texts(story, "What happened")
