"""Probers that gave up."""

from analyzer import explain
from tests.judging import captured, opened, scenario, texts, told


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_a_dead_peer_comes_with_the_time_it_took():
    """Detection counts from the peer's last word to the prober's RST."""
    found = finding("dead_peer_silence.pcap", "dead-peer-detected")

    assert (*range(10, 19), 19) == found.frames
    assert 9 == found.data["unanswered"]
    assert 51_199_999_000 == found.data["detection_ns"]
    assert (5_000_000_000, 5_000_000_000) == (found.data["wait_ns"], found.data["interval_ns"])


def test_a_dead_peer_is_told_with_the_probers_own_reset():
    """The RST is said to come from the prober, with the time from the peer's last packet."""
    (judged,), start_ns = captured("dead_peer_silence.pcap")
    story = explain.story(judged, start_ns)

    assert "9 probes unanswered, then its own RST, 51.200 s after the client's last packet." in story.headline
    assert "That RST comes from the prober, not from its peer." in texts(story, "What happened")
    assert "5 s to the first of these probes, then 9 x 5 s, which is 50 s; measured" in texts(story, "Why")
    assert "cannot tell a dead host from a dropped flow" in texts(story, "Why")


def test_a_peer_that_probes_itself_is_not_called_dead():
    """Probes of the peer show that it was alive, reset no count, and turn the advice to the path."""
    judged = scenario("gave_up_between_the_peers_probes")[0]
    found, story = judged.finding("dead-peer-detected"), told(judged)

    assert (2, 2) == (found.data["unanswered"], found.data["peer_probes"])
    assert "which was alive: 2 probes unanswered" in story.headline
    assert "2 probes of its own: it was alive" in texts(story, "What happened")
    assert "still ESTABLISHED" in texts(story, "Timeline")
    assert "cannot tell a dead host" not in texts(story, "Why")
    assert "where packets are lost in one direction" in texts(story, "What to change")


def test_a_dead_peer_after_its_fin_was_in_close_wait_too():
    """Where the peer's FIN had come, the prober's program had not closed either."""
    story = told(scenario("half_close_dead_peer")[0])

    assert "in CLOSE-WAIT (derived), and its program had not closed" in texts(story, "Why")


def test_icmp_errors_are_told_as_ending_nothing():
    """ICMP errors beside unanswered probes are named and said to end nothing."""
    (judged,), start_ns = captured("lab/icmp_host_unreachable.pcap")

    assert "These ICMP errors had no effect" in texts(explain.story(judged, start_ns), "What happened")


def test_a_fin_behind_the_reset_is_none_that_had_come_before():
    """What a peer says when the prober has given up closed nothing: the prober was never in CLOSE-WAIT."""
    story = told(scenario("fin_behind_a_give_up")[0])

    assert "CLOSE-WAIT" not in texts(story, "Why")
    assert "Why the server sent FIN" not in texts(story, "What this capture cannot show")
    assert "server sends FIN; the connection was over for the client" in texts(story, "Timeline")
    assert "end of file from" not in texts(story, "What the programs see (expected, not captured)")


def test_a_peer_heard_later_was_not_surely_alive():
    """A sign of life behind the give-up is told as that, and names no cause of the silence before it."""
    judged = scenario("peer_heard_after_the_prober_gave_up")[0]
    story = told(judged)
    data = judged.finding("dead-peer-detected").data

    assert "peer_probes" not in data
    assert data["later_ns"] == 200_000_000_000
    assert "which was alive" not in story.headline
    assert "3 min 20 s after that RST the server sent a probe of its own" in texts(story, "What happened")
    assert "one direction of the path failed" not in texts(story, "Why")


def test_data_that_did_not_arrive_is_told_and_counts_as_no_answer():
    """A peer whose data passed here and did not reach the prober is called neither dead nor heard, nor asleep."""
    judged = scenario("data_that_did_not_arrive_answers_no_probe")[0]
    found, story = judged.finding("dead-peer-detected"), told(judged)

    assert (3, 10) == (found.data["unanswered"], found.data["peer_data_frame"])
    assert "on the client, whose data did not reach it: 3 probes unanswered" in story.headline
    assert "the client sent data, and 4 times more" in texts(story, "What happened")
    assert "Nothing passed between the two any more" in texts(story, "Why")
    assert "interval 2 s; gave up after 3 probes" in texts(story, "Keepalive settings, inferred")
    assert not {"host-silent", "probe-lost-once"} & {cause.code for cause in judged.causes}


def test_both_ends_gave_up_on_each_other():
    """Where both ends probe and neither is answered, no single direction is named: both are lost behind this point."""
    story = told(
        opened(
            "+5 b > a . 0:0(0) ack 6\n+.01 a > b . 6:6(0) ack 1\n"
            "+10 a > b . 5:5(0) ack 1\n+2 b > a . 0:0(0) ack 6\n+2 a > b . 5:5(0) ack 1\n+2 b > a . 0:0(0) ack 6\n"
            "+2 a > b R. 6:6(0) ack 1\n+2 b > a R. 1:1(0) ack 6\n"
        )
    )

    assert "nothing answered either of them" in texts(story, "Why")
    assert "one direction" not in texts(story, "Why") + texts(story, "What to change")
