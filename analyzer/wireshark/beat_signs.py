"""How a heartbeat of each protocol shows: in tshark's fields, and in its first bytes.

The bytes are a guess, and only decide which dissector tshark is told to try where a port says nothing (``-d``); what
tshark then reads decides. Three protocols tshark has no dissector for, or none that shows them: for these the bytes
decide, and only where something else of the connection speaks for the protocol, too.

It must not know flows, or how tshark is run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.wireshark.farewell_signs import DEBUG_DATA, FAREWELL_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Fields = dict[str, list[str]]
"""What tshark read of a frame: the values of each field, in order."""
SECOND_NS: Final = 1_000_000_000
PROTOCOLS: Final = "frame.protocols"
DECIPHERED: Final = "data.data"
"""What no dissector took, in hexadecimal digits."""
HEX: Final = re.compile("(?:[0-9a-f]{2})+")


class Sign(NamedTuple):
    """How heartbeats of a protocol show."""

    protocol: str
    """As ``judge.protocols`` calls it."""
    dissector: str
    """What ``-d tcp.port==N,`` is told; empty if tshark has none."""
    octets: re.Pattern[bytes]
    """What data begins with that may be one."""
    fields: tuple[tuple[str, frozenset[str]], ...] = ()
    """Fields of which one value has to be among some, all of them, in a frame that has one."""
    among: re.Pattern[bytes] | None = None
    """Where tshark does not decide: what other data of the connection begins with."""
    exactly: bool = False
    """Whether the octets have to be there, besides what tshark reads."""


def _sign(
    protocol: str, dissector: str, octets: bytes, *, exactly: bool = False, among: bytes | None = None, **fields: str
) -> Sign:
    values = tuple((name.replace("__", "."), frozenset(text.split("|"))) for name, text in fields.items())
    begins = None if among is None else re.compile(among, re.DOTALL)
    return Sign(protocol, dissector, re.compile(octets, re.DOTALL), values, begins, exactly)


ACK: Final = rb"\*3\r\n\$8\r\n(?i:REPLCONF)\r\n\$3\r\n(?i:ACK)\r\n"
"""What a replica of Redis tells of itself every second."""
PING: Final = rb"\*1\r\n\$4\r\n(?i:ping)\r\n"
STATUS: Final = rb"d\0\0\0&r"
"""... and one of PostgreSQL, by its own timer or when it is asked."""


SIGNS: Final = (
    _sign("WebSocket", "http", rb"[\x89\x8a][\x00-\x7d\x80-\xfd]", websocket__opcode="9"),
    _sign("HTTP/2", "http2", rb"\0\0\x08\x06[\0\x01]\0{4}", http2__type="6", http2__flags__ack__ping="0"),
    _sign("MQTT", "mqtt", rb"\xc0\0\Z", mqtt__msgtype="12"),
    _sign("AMQP", "amqp", rb"\x08\0{6}\xce", amqp__type="8"),
    _sign("AMQP", "amqp", rb"\0{3}\x08\x02\0{3}\Z", amqp__length="8", amqp__type="0"),
    _sign("SSH", "ssh", rb"SSH-[12]\.", frame__protocols="ssh"),
    _sign("BGP", "bgp", rb"\xff{16}\x00\x13\x04", bgp__type="4"),
    _sign("Redis replication", "resp", ACK, exactly=True, frame__protocols="resp"),
    _sign("Redis replication", "resp", PING, among=ACK, resp__bulk_string__value="50494e47|70696e67"),
    _sign("Redis", "resp", PING, resp__bulk_string__value="50494e47|70696e67"),
    _sign("MySQL", "mysql", rb"\x01\0{3}\x0e\Z", mysql__command="14"),
    _sign("PostgreSQL primary", "pgsql", rb"d\0\0\0\x16k.{16}\x01", exactly=True, pgsql__type="Copy data"),
    _sign("PostgreSQL", "pgsql", rb"d\0\0\0\x16k.{16}\0", exactly=True, pgsql__type="Copy data"),
    _sign("PostgreSQL", "pgsql", STATUS, pgsql__type="Copy data", pgsql__copydata="72*"),
    _sign("SMB2", "nbss", rb"\0.{3}\xfeSMB.{8}\x0d\0", smb2__cmd="13"),
    _sign("iSCSI", "iscsi", rb"[\x00\x40\x20]\x80\0\0", iscsi__opcode="0x00|0x20"),
    _sign("Diameter", "diameter", rb"\x01.{4}\x00\x01\x18", diameter__cmd__code="280"),
    _sign("XMPP", "xmpp", rb"<iq\b.*ping", xmpp__ping="1|\u2713"),
    _sign("IRC", "irc", rb"(?i:(:\S+ )?PING )", irc__request__command="PING"),
    _sign("IRC", "irc", rb"(?i:(:\S+ )?PING )", irc__response__command="PING"),
    _sign("SMPP", "smpp", rb"\0{3}\x10\0{3}\x15", smpp__command_id="0x00000015"),
    _sign("FIX", "fix", rb"8=FIX.*\x0135=0\x01", fix__MsgType="0"),
    _sign("IEC 104", "iec60870_104", rb"\x68\x04\x43\0{3}", iec60870_104__utype="0x10"),
    _sign("IRC ISON", "irc", rb"(?i:(:\S+ )?ISON )", irc__request__command="ISON"),
    _sign(
        "HTTP request",
        "http",
        rb"(GET|HEAD|OPTIONS|POST) \S+ HTTP/1\.[01]\r\n",
        http__request__method="GET|HEAD|OPTIONS|POST",
    ),
    _sign("Modbus read", "mbtcp", rb"..\0\0\0\x06.[\x01-\x04].{4}\Z", modbus__func_code="1|2|3|4"),
    _sign("MySQL query", "mysql", rb".\0{3}\x03[A-Za-z]", mysql__command="3"),
    _sign("PostgreSQL query", "pgsql", rb"Q\0{3}.[A-Za-z]", pgsql__type="Simple query"),
    _sign("Redis command", "resp", rb"\*\d{1,4}\r\n\$\d{1,4}\r\n[A-Za-z]", exactly=True, frame__protocols="resp"),
    _sign("MQTT PUBLISH", "mqtt", rb"[\x30-\x35\x38-\x3d].\0[\x01-\xff]", mqtt__msgtype="3"),
    _sign(
        "AMQP basic.publish",
        "amqp",
        rb"\x01.{2}\0.{3}\0\x3c\0\x28",
        amqp__method__class="60",
        amqp__method__method="40",
    ),
    Sign("NATS", "", re.compile(rb"PING\r\n\Z"), among=re.compile(rb"PONG\r\n\Z|INFO \{")),
    Sign("STOMP", "", re.compile(rb"\r?\n\Z"), among=re.compile(rb"CONNECTED\r?\n(?:.*\n)*heart-beat:")),
    Sign("SIP", "", re.compile(rb"\r\n\r\n\Z"), among=re.compile(rb"[A-Z]+ sips?:\S+ SIP/2\.0\r\n|SIP/2\.0 \d{3} ")),
    Sign("XMPP", "", re.compile(rb" \Z"), among=re.compile(rb"(<\?xml.*)?<stream:stream\b", re.DOTALL)),
)
"""A heartbeat is of the first that fits."""

ANSWERS: Final = (
    _sign("WebSocket", "http", rb"\x8a", websocket__opcode="10"),
    _sign("HTTP/2", "http2", rb"\0\0\x08\x06\x01\0{4}", http2__type="6", http2__flags__ack__ping="1"),
    _sign("MQTT", "mqtt", rb"\xd0\0\Z", mqtt__msgtype="13"),
    _sign("PostgreSQL primary", "pgsql", STATUS, pgsql__type="Copy data", pgsql__copydata="72*"),
)
"""How the answer to a heartbeat shows, where tshark tells it: then form need not say which is which."""
REPLIES: Final = (_sign("HTTP request", "http", rb"HTTP/1\.[01] \d{3} ", http__response="1|True|\u2713"),)
"""How the answer to a request shows that may wait for what it tells (a long poll): form takes it for a heartbeat, and
the request that follows at once for its answer."""

HELLO: Final = re.compile(rb"SSH-[12]\.|GET \S+ HTTP/1\.1\r\n|PRI \* HTTP/2\.0\r\n")
"""What a connection begins with that tells what it is, where its heartbeats do not."""
HELLOS: Final = {b"SSH": "ssh", b"GET": "http", b"PRI": "http2"}
MIDSTREAM: Final = {"http": "websocket"}
"""What is tried where the beginning of a connection is missing."""


ASKING: Final = re.compile(
    rb"(?i:(:\S+ )?ISON )|\x01\0{3}\x0e\Z|.\0{3}\x03[A-Za-z]|Q\0{3}.[A-Za-z]|(GET|HEAD|OPTIONS|POST) \S+ HTTP/1",
    re.DOTALL,
)
"""What only clients send: who is sent it has the service's port, which some dissectors read the direction from."""

