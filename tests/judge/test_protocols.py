"""The protocols whose heartbeats have a name."""

from analyzer.judge.protocols import PROTOCOLS, beat_of
from analyzer.judge.table import PROTOCOL_NAMES


def test_each_has_a_name_of_its_own_and_none_is_the_first():
    """A train holds the place of its protocol counted from 1, so that 0 is none."""
    names = [protocol.name for protocol in PROTOCOLS]

    assert len(set(names)) == len(names)
    assert PROTOCOL_NAMES == (None, *names)


def test_who_answers():
    """Of protocols in which both ends beat by themselves nobody waits for an answer."""
    assert {protocol.name for protocol in PROTOCOLS if not protocol.answers} == {
        "AMQP",
        "BGP",
        "STOMP",
        "FIX",
        "PostgreSQL",
        "Redis replication",
    }


def test_what_a_heartbeat_is_called():
    """Words name a heartbeat by its protocol and by what that calls it."""
    assert "MQTT PINGREQ" == beat_of("MQTT")
    assert len(PROTOCOLS) == len({beat_of(protocol.name) for protocol in PROTOCOLS})
