"""Interval and period, from hand-made trains."""

import pytest

from analyzer.judge.events import Reset
from analyzer.judge.timers import inference
from analyzer.judge.verdict import Ending, Verdict
from tests.trains import S, Story, bounds, made, seconds


def test_unanswered_probes_show_the_interval():
    """Unanswered probes come an interval apart, and so does the prober's RST."""
    settings = Story().probes(2.016, 2.016).silence(2.016, 1.024, 1.024).gives_up(1.024).settings()

    assert (2, 1, 2) == (seconds(settings.idle), seconds(settings.interval), seconds(settings.period))
    assert settings.interval.observations == 3


def test_interval_longer_than_idle():
    """Answered probes that come evenly and later than the first wait for the interval: Linux."""
    settings = Story().probes(1.03, 4.128, 4.096, 4.1).settings()

    assert (1, 4, 4) == (seconds(settings.idle), seconds(settings.interval), seconds(settings.period))
    assert settings.stack == "linux"


def test_one_longer_gap_may_hide_a_lost_probe():
    """A single answered gap above the first gap is not yet an interval."""
    settings = Story(ttl=63).probes(1.03, 2.05).settings()

    assert seconds(settings.period) is None
    assert settings.interval is None


def test_missed_probe_is_left_out():
    """A gap of twice the period spans a probe that was lost; the shortest gap and the first one decide."""
    settings = Story(ttl=63).probes(5.1, 5.12, 10.24, 5.12).settings()

    assert (5, 5) == (seconds(settings.idle), seconds(settings.period))


def test_lost_answer_at_the_prober():
    """Seen at the prober, a probe without answer is followed an interval later, one with after the period."""
    story = Story().probes(2.03).silence(2.016, 1.024).probes(1.024, 2.016).silence(2.016).probes(1.028, 2.016)

    assert (2, 1, 2) == tuple(
        seconds(t) for t in (story.settings().idle, story.settings().interval, story.settings().period)
    )


def test_answers_lost_behind_the_observer():
    """Seen at the peer, answers that never arrived make answered gaps of two lengths: only bounds are left."""
    settings = Story(ttl=63).probes(2.03, 2.016, 1.024, 1.024, 2.016, 1.028, 2.016).settings()

    assert (None, None) == (seconds(settings.idle), seconds(settings.period))
    assert bounds(settings.period)[0] <= 1
    assert bounds(settings.period)[1] >= 2.016
    assert settings.interval is None


def test_answers_that_cannot_have_arrived():
    """A prober that gives up has not heard the answers captured before: its last gaps show the interval."""
    flow, ending = Story(ttl=63).probes(2.02, 2.016, 2.016, 1.024, 1.024).flow()
    last = flow.probes[-1]
    reset = made(Reset, frame=99, ts_ns=last.ts_ns + S + 20_000_000, sender="b", kind="gave_up", accepted_end=True)
    ending = Ending(Verdict.TIMED_OUT, "b", 99, reset.ts_ns, "prober-gave-up")

    settings = inference.infer(flow._replace(resets=(reset,)), ending, "b")

    assert (2, 1, 2) == (seconds(settings.idle), seconds(settings.interval), seconds(settings.period))
    assert settings.count.gave_up_after == 3


def test_one_dropped_answer_is_no_interval():
    """An unanswered probe within an answered train shows the interval only if the next comes sooner."""
    assert Story().probes(5.1, 5.12).silence(5.12).probes(5.12, 5.12).settings().interval is None


def test_single_gap_away_from_the_prober():
    """A single unanswered gap away from the prober may span a lost probe: only bounds."""
    interval = Story(ttl=63).probes(9.1, 9.1).silence(9.1, 2.01).settings().interval

    assert seconds(interval) is None
    assert bounds(interval) == (1, pytest.approx(2.01, abs=0.001))


def test_clock_that_went_back():
    """Where the capture's clock went back within the flow, a gap that stands alone shows nothing."""
    flow, ending = Story().silence(5.1).flow()

    assert inference.infer(flow._replace(backwards=1), ending, "b").idle is None
