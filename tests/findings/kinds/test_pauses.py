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


def test_the_idle_time_is_no_pause_of_a_prober_whose_answers_were_lost():
    """Where most waits are its interval, one as long as that before its first probe is its idle time."""
    judged = scenario("answers_lost_and_the_idle_time_is_no_pause")[0]

    assert "probes-paused" not in codes(judged)
    assert "suspend" not in texts(told(judged), "What to change")


def test_keepalive_that_is_set_anew_is_no_pause():
    """Waits that become longer and stay so are a setting."""
    assert "probes-paused" not in codes(scenario("keepalive_set_anew_is_no_pause")[0])


def test_what_the_whole_capture_paused_is_no_pause_of_a_prober():
    """A hole of the capture is told as that: nothing is measured across it, and nobody is to change a setting."""
    judged = scenario("probers_pause_together")[0]

    assert {"probes-paused", "idle-beyond-middlebox-limit"}.isdisjoint(codes(judged))
    assert "the host that probes slept, or the capture paused" in texts(told(judged), "What this capture cannot show")


def test_a_peer_whose_clock_stood_still_slept():
    """How long its clock lacks is how long it slept, and what it left unanswered is not called lost on the way."""
    judged = scenario("peer_slept_and_answers_again")[0]
    found = judged.finding("host-was-suspended")

    assert ("b", (7, 14)) == (found.about, found.frames)
    assert (100, 20) == (round(found.data["slept_ns"] / 1e9), round(found.data["counted_ns"] / 1e9))
    assert "host was suspended for about 100" in explain.detail(found, judged)
    change = texts(told(judged), "What to change")
    assert "look for packet loss" not in change
    assert "no packet need have been lost" in change


def test_a_prober_whose_clock_stood_still_slept():
    """Its peer's clock ran on, as the answer behind the pause shows: so it was no leap of the capture's clock."""
    judged = scenario("prober_clock_stood_still")[0]

    assert "a" == judged.finding("host-was-suspended").about
    assert "probes-paused" in codes(judged)


def test_where_the_clocks_of_both_ends_stood_nobody_is_said_to_sleep():
    """Then the capture's own clock leapt, or one machine carries them all."""
    for name in ("clock_leaps_between_probes", "clock_leaps_behind_a_probe"):
        assert {"host-was-suspended", "probes-paused", "probes-lost-but-recovered"}.isdisjoint(codes(scenario(name)[0]))
