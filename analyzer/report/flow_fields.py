"""What the JSON report has of a flow, field by field: the one definition of objects (``export``) and text (``bulk``).

A leaf names a field of the JSON, and where its value comes from: a field of a record (``judge.record``), which is a
column of the same name where there are many flows (``judge.facts``).

It must not know how anything is written.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence


class Form(Enum):
    """What a value is."""

    PLAIN = auto()
    """A number or a word, as the record has it."""
    NOT_ZERO = auto()
    """The same; 0 is null."""
    SIDE = auto()
    """0 is a, 1 is b."""
    LENGTH = auto()
    """Nanoseconds, as seconds."""
    INSTANT = auto()
    """Nanoseconds since the epoch, as seconds since the capture's first frame."""
    PAIR = auto()
    """Two numbers, of which the columns end in ``_low`` and ``_high``; or null."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value."""

    name: str
    field: str
    form: Form = Form.PLAIN


@dataclass(frozen=True, slots=True)
class Of:
    """An object of the JSON, or some fields of the one around, of values of another part of a flow.

    Parts are ``flow``, ``a`` and ``b`` (what was seen of an endpoint), ``ending``.
    """

    name: str | None
    part: str
    items: tuple[Leaf, ...]
    if_: str | None = None
    """Null where this field of the part is None."""


@dataclass(frozen=True, slots=True)
class Group:
    """An object of the JSON."""

    name: str
    items: tuple[Of | Made, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """An array of objects: the rows of a table of a flow."""

    name: str
    table: str
    items: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What is made flow by flow, by ``export``, because few flows have it, or words are in it."""

    name: str
    what: str


Item = Of | Group | Rows | Made

_F, _I, _L = Leaf, Form.INSTANT, Form.LENGTH


def _named(*names: str) -> tuple[Leaf, ...]:
    return tuple(Leaf(name, name) for name in names)


PROBE: Final = (
    *_named("frame"),
    _F("time_s", "ts_ns", _I),
    _F("from", "sender"),
    *_named("payload_len", "certainty", "doubt"),
    _F("gap_s", "gap_ns", _L),
    _F("idle_s", "idle_ns", _L),
    *_named("train", "after_fin", "answer", "answer_frame"),
    _F("answer_s", "answer_ns", _L),
)
ZERO_WINDOW_PROBE: Final = (
    *_named("frame"),
    _F("time_s", "ts_ns", _I),
    _F("from", "sender"),
    *_named("payload_len", "answer_frame"),
)
HEARTBEATS: Final = (
    _F("from", "sender"),
    _F("period_s", "period_ns", _L),
    _F("period_low_s", "period_low_ns", _L),
    _F("period_high_s", "period_high_ns", _L),
    _F("bytes", "payload_len"),
    *_named("protocol", "named_by"),
    _F("count", "sent"),
    *_named("answered", "missed"),
    _F("unanswered_at_end", "unanswered"),
    *_named("first_frame"),
    _F("first_s", "first_ns", _I),
    *_named("last_frame"),
    _F("last_s", "last_ns", _I),
    _F("last_answer_frame", "answer_frame"),
    _F("last_answer_s", "answered_ns", _I),
    _F("slowest_answer_s", "slowest_ns", _L),
    _F("agreed_s", "limit_ns", _L),
    *_named("refused_frame"),
)
NOT_PROBE: Final = (*_named("frame"), _F("time_s", "ts_ns", _I), _F("from", "sender"), _F("is", "is_"))
FIN: Final = (
    *_named("frame"),
    _F("time_s", "ts_ns", _I),
    _F("from", "sender"),
    *_named("acked_frame"),
    _F("acked_s", "acked_ns", _I),
)
RESET: Final = (
    *_named("frame"),
    _F("time_s", "ts_ns", _I),
    _F("from", "sender"),
    *_named("answers_probe", "lost_bytes", "kind", "reception", "receiver_state", "challenge_frame"),
    _F("unlike_sender", "strange"),
)
CHALLENGE: Final = (
    *_named("frame"),
    _F("time_s", "ts_ns", _I),
    _F("from", "sender"),
    *_named("drawn_by"),
    _F("drawn_by_frame", "drawn_frame"),
)
LATE: Final = (
    *_named("frame"),
    _F("time_s", "ts_ns", _I),
    _F("from", "sender"),
    _F("is", "is_"),
    *_named("payload_len"),
)
ICMP_ERROR: Final = (
    *_named("frame"),
    _F("time_s", "ts_ns", _I),
    *_named("quotes"),
    _F("ip_version", "version"),
    *_named("type", "code", "quotes_probe", "fits", "mtu"),
)
ENDPOINT: Final = (
    *_named("syn_frame", "first_data_frame", "last_data_frame"),
    _F("unacknowledged_since_frame", "unacked_frame"),
    _F("unacknowledged_since_s", "unacked_ns", _I),
    _F("retransmissions", "resent_total"),
    _F("missed_by_capture", "missed"),
    _F("window_zero_since_frame", "window_shut_frame"),
    *_named("timestamps"),
    _F("ttl", "ttl", Form.PAIR),
)
STATE_CHANGE: Final = (*_named("frame"), _F("time_s", "ts_ns", _I), _F("of", "side", Form.SIDE), *_named("state"))
ENDING: Final = (*_named("verdict", "by", "frame"), _F("time_s", "ts_ns", _I), *_named("rule"))


def _both(name: str, field: str) -> Group:
    """Return the same field of both endpoints."""
    return Group(name, tuple(Of(None, side, (Leaf(side, field),)) for side in ("a", "b")))


FLOW: Final[Sequence[Item]] = (
    Of(None, "flow", (Leaf("flow", "number"),)),
    Made("a", "a"),
    Made("b", "b"),
    Of(None, "flow", (Leaf("tag", "tag", Form.NOT_ZERO), *_named("initiator", "starts_with"))),
    Made("translated", "translated"),
    Of(
        None,
        "flow",
        (*_named("first_frame", "last_frame"), Leaf("first_s", "first_ns", _I), Leaf("last_s", "last_ns", _I)),
    ),
    _both("segments", "segments"),
    _both("payload_bytes", "payload_bytes"),
    Rows("probes", "probes", PROBE),
    Rows("zero_window_probes", "zero_window_probes", ZERO_WINDOW_PROBE),
    Rows("heartbeats", "heartbeats", HEARTBEATS),
    Rows("not_probes", "not_probes", NOT_PROBE),
    Rows("fins", "fins", FIN),
    Rows("resets", "resets", RESET),
    Rows("challenge_acks", "challenges", CHALLENGE),
    Rows("late", "late", LATE),
    Rows("icmp_errors", "icmp_errors", ICMP_ERROR),
    Of(None, "flow", _named("copies")),
    Of(
        "longest_silence",
        "flow",
        (
            Leaf("duration_s", "silence_ns", _L),
            Leaf("from_frame", "silence_from"),
            Leaf("to_frame", "silence_to"),
        ),
        if_="silence_from",
    ),
    Group("endpoints", (Of("a", "a", ENDPOINT), Of("b", "b", ENDPOINT))),
    Group("settings", (Made("a", "settings_a"), Made("b", "settings_b"))),
    Group("states", (Of(None, "flow", (Leaf("a", "state_a"), Leaf("b", "state_b"))),)),
    Rows("state_changes", "changes", STATE_CHANGE),
    Group("ending", (Of(None, "ending", ENDING), Made("cause", "cause"))),
    Made("witnesses", "witnesses"),
    Made("findings", "findings"),
    Group("filters", (Made("wireshark", "wireshark"), Made("tcpdump", "tcpdump"))),
)
