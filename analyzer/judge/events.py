"""What else a flow's record tells of: FINs, RSTs, ICMP errors, windows, what was seen of an endpoint, other flows.

It must not judge, and knows nothing of probes or of the flow as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.track.flow import Endpoint, Side


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


REDIRECTS: Final = {(4, 5), (6, 137)}
"""IP version and type of ICMP."""
REDIRECT_KINDS: Final = tuple(sorted((version == 6) << 8 | kind for version, kind in REDIRECTS))
"""The same as in the column ``icmp``, but for the code."""


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
    ttl: int = -1
    """Of the packet that bears it, -1 unknown."""
    mtu: int | None = None
    """How many bytes a packet may have, as fragmentation needed and packet too big say; None: not said."""
    router: str | None = None
    """The router that a redirect names; None: it says that the other end is on the link, or it is none."""

    @property
    def is_redirect(self) -> bool:
        """Whether it only names a better router: what it quotes was passed on all the same (RFC 1812 4.3.3.2)."""
        return (self.version, self.type) in REDIRECTS


@dataclass(frozen=True, slots=True)
class Resent:
    """A retransmission that a timer sent."""

    frame: int
    ts_ns: int
    sender: Side
    payload_len: int


@dataclass(frozen=True, slots=True)
class Standstill:
    """A segment that shows that its sender's timestamp clock stood still, while the other end's ran on."""

    frame: int
    ts_ns: int
    sender: Side
    from_frame: int
    """The sender's notable segment before."""
    passed_ns: int
    """Since its segment before, by the capture's clock."""
    counted_ns: int
    """The same by its own."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The segment from which on an end's packets came another way."""

    frame: int
    ts_ns: int
    sender: Side
    ttl: int
    own_ttl: int
    """Of its packets before."""
    other_mac: bool
    """Whether it came from another station than the one before."""


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
    fin_resent: int
    """Retransmissions of its FIN, with nothing else outstanding, before that was acknowledged."""
    resent_frame: int | None
    resent_ns: int | None
    missed: int
    """How often the capture evidently missed segments of it."""
    missed_ns: int | None
    """When its peer last acknowledged something of it that the capture missed."""
    unseen_fin: bool
    """Whether all that it missed is one octet, and nothing came behind it: most likely a FIN that was not captured."""
    awaited_bytes: int
    """Octets that it skipped, that were never captured, and of which its peer has acknowledged nothing yet."""
    last_ns: int | None
    """Its last segment other than a RST, before the RST that ended the flow."""
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
    ts_ns: int
    is_: str
    """``rst``, ``fin``, ``data``, ``ack`` or ``probe``."""


@dataclass(frozen=True, slots=True)
class NewSyn:
    """A SYN on the flow's addresses that began another connection, and drew an ACK of this one's numbers."""

    sender: Side
    frame: int
    ts_ns: int
    ack_frame: int
