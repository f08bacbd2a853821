"""``Packets``: the packets of one joint flow as columns, in order of time, each at all points that saw it.

It must not know what became of a packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT, ACK, RST, SYN
from analyzer.seqnum import SPACE
from analyzer.vantage import doubled
from analyzer.vantage.sighting import ends_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analyzer.vantage.joint import Crossings, Point, Why
    from analyzer.vantage.sighting import Columns
    from analyzer.vantage.weaving import WovenFlow

    Ints = NDArray[np.int64]

MOST_ATTEMPTS: Final = 64
"""So many attempts of an end to open are told apart, the last ones."""


class Packets:
    """The packets of one joint flow."""

    def __init__(
        self,
        woven: WovenFlow,
        crossings: Crossings,
        rows: Ints,
        seen: Sequence[Columns],
        points: Sequence[Point],
        covers: tuple[NDArray[np.void], NDArray[np.void]] | None = None,
    ) -> None:
        """Take the rows of ``crossings`` that are this flow's, in order of time.

        ``covers`` is the data of packets of ``a`` and ``b`` that were at all points and are not among the rows.
        """
        self.woven = woven
        self.covers = covers
        self.points = points
        self.own_points = tuple(part[0] for part in woven.parts)
        self.order = woven.way
        self.table = crossings.seen[rows]
        self.side = crossings.side[rows].astype(np.int64)
        self.ts_ns = crossings.ts_ns[rows]
        self.regrouped = crossings.regrouped[rows]
        self.has = self.table >= 0
        count = len(rows)
        self.seq, self.end, self.payload_len, self.flags = (np.zeros(count, dtype=np.int64) for _ in range(4))
        self.ack = np.full(count, ABSENT, dtype=np.int64)
        shape = (count, len(points))
        self.ip_id, self.tsval, self.tsecr, self.ttl, self.link, self.window, self.header_len = (
            np.full(shape, ABSENT, dtype=np.int64) for _ in range(7)
        )
        self.frame = np.zeros(shape, dtype=np.int64)
        self.at_ns = np.zeros(shape, dtype=np.int64)
        for point in self.own_points:
            at = np.flatnonzero(self.has[:, point])
            sightings = seen[point][self.table[at, point]]
            for name, column in (
                ("ip_id", self.ip_id),
                ("tsval", self.tsval),
                ("tsecr", self.tsecr),
                ("ttl", self.ttl),
                ("link", self.link),
                ("window", self.window),
                ("header_len", self.header_len),
                ("frame", self.frame),
            ):
                column[at, point] = sightings[name]
            clock = points[point].clock
            assert clock is not None
            self.at_ns[at, point] = clock.reference_ns(sightings["ts_ns"])
            self.seq[at], self.payload_len[at], self.flags[at] = (
                sightings["seq"],
                sightings["payload_len"],
                sightings["flags"],
            )
            self.ack[at] = np.where(sightings["flags"] & ACK, sightings["ack"], ABSENT)
            self.end[at] = ends_of(sightings)
        self.last_tsval, self.last_tsecr = (of.max(axis=1, initial=ABSENT) for of in (self.tsval, self.tsecr))
        """Timestamps, wherever a packet was seen; ABSENT without."""
        self.sent_in, self.acknowledges_in = self._attempts()
        """In which attempt to connect, by its SYN, a packet's own numbers are, and those that it acknowledges."""
        self.everywhere: NDArray[np.bool_] = np.all(self.has[:, list(self.own_points)], axis=1)
        self.doubtful, self.held = doubled.held(self)
        """Packets that all points have, but of which one may have another one twice, and which frame where that is."""
        self.everywhere &= ~self.doubtful
        self.usual_ttl = self._usual_ttls()
        clocks = [points[point].clock for point in self.own_points]
        self.jitter_ns = max((clock.jitter_ns for clock in clocks if clock is not None), default=0)
        """What is nearer to each other may have passed in the other order."""
        self.by_rhythm = any(clock.by_rhythm for clock in clocks if clock is not None)
        """Whether only the rhythm of what is repeated says which packets are one."""
        self.one_way = any(clock.is_one_way for clock in clocks if clock is not None)
        """Whether a clock is known by packets of one direction only: then what is near an end of a capture is not."""
        self.shown: dict[tuple[int, int], tuple[Why, bool] | None] = {}
        """What shows that a packet passed a point that lacks it, by row and point, once that was asked."""
        self.lacked: dict[int, tuple[int, int] | None] = {}
        """By point, where a packet was seen that its capture lacks and that passed it, once that was asked."""
        self._known: dict[str, NDArray[np.bool_]] = {}

    def _attempts(self) -> tuple[Ints, Ints]:
        """Return the attempts of each packet's numbers: 0, but where an end sent SYNs with several numbers.

        An end that was reset while it opened answers the next SYN with another number (RFC 9293 3.10.7.4). A number is
        of the attempt that it is nearest to, from above, of those that had begun.
        """
        sent = np.zeros(len(self.side), dtype=np.int64)
        acknowledged = np.zeros(len(self.side), dtype=np.int64)
        for side in (0, 1):
            opening = np.flatnonzero((self.side == side) & (self.flags & (SYN | RST) == SYN))
            numbers, at = np.unique(self.seq[opening], return_index=True)
            if len(numbers) < 2:
                continue
            began = np.sort(opening[at])[-MOST_ATTEMPTS:]
            for rows, told, found in (
                (np.flatnonzero(self.side == side), self.seq, sent),
                (np.flatnonzero((self.side != side) & (self.ack != ABSENT)), self.ack, acknowledged),
            ):
                above = (told[rows, None] - self.seq[began]) % SPACE
                above[began > rows[:, None]] = SPACE
                found[rows] = above.argmin(axis=1)
        return sent, acknowledged

    def _usual_ttls(self) -> dict[tuple[int, int], set[int]]:
        """Return, by end and point, the TTLs of packets that passed several points, RSTs left out."""
        several = (self.has.sum(axis=1) > 1) & (self.flags & RST == 0)
        found: dict[tuple[int, int], set[int]] = {}
        for side in (0, 1):
            for point in self.own_points:
                at = several & (self.side == side) & self.has[:, point]
                found[side, point] = set(np.unique(self.ttl[at, point]).tolist())
        return found

    def known_once(self, what: str, found: Callable[[Packets], NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Return what is ``found`` of all packets, which is asked of one after the other: it is looked for once."""
        if what not in self._known:
            self._known[what] = found(self)
        return self._known[what]

    def way_of(self, row: int) -> tuple[int, ...]:
        """Return the points in the order in which this packet had to pass them; empty if nothing tells."""
        return self.order if self.side[row] == 0 else self.order[::-1]

    def seen_first(self, row: int) -> int:
        """Return the point that saw a packet first on its way."""
        return next(each for each in self.way_of(row) or self.own_points if self.has[row, each])

    def seen_at(self, points: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return which packets at least one of the points has."""
        seen: NDArray[np.bool_] = np.any(self.has[:, list(points)], axis=1)
        return seen

    def is_one_flow(self, points: list[int]) -> bool:
        """Say whether points of one capture have the same flow: then no address tells them apart."""
        return len({flow for point, flow, _ in self.woven.parts if point in points}) == 1
