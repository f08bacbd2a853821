"""Trains whose period changes midway: each period is a train of its own."""

import pytest

from tests.heartbeats import S, Talk, each, known, modes


@modes
@pytest.mark.parametrize(("length", "answer"), [(28, 28), (6, 0)], ids=["answered", "one way"])
@pytest.mark.parametrize(("before", "after"), [(10, 30), (30, 10), (10, 25), (60, 5)], ids=str)
def test_another_period_from_some_time_on(jit, before, after, length, answer):
    """Two periods, one after the other, are two trains with a period each, that have all beats together."""
    last = 10 + 11 * before
    talk = Talk().beats([*each(10, before, 12), *each(last + after, after, 10)], length, answer)
    trains = talk.trains(jit=jit)

    assert [known(train, "count", "answered") for train in trains] == [
        (12, 12 if answer else 0),
        (10, 10 if answer else 0),
    ]
    assert [round(train["sum_ns"] / train["gaps"] / S) for train in trains] == [before, after]
    assert all(train["low_ns"] <= train["sum_ns"] / train["gaps"] <= train["high_ns"] for train in trains)


@modes
@pytest.mark.parametrize("lost", [{6}, {6, 7}, {5, 8, 11}, {6, 8, 11, 13}], ids=str)
def test_beats_that_are_not_there(jit, lost):
    """Where single beats are missing, and their answers, it is no other period: one train has those that passed."""
    (train,) = Talk().beats([at for number, at in enumerate(each(10, 10, 20)) if number not in lost]).trains(jit=jit)

    assert known(train, "count", "answered", "missed") == (20 - len(lost), 20 - len(lost), 0)
    assert round(train["sum_ns"] / train["gaps"] / S) == 10
