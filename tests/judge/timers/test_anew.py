"""A timer that most likely was set anew, told from far."""

import pytest

from analyzer.judge.timers.anew import likely_anew
from tests.judging import opened


def story(*gaps_s, ttl=63, echoed=True):
    """Return a flow whose client probes after each of these times, and echoes each answer, or none."""
    stamp, echo, lines = 1000, 10, []
    for gap_s in gaps_s:
        lines.append(f"+{gap_s} a > b . 5:5(0) ack 1 ttl {ttl} <ts {stamp} {echo}>")
        stamp += round(gap_s * 1000)
        lines.append(f"+.01 b > a . 1:1(0) ack 6 <ts {stamp} {stamp}>")
        echo = stamp if echoed else echo
    return opened("\n".join(lines) + "\n")


def anew(judged):
    """Return the whole seconds of both rhythms, or None."""
    found = likely_anew(judged.settings("a"), judged.record.probes_from("a"))
    return None if found is None else tuple(each.value_ns // 1_000_000_000 for each in (found.before, found.after))


@pytest.mark.parametrize(
    ("gaps_s", "expected"),
    [
        ((7.01, 7.01, 7.01, 13.2, 13.05, 13.05), (7, 13)),
        ((13.05, 13.05, 13.05, 13.05, 5.5, 7.01, 7.01), (13, 7)),
        ((7.01, 7.01, 7.01, 7.01, 7.01, 7.01), None),
        ((7.01, 7.01, 7.01, 14.02, 7.01, 14.02, 7.01), None),
        ((7.01, 7.01, 7.01, 13.05, 13.05), None),
    ],
)
def test_two_even_rhythms_show_that_a_timer_was_set_anew(gaps_s, expected):
    """One rhythm behind another, each even; not where they mix, nor where the longer shows twice only."""
    assert expected == anew(story(*gaps_s))


def test_answers_that_may_have_been_lost_make_rhythms_too():
    """Where the next probe does not echo the answer, it may not have come: nothing is said."""
    assert anew(story(7.01, 7.01, 7.01, 13.05, 13.05, 13.05, echoed=False)) is None


def test_what_is_a_fact_is_not_called_likely():
    """Next to the prober the gaps tell the change themselves."""
    judged = story(7.01, 7.01, 7.01, 13.05, 13.05, 13.05, ttl=64)

    assert judged.settings("a").changes
    assert anew(judged) is None
