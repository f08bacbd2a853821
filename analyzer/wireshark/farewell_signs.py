"""How it shows why an end ends a connection: in tshark's fields, or in the octets where it has no dissector.

Of texts that a program may word as it likes only a few known ones are looked for, and none is passed on. It must not
know flows, or how tshark is run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.judge.farewells import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEBUG_DATA: Final = "http2.goaway.addata"
"""What the sender of a GOAWAY says of it, in hexadecimal digits."""


class FarewellSign(NamedTuple):
    """How a reason shows: values that fields must have, all in one frame, or octets that data begins with."""

    place: int
    """In ``judge.farewells.REASONS``, counted from 1."""
    protocol: str
    fields: tuple[tuple[str, re.Pattern[str]], ...] = ()
    octets: re.Pattern[bytes] | None = None


def _place(protocol: str, message: str, says: str) -> int:
    return 1 + next(
        at for at, each in enumerate(REASONS) if (each.protocol, each.message, each.says) == (protocol, message, says)
    )


def _by_code(protocol: str, message: str, first: tuple[str, str], field: str) -> list[FarewellSign]:
    """Return a sign for each message of a protocol that begins so and ends with the value of a field.

    Of several reasons with one message the last is what it says where no text tells another.
    """
    found = []
    last = {reason.message: place for place, reason in enumerate(REASONS, start=1) if reason.protocol == protocol}
    for text, place in last.items():
        if text.startswith(f"{message} "):
            code = text.rpartition(" ")[2]
            value = str(int(code, 0)) if code.startswith("0x") or code.isdecimal() else code
            fields = tuple((name, re.compile(values)) for name, values in (first, (field, value)) if name)
            found.append(FarewellSign(place, protocol, fields))
    return found


def _of(protocol: str, message: str, says: str, **fields: str) -> FarewellSign:
    patterns = tuple((name.replace("__", "."), re.compile(value)) for name, value in fields.items())
    return FarewellSign(_place(protocol, message, says), protocol, patterns)


def _octets(protocol: str, message: str, says: str, octets: bytes) -> FarewellSign:
    return FarewellSign(_place(protocol, message, says), protocol, octets=re.compile(octets, re.DOTALL))


def _hex(text: str) -> str:
    """Return a pattern for hexadecimal digits that contain a text."""
    return f".*{text.encode().hex()}.*"


def _bgp() -> list[FarewellSign]:
    """Return the signs of NOTIFICATION: of an error all subcodes are one, but for Cease."""
    found = []
    for place, reason in enumerate(REASONS, start=1):
        if reason.protocol == "BGP":
            major, _, minor = reason.message.rpartition(" ")[2].partition("/")
            fields = [("bgp.notify.major_error", re.compile(major))]
            if major == "6":
                fields.append(("bgp.notify.minor_error_cease", re.compile(minor)))
            found.append(FarewellSign(place, "BGP", tuple(fields)))
    return found


FAREWELLS: Final = (
    *_bgp(),
    *_by_code("MQTT", "DISCONNECT", ("mqtt.msgtype", "14"), "mqtt.disconnect.reason_code"),
    *_by_code("AMQP", "connection.close", ("amqp.method.class", "10"), "amqp.method.arguments.reply_code"),
    _of(
        "AMQP", "close", "idle timeout expired", amqp__performative="24", amqp__error__description="(?i).*idle.?time.*"
    ),
    _of("AMQP", "close", "connection forced", amqp__error__condition="amqp:connection:forced"),
    _of(
        "WebSocket",
        "Close 1011",
        "keepalive ping timeout",
        websocket__payload__close__status_code="1011",
        websocket__payload__close__reason="(?i).*(ping|keepalive).*time.*out.*",
    ),
    *_by_code("WebSocket", "Close", ("", ""), "websocket.payload.close.status_code"),
    _of(
        "HTTP/2",
        "GOAWAY",
        "keepalive or ping timeout",
        http2__goaway__addata="|".join(
            map(_hex, ("keepalive_timeout", "keepalive timeout", "ping_timeout", "ping timeout"))
        ),
    ),
    _of(
        "HTTP/2",
        "GOAWAY",
        "max_idle (no call for as long as the server allows)",
        http2__goaway__addata=_hex("max_idle"),
    ),
    _of(
        "HTTP/2",
        "GOAWAY",
        "max_age (as old as the server lets connections become)",
        http2__goaway__addata=_hex("max_age"),
    ),
    _of("HTTP/2", "GOAWAY 11", "too many pings", http2__goaway__error="11", http2__goaway__addata=_hex("ping")),
    *_by_code("HTTP/2", "GOAWAY", ("", ""), "http2.goaway.error"),
    *_by_code("Diameter", "Disconnect-Peer-Request", ("diameter.cmd.code", "282"), "diameter.Disconnect-Cause"),
    *_by_code("PostgreSQL", "error", ("", ""), "pgsql.code"),
    *_by_code("MySQL", "error", ("", ""), "mysql.error_code"),
    _octets("NATS", "-ERR", "stale connection", rb"-ERR '(?i:stale connection)'"),
    _octets("XMPP", "stream error", "connection-timeout", rb".{0,80}<stream:error>\s*<connection-timeout"),
    _octets("XMPP", "stream error", "system-shutdown", rb".{0,80}<stream:error>\s*<system-shutdown"),
    _octets("IRC", "ERROR", "ping timeout", rb"(:\S+ )?ERROR :?(?i:closing link).*(?i:ping timeout)"),
)
"""What was said is the first that fits."""

FAREWELL_FIELDS: Final = tuple(dict.fromkeys(name for sign in FAREWELLS for name, _ in sign.fields))


def signs_of(protocols: frozenset[str]) -> list[FarewellSign]:
    """Return the signs of some protocols."""
    return [sign for sign in FAREWELLS if sign.protocol in protocols]


def said_in(fields: Mapping[str, Sequence[str]], data: bytes, signs: Sequence[FarewellSign]) -> int:
    """Return the place of the reason that a frame gives of which tshark read this, and whose data begins so; or 0."""
    return next((sign.place for sign in signs if _shows(sign, fields, data)), 0)


def _shows(sign: FarewellSign, fields: Mapping[str, Sequence[str]], data: bytes) -> bool:
    if sign.octets is not None:
        return sign.octets.match(data) is not None
    return all(any(pattern.fullmatch(each) for each in fields.get(name, ())) for name, pattern in sign.fields)
