"""How it shows why an end ends a connection."""

import pytest

from analyzer.judge.farewells import NAMES, REASONS
from analyzer.wireshark.farewell_signs import FAREWELLS, said_in, signs_of


def said(protocol, data=b"", **fields):
    """The reason that is read of a frame."""
    read = {name.replace("__", "."): value.split(",") for name, value in fields.items()}
    return NAMES[said_in(read, data, signs_of(frozenset({protocol})))]


def test_each_reason_can_be_read():
    """There is no reason that nothing shows."""
    assert {sign.place for sign in FAREWELLS} == set(range(1, 1 + len(REASONS)))


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("BGP NOTIFICATION 4/0, hold timer expired", {"bgp__notify__major_error": "4"}),
        (
            "BGP NOTIFICATION 6/2, administrative shutdown",
            {"bgp__notify__major_error": "6", "bgp__notify__minor_error_cease": "2"},
        ),
        (
            "MQTT DISCONNECT 0x8D, keep alive timeout",
            {"mqtt__msgtype": "14", "mqtt__disconnect__reason_code": "141"},
        ),
        (
            "AMQP connection.close 320, connection forced",
            {"amqp__method__class": "10", "amqp__method__arguments__reply_code": "320"},
        ),
        (
            "WebSocket Close 1011, keepalive ping timeout",
            {
                "websocket__payload__close__status_code": "1011",
                "websocket__payload__close__reason": "keepalive ping timeout",
            },
        ),
        ("WebSocket Close 1011, internal error", {"websocket__payload__close__status_code": "1011"}),
        (
            "HTTP/2 GOAWAY, keepalive or ping timeout",
            {"http2__goaway__error": "0", "http2__goaway__addata": b"ping_timeout".hex()},
        ),
        ("MySQL error 4031, disconnected because of inactivity", {"mysql__error_code": "4031"}),
        ("PostgreSQL error 57P01, admin shutdown", {"pgsql__code": "57P01"}),
    ],
)
def test_fields_show_why(reason, fields):
    """What tshark reads of a last message is the reason it gives; of another protocol it is none."""
    protocol = reason.split()[0]

    assert reason == said(protocol, **fields)
    assert None is said("SSH", **fields)


@pytest.mark.parametrize(
    ("protocol", "fields"),
    [
        ("WebSocket", {"websocket__payload__close__status_code": "1000"}),
        ("MQTT", {"mqtt__msgtype": "14", "mqtt__disconnect__reason_code": "0"}),
        ("MQTT", {"mqtt__msgtype": "2", "mqtt__disconnect__reason_code": "141"}),
        ("HTTP/2", {"http2__goaway__error": "0"}),
    ],
)
def test_a_usual_close_is_no_reason(protocol, fields):
    """Who closes as usual, or says something else, gives no reason."""
    assert None is said(protocol, **fields)


def test_octets_show_why_where_tshark_has_no_dissector():
    """A server of NATS, XMPP or IRC says in clear that its client was silent for too long."""
    assert "NATS -ERR, stale connection" == said("NATS", b"-ERR 'Stale Connection'\r\n")
    assert "XMPP stream error, connection-timeout" == said("XMPP", b"<stream:error><connection-timeout xmlns='x'/>")
    assert "IRC ERROR, ping timeout" == said("IRC", b"ERROR :Closing Link: me (Ping timeout: 240 seconds)\r\n")
    assert None is said("IRC", b":me PRIVMSG you :ERROR :Closing Link: (Ping timeout)\r\n")
