"""``JointFlow``: one connection as several points saw it, and the packets of it with their fates.

Points are numbered as they were named; ``a`` and ``b`` are the ends as the first point that saw the flow has them.
Instants are in nanoseconds of the reference, the clock of the first point.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from analyzer import units
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from analyzer.judge.judged import JudgedFlow
    from analyzer.track.flow import Endpoint, Side
    from analyzer.vantage.clock import Clock


class Fate(Enum):
    """What became of a packet."""

    BOTH = "both"
    """Seen at all points that it had to pass."""
    LOST = "lost"
    """Passed one point and never reached the next."""
    MADE = "made"
    """Seen only behind a point that its sender's packets have to pass: something between made it."""
    NOT_CAPTURED = "not_captured"
    """Passed a point, by what others show, whose capture does not have it."""
    UNPROVEN = "unproven"
    """Missing at a point, and nothing tells why."""


FATES: tuple[Fate, ...] = tuple(Fate)


class Why(Enum):
    """What a fate rests on."""

    SEEN = "seen"
    RUNNING = "running"
    """The capture that lacks it goes on behind that time."""
    NOTHING_LATER = "nothing_later"
    """The capture that lacks it has nothing later: whether it still ran is not known."""
    NOTHING_EARLIER = "nothing_earlier"
    ACKNOWLEDGED = "acknowledged"
    """The receiver acknowledged it although no copy of it was captured there."""
    ANSWERED = "answered"
    """It was answered from beyond that point."""
    ECHOED = "echoed"
    """The receiver echoed its timestamp."""
    REACTED = "reacted"
    """The receiver probes, with nothing outstanding but what this acknowledges."""
    REFUSED = "refused"
    """It drew a RST that something before that point made."""
    NOT_ACKNOWLEDGED = "not_acknowledged"
    """The receiver acknowledged less, later."""
    SENDER_GOES_ON = "sender_goes_on"
    """The sender counts it among what it sent."""
    FITS_SENDER = "fits_sender"
    """IP ID or timestamp stand between those of the sender's other packets."""
    UNLIKE_SENDER = "unlike_sender"
    """The TTL is not that of the sender's other packets there."""
    UNSTAMPED = "unstamped"
    """It bears no timestamp, and all of the sender's other packets there do (RFC 7323 3.2)."""
    BOTH_RESET = "both_reset"
    """Each end's point has a RST in the other's name, and lacks the one in its own end's name."""
    ENDED = "ended"
    """The capture had ended: packets passed that it does not have."""
    NOT_BEGUN = "not_begun"
    HOLE = "hole"
    """The capture has a hole there."""
    DROPPED = "dropped"
    """The capture dropped packets, and does not say which."""
    MISSES = "misses"
    """The capture lacks other packets that passed it, just before or behind."""
    LACKS = "lacks_others"
    """The capture goes on, but lacks packets that passed it at other times, and does not say that it dropped any."""
    ONE_DIRECTION = "one_direction"
    """The capture that lacks it has nothing of its sender, only of the other end."""
    REGROUPED = "regrouped"
    """Its data is there in other pieces."""
    LINK = "link"
    """Nothing tells on which side of the host that captured both it was."""
    CAPTURED_TWICE = "captured_twice"
    """The point that alone has it has an equal packet within moments, which passed: it may be that one once more."""
    RHYTHM = "rhythm"
    """Nothing but their rhythm tells which packets are one."""
    ORDER = "order"
    """Nothing tells which point is nearer to which end."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A packet at one point."""

    point: int
    frame: int
    ts_ns: int
    """By the reference."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A packet on its way between the ends, at all points that saw it, in the order of its way."""

    sender: Side
    seen: tuple[Sight, ...]
    fate: Fate
    between: tuple[int, int] | None
    """Between which points it was lost or made."""
    missed_at: tuple[int, ...]
    """Points that did not capture it although it passed."""
    proven: bool
    why: Why
    seq: int
    payload_len: int
    flags: int
    like: tuple[int, int] | None = None
    """Point and frame of the packet that it may be a second capture of there."""
    lacks: tuple[int, int] | None = None
    """Point and frame of another packet, which passed the point that lacks this one, and is not there either."""

    @property
    def first(self) -> Sight:
        """Where it was seen first on its way."""
        return self.seen[0]

    def frame_at(self, point: int) -> int | None:
        """Return its frame at a point."""
        return next((sight.frame for sight in self.seen if sight.point == point), None)


