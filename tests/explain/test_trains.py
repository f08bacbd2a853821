"""Runs of probes in the timeline."""

from analyzer.explain.trains import FEW, runs, train_lines
from analyzer.words.teller import Teller
from tests.judging import opened

PAIR = "+3.01 a > b . {0}:{0}(0) ack 1\n+.01 b > a . 1:1(0) ack {1}\n"
DATA = "+1 a > b P. {1}:{2}(1) ack 1\n+.01 b > a . 1:1(0) ack {2}\n"


def teller(trains, probes, *, unanswered=False):
    """Return the teller of a flow whose client sends a byte, then so many probes, so many times."""
    text = "".join((probes * PAIR + DATA).format(5 + at, 6 + at, 7 + at) for at in range(trains))
    return Teller(opened(text + ("+3 a > b . {0}:{0}(0) ack 1\n".format(5 + trains) if unanswered else "")), 0)


def test_many_trains_that_are_alike_are_one_line():
    """How many there were, how they looked, when the last began; with the frames of all."""
    t = teller(FEW + 1, 2)
    (line,) = train_lines(t, "a")

    assert line.text.startswith("client sends 2 probes 4 times, every 3.020 s, the first each time after 3.0")
    assert line.text.endswith(": all answered")
    assert 4 * 2 * 2 == len(line.frames)
    assert "client probes 4 times, each after 3.0" in train_lines(teller(FEW + 1, 1), "a")[0].text


def test_few_trains_have_lines_of_their_own():
    """So has one that is unlike the others."""
    assert FEW == len(train_lines(teller(FEW, 2), "a"))
    assert 2 == len(train_lines(teller(FEW + 1, 2, unanswered=True), "a"))


def test_a_train_ends_with_its_unanswered_tail():
    """What stayed unanswered at its end is a run of its own."""
    t = Teller(opened(2 * PAIR.format(5, 6) + "+3 a > b . 5:5(0) ack 1\n"), 0)

    assert [2, 1] == [len(run) for run in runs(t, "a")]
