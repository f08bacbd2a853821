"""What stayed unanswered."""

from analyzer import explain
from tests.judging import captured, scenario, texts


def told(judged):
    """Return a flow's story, told from its first segment."""
    return explain.story(judged, judged.record.first_ns)


def test_a_dead_peer_is_told_with_the_probers_own_reset():
    """The RST is said to come from the prober, with the time from the peer's last word."""
    (judged,), start_ns = captured("dead_peer_silence.pcap")
    story = explain.story(judged, start_ns)

    assert "9 probes unanswered, then its own RST, 51.200 s after the client's last word." in story.headline
    assert "That RST comes from the prober, not from its peer." in texts(story, "What happened")
    assert "5 s to the first of these probes, then 9 x 5 s: 50 s" in texts(story, "Why")
    assert "cannot tell a dead host from a dropped flow" in texts(story, "Why")


def test_a_dead_peer_after_its_fin_was_in_close_wait_too():
    """Where the peer's FIN had come, the prober's program had not closed either."""
    story = told(scenario("half_close_dead_peer")[0])

    assert "in CLOSE-WAIT (derived), and its program had not closed" in texts(story, "Why")


def test_icmp_errors_are_told_as_ending_nothing():
    """ICMP errors beside unanswered probes are named and said to end nothing."""
    (judged,), start_ns = captured("lab/icmp_host_unreachable.pcap")

    assert "5 ICMP errors (host unreachable) came back and ended nothing" in texts(
        explain.story(judged, start_ns), "What happened"
    )


def test_answers_behind_the_capture_are_inferred():
    """Answers that the capture shows and the prober did not get are told as inference."""
    (judged,), start_ns = captured("lab/pcapng_two_interfaces.pcapng")
    story = explain.story(judged, start_ns)

    assert "although the capture shows answers" in story.headline
    assert "Inferred from that rhythm and the RST" in texts(story, "Why")


def test_a_prober_still_trying_would_give_up_by_its_count():
    """When an unanswered prober gives up is said for the usual counts."""
    story = told(scenario("silence_after_probes")[0])

    assert "gives up and sends RST at about +28.010 if its count is 9" in texts(story, "What happened")
    assert "MUST-29" in texts(story, "Why")


def test_a_prober_that_falls_silent_is_not_said_to_try():
    """A prober that stops after unanswered probes is told as gone or unseen."""
    story = told(scenario("half_close_silence")[0])

    assert "then no more for 30.000 s" in texts(story, "What happened")


def test_outstanding_data_keeps_keepalive_from_running():
    """While data is unacknowledged there are no probes, and its end sends no RST."""
    (judged,), start_ns = captured("lab/dead_data_pending.pcap")
    story = explain.story(judged, start_ns)

    assert "The server's data stayed unacknowledged for 11.457 s" in story.headline
    assert "MUST-26" in texts(story, "Why")
    assert "TCP_USER_TIMEOUT" in texts(story, "What to change")


def test_an_outstanding_fin_is_called_one():
    """What is unacknowledged is named."""
    assert "The client's FIN stayed unacknowledged" in explain.headline(scenario("fin_unanswered_is_silence")[0], 0)
