"""Probes unanswered to the capture's end."""

from analyzer.judge.outlook import outlook
from tests.judging import codes, scenario, texts, told


def test_a_prober_still_trying_would_give_up_by_its_count():
    """When an unanswered prober gives up is said for the usual counts."""
    story = told(scenario("silence_after_probes")[0])

    assert "gives up and sends a RST at about +28.010 if its count is 9" in texts(story, "What happened")
    assert "one lost probe proves nothing" in texts(story, "Why")


def test_a_prober_that_falls_silent_is_not_said_to_try():
    """A prober that stops after unanswered probes is told as gone or unseen."""
    story = told(scenario("half_close_silence")[0])

    assert "then no more for 30.000 s" in texts(story, "What happened")


def test_one_unanswered_probe_is_not_death():
    """RFC 9293 MUST-29: one unanswered probe makes no finding of a dead peer."""
    found = codes(scenario("one_unanswered_probe_is_not_death")[0])

    assert not {"dead-peer-detected", "still-probing-at-end"} & set(found)


def test_a_prober_with_data_outstanding_is_told_with_both():
    """Data that is unacknowledged beside the probes comes into the headline, and counts of Linux are not offered."""
    story = told(scenario("probes_and_data_unanswered")[0])

    assert "3 probes from the client unanswered" in story.headline
    assert "data, retransmitted twice, is unacknowledged too" in story.headline
    assert "BSD and macOS also probe meanwhile" in texts(story, "What happened")
    assert "Linux" not in texts(story, "What happened").split("gives up and sends a RST")[1]


def test_probes_that_back_off_foretell_nothing():
    """Where each probe waits longer than the one before there is no interval, nor a system that fits, nor an end."""
    judged = scenario("probes_that_back_off_without_an_octet")[0]
    story = told(judged)

    assert judged.settings("a").families == ()
    assert "when the client gives up cannot be told" in texts(story, "What happened")
    assert "At one probe every" not in texts(story, "What happened")
    assert "no interval, each unanswered probe waits longer than the one before" in texts(
        story, "Keepalive settings, inferred"
    )
    assert outlook(judged).give_up_ns is None
