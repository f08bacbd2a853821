"""Programs that hang behind a kernel that acknowledges."""

import pytest

from analyzer import explain
from analyzer.judge.table import PROTOCOL_NAMES
from tests.heartbeats import Talk, agreed, each, flow_of
from tests.judging import codes, judge_batches, scenario, texts, told
from tests.notation import SCENARIOS, follow, load, parse

IN_VAIN = Talk().beats(each(20, 20, 4)).beats([100, 120], answer=0)
CLOSED = "@150 a > b F. 37:37(0) ack 25\n@150.01 b > a . 25:25(0) ack 38\n"
ROUTERS = Talk()
for when, which in sorted([*((at, "a") for at in each(30, 30, 10)), *((at + 13, "b") for at in each(30, 30, 5))]):
    ROUTERS.beats([when], 19, 0, who=which)
NOTIFIED = "@343 a > b P. 191:212(21) ack 96\n"


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


@pytest.mark.parametrize(
    ("tail", "ended"),
    [
        ("@150 a > b R. 37:37(0) ack 25\nend: +9\n", "the client reset the connection"),
        ("@150 a > b R 37:37(0)\nend: +9\n", "the client reset the connection"),
        (CLOSED + "end: +9\n", "the client closed the connection"),
        (CLOSED + "@225 b > a . 24:24(0) ack 38\n@225.02 a > b R 38:38(0)\nend: +9\n", "the client closed"),
        (CLOSED + "@250 b > a R. 25:25(0) ack 38\nend: +9\n", "the client closed the connection"),
    ],
    ids=["reset", "bare reset", "closed", "held in CLOSE-WAIT", "killed at last"],
)
def test_who_gives_up_on_a_hung_program_does_not_hide_it(tail, ended):
    """Behind whatever ends the connection the headline tells that the program hung, and the advice goes to its end."""
    judged = flow_of(IN_VAIN, tail)
    told = explain.story(judged, 0)
    changes = " ".join(line.text for line in told.section("What to change").lines)

    assert told.headline.startswith("The server's program stopped answering: its kernel acknowledged 2 heartbeats")
    assert f"and the program answered none; then {ended}" in told.headline
    assert "program-hung" == judged.causes[0].code
    assert "The server: find out what the program was doing" in changes
    assert "The client: " not in changes


@pytest.mark.parametrize(
    "tail",
    [
        NOTIFIED + "@343.001 a > b F. 212:212(0) ack 96\n@343.01 b > a . 96:96(0) ack 213\nend: +60\n",
        NOTIFIED + "@343.001 a > b R. 212:212(0) ack 96\nend: +60\n",
    ],
    ids=["closed", "reset"],
)
def test_a_program_that_falls_silent(tail):
    """Whose own heartbeats cease while its kernel acknowledges is told when its peer gives up, with the agreed time."""
    scene = parse("\n".join([*ROUTERS.lines, tail]))
    (batch,) = follow([scene.batch()])
    batch.trains["protocol"], batch.trains["limit_ns"] = PROTOCOL_NAMES.index("BGP"), 90 * 10**9
    (judged,) = judge_batches([batch])
    told = explain.story(judged, 0)

    assert "b" == judged.finding("program-hung").about
    assert told.headline.startswith("The server's program fell silent: no heartbeat came for 3 min, though its kernel")
    assert "The ends agreed on 90" in told.section("What happened").lines[0].text
    assert "is inferred" in str(told.section("Why"))
    assert "The client: " not in str(told.section("What to change"))


def test_who_closes_at_once_when_its_peer_did_does_not_hang():
    """A program that answers a FIN within the second was awake, whatever became of its heartbeats."""
    closed = CLOSED + "@150.02 b > a F. 25:25(0) ack 38\n@150.03 a > b . 38:38(0) ack 26\nend: +9\n"

    assert "program-hung" in codes(flow_of(IN_VAIN, CLOSED + "end: +9\n"))
    assert "program-hung" not in codes(flow_of(IN_VAIN, closed))


def test_a_closed_window_keeps_answers_back():
    """Where the end that asks takes nothing in, no program is said to hang: the one that does not read is told."""
    judged = flow_of(IN_VAIN, "@130 a > b . 37:37(0) ack 25 win 0\nend: +60\n")

    assert "program-hung" not in codes(judged)
    assert "a" == judged.finding("window-closed").about


