"""Which small messages may be beats, and what belongs to one."""

import pytest

from tests.heartbeats import OPENING, Talk, each, known, modes
from tests.notation import follow, parse


def test_both_ends_beat_at_once():
    """Pings of both ends in the same moment, each answered, are a train of each."""
    talk = Talk()
    for at in each(20, 20, 5):
        talk.says(at, "a", 10, acked=False).says(at + 0.001, "b", 6, acked=False)
        talk.says(at + 0.002, "a", 10, acked=False).says(at + 0.003, "b", 6)
    trains = talk.trains()

    assert [known(train, "side", "count", "answered") for train in trains] == [(0, 5, 5), (1, 5, 5)]


def test_more_than_an_exchange():
    """A message that is followed by others at once is none, however even."""
    talk = Talk()
    for at in each(10, 10, 6):
        for part in range(4):
            talk.says(at + part / 10, "a", 30)

    assert talk.trains() == []


def test_keepalive_probes_are_no_heartbeats():
    """A probe of one octet sends nothing new."""
    text = OPENING + "+0 a > b P. 1:101(100) ack 1\n+.01 b > a . 1:1(0) ack 101\n"
    for _ in range(6):
        text += "+10 a > b . 100:101(1) ack 1\n+.01 b > a . 1:1(0) ack 101\n"
    (batch,) = follow([parse(text).batch()])

    assert len(batch.trains) == 0


@modes
def test_answers_that_take_most_of_the_period(jit):
    """A ping that follows the answer to the one before closely is the next ping, not more of that exchange."""
    (train,) = Talk().beats(each(10, 1, 6), length=6, answer=10, after=0.6).trains(jit=jit)

    assert known(train, "side", "count", "answered", "missed", "due") == (0, 6, 6, 0, 1)


@modes
@pytest.mark.parametrize(("period", "lag"), [(2, 1), (2, 0.999), (10, 5), (10, 3), (20, 1.5), (3, 0.5), (10, 0.3)])
def test_both_ends_ping_and_both_answer(jit, period, lag):
    """Pings of both ends, of one length with their answers, are a train of each, and no answer counts as a ping."""
    talk = Talk()
    for at in each(5, period, 15):
        talk.beats([at]).beats([at + lag], who="b")
    trains = talk.trains(jit=jit)

    assert [known(train, "side", "count", "answered", "missed") for train in trains] == [(0, 15, 15, 0), (1, 15, 15, 0)]
    assert {round(train["sum_ns"] / train["gaps"] / 1e6) for train in trains} == {period * 1000}


@pytest.mark.parametrize("slow", [0.15, 0.3, 0.6])
def test_both_ends_ping_over_a_slow_path(slow):
    """Where the answers of one end take longer than those of a host nearby they are no pings of its own either."""
    talk = Talk()
    for at in each(5, 10, 15):
        talk.beats([at], 10, 6, after=slow).beats([at + 3], 6, 10, who="b")
    trains = talk.trains()

    assert [known(train, "side", "count", "answered") for train in trains] == [(0, 15, 15), (1, 15, 15)]


@modes
@pytest.mark.parametrize(("period", "lag"), [(25, 0.05), (25, 5.3), (30, 0.05), (30, 5), (20, 0.3)], ids=str)
def test_two_heartbeats_of_one_end(jit, period, lag):
    """Heartbeats of two lengths are two trains, also where they always come at the same time."""
    talk = Talk()
    said = [(at, 6) for at in each(10, 10, 30)] + [(at, 40) for at in each(10 + lag, period, 10)]
    for at, length in sorted(said):
        talk.beats([at], length, length)
    trains = talk.trains(jit=jit)

    assert [known(train, "length", "count", "answered") for train in trains] == [(6, 30, 30), (40, 10, 10)]


def test_two_at_once_that_are_answered_together():
    """The first answer is that to the first of two that were sent at once, the second that to the second."""
    talk = Talk()
    for at in each(10, 10, 6):
        talk.says(at, "a", 6).says(at + 0.002, "a", 40).says(at + 0.05, "b", 7).says(at + 0.06, "b", 41)
    trains = talk.trains()

    assert [known(train, "length", "answered", "answer_len") for train in trains] == [(6, 6, 7), (40, 6, 41)]


def test_two_at_once_of_which_one_is_answered():
    """Of two sent at once that one has the answer whose answers are as long."""
    talk = Talk().beats([10, 20, 30, 40, 50], 6, 6)
    for at in (60, 70, 80, 90, 100):
        talk.says(at, "a", 6).says(at + 0.02, "a", 40).says(at + 0.05, "b", 6)
    trains = talk.trains()

    assert [known(train, "length", "count", "answered") for train in trains] == [(6, 10, 10), (40, 5, 0)]


@modes
@pytest.mark.parametrize("lag", [0.0005, 0.004, 0.3])
def test_two_that_beat_in_step(jit, lag):
    """Where both beat by themselves at once, one at least has a train; the other's are taken for answers by form."""
    talk = Talk()
    for at in each(10, 10, 12):
        first, second = ("a", "b") if at < 35 else ("b", "a")
        talk.beats([at], 30, 0, who=first).beats([at + lag], 30, 0, who=second)
    trains = talk.trains(jit=jit)

    assert 9 <= max(int(train["count"]) for train in trains) <= 12
    assert {round(train["sum_ns"] / train["gaps"] / 1e9) for train in trains} == {10}


def told_of_losses(lost):
    """A ping of 6 bytes every 10 s, each answered with 8; ``lost`` says which answers lack what."""
    text, asked, answered = OPENING, 1, 1
    for at in range(8):
        text += f"+10 a > b P. {asked}:{asked + 6}(6) ack {answered}\n"
        asked += 6
        answer = f"b > a P. {answered}:{answered + 8}(8) ack {asked}\n"
        what = lost.get(at, "")
        if what == "sent again":  # the kernel's ACK comes first, behind the answer that was lost
            text += f"+.2 b > a . {answered + 8}:{answered + 8}(0) ack {asked}\n+.06 {answer}"
        elif not what:
            text += f"+.01 {answer}"
        answered += 8
        if what != "not captured":
            text += f"+.01 a > b . {asked}:{asked}(0) ack {answered}\n"
        elif at % 2:
            text += f"+.02 a > b . {asked}:{asked}(0) ack {answered}\n"
    return text


@modes
@pytest.mark.parametrize("what", ["sent again", "not captured"])
def test_an_answer_that_was_lost_before_this_point_is_one(jit, what):
    """What is captured only when it is sent again answers, and so does what the asker acknowledges without it."""
    text = told_of_losses(dict.fromkeys((3, 4, 6), what))
    (batch,) = follow([parse(text).batch()], jit=jit)
    (train,) = batch.trains

    assert known(train, "side", "count", "answered", "missed") == (0, 8, 8, 0)
