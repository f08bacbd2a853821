"""Which train a beat goes on with, and which train takes every message of a length."""

import itertools
import random

import pytest

from tests.heartbeats import Talk, each, known, modes


@modes
@pytest.mark.parametrize("length", [8, 40])
@pytest.mark.parametrize("periods", [(20, 25), (10, 20), (15, 30), (25, 60), (10, 25)], ids=str)
@pytest.mark.parametrize("lag", [0.002, 0.3, 1], ids=str)
def test_two_that_beat_by_themselves_and_coincide(jit, length, periods, lag):
    """Beats of both ends that nobody answers are all counted, and none as an answer, though some come right behind."""
    talk, times = Talk(), (each(10, periods[0], 14), each(10 + lag, periods[1], 14))
    for at, who in sorted((at, who) for who, own in zip("ab", times, strict=True) for at in own):
        talk.beats([at], length, 0, who=who)
    trains = talk.trains(jit=jit)

    assert [known(train, "side", "count", "due") for train in trains] == [(0, 14, 0), (1, 14, 0)]


@modes
def test_one_asks_and_the_other_beats(jit):
    """Pings with answers, and beats of the other end as long that nobody answers, are a train of each."""
    talk = Talk()
    said = [(at, "a", 30) for at in each(10, 20, 12)] + [(at + 0.002, "b", 30) for at in each(10, 20, 12)]
    for at, who, length in sorted([*said, *((at, "b", 30) for at in each(11.5, 15, 16))]):
        talk.says(at, who, length, acked=False)
    trains = talk.trains(jit=jit)

    assert [known(train, "side", "count", "answered", "due") for train in trains] == [(0, 12, 12, 1), (1, 16, 0, 0)]


@modes
def test_answers_are_no_beats_of_their_own(jit):
    """Answers that are as long as each other, to requests that are not, are no train."""
    drawn, talk = random.Random(3), Talk()
    for at in each(10, 10, 60):
        talk.beats([at], 40 + drawn.randint(0, 60), 30)

    assert talk.trains(jit=jit) == []


@modes
@pytest.mark.parametrize("seed", range(4))
def test_two_timers_with_jitter(jit, seed):
    """Timers that each draw up to a tenth anew, and meet at any distance, are a whole train each."""
    drawn, talk, times = random.Random(seed), Talk(), []
    for who, period in (("a", 10), ("b", 9)):
        steps = [period * (1 - drawn.random() / 10) for _ in range(20)]
        times += [(at, who) for at in itertools.accumulate(steps, initial=20)]
    for at, who in sorted(times):
        talk.beats([at], 19, 0, who=who)
    trains = talk.trains(jit=jit)

    assert [known(train, "side", "count", "due") for train in sorted(trains, key=lambda train: train["side"])] == [
        (0, 21, 0),
        (1, 21, 0),
    ]
