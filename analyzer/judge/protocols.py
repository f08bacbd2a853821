"""The protocols whose heartbeats have a name, and which of them answer a heartbeat.

It must not know how a protocol is recognised.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np


class Protocol(NamedTuple):
    """A protocol that has heartbeats."""

    name: str
    """As its users write it."""
    beat: str
    """What it calls a heartbeat."""
    answers: bool
    """Whether the other program answers each, or beats by itself."""
    polls: bool = False
    """Whether it is a request for data, or data, that comes so evenly: a poll, perhaps, and no proof of anything."""
    noun: str = "heartbeat"
    """What one message is called."""
    patience: tuple[int, int] = (2, 2)
    """After how many halves of what the ends agreed on without a message an end may give the other up, and should
    have: MQTT 5.0 3.1.2.10 (one and a half times), RFC 4271 6.5 (the hold time), AMQP 0-9-1 4.2.7 (two intervals)."""


PROTOCOLS: Final = (
    Protocol("WebSocket", "ping", answers=True),
    Protocol("HTTP/2", "PING", answers=True),
    Protocol("MQTT", "PINGREQ", answers=True, patience=(3, 3)),
    Protocol("AMQP", "heartbeat", answers=False, patience=(2, 4)),
    Protocol("SSH", "keepalive request", answers=True),
    Protocol("BGP", "KEEPALIVE", answers=False),
    Protocol("STOMP", "heart-beat", answers=False),
    Protocol("Redis", "PING", answers=True),
    Protocol("NATS", "PING", answers=True),
    Protocol("MySQL", "COM_PING", answers=True),
    Protocol("PostgreSQL", "replication status", answers=False),
    Protocol("SMB2", "ECHO", answers=True),
    Protocol("iSCSI", "NOP", answers=True),
    Protocol("Diameter", "Device-Watchdog-Request", answers=True),
    Protocol("SIP", "keep-alive", answers=True),
    Protocol("XMPP", "ping", answers=True),
    Protocol("IRC", "PING", answers=True),
    Protocol("SMPP", "enquire_link", answers=True),
    Protocol("FIX", "Heartbeat", answers=False),
    Protocol("IEC 104", "TESTFR", answers=True),
    Protocol("IRC ISON", "", answers=True, polls=True, noun="request"),
    Protocol("HTTP request", "", answers=True, polls=True, noun="request"),
    Protocol("Modbus read", "", answers=True, polls=True, noun="request"),
    Protocol("MySQL query", "", answers=True, polls=True, noun="request"),
    Protocol("PostgreSQL query", "", answers=True, polls=True, noun="request"),
    Protocol("Redis command", "", answers=True, polls=True, noun="request"),
    Protocol("MQTT PUBLISH", "", answers=True, polls=True, noun="message"),
    Protocol("AMQP basic.publish", "", answers=True, polls=True, noun="message"),
    Protocol("PostgreSQL primary", "keepalive that wants a reply", answers=True),
    Protocol("Redis replication", "ACK or PING", answers=False),
)
"""In no particular order, which is kept: a train holds the place of its protocol here, counted from 1."""


POLLS: Final = tuple(number for number, protocol in enumerate(PROTOCOLS, start=1) if protocol.polls)
"""The places of those whose trains may be polls."""
MUTUAL: Final = tuple(number for number, each in enumerate(PROTOCOLS, start=1) if not (each.answers or each.polls))
"""The places of those in which each end beats by itself."""


PATIENCE: Final = np.array([(2, 2), *(protocol.patience for protocol in PROTOCOLS)], dtype=np.int64)
"""By place the ``patience`` of each, the first of none."""


def patience_of(name: str | None) -> tuple[int, int]:
    """Return the ``patience`` of a protocol, or of none."""
    return next((protocol.patience for protocol in PROTOCOLS if protocol.name == name), (2, 2))


def is_poll(name: str | None) -> bool:
    """Say whether what is called so asks for data."""
    return name in _POLLS


def beat_of(name: str) -> str:
    """Return what a heartbeat of a protocol is called, with the protocol's name.

    Raises:
        KeyError: there is no such protocol.
    """
    if is_poll(name):
        return f"{name}, {'a periodic request; may be a poll' if noun_of(name) == 'request' else 'periodic data'}"
    return f"{name} {_BEATS[name]}"


def noun_of(name: str | None) -> str:
    """Return what one message of a protocol's trains is called, or of one that is not known."""
    return _NOUNS.get(name, "heartbeat") if name is not None else "heartbeat"


_POLLS: Final = frozenset(protocol.name for protocol in PROTOCOLS if protocol.polls)
_BEATS: Final = {protocol.name: protocol.beat for protocol in PROTOCOLS}
_NOUNS: Final = {protocol.name: protocol.noun for protocol in PROTOCOLS}
