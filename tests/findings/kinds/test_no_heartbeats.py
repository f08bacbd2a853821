"""Heartbeats that one end never sent, though both had agreed on them."""

from analyzer.judge.table import PROTOCOL_NAMES
from tests.judging import codes, judge_batches, scenario, texts, told
from tests.notation import SCENARIOS, follow, load

NAME = "heartbeats_never_sent_though_agreed"


def test_who_sent_none_is_told_and_must_act():
    """The end without heartbeats leads the story and has the advice, not the end that sent the RST."""
    (judged,) = scenario(NAME)
    found, story = judged.finding("heartbeats-never-sent"), told(judged)

    assert ("a", "RST", 7) == (found.about, found.data["closed_by"], found.data["peer_sent"])
    assert 70_170_000_000 == found.data["waited_ns"]
    assert "The client sent no heartbeat, though both ends had agreed on 20.000 s" in story.headline
    assert "The client: let the program send them" in texts(story, "What to change")
    assert "leave SO_LINGER alone" not in texts(story, "What to change")
    assert "heartbeats-never-sent" == judged.causes[0].code


def with_trains(**values):
    """Return the codes of the scenario's flow, where a dissector reads other things of the heartbeats."""
    (batch,) = follow([load(SCENARIOS / f"{NAME}.pkt").batch()])
    batch.trains["protocol"], batch.trains["limit_ns"] = PROTOCOL_NAMES.index("AMQP"), 20 * 10**9
    for name, value in values.items():
        batch.trains[name] = value
    (judged,) = judge_batches([batch])
    return codes(judged)


def test_only_what_both_ends_send_can_be_lacking():
    """Where only one end sends heartbeats, nothing was agreed on, or the time was not up, none is missed."""
    assert "heartbeats-never-sent" in with_trains()
    assert "heartbeats-never-sent" not in with_trains(protocol=PROTOCOL_NAMES.index("MQTT"))
    assert "heartbeats-never-sent" not in with_trains(limit_ns=-1)
    assert "heartbeats-never-sent" not in with_trains(limit_ns=90 * 10**9)
