"""Which trains of beats are heartbeats, and which are none."""

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
