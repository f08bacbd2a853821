"""Data sent to an end that had closed."""

from tests.judging import opened, scenario, texts, told


def test_data_after_a_full_close_draws_a_reset():
    """Data that a closed end cannot deliver is told with FIN, data and RST."""
    (judged,) = scenario("write_after_the_peer_closed")
    story = told(judged)
    fin, data, reset = (judged.findings[0].data[key] for key in ("fin_frame", "data_frame", "reset_frame"))

    assert fin < data < reset
    assert "; the client had closed in full, and a RST answered." in story.headline
    assert "answered with a RST: no program is there to read it" in texts(story, "What happened")
    assert "it cannot deliver data" in texts(story, "Why")


def test_after_a_minute_a_box_may_have_forgotten_the_half_close():
    """Nothing shows that the end that sent FIN long ago had closed: a box in between may answer in its name."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+65  b > a  P.  1:6(5) ack 7
+.01 a > b  R   7:7(0) win 0
""")
    story = told(judged)

    assert "a middlebox had forgotten the half-closed connection" in story.headline
    assert "known limits for such begin at 60 s" in texts(story, "Why")
    assert "RST in the client's name -> server CLOSED" in texts(story, "Timeline")
    assert "only shut down sending and waits for data" in texts(story, "What the programs see (expected, not captured)")
