"""Heartbeats: a program that hangs, a peer that gave up, one that refuses them."""

import pytest

from analyzer import explain
from analyzer.judge.table import PROTOCOL_NAMES
from tests.heartbeats import Talk, each
from tests.judging import codes, judge, judge_batches, scenario
from tests.notation import SCENARIOS, follow, load, parse


def flow_of(talk, tail):
    """Return the flow of a talk, judged."""
    (judged,) = judge(parse("\n".join([*talk.lines, tail]) + "\n"))
    return judged


def test_a_program_that_hangs():
    """What the kernel acknowledged and the program did not answer is counted from the last answer on, with frames."""
    (judged,) = scenario("heartbeats_unanswered_at_the_end")
    found = judged.finding("program-hung")

    assert ("b", (14, 16, 20)) == (found.about, found.frames)
    assert (20_000_000_000, 4, 3, 3) == tuple(
        found.data[name] for name in ("period_ns", "answered", "unanswered", "acked")
    )
    assert "its kernel acknowledged 3 heartbeats" in explain.detail(found, judged)


def test_a_peer_that_gave_up():
    """One heartbeat is enough where its sender waited for an answer and then closed."""
    (judged,) = scenario("heartbeat_unanswered_then_closed")

    assert ("b", "a") == (judged.finding("program-hung").about, judged.finding("heartbeats-missed").about)
    assert "ended the connection 20" in explain.detail(judged.finding("heartbeats-missed"), judged)


@pytest.mark.parametrize(
    ("talk", "tail"),
    [
        (Talk().beats(each(20, 20, 5)), "end: +10\n"),
        (Talk().beats(each(20, 20, 5)).beats([120], answer=0), "end: +1\n"),
        (Talk().beats(each(30, 30, 6), length=8, answer=0), "end: +30\n"),
        (Talk().beats(each(20, 20, 4)).beats([100, 120], answer=0).says(130, "b", 900), "end: +5\n"),
        (Talk().beats(each(20, 20, 4)).beats([100, 120], answer=0), "@130 b > a F. 25:25(0) ack 37\nend: +1\n"),
        (Talk().beats(each(20, 20, 5)).beats([120], answer=0), "@120.5 a > b F. 37:37(0) ack 31\nend: +5\n"),
    ],
    ids=["answered", "the last just sent", "one way", "data meanwhile", "closed itself", "closed at once"],
)
def test_who_does_not_hang(talk, tail):
    """Answers, other data, a close of its own, or too short a wait say nothing of a hung program."""
    found = codes(flow_of(talk, tail))

    assert not {"program-hung", "heartbeats-missed"} & set(found)


def test_heartbeats_that_are_refused():
    """A GOAWAY that calms the other end names it, its period, and the frame."""
    (judged,) = scenario("heartbeats_refused")
    found = judged.finding("too-many-pings")

    assert ("a", (4, 16, 17)) == (found.about, found.frames)
    assert "one every 10" in explain.detail(found, judged)
    assert "HTTP/2 PING" in explain.detail(found, judged)
    assert "because they are too many" in explain.headline(judged, 0)


def test_a_name_stands_in_place_of_the_form():
    """What a dissector reads is said where else it says that only the form is known."""
    text = [detail(name) for name in ("heartbeats_refused", "heartbeats_unanswered_at_the_end")]

    assert "(HTTP/2 PING)" in text[0]
    assert "(by their form)" in text[1]


def detail(name):
    """The sentence about keepalive that has nothing to do."""
    (judged,) = scenario(name)
    return explain.detail(judged.finding("keepalive-masked"), judged)


def test_what_the_ends_agreed_on_is_said():
    """Where a keep-alive could be read it stands beside how long the end waited."""
    scene = load(SCENARIOS / "heartbeat_unanswered_then_closed.pkt")
    (batch,) = follow([scene.batch()])
    batch.trains["protocol"], batch.trains["limit_ns"] = PROTOCOL_NAMES.index("MQTT"), 30 * 10**9
    (judged,) = judge_batches([batch])
    text = explain.detail(judged.finding("heartbeats-missed"), judged)

    assert "(MQTT PINGREQ) that nothing answered. The ends agreed on 30" in text
