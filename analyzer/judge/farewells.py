"""What ends say, in the words of their protocols, of why they end a connection: each reason with what it says.

A *farewell* is a message in which an end does so, a *reason* what it gives there. Only reasons that tell something are
listed: that one closes as usual is none. It must not know how a reason is recognised.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Reason(NamedTuple):
    """A reason that an end may give."""

    protocol: str
    message: str
    """What it is called there, with its code."""
    says: str
    """What that means, in the words of the protocol."""
    misses: bool = False
    """Whether it says that the other end's heartbeats, or its answers to them, stayed away for too long."""

    @property
    def name(self) -> str:
        """What a reader is told: protocol, message, meaning."""
        return f"{self.protocol} {self.message}, {self.says}"


REASONS: Final = (
    # RFC 4271 4.5 and 6; RFC 4486 4 and RFC 9384 3 (6/...); RFC 9687 3.2 (8)
    Reason("BGP", "NOTIFICATION 4/0", "hold timer expired", misses=True),
    Reason("BGP", "NOTIFICATION 1", "message header error"),
    Reason("BGP", "NOTIFICATION 2", "OPEN message error"),
    Reason("BGP", "NOTIFICATION 3", "UPDATE message error"),
    Reason("BGP", "NOTIFICATION 5", "finite state machine error"),
    Reason("BGP", "NOTIFICATION 6/1", "maximum number of prefixes reached"),
    Reason("BGP", "NOTIFICATION 6/2", "administrative shutdown"),
    Reason("BGP", "NOTIFICATION 6/3", "peer de-configured"),
    Reason("BGP", "NOTIFICATION 6/4", "administrative reset"),
    Reason("BGP", "NOTIFICATION 6/5", "connection rejected"),
    Reason("BGP", "NOTIFICATION 6/6", "other configuration change"),
    Reason("BGP", "NOTIFICATION 6/7", "connection collision resolution"),
    Reason("BGP", "NOTIFICATION 6/8", "out of resources"),
    Reason("BGP", "NOTIFICATION 6/9", "hard reset"),
    Reason("BGP", "NOTIFICATION 6/10", "BFD down"),
    Reason("BGP", "NOTIFICATION 8", "send hold timer expired"),
    # OASIS MQTT 5.0 3.14.2.1
    Reason("MQTT", "DISCONNECT 0x8D", "keep alive timeout", misses=True),
    Reason("MQTT", "DISCONNECT 0x81", "malformed packet"),
    Reason("MQTT", "DISCONNECT 0x82", "protocol error"),
    Reason("MQTT", "DISCONNECT 0x87", "not authorized"),
    Reason("MQTT", "DISCONNECT 0x89", "server busy"),
    Reason("MQTT", "DISCONNECT 0x8B", "server shutting down"),
    Reason("MQTT", "DISCONNECT 0x8E", "session taken over"),
    Reason("MQTT", "DISCONNECT 0x97", "quota exceeded"),
    Reason("MQTT", "DISCONNECT 0x98", "administrative action"),
    Reason("MQTT", "DISCONNECT 0x9C", "use another server"),
    Reason("MQTT", "DISCONNECT 0x9D", "server moved"),
    Reason("MQTT", "DISCONNECT 0xA0", "maximum connect time"),
    # AMQP 0-9-1 1.2, connection.close; AMQP 1.0 2.4.5 and 2.8.15-16
    Reason("AMQP", "connection.close 320", "connection forced"),
    Reason("AMQP", "connection.close 501", "frame error"),
    Reason("AMQP", "connection.close 502", "syntax error"),
    Reason("AMQP", "connection.close 503", "command invalid"),
    Reason("AMQP", "connection.close 504", "channel error"),
    Reason("AMQP", "connection.close 505", "unexpected frame"),
    Reason("AMQP", "connection.close 506", "resource error"),
    Reason("AMQP", "connection.close 530", "not allowed"),
    Reason("AMQP", "connection.close 541", "internal error"),
    Reason("AMQP", "close", "idle timeout expired", misses=True),
    Reason("AMQP", "close", "connection forced"),
    # RFC 6455 7.4.1 and IANA's registry; the text is that of the Python library websockets
    Reason("WebSocket", "Close 1011", "keepalive ping timeout", misses=True),
    Reason("WebSocket", "Close 1011", "internal error"),
    Reason("WebSocket", "Close 1001", "going away"),
    Reason("WebSocket", "Close 1002", "protocol error"),
    Reason("WebSocket", "Close 1008", "policy violation"),
    Reason("WebSocket", "Close 1009", "message too big"),
    Reason("WebSocket", "Close 1012", "service restart"),
    Reason("WebSocket", "Close 1013", "try again later"),
    # RFC 9113 7; the texts are gRPC's
    Reason("HTTP/2", "GOAWAY", "keepalive or ping timeout", misses=True),
    Reason("HTTP/2", "GOAWAY", "max_idle (no call for as long as the server allows)"),
    Reason("HTTP/2", "GOAWAY", "max_age (as old as the server lets connections become)"),
    Reason("HTTP/2", "GOAWAY 1", "PROTOCOL_ERROR"),
    Reason("HTTP/2", "GOAWAY 2", "INTERNAL_ERROR"),
    Reason("HTTP/2", "GOAWAY 3", "FLOW_CONTROL_ERROR"),
    # RFC 6733 5.4.3
    Reason("Diameter", "Disconnect-Peer-Request 0", "rebooting"),
    Reason("Diameter", "Disconnect-Peer-Request 1", "busy"),
    Reason("Diameter", "Disconnect-Peer-Request 2", "does not want to talk to you"),
    # PostgreSQL, appendix A; MySQL 8.0 server error reference
    Reason("PostgreSQL", "error 57P01", "admin shutdown"),
    Reason("PostgreSQL", "error 57P02", "crash shutdown"),
    Reason("PostgreSQL", "error 57P05", "idle session timeout"),
    Reason("PostgreSQL", "error 25P03", "idle in transaction session timeout"),
    Reason("MySQL", "error 4031", "disconnected because of inactivity"),
    Reason("MySQL", "error 1053", "server shutdown in progress"),
    # nats-server; RFC 6120 4.9.3.4 and 4.9.3.20; ircd
    Reason("NATS", "-ERR", "stale connection", misses=True),
    Reason("XMPP", "stream error", "connection-timeout", misses=True),
    Reason("XMPP", "stream error", "system-shutdown"),
    Reason("IRC", "ERROR", "ping timeout", misses=True),
    # RFC 9113 7; the text is gRPC's (proposal A8)
    Reason("HTTP/2", "GOAWAY 11", "too many pings"),
    Reason("HTTP/2", "GOAWAY 11", "ENHANCE_YOUR_CALM"),
)
"""In no particular order, which is kept: a train holds the place of the reason that was given, counted from 1."""

