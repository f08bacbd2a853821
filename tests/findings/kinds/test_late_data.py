"""Data sent to an end that had closed."""

from tests.judging import codes, opened, scenario, texts, told


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


def test_last_data_behind_a_fin_shows_no_fault():
    """Data that meets a close a millisecond after the FIN is usual: nobody is told to close or to read before."""
    (judged,) = scenario("last_data_meets_a_close")
    story = told(judged)

    assert "met a connection that was closed already" in story.headline
    assert "its FIN 301 ms later; the RST had ended the connection by then" in texts(story, "What happened")
    assert "did not close" not in texts(story, "What happened")
    assert texts(story, "What to change").startswith("Nothing has to be changed unless data was lost that mattered.")
    assert judged.cause.code == "last-data-met-close"


def test_a_fin_before_the_reset_is_a_close():
    """Where the capture has the writer's own FIN before the RST, it is told as having closed."""
    (judged,) = scenario("last_data_and_fin_meet_a_close")

    assert "The server closed as well: it sent its FIN" in texts(told(judged), "What happened")


def test_a_second_or_two_round_trips_are_too_soon():
    """Only data that comes a second after the FIN, and two round trips of it, shows that its program did not close."""
    slow = "+1 a > b F. 6:6(0) ack 1\n+.8 b > a . 1:1(0) ack 7\n+{} b > a P. 1:6(5) ack 7\n+.8 a > b R 7:7(0) win 0"

    assert "last-data-met-close" in codes(opened(slow.format(".7")))
    assert "too soon to say" not in texts(told(opened(slow.format(".9"))), "What happened")
    assert "data-after-peer-closed" in codes(opened(slow.format(".9")))
