"""Which distances are in step with a train of beats."""

import itertools
import random

import pytest

from tests.heartbeats import S, Talk, each, known, modes, routers, talk_of
from tests.notation import START_NS


@modes
def test_other_data_in_between(jit):
    """Requests between heartbeats are neither counted nor break the train, whose period is that of the clock."""
    talk = Talk().beats(each(20, 20, 4)).says(85, "a", 300).says(85.1, "b", 4000).beats([100, 120]).trains(jit=jit)

    assert [known(train, "count", "answered", "gaps") for train in talk] == [(6, 6, 5)]


def test_a_timer_that_data_restarts():
    """Who beats so long after other data has the same period, however that data comes."""
    talk = Talk().beats(each(15, 15, 4)).says(67, "b", 4000).beats([82.04, 97.05]).says(103, "b", 900)
    (train,) = talk.beats([118.04]).trains()

    assert known(train, "count") == (7,)
    assert train["high_ns"] - train["low_ns"] < S // 10


def test_heartbeats_that_a_busy_time_hides():
    """Behind a busy time the train goes on if it is in step."""
    talk = Talk().beats(each(10, 10, 5))
    for at in range(80):
        talk.says(52 + at / 2, "a", 500)
    (train,) = talk.beats([100, 110]).trains()

    assert known(train, "count", "gaps") == (7, 5)


def test_a_message_as_long_at_another_distance_is_not_the_first():
    """What came before the first beat at any other distance begins no train."""
    (train,) = Talk().says(1, "a", 300).says(1.2, "a", 6).beats(each(5, 10, 5)).trains()

    assert known(train, "count", "first_ns", "missed") == (5, START_NS + 5 * S, 0)


@modes
@pytest.mark.parametrize(
    ("period", "found"), [(30, [(0, 14, 0), (1, 14, 0)]), (2, [(0, 14, 1)])], ids=["each alone", "in pairs"]
)
def test_routers(jit, period, found):
    """KEEPALIVEs of two routers with a jitter of a quarter are counted; who always comes second seems to answer."""
    trains = talk_of(routers(period), 19).trains(jit=jit)

    assert [known(train, "side", "count", "due") for train in trains] == found


def test_a_jitter_that_no_timer_has():
    """Messages of one end that come at random in the long run are no train."""
    times = itertools.accumulate([30, 17, 26, 41, 12, 35, 22, 44, 19, 29, 38, 15])

    assert talk_of([list(times), []], 19).trains() == []


def with_jitter(jitter, count, seed):
    """Times at a distance of 30 s, each more or less by up to a part of it."""
    drawn = random.Random(seed)
    return list(itertools.accumulate((30 * (1 + drawn.uniform(-jitter, jitter)) for _ in range(count - 1)), initial=20))


@modes
@pytest.mark.parametrize("length", [6, 30, 60])
@pytest.mark.parametrize("jitter", [0.1, 0.2, 0.25])
def test_a_timer_with_jitter(jit, length, jitter):
    """Pings of any length whose distances differ by a quarter either way are one train, nearly whole."""
    for seed in range(6):
        (train,) = Talk().beats(with_jitter(jitter, 20, seed), length, length).trains(jit=jit)
        assert 18 <= train["count"] == train["answered"] <= 20
        assert 25 * S < train["sum_ns"] // train["gaps"] < 35 * S


def test_a_strict_rhythm_stays_strict():
    """A message at another time, which a timer with much jitter could have sent, leaves the period what it is."""
    (train,) = Talk().beats(sorted([*each(10, 10, 14), 47, 91])).trains()

    assert known(train, "low_ns", "high_ns", "count") == (10 * S, 10 * S, 14)