PORTS: Final = {
    179: "BGP",
    1883: "MQTT",
    3306: "MySQL",
    3868: "Diameter",
    4222: "NATS",
    5222: "XMPP",
    5269: "XMPP",
    5432: "PostgreSQL",
    5672: "AMQP",
    6667: "IRC",
}
"""Which protocol a service on a port speaks (IANA), where no heartbeats tell."""
SAID_BY_EITHER: Final = frozenset({"BGP", "Diameter"})
"""In which of them either end gives reasons; in the others the service does."""
ANY_PORT: Final = "HTTP/2"
"""The protocol of services on other ports, if what is read is that."""
ANSWERED: Final = frozenset({"AMQP"})
"""In which a farewell has an answer (connection.close-ok) before the connection ends; in the others it comes last."""

NAMES: Final = (None, *(reason.name for reason in REASONS))
"""By place what a reader is told, None of nothing."""
MISSES: Final = tuple(place for place, reason in enumerate(REASONS, start=1) if reason.misses)
"""The places of those which say that heartbeats, or answers, stayed away."""


def is_of_heartbeats(name: str | None) -> bool:
    """Say whether a reason that is called so says that heartbeats, or answers, stayed away."""
    return name in _OF_HEARTBEATS


def is_of_pings(name: str | None) -> bool:
    """Say whether a reason that is called so says that the other end's heartbeats are too many."""
    return name == _OF_PINGS


_OF_PINGS: Final = "HTTP/2 GOAWAY 11, too many pings"
CALM: Final = tuple(place for place, reason in enumerate(REASONS, start=1) if reason.message == "GOAWAY 11")
"""The places of those which ask the other end to calm down."""
_OF_HEARTBEATS: Final = frozenset(reason.name for reason in REASONS if reason.misses)
