"""Which trains of beats are heartbeats, and which are none."""

import random

import numpy as np
import pytest

from analyzer.track.beats import BEATS
from analyzer.track.heartbeats import is_train
from tests.heartbeats import S, Talk, each, known, routers, talk_of


def test_one_way():
    """Where nobody ever answers, nothing says that answers are due."""
    (train,) = Talk().beats(each(30, 30, 5), length=8, answer=0).trains()

    assert known(train, "count", "answered", "due") == (5, 0, 0)


def test_two_of_four_show_at_the_end():
    """The exchange that is open counts, and so does the beat before it that other data hid."""
    (train,) = Talk().beats([20, 40]).says(59.5, "b", 300).beats([60, 80]).trains()

    assert known(train, "count", "answered") == (4, 4)


@pytest.mark.parametrize(
    "talk",
    [
        Talk().beats(each(10, 10, 3)),
        Talk().beats([10, 13, 25, 31, 50, 54, 77]),
        Talk().beats(each(10, 10, 6), length=161),
        Talk().beats(each(10, 10, 6), length=40, answer=120),
        Talk().beats(each(10, 10, 6), length=40, answer=2000),
        Talk().beats(each(2, 1, 20), length=40, answer=0),
        Talk().beats(each(1, 0.5, 30)),
    ],
    ids=["three", "uneven", "long", "longer answer", "a page", "output once a second", "twice a second"],
)
def test_what_is_no_train(talk):
    """Few, uneven, long or quick messages, and polls that get more than they sent, are no heartbeats."""
    assert talk.trains() == []


def at_random(seed, draw):
    """So many times, as far from each other as is drawn."""
    at, drawn = 1.0, random.Random(seed)
    return [at := at + draw(drawn) for _ in range(60)]


@pytest.mark.parametrize(
    ("draw", "length", "most"),
    [
        (lambda drawn: drawn.choice([0.12, 0.2, 0.25, 0.3, 0.15, 1.2]), 1, 0),
        (lambda drawn: drawn.uniform(1, 6), 36, 2),
        (lambda drawn: drawn.uniform(5, 60), 80, 1),
    ],
    ids=["keys", "pages", "calls"],
)
def test_what_somebody_does_now_and_then_is_no_heartbeat(draw, length, most):
    """Of messages at random some are at even distances, but more are not: hardly ever are they called heartbeats."""
    found = [bool(Talk().beats(at_random(seed, draw), length, length).trains()) for seed in range(16)]

    assert sum(found) <= most


def test_a_few_messages_out_of_the_rhythm_change_nothing():
    """Who says something as long now and then, at another time, still beats."""
    (train,) = Talk().beats(sorted([*each(10, 10, 12), 33.5, 77.5])).trains()

    assert 9 * S < train["sum_ns"] // train["gaps"] < 11 * S
    assert 0 < train["others"] < 3


def test_lengths_that_differ():
    """Messages of any length at even intervals are no heartbeats."""
    talk = Talk()
    for at, length in zip(each(10, 10, 8), (20, 90, 33, 70, 48, 120, 25, 60), strict=True):
        talk.beats([at], length=length)

    assert talk.trains() == []


def test_answers_that_differ():
    """A poll that gets something else each time is no heartbeat."""
    talk = Talk()
    for at, answer in zip(each(10, 10, 6), (20, 66, 33, 70, 48, 25), strict=True):
        talk.beats([at], length=40, answer=answer)

    assert talk.trains() == []


def test_routers_that_come_first_in_turn():
    """Short messages of both ends, by the same timer, are heartbeats of each even where they come every few seconds."""
    firsts, seconds = routers(3)
    trains = talk_of([firsts, [at + 1.5 for at in seconds]], 19).trains()

    assert [known(train, "side", "due") for train in trains] == [(0, 0), (1, 0)]
    assert trains[0]["count"] == 14


def test_only_one_end_says_so_much_so_often():
    """What is longer and comes as often, with jitter, and from one end alone, is no heartbeat."""
    assert talk_of([routers(3)[0], []], 19).trains() == []


def test_unlike_answers_are_counted():
    """One answer in four may be of another length."""
    train = dict.fromkeys(BEATS.names, 0) | {
        "count": 8, "gaps": 7, "sum_ns": 70 * S, "low_ns": 10 * S, "high_ns": 10 * S, "length": 6, "answered": 8,
    }  # fmt: skip

    assert [unlike for unlike in range(9) if is_train(train | {"unlike": unlike})] == [0, 1, 2]
    assert np.dtype(BEATS).itemsize <= 256
