"""Heartbeats that the other program refuses as too many."""

from analyzer import explain
from tests.judging import codes, judge_batches, scenario
from tests.notation import SCENARIOS, follow, load


def test_heartbeats_that_are_refused():
    """A GOAWAY that calms the other end names it, its period, and the frame."""
    (judged,) = scenario("heartbeats_refused")
    found = judged.finding("too-many-pings")

    assert ("a", (4, 16, 17)) == (found.about, found.frames)
    assert "one every 10" in explain.detail(found, judged)
    assert "HTTP/2 PING" in explain.detail(found, judged)
    assert "asked the client to calm down, most likely for its heartbeats: one every 10" in explain.headline(judged, 0)


def refused(refused_for, times=1):
    """The flow whose heartbeats were refused, for something, at so many times its period."""
    scene = load(SCENARIOS / "heartbeats_refused.pkt")
    batches = scene.dissected(follow([scene.batch()]))
    batches[0].trains["refused_for"] = refused_for
    batches[0].trains["sum_ns"] *= times
    (judged,) = judge_batches(batches)
    return judged


def test_a_refusal_that_says_for_what():
    """Too many pings are told as such only where the refusal says so; where it names something else nothing is."""
    assert "refused the client's heartbeats as too many: one every 10" in explain.headline(refused(1), 0)
    assert "too-many-pings" not in codes(refused(2))


def test_a_refusal_of_rare_heartbeats():
    """Where neither the refusal nor the rate speaks for it, it is said that this cannot be told."""
    assert "to calm down; whether for its heartbeats, one every 6 min" in (text := explain.headline(refused(0, 36), 0))
    assert text.endswith("cannot be told.")
