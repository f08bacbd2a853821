"""RSTs that came unasked when a limit of idle time would run out."""

import pytest

from tests.judging import codes, scenario, texts, told, written

ANSWERED = """+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.00001 a > b  .   1:1(0) ack 1
+.1     a > b  P.  1:81(80) ack 1
+.01    b > a  P.  1:401(400) ack 81
+.00001 a > b  .   81:81(0) ack 401
"""


@pytest.mark.parametrize(
    ("name", "limit_s", "said"),
    [
        ("idle_limit_ends_it_with_a_rst", 350, "Less likely"),
        ("idle_limit_ends_it_with_a_bare_rst", 240, "Azure Load Balancer"),
    ],
)
def test_a_rst_at_an_idle_limit_names_the_limit_as_inference(name, limit_s, said):
    """The limit leads, as most likely and of a box or of the program; that data lay unread is the lesser reading."""
    judged = scenario(name)[0]
    found = judged.finding("reset-at-idle-limit")
    story = told(judged)

    assert (limit_s * 10**9, (6, 7)) == (found.data["limit_ns"], found.frames)
    assert f"most likely an idle limit of {limit_s} s ran out" in story.headline
    assert "unread" not in story.headline
    assert said in texts(story, "Why")
    assert "SO_LINGER" not in texts(story, "What to change")
    assert f"Find out whose limit of {limit_s} s it is" in texts(story, "What to change")
    assert not texts(story, "What it may be, and how to find out")
    assert ["reset-at-idle-limit"] == [cause.code for cause in judged.causes]


def test_who_sent_it_is_left_open():
    """A box may have sent it, so nothing is known of the end in whose name it came."""
    story = told(scenario("idle_limit_ends_it_with_a_rst")[0])

    assert "server unknown since" in texts(story, "Timeline")
    assert "if a box sent that RST" in texts(story, "What the programs see (expected, not captured)")


@pytest.mark.parametrize("name", ["rst_at_no_limit", "rst_at_a_limit_and_the_request_not_answered"])
def test_at_another_time_or_with_a_request_unanswered_it_is_no_limit(name):
    """A RST after a silence that is no limit, or after a request that may lie unread, is told as before."""
    judged = scenario(name)[0]

    assert "reset-at-idle-limit" not in codes(judged)
    assert "abort-without-fin" in codes(judged)


def test_a_longer_silence_that_was_survived_refutes_the_limit():
    """Who went on after ten minutes has no limit of five."""
    longer = "+600 a > b P. 81:161(80) ack 401\n+.01 b > a P. 401:801(400) ack 161\n+.01 a > b . 161:161(0) ack 801\n"
    judged = written(f"{ANSWERED}{longer}+300 b > a R. 801:801(0) ack 161\n")

    assert "reset-at-idle-limit" not in codes(judged)
