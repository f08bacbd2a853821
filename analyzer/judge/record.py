"""``FlowRecord``: the facts of one flow, frozen, with frame numbers; what words, pictures and exports are made from.

Instants are nanoseconds since the Unix epoch (``*_ns``); ``start_ns`` of the capture turns them into offsets at the
edge. ``recording`` makes records, only of flows that somebody looks at.

It must not judge: no verdict, no inference about timers, no words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.label.rules import Kind

if TYPE_CHECKING:
    from analyzer.judge.connection import State, StateChange
    from analyzer.track.awake import Hole
    from analyzer.track.flow import Endpoint, Side

Row = dict[str, int]
"""A SEEN, FLOW or ENDPOINT record as Python ints."""

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


@dataclass(frozen=True, slots=True)
class NotProbe:
    """A segment that looks like a probe and is none."""

    frame: int
    ts_ns: int
    sender: Side
    is_: str
    below_snd_nxt: bool
    """SEG.SEQ = SND.NXT-1 and at most one byte: what Wireshark labels as keep-alive."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge ACK that no RST drew: what its sender answers with the numbers that hold (RFC 5961 4.2)."""

    frame: int
    ts_ns: int
    sender: Side
    drawn_by: str
    """``syn``, or ``ack``: one of data never sent."""
    drawn_frame: int
    """Of that segment."""


@dataclass(frozen=True, slots=True)
class Late:
    """A segment, no RST and no probe, that came when the connection was over: it answers and revives nothing."""

    frame: int
    ts_ns: int
    sender: Side
    is_: str
    """``syn``, ``fin``, ``data`` or ``ack``, the first of these that it is."""
    payload_len: int


@dataclass(frozen=True, slots=True)
class Fin:
    """An endpoint's FIN (the first, if sent again), and what acknowledged it."""

    frame: int
    ts_ns: int
    sender: Side
    acked_frame: int | None
    acked_ns: int | None
    again: tuple[int, ...] = ()
    """Frames in which it was sent again although it had been acknowledged here."""
    again_ns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reset:
    """A RST."""

    frame: int
    ts_ns: int
    sender: Side
    """The endpoint in whose name it came."""
    kind: str
    """``no_socket``, ``gave_up``, ``abort`` or ``ignored``."""
    answers_probe: int | None
    """Frame of the probe it answers."""
    strange: tuple[str, ...]
    """How it differs from the endpoint's own packets: ``ttl``, ``mac``, ``ip_id``."""
    has_ack: bool
    window: int
    ttl: int
    own_ttl: tuple[int, int] | None
    """Range of the TTLs of the endpoint's other packets; None if it sent none."""
    ip_id: int | None
    has_options: bool
    lost_bytes: int
    """Bytes of data that its receiver had sent and that were not acknowledged before it."""
    accepted_end: bool
    """Whether this is the RST that ended the flow."""
    reception: str
    """What its receiver does with it by its number: ``taken``, ``perhaps``, ``challenged`` or ``dropped``."""
    receiver_state: str
    """The receiver's state then, derived, such as ``ESTABLISHED``."""
    challenge_frame: int | None
    """The receiver's challenge ACK (RFC 5961), if the RST was ignored and one was captured."""


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An ICMP error that quotes a segment of the flow."""

    frame: int
    ts_ns: int
    quotes: Side
    """The endpoint whose segment it quotes."""
    version: int
    type: int
    code: int
    quotes_probe: int | None
    """Frame of that endpoint's latest probe if the quoted number is its own."""
    source: str
    """The address that sent it."""
    fits: str | None
    """What it quotes of what that endpoint had sent: ``probe``, ``data``, ``reset``, or ``segment`` for anything else
    that could have been on its way; None if none of it was (RFC 5927 4.1)."""


@dataclass(frozen=True, slots=True)
class Resent:
    """A retransmission that a timer sent."""

    frame: int
    ts_ns: int
    sender: Side
    payload_len: int


@dataclass(frozen=True, slots=True)
class WindowChange:
    """An endpoint's receive window closing or opening again."""

    frame: int
    ts_ns: int
    sender: Side
    shut: bool
    first_seen: bool = False
    """Whether the sender's first segment here shows it: then it may have been closed long before."""