def unseen_at(crossing: Crossing, way: tuple[int, ...]) -> tuple[int, ...]:
    """Return the points of which nobody saw whether a packet passed them: their captures had ended, or not begun.

    ``way`` has the points from ``a`` to ``b``. Where a packet was seen behind a point, it passed that.
    """
    if crossing.fate is not Fate.NOT_CAPTURED or crossing.why not in {Why.ENDED, Why.NOT_BEGUN} or not way:
        return ()
    own = way if crossing.sender == "a" else way[::-1]
    last = own.index(crossing.seen[-1].point)
    return tuple(point for point in crossing.missed_at if own.index(point) > last)


@dataclass(frozen=True, slots=True)
class JointProbe:
    """A keepalive probe, and what became of it and of its answer."""

    crossing: Crossing
    certainty: str
    answer: Crossing | None
    outcome: str
    """``answered`` the answer came back, ``answer_lost``, ``lost``, ``unanswered`` it is not lost, and no answer
    was captured, ``reset`` a RST came back, ``made``, ``unproven``.
    """


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not the same at two points."""

    what: str
    sender: Side
    points: tuple[int, int]
    """Before and behind, on the sender's way."""
    count: int
    before: int | None
    behind: int | None
    frames: tuple[int, int] | None
    """The first packet that shows it, at both points."""
    option: int | None = None
    """Kind of a TCP option that is missing or new behind."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Data that an end's kernel acknowledged and that its program did not answer for long, where they took turns."""

    asker: Side
    point: int
    """The point nearest to who was asked; times are as seen there."""
    asked: Crossing
    """The last of that data."""
    acked: Crossing
    until: Crossing | None
    """What ended the wait; None if the capture did."""
    waited_ns: int
    acked_ns: int
    """How long after the data its acknowledgement came."""
    ended: str
    """``answered``, ``fin_of_asker``, ``fin_of_asked``, ``reset_of_asker``, ``reset_of_asked`` or ``capture``."""
    others: int
    """How many answers came sooner."""
    slowest_ns: int
    """The slowest of these."""


@dataclass(frozen=True, slots=True)
class Part:
    """A joint flow at one point."""

    point: int
    flow: int
    flipped: bool
    """Whether ``a`` of the joint flow is ``b`` there."""
    judged: JudgedFlow

    def side(self, side: Side) -> Side:
        """Return what an end of the joint flow is called there, and the other way round."""
        return side if not self.flipped else "b" if side == "a" else "a"


@dataclass(frozen=True, slots=True)
class Stray:
    """A packet that one point has in a connection of other ends than the rest of its connection.

    At the point nearest to the end that differs it is another one's, to whom a translator gave the same name: then it
    is not of the end in whose name it came to the other points. Elsewhere that end was translated ``anew``.
    """

    crossing: Crossing
    point: int
    flow: int
    """Number of the flow there."""
    sender: Endpoint
    """Whose it is there."""
    receiver: Endpoint
    side: Side
    """Which end is another there."""
    anew: bool


@dataclass(frozen=True, slots=True)
class JointEnding:
    """How a joint flow ended."""

    verdict: str
    by: str | None
    """``a``, ``b``, ``between`` or None."""
    proven: bool
    """Whether several points show who it was."""
    between: tuple[int, int] | None
    part: Part
    """Whose verdict it is."""
    crossing: Crossing | None
    """The RST."""
    stray: Stray | None = None
    """Where that RST is another connection's, at the point nearest to who sent it."""


