"""How late a timer may be."""

import pytest

from analyzer.judge.timers.lateness import (
    LINUX,
    LINUX_TICKS_PER_S,
    ONE_OCTET,
    UNKNOWN,
    XNU,
    earliest,
    granule,
    late,
    may_repeat,
)
from analyzer.tolerances import BUSY_NS, LATE_BSD_NS

S = 1_000_000_000
MS = 1_000_000


@pytest.mark.parametrize(
    ("delay_s", "granule_ms"),
    # kernel/time/timer.c, table "HZ 1000": level, offset, granularity, range
    [(0.05, 1), (0.063, 8), (0.5, 8), (0.504, 64), (4, 64), (4.032, 512), (32, 512), (32.256, 4096), (250, 4096)],
)
def test_granules_are_those_of_the_kernels_table(delay_s, granule_ms):
    """Each level of Linux's wheel is eight times as coarse as the one below."""
    assert granule_ms * MS == granule(round(delay_s * S), 1000)


@pytest.mark.parametrize("ticks_per_s", LINUX_TICKS_PER_S)
def test_a_granule_is_at_most_an_eighth(ticks_per_s):
    """From a second on, no timer is late by more than the eighth part of its delay."""
    for delay_s in (1, 5, 15, 60, 75, 600, 7200, 32767):
        assert granule(delay_s * S, ticks_per_s) * 63 <= 8 * delay_s * S


def test_stacks_are_late_in_their_own_way():
    """Linux grows with the delay, others do not, and of an unknown one the worse is assumed."""
    assert LATE_BSD_NS + BUSY_NS == late(75 * S, XNU) == late(7200 * S, ONE_OCTET)
    assert late(5 * S, LINUX) < late(75 * S, LINUX) < late(7200 * S, LINUX)
    assert late(5 * S, UNKNOWN) == late(5 * S, XNU)
    assert late(7200 * S, UNKNOWN) == late(7200 * S, LINUX)


@pytest.mark.parametrize("ticks_per_s", LINUX_TICKS_PER_S)
@pytest.mark.parametrize("value_s", [1, 2, 3, 5, 10, 15, 16, 20, 30, 32, 45, 60, 64, 75, 120, 300, 7200])
def test_what_the_wheel_makes_of_a_timer_may_repeat(value_s, ticks_per_s):
    """A timer set at a granule runs out at the next one behind its time (calc_index), again and again."""
    grain = granule(value_s * S, ticks_per_s)
    repeated = (value_s * S // grain + 1) * grain

    assert may_repeat(value_s * S, repeated, 0, 20 * MS, LINUX)


def test_nothing_else_repeats():
    """Between granules no timer of Linux runs out again and again; one of BSD may be late by its batch alone."""
    assert not may_repeat(20 * S, 21_020 * MS, MS, 20 * MS, LINUX)
    assert not may_repeat(20 * S, 21_020 * MS, MS, 20 * MS, UNKNOWN)
    assert may_repeat(20 * S, 20_600 * MS, MS, 20 * MS, XNU)
    assert may_repeat(20 * S, 20_050 * MS, MS, 20 * MS, LINUX)


@pytest.mark.parametrize("stack", [LINUX, XNU, ONE_OCTET, UNKNOWN])
def test_what_may_be_late_is_what_was_early_enough(stack):
    """A gap that a timer may have made, late as it may be, allows for that timer; none is below zero."""
    for delay_s in (1, 2, 15, 75, 600, 7200):
        gap_ns = delay_s * S + late(delay_s * S, stack)

        assert earliest(gap_ns, 0, stack) <= delay_s * S
        assert earliest(gap_ns, 30 * MS, stack) <= earliest(gap_ns, 0, stack)
    assert 0 == earliest(10 * MS, 300 * MS, stack)


def test_delays_of_decades_overflow_nothing():
    """However long a gap is, what is worked out of it fits an int64: compiled loops have no longer ones."""
    for delay_s in (86_400, 10**8, 4_294_967_295):
        for stack in (LINUX, UNKNOWN):
            assert late(delay_s * S, stack) < 1 << 62
            assert 0 < earliest(delay_s * S, 0, stack) < delay_s * S