class EndpointFacts(NamedTuple):
    """What was seen of one endpoint."""

    segments: int
    payload_bytes: int
    """Bytes of new data."""
    syn_frame: int | None
    syn_ns: int | None
    syn_count: int
    ack_frame: int | None
    """Its first segment with ACK and without SYN or RST."""
    ack_ns: int | None
    first_data_frame: int | None
    first_data_ns: int | None
    last_data_frame: int | None
    last_data_ns: int | None
    unacked_frame: int | None
    """Since when something it sent is outstanding, or None."""
    unacked_ns: int | None
    resent: int
    """Retransmissions since the peer last acknowledged something new."""
    resent_total: int
    resent_frame: int | None
    resent_ns: int | None
    missed: int
    """How often the capture evidently missed segments of it."""
    last_ns: int | None
    """Its last segment other than a RST, before the RST that ended the flow."""
    answering_ns: int | None
    """The same without empty probes of its own, which answer nothing; of use only where its peer probed."""
    active_frame: int | None
    active_ns: int | None
    """Its last segment that was not keepalive."""
    window_shut_frame: int | None
    """Since when it advertises window 0, or None."""
    timestamps: bool
    short_headers: int
    """Segments without the timestamps its others carry."""
    ttl: tuple[int, int] | None
    id_zero_frame: int | None
    """First segment since which its IP ID stays 0 after having counted."""


@dataclass(frozen=True, slots=True)
class Translation:
    """The same connection under other addresses, captured on the other side of a translation (NAT)."""

    flow: int
    """Number of the flow that it is there."""
    side: Side
    """The endpoint that has another address there."""
    endpoint: Endpoint
    """That address."""
    is_first: bool
    """Whether that flow began first: then this one is the copy, whose probes are not counted again."""


@dataclass(frozen=True, slots=True)
class Untranslated:
    """A segment that left a NAT under the inside address, and the other flow that it concerns."""

    role: str
    """What this flow is to it: ``outside`` the connection as the peer knows it, ``lone`` the RST alone, ``inside`` the
    connection before translation.
    """
    flow: int
    """Number of the other flow."""
    side: Side
    """The endpoint in whose name the RST came."""
    endpoint: Endpoint
    """What it is called in the other flow."""
    frame: int
    is_: str
    """``rst``, ``fin``, ``data`` or ``ack``."""


@dataclass(frozen=True, slots=True)
class NewSyn:
    """A SYN on the flow's addresses that began another connection, and drew an ACK of this one's numbers."""

    sender: Side
    frame: int
    ts_ns: int
    ack_frame: int


@dataclass(frozen=True, slots=True)
class Names:
    """Who some flows are, and which frames they have: so much of them as filters are made from, an entry a flow."""

    a: list[str]
    """Addresses."""
    b: list[str]
    a_port: list[int]
    b_port: list[int]
    tag: list[int]
    first_frame: list[int]
    last_frame: list[int]
    """Of the flow, and of the ICMP errors that quote it."""

    def endpoints(self) -> tuple[list[str], list[str]]:
        """Return what endpoints a and b are called, as ``str`` of each would be."""
        a, b = (
            [f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address, port in each]
            for each in (zip(self.a, self.a_port, strict=True), zip(self.b, self.b_port, strict=True))
        )
        return a, b


MANY: Final = 1000
"""Of a flow with so many probes, those of one end are picked once: a flow is asked for them some thirty times."""
_PARTED: Final[dict[Side, tuple[tuple[Probe, ...], tuple[Probe, ...]]]] = {}
"""By the end, the probes of the flow that was asked last, and that end's."""


