"""Probes unanswered by a peer that probes itself."""

from tests.judging import codes, scenario, texts, told


def test_a_live_peer_is_not_said_to_have_stopped():
    """Whose own probes go on is alive: one direction is lost, and the story says which works."""
    (judged,) = scenario("one_end_is_answered_and_the_other_is_not")
    story = told(judged)

    assert "live-peer-leaves-probes-unanswered" in codes(judged)
    assert not {"still-probing-at-end", "probes-unanswered-then-none"} & set(codes(judged))
    assert "alive, since it probes too" in story.headline
    assert "The way back works." in texts(story, "Why")
    assert "one-direction-lost" == judged.causes[0].code


def test_where_neither_end_is_answered_both_are_named():
    """Where neither end's probes are answered the headline says so, and advice that both findings share comes once."""
    (judged,) = scenario("both_ends_probe_and_neither_is_answered")
    story = told(judged)

    assert "neither got an answer" in story.headline
    assert 1 == texts(story, "What to change").count("Find what loses packets in one direction")


def test_who_is_silent_as_well_is_not_called_alive():
    """Without probes of the peer since, nothing shows that it is alive."""
    assert "live-peer-leaves-probes-unanswered" not in codes(scenario("silence_after_probes")[0])
