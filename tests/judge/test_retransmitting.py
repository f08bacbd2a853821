"""Whether an end that retransmits in vain has given up."""

import pytest

from analyzer.judge.retransmitting import gave_up_ns
from tests.judging import opened

SENT = "+1 a > b P. 6:106(100) ack 1\n"


def again(*waits_s):
    """Return retransmissions of that data after such waits."""
    return SENT + "".join(f"+{wait_s} a > b P. 6:106(100) ack 1\n" for wait_s in waits_s)


def test_a_timer_that_doubles_says_when_the_next_one_was_due():
    """The next wait would have been twice the last; the capture went on for half of it more."""
    judged = opened(again(0.2, 0.4, 0.8, 1.6) + "end: +5\n")

    assert judged.record.facts("a").resent_ns + 3_200_000_000 == gave_up_ns(judged.record, "a")


@pytest.mark.parametrize(
    "lines",
    [
        again(0.2, 0.4, 0.8, 1.6) + "end: +4\n",
        again(0.2, 0.4) + "end: +60\n",
        again(0.2, 0.9, 0.3) + "end: +60\n",
        again(0.2, 0.4, 0.8) + "+.01 b > a . 1:1(0) ack 106\nend: +60\n",
        SENT + "end: +60\n",
    ],
    ids=["it may come yet", "too few", "no timer that doubles", "acknowledged", "never sent again"],
)
def test_else_nothing_is_said(lines):
    """A capture that ends soon, too few or uneven waits, and data that was acknowledged show nothing."""
    assert gave_up_ns(opened(lines).record, "a") is None
