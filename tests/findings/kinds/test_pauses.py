"""A prober that was itself silent."""

from analyzer import explain
from tests.judging import codes, scenario, texts, told


def test_a_prober_of_every_five_seconds_that_is_silent_for_hours_paused():
    """How long it was silent and what is usual is told, and no limit of idle connections is named for it."""
    judged = scenario("prober_paused")[0]
    found = judged.finding("probes-paused")

    assert ("a", (9, 10)) == (found.about, found.frames)
    assert (3, 5) == (round(found.data["silent_ns"] / 3.6e12), round(found.data["usual_ns"] / 1e9))
    assert explain.detail(found, judged).endswith("its own host slept, capturing paused, or keepalive was set anew.")
    assert "idle-beyond-middlebox-limit" not in codes(judged)
    assert "idle-limit" not in [cause.code for cause in judged.causes]
    assert "2 h" not in texts(told(judged), "What to change")
    assert "its log shows suspend and resume" in texts(told(judged), "What to change")


def test_an_interval_longer_than_idle_is_no_pause():
    """Answered probes that come further apart than the first came are no pause."""
    assert "probes-paused" not in codes(scenario("interval_longer_than_idle_is_no_pause")[0])


def test_what_the_whole_capture_paused_is_no_pause_of_a_prober():
    """A hole of the capture is told as that: nothing is measured across it, and nobody is to change a setting."""
    judged = scenario("probers_pause_together")[0]

    assert {"probes-paused", "idle-beyond-middlebox-limit"}.isdisjoint(codes(judged))
    assert "the host that probes slept, or the capture paused" in texts(told(judged), "What this capture cannot show")
