"""Flows that lose probes together with others."""

import pytest

from tests.judging import judge, texts, told
from tests.notation import parse

ALONE = """
+0   a > b  S   0:0(0)
+.01 b > a  S.  0:0(0) ack 1
+.01 a > b  .   1:1(0) ack 1
+5   a > b  .   0:0(0) ack 1
+.01 b > a  .   1:1(0) ack 1
+5   a > b  .   0:0(0) ack 1
+1   a > b  .   0:0(0) ack 1
+1   a > b  .   0:0(0) ack 1
+1   a > b  .   0:0(0) ack 1
+.01 b > a  .   1:1(0) ack 1
"""
"""Three probes of a, from 10 s to 12 s, stay unanswered; the next is answered."""
TOGETHER = """
+0    a > b  S   0:0(0)
+.01  b > a  S.  0:0(0) ack 1
+.01  a > b  .   1:1(0) ack 1
+.01  c > d  S   0:0(0)
+.01  d > c  S.  0:0(0) ack 1
+.01  c > d  .   1:1(0) ack 1
+5    a > b  .   0:0(0) ack 1
+.01  b > a  .   1:1(0) ack 1
+.2   c > d  .   0:0(0) ack 1
+.01  d > c  .   1:1(0) ack 1
+4.8  a > b  .   0:0(0) ack 1
+.2   c > d  .   0:0(0) ack 1
+.8   a > b  .   0:0(0) ack 1
+.2   c > d  .   0:0(0) ack 1
+.8   a > b  .   0:0(0) ack 1
+.01  b > a  .   1:1(0) ack 1
+.2   c > d  .   0:0(0) ack 1
+.01  d > c  .   1:1(0) ack 1
"""
"""Two flows between the same hosts lose two probes each in the same two seconds."""


def flows(text):
    """Return the judged flows of these lines."""
    return judge(parse(f"# Written in a test.\n{text.strip()}\n"))


def test_one_flow_alone_shares_nothing():
    """What one flow loses while no other does is not shared, and its advice is to look for loss."""
    (judged,) = flows(ALONE)

    assert judged.record.lapse is None
    assert "look for packet loss" in texts(told(judged), "What to change")


def test_flows_that_lose_probes_at_the_same_time():
    """Flows whose rows of lost probes overlap name each other, and the path is said to have been out."""
    one, other = flows(TOGETHER)

    assert [(1, 1), (1, 0)] == [(each.record.lapse["same"], each.record.lapse["same_flow"]) for each in (one, other)]
    assert [0, 0] == [each.record.lapse["other"] for each in (one, other)]
    story = told(one)
    assert "1 other connection between these two hosts lost probes too" in texts(story, "Also")
    assert "they may share what failed (the path between the two hosts, one of them, or a filter there)" in texts(
        story, "What to change"
    )


@pytest.mark.parametrize("later", ["+60", "+3600"])
def test_losses_one_after_the_other_are_not_shared(later):
    """What another flow lost at another time says nothing."""
    lines = ALONE.replace("a >", "c >").replace("> a", "> c").replace("b >", "d >").replace("> b", "> d")
    one, other = flows(ALONE + lines.replace("+0 ", later + " ", 1))

    assert one.record.lapse is None
    assert other.record.lapse is None