class FlowRecord(NamedTuple):
    """The facts of one flow."""

    number: int
    a: Endpoint
    b: Endpoint
    tag: int
    initiator: Side | None
    starts_with: str
    """``handshake`` or ``midstream``."""
    first_frame: int
    first_ns: int
    last_frame: int
    last_ns: int
    end_ns: int
    """Where the capture ended (or stands), or another connection took the addresses."""
    holes: tuple[Hole, ...]
    """Where the capture was not awake, between the flow's first frame and ``end_ns``; the last may have ended it."""
    facts_a: EndpointFacts
    facts_b: EndpointFacts
    copies: int
    cut: int
    """Segments of which the snap length left only the ports."""
    translation: Translation | None
    """The flow that is this connection under other addresses, or None."""
    untranslated: Untranslated | None
    """A RST that left a NAT untranslated, or None."""
    new_syn: NewSyn | None
    """The SYN by which one end showed that it had lost this connection (RFC 9293 3.5.1), or None."""
    silence_ns: int
    """Longest silence between segments that are not keepalive, and the frames at its two ends."""
    silence_from: int | None
    silence_to: int | None
    survived_ns: int
    """Longest silence of both ends, of keepalive too, that both went on behind (``track.trial``)."""
    trial_ns: int
    """The last such silence if who broke it got nothing but a RST, or nothing; 0 if there is none that waits so."""
    trial_from: int | None
    """The frames at its two ends."""
    trial_to: int | None
    backwards: int
    """How many of its segments are older than the one before; not copies, which may have been captured elsewhere.

    A clock that was set by more than copies are apart shows all the same: then nothing is taken for a copy. The warning
    about the capture counts frames of every kind.
    """
    probes: tuple[Probe, ...]
    zero_window_probes: tuple[ZeroWindowProbe, ...]
    heartbeats: tuple[Heartbeats, ...]
    """Trains of heartbeats, in the order in which they began."""
    not_probes: tuple[NotProbe, ...]
    fins: tuple[Fin, ...]
    resets: tuple[Reset, ...]
    challenges: tuple[Challenge, ...]
    """Challenge ACKs; those that RSTs drew are with the RSTs."""
    late: tuple[Late, ...]
    """What came behind the ending: the first few, and those that a rule asks for."""
    icmp_errors: tuple[IcmpError, ...]
    resent: tuple[Resent, ...]
    windows: tuple[WindowChange, ...]
    changes: tuple[StateChange, ...]
    """Derived states of both ends, as they changed."""
    states: tuple[State, State]
    """Derived states of a and b at the end."""
    beside: Row | None = None
    """What is known beside the flow of the end in question (``track.testimony.TESTIMONY``), if that was noted."""
    lost: int = 0
    """Packets of the capture that were dropped while capturing, whoever's, at no known time; as far as was known when
    this was made."""
    filters: tuple[str, ...] = ()
    """Expressions that packets had to pass to be captured, as far as was known when this was made."""

    def is_awake(self, before: int, after: int) -> bool:
        """Return whether the capture was awake all the time from one frame to a later one."""
        if not self.holes:
            return True
        return not any(before < hole.to_frame and hole.from_frame < after for hole in self.holes)

    def endpoint(self, side: Side) -> Endpoint:
        """Return endpoint a or b."""
        return self.a if side == "a" else self.b

    def facts(self, side: Side) -> EndpointFacts:
        """Return what was seen of a or b."""
        return self.facts_a if side == "a" else self.facts_b

    def probes_from(self, side: Side) -> tuple[Probe, ...]:
        """Return one endpoint's probes."""
        probes = self.probes
        if len(probes) < MANY:
            return tuple([probe for probe in probes if probe.sender == side])
        of, own = _PARTED.get(side, ((), ()))
        if of is not probes:
            own = tuple([probe for probe in probes if probe.sender == side])
            _PARTED[side] = probes, own
        return own

    def trailing(self, side: Side) -> tuple[Probe, ...]:
        """Return an endpoint's unanswered probes since its peer last sent what might have answered."""
        heard_ns = self.facts(other(side)).answering_ns
        return tuple(
            probe
            for probe in self.probes_from(side)
            if probe.answer is None and (heard_ns is None or probe.ts_ns > heard_ns)
        )

    def undecided_from(self, side: Side) -> tuple[NotProbe, ...]:
        """Return one endpoint's probes of its peer, or of its peer's closed window: nothing tells which."""
        word = NOT_PROBE_WORDS[Kind.AT_ZERO_WINDOW]
        return tuple(each for each in self.not_probes if each.sender == side and each.is_ == word)

    @property
    def fins_in_time(self) -> tuple[Fin, ...]:
        """The FINs that closed something: none came behind the RST that ended the flow."""
        reset = self.ending_reset
        return self.fins if reset is None else tuple(fin for fin in self.fins if fin.frame < reset.frame)

    def is_unseen(self, side: Side) -> bool:
        """Whether nothing of an endpoint was captured: then what it answered cannot be seen."""
        return self.facts(side).segments == 0

    def is_beyond_translation(self, side: Side) -> bool:
        """Whether both sides of a translation were captured, and this is the one farther from that end."""
        return self.translation is not None and self.translation.is_first == (side == "a")

    def fin_of(self, side: Side) -> Fin | None:
        """Return an endpoint's FIN, if it sent one in time."""
        return next((fin for fin in self.fins_in_time if fin.sender == side), None)

    @property
    def state_a(self) -> State:
        """The derived state of a at the end."""
        return self.states[0]

    @property
    def state_b(self) -> State:
        """The same of b."""
        return self.states[1]

    @property
    def ending_reset(self) -> Reset | None:
        """The RST that ended the flow, whoever sent it."""
        return next((reset for reset in self.resets if reset.accepted_end), None)

    @property
    def reset_back(self) -> Reset | None:
        """The first RST behind the one that ended the flow, in the name of the end that got that one."""
        reset = self.ending_reset
        back = (each for each in self.resets if reset and each.sender != reset.sender and each.frame > reset.frame)
        return next(back, None)

    @property
    def probes_after_fin(self) -> tuple[Probe, ...]:
        """The probes that came after a FIN of either end."""
        return tuple(probe for probe in self.probes if probe.after_fin)

    @property
    def responder(self) -> Side | None:
        """The endpoint that was connected to, if the handshake was seen."""
        return None if self.initiator is None else other(self.initiator)


def other(side: Side) -> Side:
    """Return the other endpoint."""
    return "b" if side == "a" else "a"
