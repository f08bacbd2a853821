"""Offset and drift of a clock follow from packets of both directions, with bounds; steps are found."""

import numpy as np
import pytest

from analyzer.vantage.clock import clock_of

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def samples(offset, *, count=60, every_s=1.0, delays_ns=(50_000, 90_000)):
    """Return what two clocks told of packets of both directions; ``offset`` gives it for an instant, in ns."""
    there = START + (np.arange(count) * every_s * SECOND).astype(np.int64)
    way = np.where(np.arange(count) % 2, -1, 1).astype(np.int8)
    took = np.where(way > 0, delays_ns[0], delays_ns[1]) + np.arange(count) % 7 * 1000
    here = there + way * took
    return there, np.array([ts + offset(int(ts)) for ts in here.tolist()]), way


@pytest.mark.parametrize("offset_ns", [0, 37_250_000_000, -3 * 3600 * SECOND])
@pytest.mark.parametrize("ppm", [0, 20, 150, -200])
def test_offset_and_drift_are_within_their_bounds(offset_ns, ppm):
    """However far a clock is off, and however it drifts, the truth lies between the bounds, which are the delays."""
    there, here, way = samples(lambda ts: offset_ns + round((ts - START) * ppm / 1e6))

    piece = clock_of(there, here, way).first

    assert piece.low_ns <= offset_ns <= piece.high_ns
    assert piece.high_ns - piece.low_ns < 200_000
    assert piece.drift_low <= ppm / 1e6 <= piece.drift_high


def test_its_instants_come_back_as_the_reference_told_them():
    """What a clock that is off and drifts told is turned back to within the delays."""
    there, here, way = samples(lambda ts: 5 * SECOND + round((ts - START) * 100 / 1e6))

    told = clock_of(there, here, way).reference_ns(here)

    assert (np.abs(told - there) < 200_000).all()


def test_a_clock_that_was_set_has_two_pieces():
    """Where no straight line fits, a new piece begins where the clock was set."""
    there, here, way = samples(lambda ts: 2 * SECOND if ts - START > 30 * SECOND else 0)

    first, second = clock_of(there, here, way).pieces

    assert abs(second.offset_ns - first.offset_ns - 2 * SECOND) < 200_000
    assert START + 30 * SECOND <= second.from_ns - 2 * SECOND <= START + 31 * SECOND


def test_one_packet_that_was_none_of_both_is_passed_over():
    """A single sample that contradicts all others sets no clock."""
    there, here, way = samples(lambda _: 0)
    here[25] -= 10 * SECOND

    clock = clock_of(there, here, way)

    assert 1 == len(clock.pieces)


@pytest.mark.parametrize(("way", "known"), [(1, "high_ns"), (-1, "low_ns"), (0, None)])
def test_packets_of_one_direction_bound_from_one_side(way, known):
    """Without packets the other way, or without knowing the way, the bounds that nothing gives are not given."""
    there, here, _ = samples(lambda _: SECOND)

    piece = clock_of(there, here, np.full(len(there), way, dtype=np.int8)).first

    assert [name for name in ("low_ns", "high_ns") if getattr(piece, name) is not None] == ([known] if known else [])


def test_many_samples_bound_as_few_do():
    """Of many samples those of each stretch that bound most are looked at, and nothing is lost by that."""
    there, here, way = samples(lambda ts: round((ts - START) * 30 / 1e6), count=20_000, every_s=0.05)

    piece = clock_of(there, here, way).first

    assert piece.drift_low <= 30e-6 <= piece.drift_high
    assert piece.drift_high - piece.drift_low < 1e-6


@pytest.mark.parametrize("late_ns", [15_000, 150_000, 700_000], ids=lambda late_ns: f"{late_ns // 1000} us")
@pytest.mark.parametrize("both", [True, False], ids=["either way", "one way"])
def test_times_that_are_off_by_microseconds_set_no_clock(late_ns, both):
    """Where single times contradict others by as much as processors do, bounds are wider, and the truth is in them."""
    there, here, way = samples(lambda ts: 3 * SECOND + round((ts - START) * 20 / 1e6), delays_ns=(4_000, 6_000))
    odd = np.arange(len(here)) % 5 == 0
    here[odd & (way > 0)] -= late_ns
    here[odd & (way < 0) & both] += late_ns

    clock = clock_of(there, here, way)

    (piece,) = clock.pieces
    assert piece.low_ns <= 3 * SECOND <= piece.high_ns
    assert piece.drift_low <= 20e-6 <= piece.drift_high
    assert clock.jitter_ns >= late_ns // 2


def test_a_clock_whose_times_agree_has_no_jitter():
    """What nothing contradicts is trusted to the microsecond."""
    assert clock_of(*samples(lambda _: 0)).jitter_ns == 0
