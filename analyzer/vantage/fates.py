"""What became of each packet of a joint flow: seen everywhere, lost, made, not captured; or nothing tells.

A packet that a point lacks was lost before it, or passed and was not captured. It passed if its receiver acknowledged
it or answered it from beyond. A packet that a point lacks although its sender's packets must pass there was made behind
it, or not captured there. It is the sender's own if the sender goes on behind it, or if IP ID or timestamp stand
between those of its other packets. What nothing tells is ``UNPROVEN``.

It must not know probes, or who ended a flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT, ACK, FIN, RST, SYN
from analyzer.vantage.joint import Crossing, Fate, Sight, Why
from analyzer.vantage.sighting import ends_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.vantage.clock import Clock
    from analyzer.vantage.joint import Crossings, Point
    from analyzer.vantage.sighting import Columns
    from analyzer.vantage.weaving import WovenFlow

    Ints = NDArray[np.int64]

NEAR_IDS: Final = 64
"""IP IDs of a sender's packets that follow each other are no farther apart."""
ANSWER_NS: Final = 3_000_000_000
"""An answer to an empty segment comes in this time."""
INITIAL_TTLS: Final = (32, 64, 128, 255)
"""What kernels start from."""
HALF: Final = 1 << 31
SPACE: Final = 1 << 32
EDGE_NS: Final = 1_000_000
END_NS: Final = 10_000_000
"""What passed so long before a capture's last frame it would have: who writes it may lose the last packets when it is
stopped, and processors do not hand theirs over in order."""
ONE_WAY_NS: Final = 1_000_000_000
"""How far a clock may be off of which packets of one direction only tell."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Why a packet is missing at one point."""

    fate: Fate
    proven: bool
    why: Why


SEEN: Final = Judged(Fate.BOTH, proven=True, why=Why.SEEN)


