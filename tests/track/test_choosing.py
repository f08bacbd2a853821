"""Which of the trains that explain the same messages stays: late answers, or beats of the other end."""

import itertools
import random

import pytest

from tests.heartbeats import S, Talk, each, known, modes, talk_of


@modes
@pytest.mark.parametrize("length", [6, 10, 40])
@pytest.mark.parametrize("after", [2.5, 3])
def test_answers_that_are_always_late(jit, length, after):
    """What comes three seconds behind each ping of ten is its answer, not the other end's own."""
    (train,) = Talk().beats(each(10, 10, 8), length=length, after=after).trains(jit=jit)

    assert known(train, "side", "count", "answered", "missed", "unanswered", "due") == (0, 8, 8, 0, 0, 1)
    assert train["slowest_ns"] == after * S


def test_answers_that_take_as_long_as_they_like():
    """Answers late by other times each are answers, however late: a timer of their sender's would be even."""
    talk = Talk()
    for at, after in zip(each(10, 10, 8), (2.4, 6.1, 3.3, 0.2, 4.8, 7.2, 2.9, 5.5), strict=True):
        talk.beats([at], 40, 40, after=after)
    (train,) = talk.trains()

    assert known(train, "side", "count", "answered", "missed", "due") == (0, 8, 8, 0, 1)


def test_late_answers_that_cease():
    """Behind answers that came late the last pings are unanswered, from the first of them on."""
    (train,) = Talk().beats(each(10, 10, 6), after=3).beats(each(70, 10, 3), answer=0).trains()

    assert known(train, "answered", "missed", "unanswered", "acked") == (6, 3, 3, 3)
    assert train["silent_ns"] - train["answer_ns"] == 7 * S


@modes
@pytest.mark.parametrize("length", [8, 30], ids=["amqp", "amqp-in-tls"])
@pytest.mark.parametrize("swapped", [{0}, {5}, {10}, {1, 4}, {0, 1, 4, 7}], ids=str)
def test_two_that_beat_by_one_clock(jit, length, swapped):
    """Where beats of both ends meet within a millisecond and either comes first, all count, and none is an answer."""
    talk = Talk()
    for at, seconds in enumerate(each(12, 2, 11)):
        first, second = "ab" if at in swapped else "ba"
        talk.says(seconds, first, length, acked=False).says(seconds + 0.001, second, length, acked=False)

    assert {known(train, "side", "count", "due") for train in talk.trains(jit=jit)} == {(0, 11, 0), (1, 11, 0)}


def test_a_request_before_pings_is_none():
    """What an end asks once, longer than its answers to pings, leaves those pings with their answers as they are."""
    (train,) = Talk().beats([10], 34, 30).beats(each(12, 2, 10), 30, 30, who="b").trains()

    assert known(train, "side", "count", "answered", "missed", "due") == (1, 10, 10, 0, 1)


def test_half_a_period_apart_are_two_that_beat():
    """Who comes evenly and far behind the other's beat may as well beat by himself: nothing is said of answers."""
    trains = Talk().beats(each(10, 10, 8), length=8, answer=8, after=5).trains()

    assert [known(train, "side", "count", "due") for train in trains] == [(0, 8, 0), (1, 8, 0)]


def drawn(seed, first):
    """Return when an end beats whose timer of 2 s draws up to a quarter less each time (RFC 4271 10)."""
    draw = random.Random(seed)
    return list(itertools.accumulate((draw.uniform(1.5, 2) for _ in range(29)), initial=first))


@modes
@pytest.mark.parametrize("seed", [1, 3, 8])
def test_two_timers_that_draw_are_no_answers(jit, seed):
    """Of two that beat every 2 s at most one may come second each time, by ever other times: both beat, all count."""
    trains = talk_of([drawn(seed, 10), drawn(seed + 100, 11)], 19).trains(jit=jit)

    assert {known(train, "side", "count", "due") for train in trains} == {(0, 30, 0), (1, 30, 0)}


@pytest.mark.parametrize(
    "late", [[1.3], [0.02, 0.1, 0.05], [0.02] * 12 + [1.2] + [0.02] * 17], ids=["late", "soon", "once"]
)
def test_answers_to_a_timer_that_draws_stay_answers(late):
    """However uneven a timer is, what comes behind each beat by the same time, or once by another, answers."""
    talk = Talk()
    for at, after in zip(drawn(4, 10), itertools.cycle(late)):
        talk.beats([at], 19, 19, after=after)
    (train,) = talk.trains()

    assert known(train, "side", "count", "answered", "due") == (0, 30, 30, 1)
