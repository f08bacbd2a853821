"""Which small messages may be beats, and what belongs to one."""

from tests.heartbeats import OPENING, Talk, each, known, modes
from tests.notation import follow, parse


def test_both_ends_beat_at_once():
    """Pings of both ends in the same moment, each answered, are one train of who began."""
    talk = Talk()
    for at in each(20, 20, 5):
        talk.says(at, "a", 10, acked=False).says(at + 0.001, "b", 6, acked=False)
        talk.says(at + 0.002, "a", 10, acked=False).says(at + 0.003, "b", 6)
    (train,) = talk.trains()

    assert known(train, "side", "count", "answered") == (0, 5, 5)


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
