"""Timestamps that went back."""

from analyzer import explain
from tests.judging import codes, scenario


def test_data_that_is_sent_again_in_vain():
    """Of data with older timestamps that nothing acknowledges it is said that the peer may drop it."""
    judged = scenario("timestamps_went_back_and_data_is_refused")[0]
    found = judged.finding("timestamps-went-back")

    assert ("a", (6, 8, 10, 12), 3) == (found.about, found.frames, found.data["resent"])
    assert "sent again 3 times (inferred)" in explain.detail(found, judged)


def test_probes_that_are_answered_but_dropped():
    """An answer that echoes the newer timestamp says that the probe was dropped."""
    judged = scenario("timestamps_went_back_and_probes_are_answered")[0]

    assert (10, 11) == judged.finding("timestamps-went-back").frames


def test_overtaken_segments_are_not_found():
    """A segment that was overtaken has an older timestamp, but shows no other clock."""
    assert "timestamps-went-back" not in codes(scenario("stale_acks_one_after_another")[0])
