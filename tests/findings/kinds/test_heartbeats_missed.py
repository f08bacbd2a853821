"""Ends that gave up because heartbeats were missing."""

import pytest

from analyzer import explain
from analyzer.judge.table import PROTOCOL_NAMES
from tests.heartbeats import Talk, agreed, each, flow_of
from tests.judging import codes, judge_batches, scenario, texts, told
from tests.notation import SCENARIOS, follow, load, parse

STAYED_AWAY = "@90.5 b > a F. 1:1(0) ack 49\nend: +60\n"


def test_what_the_ends_agreed_on_binds_who_waits_for_heartbeats():
    """MQTT's keep-alive and a half is how long a broker waits: of a client that got no answer nothing such is said."""
    scene = load(SCENARIOS / "heartbeat_unanswered_then_closed.pkt")
    (batch,) = follow([scene.batch()])
    batch.trains["protocol"], batch.trains["limit_ns"] = PROTOCOL_NAMES.index("MQTT"), 30 * 10**9
    (judged,) = judge_batches([batch])
    text = explain.detail(judged.finding("heartbeats-missed"), judged)

    assert text.endswith("(MQTT PINGREQ) that nothing answered.")
    assert not any("limit_ns" in found.data for found in judged.findings if "unanswered" in found.data)


@pytest.mark.parametrize(
    ("talk", "tail", "says"),
    [
        (Talk().beats(each(10, 10, 6), length=8, answer=0), STAYED_AWAY, "30.5"),
        (Talk().beats(each(10, 10, 6), length=8, answer=0), "@90.5 b > a R. 1:1(0) ack 49\nend: +60\n", "30.5"),
    ],
    ids=["closed", "reset"],
)
def test_heartbeats_that_stay_away(talk, tail, says):
    """Who closes three periods after the last heartbeat of a peer that beats by itself most likely missed the next."""
    judged = flow_of(talk, tail)
    found = judged.finding("heartbeats-missed")

    assert ("b", 6) == (found.about, found.data["sent"])
    assert f"ended the connection {says}" in explain.detail(found, judged)
    assert "the last of 6 heartbeats of its peer, one every 10" in explain.detail(found, judged)
    assert "program-hung" not in codes(judged)


@pytest.mark.parametrize(
    ("talk", "tail"),
    [
        (Talk().beats(each(10, 10, 6), length=8, answer=0), "@85 b > a F. 1:1(0) ack 49\nend: +60\n"),
        (Talk().beats(each(10, 10, 6), length=8, answer=0), "@95 a > b F. 49:49(0) ack 1\nend: +60\n"),
        (
            Talk().beats(each(10, 10, 6), length=8, answer=0).says(65, "a", 900),
            "@95 b > a F. 1:1(0) ack 949\nend: +1\n",
        ),
    ],
    ids=["too soon", "closed itself", "other data came"],
)
def test_heartbeats_that_do_not_stay_away(talk, tail):
    """A close that comes sooner, is the sender's own, or follows other data says nothing of missing heartbeats."""
    assert "heartbeats-missed" not in codes(flow_of(talk, tail))


def test_an_agreed_time_is_what_counts():
    """What both ends agreed on is the rule, where it could be read: three periods are too soon, or more than enough."""
    scene = parse("\n".join([*Talk().beats(each(10, 10, 6), length=8, answer=0).lines, STAYED_AWAY]))
    for limit_s, missed in ((31, False), (20, True)):
        (batch,) = follow([scene.batch()])
        batch.trains["protocol"], batch.trains["limit_ns"] = PROTOCOL_NAMES.index("AMQP"), limit_s * 10**9
        (judged,) = judge_batches([batch])
        assert missed == ("heartbeats-missed" in codes(judged))


@pytest.mark.parametrize(("closed", "found"), [(170, False), (191, True)])
def test_a_broker_that_closes_by_an_agreed_time(closed, found):
    """A broker that closes one and a half keep-alives behind the last ping missed it, and no sooner."""
    tail = f"@{closed} b > a F. 11:11(0) ack 11\n@{closed}.01 a > b . 11:11(0) ack 12\nend: +1"
    judged = agreed(Talk().beats(each(20, 20, 5), 2, 2), tail, "MQTT", 60)

    assert found == ("heartbeats-missed" in codes(judged)) == ("program-hung" in codes(judged))
    if found:
        assert "after one and a half times that, 90" in explain.detail(judged.finding("heartbeats-missed"), judged)


def test_a_cut_path_is_no_hung_program():
    """Where an end sends data again in vain its kernel has not gone on to acknowledge: the path failed, or its host."""
    (judged,) = scenario("heartbeats_of_both_cut_off_then_reset")
    story = told(judged)

    assert {"heartbeats-missed"} == {"heartbeats-missed", "program-hung", "abort-without-fin"} & set(codes(judged))
    assert "reset the connection 25.000 s after the server's last heartbeat (AMQP heartbeat)" in story.headline
    assert "It was the first that failed: nothing acknowledged it" in texts(story, "What happened")
    assert "A capture at each end shows where packets are lost" in texts(story, "What to change")
