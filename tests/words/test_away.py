"""What stayed unanswered before a RST that says that there is no such connection."""

from tests.judging import opened, scenario, texts, told


def test_data_that_was_sent_again_in_vain():
    """How often the data had been sent in vain before it drew the RST is told, and that its receiver was away."""
    story = told(scenario("data_in_vain_then_it_draws_a_reset")[0])

    assert "Data from the client, sent 3 times before without an answer, drew a RST" in texts(story, "What happened")
    assert "In the 2.110 s before that RST 3 packets got no answer" in texts(story, "Why")
    assert "came back without the connection (inferred)" in texts(story, "Why")


def test_one_lost_packet_says_nothing():
    """A single probe without an answer may have been lost by itself: nobody is said to have been away."""
    lost = "+10 a > b . 5:5(0) ack 1\n" * 2
    story = told(opened(f"+10 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n{lost}+.01 b > a R 1:1(0)\n"))

    assert "came back without the connection" not in texts(story, "Why")
