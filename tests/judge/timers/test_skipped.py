"""What was lost between a prober and a far capture point, and the settings that show by it."""

import pytest

from analyzer import explain
from analyzer.judge.timers.skipped import likely_skipped
from tests.judging import opened, texts

S = 1_000_000_000


def story(*waits, ttl=63):
    """Return a flow whose client probes after each of these times; where one is given in a tuple, no answer came."""
    stamp, echo, lines = 1000, 10, []
    for wait in waits:
        wait_s = wait[0] if isinstance(wait, tuple) else wait
        echo = echo if isinstance(wait, tuple) else stamp
        stamp += round(wait_s * 1000)
        lines.append(f"+{wait_s} a > b . 5:5(0) ack 1 ttl {ttl} <ts {stamp} {echo}>")
        lines.append(f"+.001 b > a . 1:1(0) ack 6 <ts {stamp} {stamp}>")
    return opened("\n".join(lines) + "\n")


def skipped(judged):
    """Return period and interval in whole seconds, and how many probes and answers were lost; or None."""
    found = likely_skipped(judged.settings("a"), judged.record.probes_from("a"), stamped=True)
    if found is None:
        return None
    return found.period_value_ns // S, found.interval_value_ns // S, found.probes_lost, found.answers_lost


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ((7.01, 7.01, 12.06, 7.01, 7.01), (7, 5, 1, 0)),
        ((4.09, 4.09, 4.09, 5.12, 4.09, (1.02,), 4.09, 4.09), (4, 1, 1, 1)),
        ((4.09, 4.09, 6.14, 4.09, 4.09), (4, 2, 1, 0)),
        ((4.09, 4.09, 4.09, 4.09), None),
        ((4.09, 4.09, 4.09, 9.3, 9.3), None),
        ((4.09, 4.09, 6.14, 4.09, 7.3, 4.09), None),
        ((4.09, 4.09, (4.09,), (4.09,), 5.12, 4.09), None),
    ],
    ids=[
        "one probe",
        "a probe and an answer",
        "two seconds",
        "even",
        "longer for good",
        "no one interval",
        "answers that are not echoed",
    ],
)
def test_waits_that_fit_one_period_and_one_interval_show_both(waits, expected):
    """Longer waits behind answers that had come are lost probes, shorter ones behind lost answers the interval."""
    assert expected == skipped(story(*waits))


def test_the_story_gives_both_as_most_likely():
    """Idle time and interval are told, and what was lost where; next to the prober nothing of the kind."""
    told, near = (explain.story(story(4.02, 4.09, 4.09, 5.12, 4.09, (1.02,), 4.09, ttl=ttl), 0) for ttl in (63, 64))

    assert "interval 1 s, most likely" in texts(told, "Keepalive settings, inferred")
    assert "Most likely the path lost 1 probe before this point" in texts(told, "What happened")
    assert "1 answer behind it" in texts(told, "What happened")
    assert "most likely lost 2 packets of this connection's keepalive" in texts(told, "What to change")
    assert "the path lost" not in texts(near, "What happened")
