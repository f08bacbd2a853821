"""From where on the packets of an end came another way."""

import numpy as np

from analyzer.judge import recording
from analyzer.judge.ways import turned
from tests.judging import judge
from tests.notation import SCENARIOS, follow, load, parse


def turns(scene):
    """Sender, frame, TTLs and station of each turn of the first flow."""
    (batch,) = follow([scene.batch()])
    return [(t.sender, t.frame, t.own_ttl, t.ttl, t.other_mac) for t in recording.build(batch, 0).turns]


def test_another_ttl_from_then_on_is_a_turn():
    """The first row with it is told, with the TTL before."""
    assert [("b", 10, 61, 57, True)] == turns(load(SCENARIOS / "path_changes_at_a_lost_probe.pkt"))


def test_packets_that_come_both_ways_have_not_turned():
    """Where the old TTL comes back, the path did not change for good."""
    text = (SCENARIOS / "path_changes_at_a_lost_probe.pkt").read_text()
    back = "+19.91  a > b  .   0:0(0) ack 1\n+.09    b > a  .   1:1(0) ack 1 ttl 61 mac 7\nverdict: open"
    scene = parse(text.replace("verdict: open", back).partition("finds")[0])

    assert [] == turns(scene)
    assert judge(scene)[0].record.turns == ()


def test_of_no_rows_there_are_no_turns():
    """Flows without notable segments have none."""
    empty = np.empty(0, dtype=np.int64)

    assert 0 == len(turned(lambda _: empty, empty))
