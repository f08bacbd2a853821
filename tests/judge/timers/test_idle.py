"""The idle time, from hand-made trains."""

import pytest

from analyzer.judge.timers import inference
from tests.trains import S, Story, bounds, seconds


def test_first_gap_and_period_agree():
    """The first gap of a train and the spacing of its answered probes show idle together."""
    settings = Story().probes(5.15, 5.12, 5.12).settings()

    assert (5, 5) == (seconds(settings.idle), seconds(settings.period))
    assert settings.interval is None
    assert settings.count is None


def test_bounds_hold_every_stack():
    """The upper bound is the shortest gap, the lower one what the latest timer of any stack allows."""
    low, high = bounds(Story().probes(5.15, 5.12).settings().idle)

    assert 4.4 < low < 4.5
    assert pytest.approx(5.12, abs=0.001) == high


@pytest.mark.parametrize(("gap_s", "idle_s"), [(4.1, 4), (6.2, 6), (7.03, 7), (15.1, 15), (30.2, 30), (25.3, None)])
def test_whole_second_that_alone_fits(gap_s, idle_s):
    """A number that nobody calls round is claimed where no other second fits; of several only a round one is."""
    assert idle_s == seconds(Story().probes(gap_s, gap_s).settings().idle)


def test_restarts_at_a_fin():
    """The train after a FIN counts from the FIN, not from the acknowledgement of it."""
    idle = Story().probes(2.02, 2.01).fin(0.9).probes(1.975, 2.016).settings().idle

    assert seconds(idle) == 2


def test_single_start_is_an_upper_bound():
    """One first gap that nothing confirms may be a late setsockopt: a round number is claimed, with wide bounds."""
    idle = Story().silence(5.1).settings().idle

    assert seconds(idle) == 5
    assert bounds(idle)[0] == 1


def test_single_start_that_is_not_round_is_no_value():
    """One first gap of an unlikely length is no value."""
    idle = Story().silence(6.2, 2.06, 2.06).gives_up(2.06).settings().idle

    assert seconds(idle) is None
    assert bounds(idle) == (1, pytest.approx(6.21, abs=0.001))


def test_single_start_behind_a_router_is_no_value():
    """Away from the prober the first probe may have been lost."""
    assert seconds(Story(ttl=63).silence(5.1).settings().idle) is None


def test_less_than_two_seconds_is_one():
    """No option takes less than a second, so a first gap below two shows one even away from the prober."""
    assert seconds(Story(ttl=63).silence(1.02).settings().idle) == 1


@pytest.mark.parametrize("gap_s", [0.999125, 0.999505, 0.999988])
def test_first_gap_a_tick_early(gap_s):
    """Linux counts idle from the tick before the segment: a first gap just below a second shows one."""
    idle = Story().silence(gap_s).settings().idle

    assert seconds(idle) == 1
    assert bounds(idle) == (1, pytest.approx(gap_s + 0.5, abs=0.001))  # the tick of a slow clock


def test_early_first_gap_and_answered_ones():
    """A first gap a tick early agrees with the answered ones, whose clock is the probe's own."""
    settings = Story().probes(0.999845, 1.024, 1.02, 1.028).settings()

    assert (1, 1) == (seconds(settings.idle), seconds(settings.period))
    assert bounds(settings.period)[1] == pytest.approx(1.02, abs=0.001)


def test_early_first_gap_before_a_longer_interval():
    """A first gap a tick early stays idle where the interval is the longer."""
    settings = Story().probes(0.999131, 3.136).silence(3.072).gives_up(3.072).settings()

    assert (1, 3) == (seconds(settings.idle), seconds(settings.interval))


def test_early_trains_confirm_each_other():
    """Two first gaps, one of them early, show the second that both are closest to."""
    assert seconds(Story().silence(6.9985).data(0.6).silence(7.05).settings().idle) == 7


def test_no_tick_is_as_long():
    """A first gap that is short by more than a tick is no such second, and its bounds stay in order."""
    idle = Story().silence(0.95, 1.06).settings().idle

    assert seconds(idle) is None
    assert bounds(idle) == (pytest.approx(0.96, abs=0.001), pytest.approx(0.96, abs=0.001))


def test_two_trains_confirm_each_other():
    """Two trains that start alike need no answered spacing."""
    story = Story().silence(7.03).data(0.6).silence(7.05).data(3.1).silence(7.02)

    assert seconds(story.settings().idle) == 7


def test_first_gap_far_above_the_period_is_late():
    """A first gap far above the answered ones came from an option set late: idle is at most the period."""
    settings = Story().probes(6.0, 2.016, 2.016, 2.02).settings()

    assert seconds(settings.idle) is None
    assert bounds(settings.idle) == (1, pytest.approx(2.016, abs=0.001))
    assert seconds(settings.period) == 2


