"""Heartbeats: a program that hangs, a peer that gave up, one that refuses them."""

import pytest

from analyzer import explain
from analyzer.judge.table import PROTOCOL_NAMES
from tests.heartbeats import Talk, each
from tests.judging import codes, judge, judge_batches, scenario
from tests.notation import SCENARIOS, follow, load, parse

STAYED_AWAY = "@90.5 b > a F. 1:1(0) ack 49\nend: +60\n"


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


def test_a_reset_behind_unanswered_heartbeats():
    """Who resets after heartbeats in vain is said to have waited first, and other readings come behind."""
    judged = flow_of(
        Talk().beats(each(20, 20, 4)).beats([100, 120], answer=0), "@150 a > b R. 37:37(0) ack 25\nend: +9\n"
    )
    text = explain.detail(judged.finding("abort-without-fin"), judged)
    sooner = flow_of(Talk().beats(each(20, 20, 4)).beats([100], answer=0), "@101 a > b R. 31:31(0) ack 25\nend: +9\n")

    assert "a RST instead of a FIN, 50.000 s after the first of 2 heartbeats (by their form)" in text
    assert "unread" not in text
    assert "Other readings are possible: a close or kill with received data unread" in str(explain.story(judged, 0))
    assert "missed" not in sooner.finding("abort-without-fin").data


@pytest.mark.parametrize("protocol", [None, "IRC ISON"])
def test_polls_prove_nothing(protocol):
    """That requests for data stay unanswered is no hung program, as it is of heartbeats."""
    (batch,) = follow([load(SCENARIOS / "heartbeat_unanswered_then_closed.pkt").batch()])
    batch.trains["protocol"] = PROTOCOL_NAMES.index(protocol)
    (judged,) = judge_batches([batch])

    assert (protocol is None) == ("program-hung" in codes(judged)) == ("heartbeats-missed" in codes(judged))


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
