"""``FlowRecord``: the facts of one flow, frozen, with frame numbers; what words, pictures and exports are made from.

Instants are nanoseconds since the Unix epoch (``*_ns``); ``start_ns`` of the capture turns them into offsets at the
edge. ``recording`` makes records, only of flows that somebody looks at.

It must not judge: no verdict, no inference about timers, no words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.judge.events import (
    Challenge,
    EndpointFacts,
    Fin,
    IcmpError,
    Late,
    NewSyn,
    Resent,
    Reset,
    Standstill,
    Translation,
    Turn,
    Untranslated,
    WindowChange,
)
from analyzer.judge.probe import NOT_PROBE_WORDS, Farewell, Heartbeats, NotProbe, Probe, ZeroWindowProbe
from analyzer.label.rules import Kind
from analyzer.tolerances import SILENCE_LEAST_NS
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.judge.connection import State, StateChange
    from analyzer.track.awake import Hole
    from analyzer.track.flow import Endpoint, Side

__all__ = [
    "MANY",
    "Challenge",
    "EndpointFacts",
    "Fin",
    "FlowRecord",
    "Heartbeats",
    "IcmpError",
    "Late",
    "Names",
    "NewSyn",
    "NotProbe",
    "Probe",
    "Resent",
    "Reset",
    "Row",
    "Standstill",
    "Translation",
    "Turn",
    "Untranslated",
    "WindowChange",
    "ZeroWindowProbe",
    "other",
]  # what a record is made of can be named from here, too
Row = dict[str, int]
"""A SEEN, FLOW or ENDPOINT record as Python ints."""


@dataclass(frozen=True, slots=True)
class Names:
    """Who some flows are, and which frames they have: so much of them as filters are made from, an entry a flow."""

    a: list[str]
    """Addresses."""
    b: list[str]
    a_port: list[int]
    b_port: list[int]
    tag: list[int]
    levels: list[int]
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


SLOWER: Final = 2
"""So many times as long as any other answer took, one may take."""
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
    """VLANs or tunnel (``segment.SEGMENT``), 0 without; 0 too where two were seen: none holds for all of it."""
    levels: int
    """Where two were seen, how many VLANs each has: ``1 << levels`` of both, 3 for more or a tunnel; else 0."""
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
    reused_ns: int | None
    """When another connection took its addresses and ports, or None."""
    probes: tuple[Probe, ...]
    zero_window_probes: tuple[ZeroWindowProbe, ...]
    heartbeats: tuple[Heartbeats, ...]
    """Trains of heartbeats, in the order in which they began."""
    farewells: tuple[Farewell, ...]
    """What an end said of why it ends the connection, if that was read: one at most."""
    not_probes: tuple[NotProbe, ...]
    fins: tuple[Fin, ...]
    resets: tuple[Reset, ...]
    challenges: tuple[Challenge, ...]
    """Challenge ACKs; those that RSTs drew are with the RSTs."""
    late: tuple[Late, ...]
    """What came behind the ending: the first few, and those that a rule asks for."""
    icmp_errors: tuple[IcmpError, ...]
    resent: tuple[Resent, ...]
    standstills: tuple[Standstill, ...]
    """Where an end's timestamp clock stood still."""
    turns: tuple[Turn, ...]
    """From where on the packets of an end came another way, one of each at most."""
    windows: tuple[WindowChange, ...]
    changes: tuple[StateChange, ...]
    """Derived states of both ends, as they changed."""
    states: tuple[State, State]
    """Derived states of a and b at the end."""
    beside: Row | None = None
    """What is known beside the flow of the end in question (``track.testimony.TESTIMONY``), if that was noted."""
    lapse: Row | None = None
    """Which probes of an end were lost in the same while as those of other flows (``track.lapsed.LAPSE``), if any."""
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

    def keeps_time(self, before: int, after: int) -> bool:
        """Say whether times of two frames may be compared: the capture's clock was not set back between them."""
        return not any(
            hole.to_ns < hole.from_ns and before < hole.to_frame and hole.from_frame < after for hole in self.holes
        )

    def trailing(self, side: Side) -> tuple[Probe, ...]:
        """Return an endpoint's unanswered probes since its peer last sent what might have answered."""
        return tuple(probe for probe in self.probes_from(side) if probe.answer is None and probe.is_last_word)

    @property
    def fellow_ns(self) -> int:
        """The longest silence that another connection of the same hosts and service survived, 0 if none is known."""
        return 0 if self.beside is None else self.beside["fellow_ns"]

    @property
    def outlived_ns(self) -> int:
        """The longest silence that this connection or such a fellow survived: no box that forgets sooner is there."""
        return max(self.survived_ns, self.fellow_ns)

    def is_cut_off(self, probe: Probe) -> bool:
        """Say whether the capture ended before an answer to a probe could have come, by how late others came.

        At a point where none came before, that is as long as no silence is called one.
        """
        left_ns = self.end_ns - probe.ts_ns
        if probe.answer is not None or not probe.is_last_word or not 0 <= left_ns < SILENCE_LEAST_NS:
            return False
        took = [each.answer_ns for each in self.probes_from(probe.sender) if each.answer_ns is not None]
        return left_ns < SLOWER * max(took) if took else True

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

    @property
    def is_routed(self) -> bool:
        """Whether the other side that was captured is that of a router, which leaves the addresses as they are."""
        there = self.translation
        return there is not None and there.endpoint == self.endpoint(there.side)

    def fin_of(self, side: Side) -> Fin | None:
        """Return an endpoint's FIN, if it sent one in time."""
        return next((fin for fin in self.fins_in_time if fin.sender == side), None)

    def errors_about(self, side: Side) -> list[IcmpError]:
        """Return the ICMP errors that quote what an endpoint sent. A redirect is none: what it quotes was passed on."""
        return [error for error in self.icmp_errors if error.quotes == side and not error.is_redirect]

    def redirects_of(self, side: Side) -> list[IcmpError]:
        """Return the ICMP redirects that quote what an endpoint sent."""
        return [error for error in self.icmp_errors if error.quotes == side and error.is_redirect]

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
    def synacks_again(self) -> tuple[Challenge, ...]:
        """The SYN,ACKs, each with the ACK that it drew, of a called end that sent nothing else: it took no ACK."""
        called = self.responder
        if called is None or self.facts(called).ack_frame is not None:
            return ()
        return tuple([each for each in self.challenges if each.sender != called and each.drawn_by == "syn"])

    @property
    def probes_after_fin(self) -> tuple[Probe, ...]:
        """The probes that came after a FIN of either end."""
        return tuple(probe for probe in self.probes if probe.after_fin)

    def opens(self, side: Side) -> bool | None:
        """Return whether an endpoint opened the connection; None if the handshake was not seen."""
        return None if self.initiator is None else self.initiator == side

    @property
    def responder(self) -> Side | None:
        """The endpoint that was connected to, if the handshake was seen."""
        return None if self.initiator is None else other(self.initiator)

    def role(self, side: Side) -> str:
        """Return what an endpoint is called: ``client``, ``server``, or its letter where no handshake was seen."""
        if self.initiator is None:
            return side
        return "client" if side == self.initiator else "server"


def other(side: Side) -> Side:
    """Return the other endpoint."""
    return "b" if side == "a" else "a"