def test_held_back_by_the_interval():
    """A train right after a probe starts when the interval allows, which is no idle time."""
    settings = Story(midstream=True).data(0).data(1.5).probes(3.0, 4.1, 4.1).data(0.6).probes(3.5).settings()

    low, high = bounds(settings.idle)
    assert low <= 1 <= high


def test_midstream_start_is_unseen():
    """A capture that begins within a train shows no idle time, but idle is at most the period."""
    idle = Story(midstream=True).probes(0, 2.016, 2.016, 2.016).settings().idle

    assert seconds(idle) is None
    assert bounds(idle)[0] == 1
    assert 2.016 <= bounds(idle)[1] < 2.1


def test_interval_below_the_period_shows_idle():
    """Where unanswered probes come faster than answered ones, the period is idle, even in mid-stream."""
    story = Story(midstream=True).probes(0, 2.016, 2.016).silence(2.016, 1.024, 1.024)

    assert (2, 1, 2) == tuple(
        seconds(t) for t in (story.settings().idle, story.settings().interval, story.settings().period)
    )


def test_retransmission_does_not_restart_the_clock():
    """Data that the prober already had restarts no clock of Linux: the gap behind it is not counted."""
    story = Story().probes(5.1, 5.12).data(1).again(2).probes(3.1)

    assert seconds(story.settings().idle) == 5


def test_midstream_elsewhere():
    """Away from the prober and without the start of a train, nothing is said of idle, unless the stack says it."""
    assert Story(midstream=True, ttl=63).probes(0, 2.016, 2.016, 2.016).settings().idle is None

    stamped = Story(midstream=True, ttl=63, timestamps=True).data(0).probes(0.95, 2.016, 2.016)
    assert seconds(stamped.settings().idle) == 2


def test_handshake_with_a_hole():
    """Where the capture missed segments of the handshake, it does not tell how long the way is."""
    flow, ending = Story().probes(5.1, 5.12).flow()
    opened = flow.facts_a._replace(ack_ns=flow.facts_a.syn_ns + 4 * S)
    holed = flow._replace(facts_a=opened)

    known, unknown = (inference.infer(each, ending, "b").idle for each in (flow, holed))

    assert (5, 5) == (seconds(known), seconds(unknown))
    assert unknown.low_ns < known.low_ns


def test_handshake_sent_again():
    """A SYN that was sent again does not tell how long the way is."""
    flow, ending = Story().probes(5.1, 5.12).flow()
    twice = flow._replace(facts_a=flow.facts_a._replace(syn_count=2))

    assert inference.infer(twice, ending, "b").idle.low_ns < inference.infer(flow, ending, "b").idle.low_ns


def test_probe_that_drew_an_ignored_reset():
    """The gap behind a probe that drew a RST which nobody took shows neither period nor interval."""
    flow, ending = Story().probes(5.1, 5.12, 2).flow()
    reset = tuple(probe._replace(answer="rst") if at == 1 else probe for at, probe in enumerate(flow.probes))

    settings = inference.infer(flow._replace(probes=reset), ending, "b")

    assert (5, None) == (seconds(settings.period), settings.interval)


def test_slow_clock():
    """First gaps of 7.96 and 7.65 s and answered ones of 8.00 s are those of a clock that ticks every half second."""
    idle = Story().probes(7.958, 8.0).data(0.6).probes(7.647, 8.0).settings().idle

    assert seconds(idle) == 8


@pytest.mark.parametrize("gap_s", [5.6, 15.7, 30.7])
def test_round_number_that_a_slow_clock_contradicts(gap_s):
    """A first gap that is a round number late, or another early by a tick, is none, but its bounds hold both."""
    idle = Story().silence(gap_s).settings().idle

    assert seconds(idle) is None
    assert bounds(idle)[0] <= round(gap_s - 0.7) < round(gap_s) <= bounds(idle)[1]


def test_windows_clock():
    """Windows fires some milliseconds early: 4.992 s is 5 s."""
    settings = Story(octet=True).probes(4.994, 5.005, 4.992).silence(5.0, 2.997, 3.001).settings()

    assert (5, 3) == (seconds(settings.idle), seconds(settings.interval))


def test_peer_probes_in_between():
    """Both ends probe: 3 s since the peer's last probe would be round, but no other gap shows it; 4 s all show."""
    story = Story().peer_probe(3.148).probes(1.024).peer_probe(1.984).probes(2.048).peer_probe(0.96).probes(3.072)

    idle = story.settings().idle

    assert seconds(idle) == 4
    assert bounds(idle)[0] > 3
