"""Probes, heartbeats and farewells of a flow as facts: what each is, who sent it, what answered; and lookalikes.

It must not judge: nothing here says what a train of probes means, or what was configured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.label.rules import Kind
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.track.flow import Side


PROBE_KINDS: Final = (Kind.KEEPALIVE_PROBE, Kind.KEEPALIVE_OCTET)
NOT_PROBE_WORDS: Final = {
    Kind.DUPLICATE_COPY: "duplicate_copy",
    Kind.STALE_ACK: "stale_ack",
    Kind.OCTET_RETRANSMISSION: "retransmission",
    Kind.NOT_IDLE: "not_idle",
    Kind.AT_ZERO_WINDOW: "keepalive_or_zero_window_probe",
}
"""Segments that look like keepalive to a naive eye, and the word each gets in the report."""
AFTER_FIN_WORDS: Final = (None, "sent", "received", "both")


class Probe(NamedTuple):
    """A keepalive probe."""

    frame: int
    ts_ns: int
    sender: Side
    payload_len: int
    certainty: str
    """``certain``, ``probable`` or ``suspected``."""
    doubt: str | None
    """Why not certain: ``midstream``, ``one_sided``, ``zero_window``, ``missed``; None if it is."""
    gap_ns: int | None
    """Since the previous probe of the same train; for a train's first, since the flow's previous segment."""
    idle_ns: int | None
    """Since the last segment of the peer that was not keepalive."""
    idle_frame: int | None
    """That segment."""
    unheard: bool
    """Whether the peer had sent what the probe does not acknowledge: it had not reached the prober."""
    train: int
    """Number of the train (probes of one endpoint with nothing but keepalive between), from 0."""
    first_of_train: bool
    after_fin: str | None
    """``sent``, ``received``, ``both`` or None: which FINs had passed, seen from the prober."""
    answer: str | None
    """``ack``, ``rst``, ``data`` or None."""
    answer_frame: int | None
    answer_ns: int | None
    """How long the answer took."""
    header_len: int
    """TCP header in bytes; 20 on a connection with timestamps is how XNU builds probes."""
    echoes: bool
    """Whether it echoes the timestamp of the answer to its sender's probe before (RFC 7323): that had arrived."""

    answer_window: int | None
    """The receive window that the answer offers, in bytes; None without an answer, or where its scale is not known."""
    is_last_word: bool
    """Whether nothing came from its peer behind it that might have answered it, or any probe (``FlowRecord.trailing``).

    By times, for what was on its way when it was sent answers nothing; by frames where the clock was set back.
    """

    @property
    def answered(self) -> bool:
        """Whether the peer answered as who knows the connection: by an ACK or data, not by a RST."""
        return self.answer in {"ack", "data"}

    @property
    def after_peer_fin(self) -> bool:
        """Whether the prober had received the peer's FIN: it was in CLOSE-WAIT, or closed after."""
        return self.after_fin in {"received", "both"}


@dataclass(frozen=True, slots=True)
class ZeroWindowProbe:
    """A probe of a closed window, which is not keepalive."""

    frame: int
    ts_ns: int
    sender: Side
    payload_len: int
    answer_frame: int | None


class Heartbeats(NamedTuple):
    """A train of heartbeats of one end's program: small messages of one length at even intervals (``track.beats``)."""

    sender: Side
    protocol: str | None
    """What ``judge.protocols`` calls it, or None."""
    named_by: str
    """``dissector``, or ``form``: nothing but lengths and times speaks for it."""
    payload_len: int
    """Bytes of the first."""
    period_ns: int
    period_low_ns: int
    period_high_ns: int
    """The mean distance, the shortest and the longest."""
    sent: int
    answered: int | None
    """How many the other program answered; None where nothing says that answers are due."""
    missed: int | None
    """How many it did not; one at the very end, whose answer could not have come yet, is in neither."""
    unanswered: int | None
    """How many of these came behind the last that was answered."""
    acked: int
    """How many, at the end, were unanswered, yet acknowledged by the other end's kernel."""
    first_frame: int
    first_ns: int
    last_frame: int
    last_ns: int
    answer_frame: int | None
    """The last answer."""
    answered_ns: int | None
    """When it came."""
    answer_len: int | None
    """Bytes of an answer, of most of them where they differ."""
    silent_frame: int | None
    """The first heartbeat that got none since."""
    silent_ns: int | None
    slowest_ns: int | None
    """The longest that an answer took."""
    limit_ns: int | None
    """What the ends agreed on (MQTT keep-alive, BGP hold time), if that could be read."""
    safe_ns: int | None
    fatal_ns: int | None
    """The longest silence that connections to the service survive, and the shortest that they do not, if the same
    capture shows a hard limit."""
    refused_frame: int | None
    """Where the other program asked to calm down (HTTP/2 GOAWAY ENHANCE_YOUR_CALM), if that could be read."""
    refused_for: str | None
    """What it said that for: ``pings``, or ``other``; None if it did not say."""
    lapse_frame: int | None
    lapse_last_frame: int | None
    """The first heartbeat that got no answer though a later one did, and the last, if that is known."""
    slow_frame: int | None
    """The heartbeat whose answer took longest, if that is known."""


class Farewell(NamedTuple):
    """What an end said in its protocol of why it ends the connection."""

    sender: Side
    said: str
    """The reason, as ``judge.farewells`` names it."""
    frame: int


@dataclass(frozen=True, slots=True)
class NotProbe:
    """A segment that looks like a probe and is none."""

    frame: int
    ts_ns: int
    sender: Side
    is_: str
    below_snd_nxt: bool
    """SEG.SEQ = SND.NXT-1 and at most one byte: what Wireshark labels as keep-alive."""
