"""Beats amid other data: what is as long as a train's beats when the next is due counts, whatever surrounds it."""

import random

import pytest

from tests.heartbeats import Talk, each, known, modes


def amid(pings, others, *, length=28, answer=28):
    """Pings of a at these times, each answered after 20 ms, amid messages: (time, end, length)."""
    said = [(at, "a", length) for at in pings] + [(at + 0.02, "b", answer) for at in pings if answer]
    talk = Talk()
    for at, who, octets in sorted([*said, *others]):
        talk.says(at, who, octets, acked=False)
    return talk


@modes
@pytest.mark.parametrize("where", [-0.3, -0.004, 0.004, 0.3], ids=str)
@pytest.mark.parametrize("length", [60, 700], ids=str)
def test_other_data_close_to_a_beat(jit, length, where):
    """A beat that other data of either end stands close to, before it or behind, counts with its answer."""
    pings = each(10, 10, 20)
    others = [(pings[at] + where, who, length + 9 * at) for at in (5, 8, 9, 14, 19) for who in "ab"]
    (train,) = (train for train in amid(pings, others).trains(jit=jit) if train["length"] == 28)

    assert known(train, "count", "answered", "missed") == (20, 20, 0)


@modes
def test_a_stream_of_data_in_between(jit):
    """Once a train has a rhythm its beats are counted through a while in which both ends send without a pause."""
    drawn, pings = random.Random(5), each(10, 10, 24)
    stream = [(at + drawn.random() / 4, drawn.choice("ab"), drawn.randint(200, 1400)) for at in each(62, 0.3, 350)]
    (train,) = amid(pings, stream).trains(jit=jit)

    assert known(train, "count", "answered", "missed", "due") == (24, 24, 0, 1)
    assert train["amid"] >= 9


def test_an_answer_that_comes_with_other_data():
    """Where no answer is seen beside other data it may be in one of its segments: it is not missed."""
    pings = each(10, 10, 12)
    stream = [(pings[7] - 0.1, "b", 900), (pings[7] + 0.05, "b", 928)]
    talk = Talk()
    said = [(at, "a", 28) for at in pings] + [(at + 0.02, "b", 28) for at in pings if at != pings[7]]
    for at, who, octets in sorted([*said, *stream]):
        talk.says(at, who, octets, acked=False)
    (train,) = talk.trains()

    assert known(train, "count", "answered", "missed") == (12, 11, 0)


@modes
def test_messages_as_long_at_any_time(jit):
    """Where much amid other data is as long as the beats, it is chance that some of it comes when one is due."""
    drawn = random.Random(2)
    stream = [(at, "b", 900) for at in each(62.1, 0.5, 200)] + [(at, "a", 28) for at in each(62.3, 1.7, 55)]
    beats = [at + drawn.random() / 50 for at in (*each(10, 10, 6), *each(170, 10, 6))]
    (train,) = amid(beats, stream).trains(jit=jit)

    assert known(train, "count", "answered") == (12, 12)


@modes
def test_the_second_of_all_is_amid_data(jit):
    """Which message was the second beat shows in the third, which comes as long behind it."""
    pings = each(10, 10, 8)
    (train,) = amid(pings, [(19.9, "a", 700), (19.95, "b", 300), (20.5, "a", 90)]).trains(jit=jit)

    assert known(train, "count", "answered", "missed") == (8, 8, 0)


@modes
def test_a_timer_that_its_own_data_restarts(jit):
    """A beat one period behind what its end had sent counts, though the other end sends all the time."""
    talk = Talk()
    beats = [10, 20, 30, 40, 53, 63, 73, 86, 96]
    said = [(at, "a", 8) for at in beats] + [(43, "a", 500), (76, "a", 500)]
    said += [(at, "b", 1000) for at in each(42.6, 0.4, 90)]
    for at, who, octets in sorted(said):
        talk.says(at, who, octets, acked=False)
    (train,) = talk.trains(jit=jit)

    assert known(train, "side", "count", "due") == (0, 9, 0)
