"""What gaps that agree amount to."""

from analyzer.judge.signatures import Stack
from analyzer.judge.timers.gaps import Gap
from analyzer.judge.timers.timer import bounds, estimate
from analyzer.tolerances import OPTION_LEAST_NS

S = 1_000_000_000


def gap(seconds, frame=1, *, least=None):
    """Return a gap of so many seconds, seen next to the prober."""
    ns = round(seconds * S)
    return Gap(ns, ns if least is None else round(least * S), 0, 0, (frame, frame + 1), None)


def test_shortest_gap_decides():
    """The value is the one that the shortest gap allows, the bounds hold it, and all gaps are named."""
    timer = estimate([gap(5.3, 1), gap(5.12, 3)], Stack.LINUX)

    assert (5 * S, 2, (1, 2, 3, 4)) == (timer.value_ns, timer.observations, timer.frames)
    assert timer.low_ns < 5 * S < timer.high_ns


def test_two_seconds_fit():
    """Where two whole seconds fit and neither is round, only bounds are told."""
    assert estimate([gap(25.3)], Stack.LINUX).value_ns is None


def test_round_number_where_several_fit():
    """Of several seconds that fit, the only round one is claimed."""
    assert estimate([gap(31)], Stack.LINUX).value_ns == 30 * S


def test_no_round_number_that_equal_gaps_refute():
    """20 s are late by 0.48 s every time on Linux, whatever its tick, and never by 1.02: equal gaps show 21."""
    steady = [gap(21.02, frame)._replace(since_ns=round(21.02 * S)) for frame in (1, 3, 5)]
    wheel = [gap(20.48, frame)._replace(since_ns=round(20.48 * S)) for frame in (1, 3, 5)]

    assert 21 * S == estimate(steady, Stack.LINUX).value_ns == estimate(steady, None).value_ns
    assert 20 * S == estimate(wheel, Stack.LINUX).value_ns == estimate(wheel, None).value_ns


def test_unequal_gaps_refute_no_late_timer():
    """Where gaps differ the clock was late by chance, and the round number stands."""
    uneven = [gap(seconds)._replace(since_ns=round(seconds * S)) for seconds in (21.02, 21.3)]

    assert 20 * S == estimate(uneven, Stack.LINUX).value_ns


def test_milliseconds_with_an_octet():
    """Where milliseconds can be set, a second that alone fits is not claimed unless it is round."""
    assert estimate([gap(6.2)], Stack.ONE_OCTET).value_ns is None
    assert estimate([gap(5.2)], Stack.ONE_OCTET).value_ns == 5 * S


def test_restarted_clock():
    """A gap whose clock may have been started anew may show either length."""
    timer = estimate([gap(3.1, least=1.1)], Stack.LINUX)

    assert timer.low_ns <= S < 3 * S <= timer.high_ns


def test_bounds_are_in_order():
    """Bounds never cross, even where the least of all timers is above the gap."""
    timer = bounds([gap(0.95)], OPTION_LEAST_NS, round(0.95 * S))

    assert timer.low_ns <= timer.high_ns