class FlowFates:
    """Decides the fates of one joint flow's packets."""

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
        self.seq = np.zeros(count, dtype=np.int64)
        self.ack = np.full(count, ABSENT, dtype=np.int64)
        self.end = np.zeros(count, dtype=np.int64)
        self.payload_len = np.zeros(count, dtype=np.int64)
        self.flags = np.zeros(count, dtype=np.int64)
        shape = (count, len(points))
        self.ip_id, self.tsval, self.tsecr, self.ttl = (np.full(shape, ABSENT, dtype=np.int64) for _ in range(4))
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
        self.everywhere: NDArray[np.bool_] = np.all(self.has[:, list(self.own_points)], axis=1)
        self.usual_ttl = self._usual_ttls()

    def _usual_ttls(self) -> dict[tuple[int, int], set[int]]:
        """Return, by end and point, the TTLs of packets that passed several points, RSTs left out."""
        several = (self.has.sum(axis=1) > 1) & (self.flags & RST == 0)
        found: dict[tuple[int, int], set[int]] = {}
        for side in (0, 1):
            for point in self.own_points:
                at = several & (self.side == side) & self.has[:, point]
                found[side, point] = set(np.unique(self.ttl[at, point]).tolist())
        return found

    def way_of(self, row: int) -> tuple[int, ...]:
        """Return the points in the order in which this packet had to pass them; empty if nothing tells."""
        return self.order if self.side[row] == 0 else self.order[::-1]

    def crossing(self, row: int) -> Crossing:
        """Return a packet with its fate."""
        way = self.way_of(row) or self.own_points
        sights = tuple(
            Sight(point, int(self.frame[row, point]), int(self.at_ns[row, point]))
            for point in way
            if self.has[row, point]
        )
        fate, between, missed, judged = self._fate(row)
        return Crossing(
            sender="a" if self.side[row] == 0 else "b",
            seen=sights,
            fate=fate,
            between=between,
            missed_at=missed,
            proven=judged.proven,
            why=judged.why,
            seq=int(self.seq[row]),
            payload_len=int(self.payload_len[row]),
            flags=int(self.flags[row]),
        )

    def _fate(self, row: int) -> tuple[Fate, tuple[int, int] | None, tuple[int, ...], Judged]:
        """Return fate, between which points, where it was not captured, and what that rests on."""
        way = self.way_of(row)
        if self.everywhere[row]:
            return Fate.BOTH, None, (), SEEN
        if self.regrouped[row]:
            return Fate.BOTH, None, (), Judged(Fate.BOTH, proven=True, why=Why.REGROUPED)
        if not way:
            return Fate.UNPROVEN, None, (), Judged(Fate.UNPROVEN, proven=False, why=Why.ORDER)
        at = [place for place, point in enumerate(way) if self.has[row, point]]
        missed = [way[place] for place in range(at[0], at[-1]) if not self.has[row, way[place]]]
        result = Judged(Fate.BOTH if len(missed) == 0 else Fate.NOT_CAPTURED, proven=True, why=Why.SEEN)
        between: tuple[int, int] | None = None
        for place in range(at[-1] + 1, len(way)):
            judged = self._missing_behind(row, way, place)
            if judged.fate is Fate.NOT_CAPTURED:
                missed.append(way[place])
                result = judged
                continue
            result, between = judged, (way[place - 1], way[place])
            break
        if result.fate is Fate.LOST:
            return result.fate, between, tuple(missed), result
        for place in range(at[0] - 1, -1, -1):
            judged = self._missing_before(row, way, place)
            if judged.fate is Fate.NOT_CAPTURED:
                missed.append(way[place])
                if result.fate is not Fate.UNPROVEN:
                    result = judged
                continue
            result, between = judged, (way[place], way[place + 1])
            break
        return result.fate, between, tuple(missed), result

    # missing behind ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _missing_behind(self, row: int, way: tuple[int, ...], place: int) -> Judged:
        """Say why a packet that passed the points before is not at this one."""
        point, beyond = way[place], way[place:]
        back = (self.side != self.side[row]) & (self.flags & RST == 0) & (self.ack != ABSENT)
        back &= self.ts_ns >= self.ts_ns[row]
        from_beyond = self._seen_at(beyond)
        arrived = self._arrived(row, point, back & from_beyond)
        if arrived is None and self._drew_reset(row, from_beyond):
            arrived = Why.ANSWERED, True
        if arrived is None and (own := self._arrived(row, point, self._own(back & ~from_beyond))) is not None:
            arrived = own[0], False
        if arrived is not None:
            return Judged(Fate.NOT_CAPTURED, proven=arrived[1], why=arrived[0])
        sent_ns = int(self.ts_ns[row])
        where = self.points[point]
        if self._not_arrived(row, point, beyond):
            return Judged(Fate.LOST, proven=True, why=Why.NOT_ACKNOWLEDGED)
        if (later := not self._goes_on_there(row, point)) or not self._begun_there(row, point):
            passed_ns = self._passed_outside(row, point, later=later)
            if passed_ns is not None:
                why = Why.ENDED if later else Why.NOT_BEGUN
                over = passed_ns <= sent_ns or not later  # else it may have ended behind it, too
                return Judged(Fate.NOT_CAPTURED if over else Fate.UNPROVEN, proven=False, why=why)
            return Judged(Fate.LOST, proven=False, why=Why.NOTHING_LATER if later else Why.NOTHING_EARLIER)
        if any(start <= sent_ns <= end for start, end in where.holes_ns):
            return Judged(Fate.UNPROVEN, proven=False, why=Why.HOLE)
        if where.dropped:
            return Judged(Fate.UNPROVEN, proven=False, why=Why.DROPPED)
        if self._misses(row, point):
            return Judged(Fate.UNPROVEN, proven=False, why=Why.MISSES)
        return Judged(Fate.LOST, proven=not self._overtaken(row, back), why=Why.RUNNING)

    def _overtaken(self, row: int, back: NDArray[np.bool_]) -> bool:
        """Say whether its receiver, before it could show that an empty segment came, echoed a later timestamp."""
        stamp = int(self.tsval[row].max())
        first = np.flatnonzero(back & (self.tsecr.max(axis=1) > stamp))[:1]
        if stamp <= 0 or self.end[row] != self.seq[row] or not len(first):
            return False
        between = back & (self.ts_ns < self.ts_ns[first[0]]) & (self.ts_ns > self.ts_ns[row] + EDGE_NS)
        return not between.any()

    def _seen_at(self, points: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return which packets at least one of the points has."""
        seen: NDArray[np.bool_] = np.any(self.has[:, list(points)], axis=1)
        return seen

    def _misses(self, row: int, point: int) -> bool:
        """Say whether a capture lacks what passed it just before or behind a packet: then it proves nothing of that."""
        for step in (-1, 1):
            at = row + step
            while 0 <= at < len(self.side) and not self.has[at, point]:
                if not self.flags[at] & RST and self._passed_unseen(at, point):
                    return True
                at += step
        return False

    def _passed_unseen(self, row: int, point: int) -> bool:
        """Say whether a packet that a point lacks passed it: it was seen on both sides, or its receiver shows it."""
        way = self.way_of(row)
        if point not in way:
            return False
        at = [place for place, each in enumerate(way) if self.has[row, each]]
        place = way.index(point)
        if at[0] < place < at[-1]:
            return True
        if place < at[0]:
            seen_at = way[at[0]]
            return self._goes_on(row, point) or (not self._unlike(row, seen_at) and self._fits(row, seen_at))
        back = (self.side != self.side[row]) & (self.flags & RST == 0) & (self.ack != ABSENT)
        back &= self.ts_ns >= self.ts_ns[row]
        from_beyond = self._seen_at(way[place:])
        return (
            self._arrived(row, point, back & from_beyond) is not None
            or self._drew_reset(row, from_beyond)
            or self._arrived(row, point, self._own(back & ~from_beyond)) is not None
        )

    def _own(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return those of the packets that no point beyond has, but that fit their sender: it made them, beyond."""
        fitting = np.zeros(len(rows), dtype=np.bool_)
        for at in np.flatnonzero(rows).tolist():
            sight = next(p for p in self.way_of(at) if self.has[at, p])
            fitting[at] = not self._unlike(at, sight) and (self._fits(at, sight) or self._is_nameless(at, sight))
        return fitting

    def _is_nameless(self, row: int, point: int) -> bool:
        """Say whether nothing but the TTL, which is its sender's, tells who made a packet: no IP ID, no timestamp."""
        usual = self.usual_ttl[int(self.side[row]), point]
        known = bool(usual) and int(self.ttl[row, point]) in usual
        return known and int(self.ip_id[row, point]) <= 0 and int(self.tsval[row, point]) == ABSENT

    def _arrived(self, row: int, point: int, back: NDArray[np.bool_]) -> tuple[Why, bool] | None:
        """Say how its receiver's packets ``back`` show that a packet passed the point, if they do, and whether surely.

        An acknowledgement shows that one of the transmissions of what it covers arrived, not which.
        """
        takes = int(self.end[row] - self.seq[row]) % SPACE
        if takes == 0:
            if self.flags[row] & (RST | SYN | FIN):
                return None
            is_there = int(self.ts_ns[row]) <= self.points[point].last_ns  # else it had ended
            if is_there and self._echoed(row, np.flatnonzero(back)):
                return Why.ECHOED, self.covers is None
            if self._let_probe(row, back):
                return Why.REACTED, True
            why = self._answered(row, back)
            return None if why is None else (why, True)
        acks = np.flatnonzero(back & ((self.ack - self.end[row]) % SPACE < HALF))
        if not len(acks):
            return None
        until_ns = int(self.ts_ns[acks[0]])
        same = (self.side == self.side[row]) & (self.ts_ns <= until_ns)
        if self._covered(row, same & self.has[:, point] & (self.at_ns[:, point] <= until_ns), until_ns):
            return None
        same[row] = False
        if not self._covered(row, same, until_ns):
            return Why.ACKNOWLEDGED, True
        if self._echoed(row, acks):
            return Why.ECHOED, self.covers is None
        again = np.flatnonzero(same & ((self.end - self.end[row]) % SPACE < HALF) & (self.end != self.seq))
        told = bool((self._stamps(self.tsecr, acks) > 0).any())
        return None if told or (again > row).any() else (Why.ACKNOWLEDGED, False)

    def _stamps(self, of: Ints, rows: Ints) -> Ints:
        """Return timestamps of packets, wherever they were seen; ABSENT without."""
        found: Ints = of[rows].max(axis=1, initial=ABSENT)
        return found

    def _echoed(self, row: int, back: Ints) -> bool:
        """Say whether one of these echoes a packet's timestamp, which none of its sender's before has (RFC 7323).

        What was forgotten may have it: then it is only likely. A timestamp that was changed on the way tells nothing.
        """
        own = self.tsval[row][self.has[row]]
        stamp = int(own[0])
        if stamp in (ABSENT, 0) or (own != stamp).any():
            return False
        echoes = back[self._stamps(self.tsecr, back) == stamp]
        if not len(echoes):
            return False
        same = (self.side == self.side[row]) & (self.ts_ns <= self.ts_ns[echoes[0]])
        return int((self._stamps(self.tsval, np.flatnonzero(same)) == stamp).sum()) == 1

    def _let_probe(self, row: int, back: NDArray[np.bool_]) -> bool:
        """Say whether its receiver probes behind it with one below what it alone acknowledges.

        Nobody probes with something outstanding (RFC 9293, 3.8.4), so that this acknowledgement came.
        """
        if self.ack[row] == ABSENT or self.covers is not None:
            return False
        probes = np.flatnonzero(back & (self.payload_len == 0) & (self.flags & (SYN | FIN | RST) == 0))
        probes = probes[(self.seq[probes] + 1) % SPACE == self.ack[row]]
        if not len(probes):
            return False
        until_ns = self.ts_ns[probes[0]]
        same = (self.side == self.side[row]) & (self.ack != ABSENT) & (self.ts_ns <= until_ns)
        same &= (self.ack - self.ack[row]) % SPACE < HALF
        sent = (
            (self.side != self.side[row])
            & (self.ts_ns <= until_ns)
            & (self.end == self.ack[row])
            & (self.end != self.seq)
        )
        return int(same.sum()) == 1 and bool(sent.any())

    def _drew_reset(self, row: int, from_beyond: NDArray[np.bool_]) -> bool:
        """Say whether a packet drew a RST from beyond: its number is what the packet acknowledged (RFC 9293, 3.10.7.1).

        Such a RST has no ACK, and nothing else of the same sender can have drawn it.
        """
        if self.flags[row] & (RST | SYN) or self.ack[row] == ABSENT:
            return False
        drawn = (self.side != self.side[row]) & (self.flags & (RST | ACK) == RST) & (self.seq == self.ack[row])
        drawn &= from_beyond & (self.ts_ns >= self.ts_ns[row]) & (self.ts_ns - self.ts_ns[row] <= ANSWER_NS)
        at = np.flatnonzero(drawn)
        if not len(at):
            return False
        same = (self.side == self.side[row]) & (self.flags & RST == 0) & (self.ack == self.ack[row])
        until_ns = int(self.ts_ns[at[0]])
        others = same & (self.ts_ns <= until_ns) & (self.ts_ns >= until_ns - ANSWER_NS)
        others[row] = False
        replies = (self.side != self.side[row]) & (self.flags & RST == 0)
        return all(other < row and replies[other:row].any() for other in np.flatnonzero(others).tolist())

    def _covered(self, row: int, among: NDArray[np.bool_], until_ns: int) -> bool:
        """Say whether these and what is forgotten have all that a packet took by then, in whatever pieces."""
        at = np.flatnonzero(among & (self.end != self.seq))
        size = int(self.end[row] - self.seq[row]) % SPACE
        begin = (self.seq[at] - self.seq[row] + HALF) % SPACE - HALF
        stop = begin + (self.end[at] - self.seq[at]) % SPACE
        ranges = list(zip(begin.tolist(), stop.tolist(), strict=True))
        if self.covers is not None:
            more = self.covers[self.side[row]]
            more = more[more["from_ns"] <= until_ns]
            begin = (more["from_seq"] - self.seq[row] + HALF) % SPACE - HALF
            stop = begin + (more["to_seq"] - more["from_seq"]) % SPACE
            ranges += zip(begin.tolist(), stop.tolist(), strict=True)
        reached = 0
        for low, high in sorted(ranges):
            if low > reached:
                break
            reached = max(reached, high)
        return reached >= size

    def _answered(self, row: int, back: NDArray[np.bool_]) -> Why | None:
        """Say whether a probe (one below what the peer acknowledged) was answered by one of these."""
        sent_ns = self.ts_ns[row]
        wanted = (self.seq[row] + 1) % SPACE
        answers = back & (self.ack == wanted) & (self.payload_len == 0) & (self.ts_ns - sent_ns <= ANSWER_NS)
        answers &= self.flags & (SYN | FIN) == 0  # these are sent without being asked
        at = np.flatnonzero(answers)
        if not len(at):
            return None
        # nor the answer to what was sent behind it, whether or not the point has that
        between = (self.ts_ns > sent_ns) & (self.ts_ns < self.ts_ns[at[0]]) & (self.side == self.side[row])
        # it must not be one who asks by itself, nor answer somebody else
        asks = (self.seq[at[0]] + 1) % SPACE == self.ack[row]
        return None if between.any() or asks else Why.ANSWERED

    def _bound_ns(self, row: int, point: int) -> int:
        """Return how far the clocks may be off, of the point and of where a packet was seen first."""
        clocks = (self.points[each].clock for each in {point, self._seen_first(row)})
        return EDGE_NS + sum(_width_ns(clock) for clock in clocks if clock is not None)

    def _seen_first(self, row: int) -> int:
        """Return the point that saw a packet first on its way."""
        return next(each for each in self.way_of(row) or self.own_points if self.has[row, each])

    def _goes_on_there(self, row: int, point: int) -> bool:
        """Say whether the point's capture has anything behind the instant at which a packet had to pass it.

        That is what its sender sent behind it, or anything later than clocks and ends of captures leave open.
        """
        seen_at = self._seen_first(row)
        behind = (self.side == self.side[row]) & self.has[:, point] & self.has[:, seen_at]
        behind &= self.at_ns[:, seen_at] > self.at_ns[row, seen_at]
        late_ns = int(self.at_ns[row, seen_at]) + self._bound_ns(row, point) + END_NS
        return bool(behind.any()) or self.points[point].last_ns > late_ns

    def _begun_there(self, row: int, point: int) -> bool:
        """Say whether the point's capture has anything before the instant at which a packet had to pass it."""
        seen_at = self._seen_first(row)
        before = (self.side == self.side[row]) & self.has[:, point] & self.has[:, seen_at]
        before &= self.at_ns[:, seen_at] < self.at_ns[row, seen_at]
        early_ns = int(self.at_ns[row, seen_at]) - self._bound_ns(row, point)
        return bool(before.any()) or self.points[point].first_ns < early_ns

    def _not_arrived(self, row: int, point: int, beyond: tuple[int, ...]) -> bool:
        """Say whether its receiver acknowledges less, although it would have arrived before."""
        takes = int(self.end[row] - self.seq[row]) % SPACE
        if takes == 0:
            return False
        back = (self.side != self.side[row]) & (self.ack != ABSENT) & self.has[:, list(beyond)].any(axis=1)
        back &= (self.ts_ns > self.ts_ns[row] + self._bound_ns(row, point)) & (
            (self.end[row] - self.ack) % SPACE < HALF
        )
        return bool((back & (self.ack != self.end[row])).any())

    def _passed_outside(self, row: int, point: int, *, later: bool) -> int | None:
        """Return when the first packet of the receiver, no RST, passed with the point's capture over, or not begun."""
        where = self.points[point]
        theirs = (self.side != self.side[row]) & (self.flags & RST == 0) & ~self.has[:, point]
        theirs &= self.ts_ns > where.last_ns + EDGE_NS if later else self.ts_ns < where.first_ns - EDGE_NS
        for at in np.flatnonzero(theirs).tolist():
            sight = next(p for p in self.own_points if self.has[at, p])
            usual = self.usual_ttl[int(self.side[at]), sight]
            if not usual or int(self.ttl[at, sight]) in usual:
                return int(self.ts_ns[at])
        return None

    # missing before ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _missing_before(self, row: int, way: tuple[int, ...], place: int) -> Judged:
        """Say why a packet that was seen behind is not at this point, which its sender's packets must pass."""
        point = way[place]
        seen_at = next(p for p in way if self.has[row, p])
        where, seen_ns = self.points[point], int(self.ts_ns[row])
        is_reset = bool(self.flags[row] & RST)
        here = any(self.points[each].capture == where.capture for each in way if self.has[row, each])
        ended = not here and not self._goes_on_there(row, point)  # one capture has what came before in order
        outside = ended or not self._begun_there(row, point)
        unlike = self._unlike(row, seen_at)
        fits = not unlike and self._fits(row, seen_at)
        if not is_reset and not unlike and self._goes_on(row, point):
            return Judged(Fate.NOT_CAPTURED, proven=True, why=Why.SENDER_GOES_ON)
        if outside:
            why = Why.ENDED if ended else Why.NOT_BEGUN
            if unlike:
                return Judged(Fate.MADE, proven=self._too_near(row, seen_at, point), why=Why.UNLIKE_SENDER)
            if not is_reset or fits:
                return Judged(Fate.NOT_CAPTURED, proven=fits and not is_reset, why=why)
            return Judged(Fate.UNPROVEN, proven=False, why=why)
        if any(start <= seen_ns <= end for start, end in where.holes_ns):
            return Judged(Fate.NOT_CAPTURED if fits else Fate.UNPROVEN, proven=False, why=Why.HOLE)
        if unlike:
            return Judged(Fate.MADE, proven=True, why=Why.UNLIKE_SENDER)
        if fits:
            return Judged(Fate.NOT_CAPTURED, proven=False, why=Why.FITS_SENDER)
        if where.dropped or (is_reset and self._misses(row, point)):
            return Judged(Fate.UNPROVEN, proven=False, why=Why.DROPPED if where.dropped else Why.MISSES)
        if is_reset:
            return Judged(Fate.MADE, proven=True, why=Why.RUNNING)
        return Judged(Fate.UNPROVEN, proven=False, why=Why.RUNNING)

    def _unlike(self, row: int, point: int) -> bool:
        """Say whether a packet's TTL is none that its sender's packets have at the point."""
        usual = self.usual_ttl[int(self.side[row]), point]
        ttl = int(self.ttl[row, point])
        return bool(usual) and ttl != ABSENT and ttl not in usual

    def _too_near(self, row: int, point: int, missing: int) -> bool:
        """Say whether a packet passed fewer routers than there are between the two points, whoever counts from what."""
        both = (self.side == self.side[row]) & self.has[:, point] & self.has[:, missing]
        if not both.any():
            return False
        hops = int((self.ttl[both, missing] - self.ttl[both, point]).min())
        ttl = int(self.ttl[row, point])
        passed = next((initial - ttl for initial in INITIAL_TTLS if initial >= ttl), 0)
        return passed < hops

    def _fits(self, row: int, point: int) -> bool:
        """Say whether IP ID or timestamp stand between those of the sender's packets around it."""
        own = np.flatnonzero(
            (self.side == self.side[row]) & self.has[:, point] & (self.has.sum(axis=1) > 1) & (self.flags & RST == 0)
        )
        before, behind = own[own < row], own[own > row]
        if not len(before):
            return False
        last = int(before[-1])
        fits = False
        ip_id = int(self.ip_id[row, point])
        if ip_id > 0 and self.ip_id[last, point] > 0:
            fits = 0 < (ip_id - int(self.ip_id[last, point])) % 65536 <= NEAR_IDS
            if fits and len(behind):
                fits = 0 < (int(self.ip_id[behind[0], point]) - ip_id) % 65536 <= NEAR_IDS
        if fits or self.tsval[row, point] == ABSENT or self.tsval[last, point] == ABSENT:
            return fits
        ahead = (int(self.tsval[row, point]) - int(self.tsval[last, point])) % SPACE
        passed_ms = (int(self.ts_ns[row]) - int(self.ts_ns[last])) // 1_000_000
        return ahead < HALF and ahead <= 2 * passed_ms + 1000

    def _goes_on(self, row: int, point: int) -> bool:
        """Say whether its sender, later and seen at the point, counts the packet's bytes among what it sent."""
        takes = int(self.end[row] - self.seq[row]) % SPACE
        if takes == 0:
            return False
        later = (self.side == self.side[row]) & (self.flags & RST == 0) & self.has[:, point]
        later &= (self.ts_ns > self.ts_ns[row]) & ((self.seq - self.end[row]) % SPACE < HALF)
        return bool(later.any())


def _width_ns(clock: Clock) -> int:
    """Return how far a clock may be off."""
    one_way = any(piece.samples and None in (piece.low_ns, piece.high_ns) for piece in clock.pieces)
    return ONE_WAY_NS if one_way else clock.width_ns
