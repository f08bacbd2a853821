"""How seldom something is done again that takes time."""

import time

import pytest

from analyzer.cli.seldom import PATIENCE, Seldom


@pytest.fixture
def now_s(monkeypatch):
    """The monotonic clock, as a list of one number that the test sets."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


def test_what_takes_long_once_is_done_again_at_once(now_s):
    """The first look imports modules: the second one is not put off for that."""
    looking = Seldom()

    looking.took(100.0, 0.4)

    assert looking.is_due


def test_what_takes_long_each_time_takes_a_small_part_of_the_time(now_s):
    """With very many flows each look takes long, and the next one waits many times as long."""
    looking = Seldom()
    looking.took(90.0, 0.5)
    looking.took(100.0, 0.4)
    due = []

    for wait_s in (0.4 * PATIENCE - 0.1, 0.4 * PATIENCE + 0.1):
        now_s[0] = 100.0 + wait_s
        due.append(looking.is_due)

    assert [False, True] == due


def test_it_is_done_no_more_often_than_wanted(now_s):
    """However quick it is, a least time passes."""
    asking = Seldom(0.5)
    asking.took(100.0, 0.0)
    due = [asking.is_due]
    now_s[0] = 100.6

    assert [False, True] == [*due, asking.is_due]


def test_waiting_is_no_work(now_s):
    """What counts is the processor's time: a busy machine puts nothing off."""
    looking = Seldom()
    for _ in range(2):
        with looking.doing():
            now_s[0] += 3.0

    assert looking.is_due
