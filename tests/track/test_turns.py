"""Which messages of an exchange are beats, and which answer which."""

import pytest

from tests.heartbeats import Talk, each, known, modes


def both(firsts, seconds, lengths, until):
    """Pings of both ends, each answered; ``lengths`` are those of a's ping and its answer, of b's ping and its."""
    ping, pong, other, back = lengths
    said = [(at, "a", ping) for at in firsts] + [(at + 0.002, "b", pong) for at in firsts]
    said += [(at, "b", other) for at in seconds] + [(at + 0.003, "a", back) for at in seconds]
    talk = Talk()
    for at, who, length in sorted(said):
        if at < until:
            talk.says(at, who, length, acked=False)
    return talk


@modes
@pytest.mark.parametrize("lengths", [(6, 2, 2, 6), (17, 17, 17, 17), (40, 60, 30, 25)], ids=["ws", "h2", "mixed"])
@pytest.mark.parametrize("periods", [(20, 25), (10, 20), (15, 30), (30, 5), (10, 10)], ids=str)
@pytest.mark.parametrize("lag", [0.001, 0.3, 2.5], ids=str)
def test_beats_of_both_ends_that_coincide(jit, lengths, periods, lag):
    """Pings of both ends, whose periods share instants, are a train of each, with all answers, and nothing else."""
    if periods == (10, 10) and len(set(lengths)) > 2 and lag < 0.01:
        pytest.skip("always within one round trip: by form either answer may be to either ping")
    firsts, seconds = (each(10 + wait + own, own, 14) for own, wait in zip(periods, (0, lag), strict=True))
    until = 10 + 14.5 * min(periods)
    trains = both(firsts, seconds, lengths, until).trains(jit=jit)
    counts = [sum(at < until for at in times) for times in (firsts, seconds)]

    assert sorted(known(train, "side", "length", "count", "answered", "missed") for train in trains) == [
        (side, lengths[2 * side], count, count, 0) for side, count in enumerate(counts) if count > 3
    ]


@modes
@pytest.mark.parametrize("lag", [0.001, 0.3])
def test_who_asks_still_but_answers_no_more(jit, lag):
    """A program that answers no more, but asks by a timer that meets the other's, has missed each ping since."""
    talk = Talk()
    said = [(at, "a") for at in each(10, 10, 20)] + [(at + 0.002, "b") for at in each(10, 10, 12)]
    said += [(at + lag, "b") for at in each(10, 20, 10)] + [(at + lag + 0.002, "a") for at in each(10, 20, 10)]
    for at, who in sorted(said):
        talk.says(at, who, 17, acked=False)
    trains = talk.trains(jit=jit)

    assert [known(train, "side", "count", "answered", "missed") for train in trains] == [(0, 20, 12, 8), (1, 10, 10, 0)]


@modes
def test_twice_as_often_as_a_beat_may_come(jit):
    """A message each half second, answered at once, is no beat of both ends."""
    assert Talk().beats(each(10, 0.5, 40), 17, 17).trains(jit=jit) == []


@modes
@pytest.mark.parametrize("pushes", [(6,), (6, 7), (6, 7, 8)], ids=str)
def test_an_answer_is_to_the_ping_whose_answers_are_as_long(jit, pushes):
    """Data that the end which pings sends just before is no ping, so that the answer behind both is not to it."""
    talk = Talk()
    said = [(at, "b", 24) for at in each(25, 25, 12)] + [(at + 0.002, "a", 28) for at in each(25, 25, 12)]
    said += [(25 * n - 0.3, "b", 30 * n - 120) for n in pushes]
    for at, who, length in sorted(said):
        talk.says(at, who, length, acked=False)
    (train,) = (train for train in talk.trains(jit=jit) if train["length"] == 24)

    assert (1, 12, 12, 0) == known(train, "side", "count", "answered", "missed")


@modes
@pytest.mark.parametrize(("length", "period"), [(19, 20), (30, 2), (6, 5)], ids=str)
@pytest.mark.parametrize("crossing", [range(14), range(3, 14), (5,)], ids=["all", "most", "one"])
def test_what_was_sent_before_a_beat_was_there_is_no_answer(jit, length, period, crossing):
    """Who sends before the other's message is there, though it comes second, beats by itself, as the other does."""
    talk = Talk()
    for at, n in zip(each(10, period, 14), range(14), strict=True):
        talk.says(at, "a", length, acked=False)
        talk.says(at + 0.02, "b", length, acked=n not in crossing, unread=length if n in crossing else 0)
    trains = talk.trains(jit=jit)

    assert sorted(known(train, "side", "count", "due") for train in trains) == [(0, 14, 0), (1, 14, 0)]


@modes
def test_what_was_sent_when_a_beat_was_there_answers_it(jit):
    """Where each message acknowledges the other's just before, it answers it."""
    (train,) = Talk().beats(each(10, 20, 14), 19, 19, after=0.02).trains(jit=jit)

    assert (0, 14, 14, 0) == known(train, "side", "count", "answered", "missed")
