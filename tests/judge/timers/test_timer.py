"""What gaps that agree amount to."""

from analyzer.judge.signatures import ROUND_S
from analyzer.judge.timers.lateness import LINUX, ONE_OCTET, UNKNOWN
from analyzer.judge.timers.settings import timer_of
from analyzer.judge.timers.timer import bound, estimate, put_frames
from analyzer.tolerances import OPTION_LEAST_NS
from tests.trains import S, gap, timer


def estimated(gaps, stack):
    """Return the timer that gaps show, as an object."""
    found, frames = timer(), [0] * 2 * len(gaps)
    estimate(gaps, 0, len(gaps), stack, True, ROUND_S, found)
    put_frames(gaps, 0, len(gaps), frames, 0, found)
    return timer_of(found, frames)


def test_shortest_gap_decides():
    """The value is the one that the shortest gap allows, the bounds hold it, and all gaps are named."""
    found = estimated([gap(5.3, 1), gap(5.12, 3)], LINUX)

    assert (5 * S, 2, (1, 2, 3, 4)) == (found.value_ns, found.observations, found.frames)
    assert found.low_ns < 5 * S < found.high_ns


def test_two_seconds_fit():
    """Where two whole seconds fit and neither is round, only bounds are told."""
    assert estimated([gap(25.3)], LINUX).value_ns is None


def test_round_number_where_several_fit():
    """Of several seconds that fit, the only round one is claimed."""
    assert estimated([gap(31)], LINUX).value_ns == 30 * S


def test_no_round_number_that_equal_gaps_refute():
    """20 s are late by 0.48 s every time on Linux, whatever its tick, and never by 1.02: equal gaps show 21."""
    steady = [gap(21.02, frame, since=21.02) for frame in (1, 3, 5)]
    wheel = [gap(20.48, frame, since=20.48) for frame in (1, 3, 5)]

    assert 21 * S == estimated(steady, LINUX).value_ns == estimated(steady, UNKNOWN).value_ns
    assert 20 * S == estimated(wheel, LINUX).value_ns == estimated(wheel, UNKNOWN).value_ns


def test_unequal_gaps_refute_no_late_timer():
    """Where gaps differ the clock was late by chance, and the round number stands."""
    uneven = [gap(seconds, since=seconds) for seconds in (21.02, 21.3)]

    assert 20 * S == estimated(uneven, LINUX).value_ns


def test_milliseconds_with_an_octet():
    """Where milliseconds can be set, a second that alone fits is not claimed unless it is round."""
    assert estimated([gap(6.2)], ONE_OCTET).value_ns is None
    assert estimated([gap(5.2)], ONE_OCTET).value_ns == 5 * S


def test_restarted_clock():
    """A gap whose clock may have been started anew may show either length."""
    found = estimated([gap(3.1, least=1.1)], LINUX)

    assert found.low_ns <= S < 3 * S <= found.high_ns


def test_bounds_are_in_order():
    """Bounds never cross, even where the least of all timers is above the gap."""
    found = timer()
    bound(found, 1, OPTION_LEAST_NS, round(0.95 * S))

    assert found["low_ns"] <= found["high_ns"]


def test_frames_come_in_order_and_once():
    """The frames of gaps are sorted in behind those that are there."""
    frames, found = [9, 0, 0, 0, 0, 0, 0], timer()

    assert put_frames([gap(1, 5), gap(1, 2), gap(1, 6)], 0, 3, frames, 1, found) == 6
    assert ([9, 2, 3, 5, 6, 7, 0], 1, 6) == (frames, found["first"], found["stop"])
