"""The idle time that is most likely where only bounds are known."""

import pytest

from analyzer.judge.timers.likely import likely_idle
from tests.judging import opened

UNANSWERED = "+4.096 a > b . 5:5(0) ack 1\n+4.096 a > b . 5:5(0) ack 1\n+4.096 a > b R. 6:6(0) ack 1\n"


def likely(text):
    """What is most likely of the client of a flow that goes on so."""
    judged = opened(text)
    found = likely_idle(judged.settings("a"), judged.record.probes_from("a"))
    return None if found is None else found.value_ns // 1_000_000_000


@pytest.mark.parametrize(("wait", "expected"), [(7.03, 7), (7.6, 7), (6.99, 7), (6.9, None)])
def test_one_gap_shows_what_was_most_likely_set(wait, expected):
    """The whole seconds that alone fit the first gap, as timers are late, never early; else nothing."""
    judged = opened(f"+{wait} a > b . 5:5(0) ack 1\n" + UNANSWERED)

    assert judged.settings("a").idle.value_ns is None
    assert likely(f"+{wait} a > b . 5:5(0) ack 1\n" + UNANSWERED) == expected


def test_what_the_gaps_tell_is_not_guessed():
    """Where two trains agree the value is known, and is not said again as likely."""
    train = "+7.03 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"

    assert opened(2 * train).settings("a").idle.value_ns == 7_000_000_000
    assert likely(2 * train) is None


def test_answered_probes_that_come_sooner_contradict():
    """Idle is no longer than the time between answered probes."""
    answered = "+{} a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"

    assert likely("".join(map(answered.format, (7.03, 4.05, 4.05, 4.05)))) is None
