"""How heartbeats show in octets and in tshark's fields."""

import pytest

from analyzer.judge.protocols import PROTOCOLS
from analyzer.wireshark.beat_signs import FIELDS, READ, SIGNS, guess, shows
from tests.wireshark import beating


def test_every_protocol_has_a_sign():
    """Each protocol that has heartbeats can be recognised, and nothing else is."""
    assert {sign.protocol for sign in SIGNS} == {protocol.name for protocol in PROTOCOLS}
    assert {of for of, *_ in READ} <= {protocol.name for protocol in PROTOCOLS}


@pytest.mark.parametrize("what", [each for each in beating.TALKS if each not in {"NATS", "STOMP", "SIP"}])
def test_octets_say_which_dissector_to_try(what):
    """The octets of a heartbeat, or of the greeting before it, are guessed to be of its protocol, others are not."""
    guesses = {guess(data) for _, _, data in beating.TALKS[what]} - {""}
    dissectors = {sign.dissector for sign in SIGNS if what.startswith(sign.protocol)} - {""}

    assert guesses == (dissectors if what != "XMPP, a space" else set())


def test_all_fields_of_a_sign_have_to_fit():
    """The answer to a PING is of the same type, and is no heartbeat."""
    sign = next(sign for sign in SIGNS if sign.protocol == "HTTP/2")

    assert shows(sign, {"http2.type": ["6"], "http2.flags.ack.ping": ["0"]}, b"")
    assert not shows(sign, {"http2.type": ["6"], "http2.flags.ack.ping": ["1"]}, b"")
    assert not shows(sign, {}, b"\0\0\x08\x06\0\0\0\0\0")
    assert {name for name, _ in sign.fields} <= set(FIELDS)


def test_a_status_of_replication_is_known_by_its_first_octet():
    """What copied data of PostgreSQL begins with says what it is."""
    *_, sign = (sign for sign in SIGNS if sign.protocol == "PostgreSQL")

    assert shows(sign, {"pgsql.type": ["Copy data"], "pgsql.copydata": ["72000000"]}, b"")
    assert not shows(sign, {"pgsql.type": ["Copy data"], "pgsql.copydata": ["77000000"]}, b"")
