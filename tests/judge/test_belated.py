"""Answers that came when the prober had given up."""

import pytest

from analyzer.judge.belated import belated_ns
from tests.judging import scenario, texts, told, written
from tests.notation import SCENARIOS

SLOW = (SCENARIOS / "answers_belated_by_a_slow_way.pkt").read_text(encoding="utf-8")


def lines(text):
    """The flow of a scenario without what is expected of it."""
    return written(text.partition("verdict:")[0])


def test_as_many_and_as_far_apart():
    """Answers as many and as far apart as the last probes came late: their delay and frames are known."""
    (judged,) = scenario("answers_belated_by_a_slow_way")

    assert (17_000_000_000, (8, 9, 10)) == belated_ns(judged.record, "a")
    assert belated_ns(judged.record, "b") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("+5.1    b > a", "+.01 b > a", id="at once, as from a host that slept"),
        pytest.param("+5.1    b > a  .   1:1(0) ack 1\n", "", id="fewer than probes"),
        pytest.param("+5      b > a  .   1:1(0) ack 1\n", "+5 b > a P. 1:11(10) ack 1\n", id="data"),
    ],
)
def test_what_else_comes_late(before, after):
    """What comes at once, seldomer, or with data is no row of late answers."""
    assert before in SLOW
    assert belated_ns(lines(SLOW.replace(before, after)).record, "a") is None


def test_nobody_is_called_dead():
    """The story says that the way was slow, as inference, offers no dead host, and advises to wait longer."""
    (judged,) = scenario("answers_belated_by_a_slow_way")
    story = told(judged)

    assert not judged.causes
    assert "most likely the answers, so late (inferred)" in texts(story, "What happened")
    assert "gave up too soon, most likely: the server was alive and answered" in texts(story, "Why")
    assert "give answers more time than 17.000 s" in texts(story, "What to change")
    assert "nobody was there" not in str(story)
    assert "does not show why the RST was sent" not in str(story)