def test_data_at_even_times_may_be_over():
    """Of messages of 65 octets that nobody answers nothing is said when they cease, nor are they called heartbeats."""
    told = Talk().beats(each(10, 10, 6), length=65, answer=0)
    gone = "@160 b > a R. 1:1(0) ack 391\nend: +1\n"
    probes = "".join(f"@{at} b > a . 0:0(0) ack 391\n@{at}.01 a > b . 391:391(0) ack 1\n" for at in (90, 120, 150))
    left, reset, probed = (flow_of(told, tail) for tail in ("end: +300\n", gone, probes + gone))

    for judged in (left, reset, probed):
        assert not {"program-hung", "heartbeats-missed", "heartbeats-stopped"} & set(codes(judged))
    text = explain.detail(left.finding("keepalive-masked"), left)
    assert "6 messages of 65 bytes, one every 10.000 s (heartbeats, or data at even times: only" in text


@pytest.mark.parametrize(("length", "may_be"), [(6, False), (65, True)])
def test_a_headline_tells_how_heartbeats_are_known(length, may_be):
    """Where nothing but the form is known the headline says so; where they have room for one they may be a poll."""
    talk = Talk().beats(each(20, 20, 4), length, length).beats([100, 120], length, answer=0)
    judged = flow_of(talk, "@150 a > b R. {0}:{0}(0) ack {1}\nend: +9\n".format(1 + 6 * length, 1 + 4 * length))
    told = explain.story(judged, 0)

    assert "acknowledged 2 heartbeats (by their form) from the client in 50" in told.headline
    assert may_be == ("(a poll)" in str(told.section("Why")))


def test_who_agreed_to_do_without_may_stop():
    """A keep-alive of 0 is off: pings that come nevertheless may stop, and nobody waits for more."""
    stopped = Talk().beats(each(20, 20, 5), 2, 2)

    assert "heartbeats-stopped" in codes(agreed(stopped, "end: +200", "MQTT", 60))
    assert "heartbeats-stopped" not in codes(agreed(stopped, "end: +200", "MQTT", 0))
    gone = "@300 b > a F. 11:11(0) ack 11\n@300.01 a > b . 11:11(0) ack 12\nend: +1"
    assert "heartbeats-missed" in codes(agreed(stopped, gone, "MQTT", 60))
    assert "heartbeats-missed" not in codes(agreed(stopped, gone, "MQTT", 0))


@pytest.mark.parametrize(("waited", "found"), [(85, False), (95, True)])
def test_pings_that_stop_by_an_agreed_time(waited, found):
    """A client whose pings stay away for one and a half keep-alives is told, with that, on a connection left open."""
    judged = agreed(Talk().beats(each(20, 20, 5), 2, 2), f"end: +{waited}", "MQTT", 60)

    assert found == ("heartbeats-stopped" in codes(judged))
    if found:
        text = explain.detail(judged.finding("heartbeats-stopped"), judged)
        assert "The ends agreed on 60.000 s; after one and a half times that, 90.000 s, an end may give" in text
        assert (4, 16) == judged.finding("heartbeats-stopped").frames


@pytest.mark.parametrize(("waited", "missed"), [(0.5, 0), (1.9, 0), (2.1, 1)])
def test_the_last_ping_may_still_be_answered(waited, missed):
    """A ping at the very end is no miss before its answer could have come, and nothing to look at."""
    judged = flow_of(
        Talk().beats(each(20, 20, 5)).beats([120], answer=0), f"@120.02 b > a . 31:31(0) ack 37\nend: +{waited}"
    )
    (train,) = judged.record.heartbeats

    assert (6, 5, missed) == (train.sent, train.answered, train.missed)


def test_requests_that_wait_for_something():
    """By form alone, whose answers take most of a period asks for something: no hang; where some took long, it may."""
    waits = Talk().beats(each(20, 20, 6), after=14).beats([140, 160], answer=0)
    slow = Talk().beats(each(20, 20, 6), after=0.7).beats([140, 160], answer=0)
    judged = flow_of(slow, "end: +60")

    assert "program-hung" not in codes(flow_of(waits, "end: +60"))
    assert "they may be requests (a poll)" in str(explain.story(judged, 0).section("Why"))
    assert "(a poll)" not in str(explain.story(flow_of(IN_VAIN, "end: +60"), 0))


def test_one_heartbeat_unanswered_for_long_is_a_hung_program():
    """Who waits for an answer sends no other heartbeat: one that stays unanswered for three periods is enough."""
    (judged,) = scenario("one_heartbeat_unanswered_for_long")
    found = judged.finding("program-hung")

    assert ("b", 1, 1) == (found.about, found.data["unanswered"], found.data["acked"])
    assert "acknowledged 1 heartbeat (by their form) from the client in 60.040 s" in explain.detail(found, judged)


def test_the_first_heartbeat_that_did_not_come_is_named():
    """Of heartbeats that cease it is said when the next was due."""
    (judged,) = scenario("hold_time_ran_out")

    assert "The next was due at about" in texts(told(judged), "What happened")