TRIED_IN_TLS: Final = frozenset({"amqp", "diameter", "http", "mbtcp", "mqtt"})
"""What tshark can be told to try within TLS (``-d tls.port==N,``); told anything else it does nothing at all. HTTP/2 it
finds by itself (ALPN)."""
TOLD_IN_TLS: Final = frozenset({"bgp", "fix", "irc", "mysql", "nbss", "pgsql", "resp", "smpp", "xmpp", ""})
"""Of which heartbeats the bytes that were deciphered decide, since tshark cannot be told to try them there."""


def _smaller(values: Sequence[int]) -> int:
    """Return what both ends' offers come to, -1 if only one was captured."""
    return min(values) if len(values) > 1 else -1


def _second(values: Sequence[int]) -> int:
    """Return the answer to an offer, -1 if it was not captured."""
    return values[-1] if len(values) > 1 else -1


def _shortest(values: Sequence[int]) -> int:
    """Return the shorter of what both ends wait, who need not wait at all."""
    return min((value for value in values if value > 0), default=0)


READ: Final[tuple[tuple[str, str, int, Callable[[Sequence[int]], int]], ...]] = (
    ("MQTT", "mqtt.kalive", SECOND_NS, max),
    ("BGP", "bgp.open.holdtime", SECOND_NS, _smaller),
    ("AMQP", "amqp.method.arguments.heartbeat", SECOND_NS, _second),
    ("AMQP", "amqp.performative.arguments.idleTimeout", SECOND_NS // 1000, _shortest),
    ("FIX", "fix.HeartBtInt", SECOND_NS, max),
)
"""What the ends agree on in clear: of a protocol a field, its unit, and what follows from all values of a connection.

MQTT 5.0 3.1.2.10; RFC 4271 4.2 (the smaller hold time counts); AMQP 0-9-1 connection.tune-ok; AMQP 1.0 2.4.5. What is
0 is off.
"""
REFUSED: Final = ("http2.goaway.error", "11")
"""GOAWAY with ENHANCE_YOUR_CALM (RFC 9113 7)."""
REFUSED_FOR: Final = DEBUG_DATA
"""What its sender says of it; its form is nobody's business but its own (RFC 9113 6.8)."""
OF_PINGS: Final = re.compile(rb"ping", re.IGNORECASE)
"""gRPC says ``too_many_pings`` (proposal A8)."""

FIELDS: Final = tuple(
    dict.fromkeys(
        [
            PROTOCOLS,
            DECIPHERED,
            *(name for sign in SIGNS for name, _ in sign.fields),
            *(row[1] for row in READ),
            *(name for sign in REPLIES for name, _ in sign.fields),
            REFUSED[0],
            REFUSED_FOR,
            *FAREWELL_FIELDS,
        ]
    )
)
"""Everything that tshark is asked for."""


def guess(data: bytes) -> str:
    """Return which dissector should be tried on data that begins so; empty if none in particular."""
    if hello := HELLO.match(data):
        return HELLOS[hello.group()[:3]]
    return next((sign.dissector for sign in SIGNS if sign.dissector and sign.octets.match(data)), "")


def clear(fields: Fields, data: bytes) -> bytes:
    """Return what a frame of which tshark read this, and whose data begins so, carries: in TLS what was deciphered."""
    text = fields.get(DECIPHERED, ("",))[0]
    return bytes.fromhex(text) if HEX.fullmatch(text) else data


def shows(sign: Sign, fields: Fields, data: bytes) -> bool:
    """Say whether a frame of which tshark read this, and whose data begins so, has a heartbeat that shows so."""
    looks = sign.octets.match(clear(fields, data)) is not None
    by_octets = not sign.fields or ("tls" in fields.get(PROTOCOLS, ()) and sign.dissector in TOLD_IN_TLS)
    if (by_octets and looks) or (sign.exactly and not looks):
        return looks
    return bool(sign.fields) and all(_has(fields.get(name, ()), values) for name, values in sign.fields)


def how_many(sign: Sign, fields: Fields) -> int:
    """Return how many heartbeats, or answers, tshark read in a frame that has one which shows so."""
    name, values = sign.fields[-1]
    return max(1, sum(each in values for each in fields.get(name, ())))


def _has(found: Sequence[str], values: frozenset[str]) -> bool:
    """Say whether one of the values is there; of one that ends with a star two digits, a byte, count."""
    return any(each in values or f"{each[:2]}*" in values for each in found)
