"""Which train a beat goes on with, and how many of a train were answered."""

import pytest

from tests.heartbeats import S, Talk, each, known, modes
from tests.notation import START_NS


@modes
def test_answered_heartbeats(jit):
    """Ping and pong at even intervals are a train with period, length, answers and frames."""
    (train,) = Talk().beats(each(20, 20, 5)).trains(jit=jit)

    assert known(train, "side", "length", "count", "answered", "missed", "due") == (0, 6, 5, 5, 0, 1)
    assert train["sum_ns"] // train["gaps"] == 20 * S
    assert known(train, "first_frame", "last_frame", "answer_frame") == (4, 16, 17)
    assert known(train, "slowest_ns", "number") == (10_000_000, 0)


@modes
def test_the_last_heartbeats_stay_unanswered(jit):
    """What the peer's kernel acknowledged and its program did not answer is counted from the last answer on."""
    (train,) = Talk().beats(each(5, 5, 4)).beats(each(25, 5, 3), answer=0).trains(jit=jit)

    assert known(train, "count", "answered", "missed", "unanswered", "acked", "due") == (7, 4, 3, 3, 3, 1)
    assert known(train, "silent_frame", "silent_ns") == (16, START_NS + 25 * S)


def test_unanswered_and_not_acknowledged():
    """Where the peer's kernel is silent too, no heartbeat counts as acknowledged."""
    talk = Talk().beats(each(5, 5, 4))
    for at in each(25, 5, 3):
        talk.says(at, "a", 6, acked=False)
    (train,) = talk.trains()

    assert known(train, "unanswered", "acked") == (3, 0)


def test_both_ends_beat_by_themselves():
    """Heartbeats of both ends out of step are two trains without answers."""
    talk = Talk()
    for at in range(5):
        talk.beats([30 + 30 * at], length=8, answer=0).beats([43 + 30 * at], length=8, answer=0, who="b")
    trains = talk.trains()

    assert [known(train, "side", "count", "due") for train in trains] == [(0, 5, 0), (1, 5, 0)]


@modes
def test_the_first_comes_with_the_greeting(jit):
    """A message as long, one period before the first beat, counts though other data came just before it."""
    talk = Talk().says(1, "a", 300).says(1.1, "b", 800).beats([1.2])
    (train,) = talk.beats(each(11.2, 10, 4)).trains(jit=jit)

    assert known(train, "count", "answered", "missed", "gaps") == (5, 5, 0, 4)
    assert known(train, "first_frame", "first_ns") == (8, START_NS + 1_200_000_000)


def test_the_first_gets_no_answer():
    """What nobody answered of it is missed as any other is."""
    talk = Talk().says(1, "a", 300).says(1.2, "a", 6).beats(each(11.2, 10, 4))
    (train,) = talk.trains()

    assert known(train, "count", "answered", "missed", "unanswered") == (5, 4, 1, 0)


@modes
def test_a_beat_amid_other_data_counts(jit):
    """A heartbeat that other data stands just before is found by the one after it."""
    talk = Talk().beats(each(20, 20, 4)).says(99.5, "b", 300).beats([100, 120, 140])
    (train,) = talk.trains(jit=jit)

    assert known(train, "count", "answered", "missed", "gaps") == (7, 7, 0, 6)


@modes
def test_both_ends_beat_and_cross(jit):
    """Where either end comes first in turn each heartbeat counts as its sender's own, and none as an answer."""
    talk = Talk()
    for at in range(12):
        first, second, lag = ("a", "b", 0) if at in {0, 2, 5, 6, 10} else ("b", "a", 0.4)
        talk.beats([30 + 30 * at - lag], length=19, answer=0, who=first)
        talk.beats([30.4 + 30 * at - lag], length=19, answer=0, who=second)
    trains = talk.trains(jit=jit)

    assert [known(train, "side", "count") for train in trains] == [(0, 12), (1, 12)]


def test_another_pace():
    """A train that never had enough beats begins anew at another distance."""
    (train,) = Talk().beats([3, 7, 11, 31, 51, 71, 91]).trains()

    assert known(train, "count", "first_ns") == (5, START_NS + 11 * S)
    assert train["sum_ns"] // train["gaps"] == 20 * S


@modes
@pytest.mark.parametrize("at_once", [True, False], ids=["one segment", "one each"])
def test_several_late_answers(jit, at_once):
    """What a program that was held up answers at last is answered, late, also where it comes in one segment."""
    talk = Talk().beats(each(10, 10, 6), 6, 10).beats(each(70, 10, 3), 6, 0)
    for part in range(1 if at_once else 3):
        talk.says(95 + part / 1000, "b", 30 if at_once else 10)
    (train,) = talk.beats(each(100, 10, 4), 6, 10).trains(jit=jit)

    assert known(train, "count", "answered", "missed", "unanswered", "due") == (13, 13, 0, 0, 1)
    assert train["slowest_ns"] == 25 * S


@modes
def test_some_late_answers(jit):
    """Where fewer answers come late than beats wait, the others are missed."""
    talk = Talk().beats(each(10, 10, 6), 6, 10).beats(each(70, 10, 3), 6, 0).says(95, "b", 20)
    (train,) = talk.beats(each(100, 10, 2), 6, 0).trains(jit=jit)

    assert known(train, "count", "answered", "missed") == (11, 8, 3)
