"""Answers that come behind later probes."""

import pytest

from tests.labelling import batch_of

TWO_PROBES = "+5 a > b . 0:0(0) ack 1\n+1 a > b . 0:0(0) ack 1\n"


def answered(text):
    """Return for each probe of a flow after how many milliseconds it was answered, None where it was not."""
    rows = batch_of(text).seen
    took = []
    for row in rows[rows["train"] >= 0]:
        at = int(row["answer_row"])
        took.append(None if at < 0 else int(rows[at]["ts_ns"] - row["ts_ns"]) // 1_000_000)
    return took


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("+.5 b > a . 1:1(0) ack 1\n", [None, 500]),
        ("+.5 b > a . 1:1(0) ack 1\n+1 b > a . 1:1(0) ack 1\n", [1500, 1500]),
        ("+.5 b > a . 1:1(0) ack 1\n+1.1 b > a . 1:1(0) ack 1\n", [1500, 1600]),
        ("+.5 b > a . 1:1(0) ack 1\n+.7 b > a . 1:1(0) ack 1\n", [None, 500]),
        ("+.5 b > a . 1:1(0) ack 1\n+1 b > a P. 1:9(8) ack 1\n", [None, 500]),
        ("+.5 b > a . 1:1(0) ack 1\n+1 b > a . 1:1(0) ack 1\n+1 b > a . 1:1(0) ack 1\n", [1500, 1500]),
    ],
    ids=["one answer", "two in step", "two nearly in step", "two out of step", "data", "one too many"],
)
def test_answers_that_overlap(answers, expected):
    """A second answer moves the first one to the probe before, if both then took the same time."""
    assert expected == answered(TWO_PROBES + answers)


def test_a_long_train_in_step():
    """The last answers, behind the last probe, give each probe of the train its own."""
    events = sorted(
        [(second, "a > b . 0:0(0) ack 1") for second in range(10, 40)]
        + [(second + 2.5, "b > a . 1:1(0) ack 1") for second in range(10, 40)]
    )
    text = "".join(f"@{second} {what}\n" for second, what in events)

    assert [2500] * 30 == answered(text)