@dataclass(frozen=True, slots=True)
class JointFlow:
    """One connection at several points."""

    number: int
    parts: tuple[Part, ...]
    """In the order of the points as named."""
    way: tuple[int, ...]
    """The points from ``a`` to ``b``; empty if nothing tells."""
    way_by: str
    """``ttl``, ``time`` or empty."""
    counts: dict[str, int]
    """Packets by fate, and ``changed``, ``regrouped``."""
    counts_from: dict[Side, dict[str, int]]
    notable: tuple[Crossing, ...]
    """In order of time: what is not simply seen everywhere, and all SYN, FIN and RST."""
    probes: tuple[JointProbe, ...]
    resets: tuple[Crossing, ...]
    changes: tuple[Change, ...]
    delays_ns: dict[Side, tuple[int, int, int]]
    """Smallest, median and largest time between the outermost points, as the clocks tell it."""
    ending: JointEnding
    tied: tuple[tuple[int, int], ...] = ()
    """Neighbours on the way of which nothing tells which is nearer to ``a``."""
    others: tuple[Crossing, ...] = ()
    """Packets seen everywhere, if they are few: for pictures."""
    lacks: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By point that lacks a packet which passed it while its capture ran: point and frame where that was seen."""
    strays: tuple[Stray, ...] = ()
    """Packets that one point has in a connection of other ends."""
    wait: Wait | None = None
    """What an end waited for in vain, or for long, though it had been delivered."""

    def part_at(self, point: int) -> Part | None:
        """Return the part that a point saw."""
        return next((part for part in self.parts if part.point == point), None)

    def unseen_at(self, crossing: Crossing) -> tuple[int, ...]:
        """Return the points of which nobody saw whether a packet passed them: their captures did not run."""
        return unseen_at(crossing, self.way)

    def nearest(self, side: Side) -> Part:
        """Return the part nearest to an end; the first where nothing tells."""
        if not self.way:
            return self.parts[0]
        return self.part_at(self.way[0 if side == "a" else -1]) or self.parts[0]


class Judgeable(Protocol):
    """A flow that is judged when somebody asks."""

    @property
    def a(self) -> Endpoint:
        """The end that sent the first segment seen."""
        ...

    @property
    def b(self) -> Endpoint:
        """The other end."""
        ...

    @property
    def judged(self) -> JudgedFlow:
        """The flow with everything that was concluded about it."""
        ...


@dataclass(frozen=True, slots=True)
class Lone:
    """A flow that only one point saw."""

    point: int
    number: int
    """Of the flow there."""
    flow: Judgeable
    why: str
    """``absent``; ``proxy``, ``renumbered`` (its other half is flow ``other`` at ``other_point``); ``elsewhere`` (its
    packets are in that one there, which has other ends).
    """
    other_point: int | None = None
    other: int | None = None

    @property
    def judged(self) -> JudgedFlow:
        """The flow with everything that was concluded about it; judged when it is asked for."""
        return self.flow.judged


@dataclass(frozen=True, slots=True)
class Half:
    """One of two connections that carry the same data, as one point has it."""

    point: int
    number: int
    """Of the flow there."""
    flow: Judgeable
    joint: int | None
    """Number of the joint connection that it is part of, if other points have it too."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Two connections that carry the same data: before and behind a proxy, or with other numbers at each point."""

    front: Half
    """The one nearer to who began both, if ``ordered``."""
    back: Half
    why: str
    """``proxy`` or ``renumbered``."""
    ordered: bool


@dataclass(slots=True)
class Point:
    """Where something was captured."""

    path: str
    leg: int
    """Which of several legs in one file: 0 the first."""
    start_ns: int
    """By its own clock."""
    first_ns: int
    """Of its first and last frame, by the reference."""
    last_ns: int
    frames: int
    dropped: int
    holes_ns: tuple[tuple[int, int], ...]
    """By the reference."""
    clock: Clock | None
    """None if it shares nothing with the others."""
    capture: int = 0
    """Which of the captures it is in."""
    paths: tuple[str, ...] = ()
    """Its files, if rotated ones were read as one."""
    by_data: bool = False
    """Whether its clock is known from data that a proxy passed on, not from packets."""
    gaps_ns: tuple[tuple[int, int], ...] = ()
    """By the reference: holes that no counter shows, and only what is known to have passed there (``gaps``)."""
    lacks: tuple[int, int] | None = None
    """Point and frame of a packet that passed it while its capture ran, and is not in it."""


@dataclass(slots=True)
class Joined:
    """What several points show together."""

    points: list[Point]
    flows: Sequence[JointFlow]
    lone: list[Lone]
    halves: list[Halves] = field(default_factory=list)
    eventful: list[int] = field(default_factory=list)
    """Numbers of the connections in which something happened, in order."""
    notes: list[str] = field(default_factory=list)
    """Sentences about the captures as a whole."""
    warnings: list[tuple[int, str]] = field(default_factory=list)
    """What is wrong with the capture of a point."""
    time: units.Clock = units.Clock.RELATIVE
    """How times are said."""
    more: int = 0
    """How many more connections there are in which something happened, of which nothing is left."""

    @property
    def zero(self) -> units.Zero:
        """The instant from which times count: that of the first frame of A."""
        return units.Zero(self.points[0].first_ns, self.time)

    def each(self, numbers: Sequence[int]) -> Iterator[JointFlow]:
        """Yield the connections with these numbers; more than one by one if that takes less time."""
        together = getattr(self.flows, "each", None)
        return map(self.flows.__getitem__, numbers) if together is None else together(numbers)

    def by_first_flow(self) -> dict[int, int]:
        """Return the numbers of connections by those of their flows at their first points; concludes none."""
        known = getattr(self.flows, "by_first_flow", None)
        return {each.parts[0].flow: each.number for each in self.flows} if known is None else known()


@dataclass(slots=True)
class Crossings:
    """All packets as columns, one row a packet."""

    seen: NDArray[np.int64]
    """Index of the sighting at each point, -1 for none; shape (packets, points)."""
    flow: NDArray[np.int64]
    """Number of the joint flow."""
    side: NDArray[np.int8]
    ts_ns: NDArray[np.int64]
    """When it was first seen, by the reference."""
    regrouped: NDArray[np.bool_]
