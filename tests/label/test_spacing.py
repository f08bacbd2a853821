"""The numbers that tell a timer from chance."""

from analyzer.label import rules, spacing


def test_one_least_idle_time():
    """What is too soon for a keepalive timer is the same for a single segment and for a train."""
    assert rules.IDLE_LEAST_NS == spacing.IDLE_NS


def test_an_eighth_late_is_even():
    """A timer that is late by an eighth, as on Linux, counts as even."""
    assert spacing.EVEN > 1 / 8
