"""What follows for one connection: the fate of each packet, its probes, its RSTs, and one ending.

It must not know other connections, or hold a sentence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.verdict import Verdict
from analyzer.segment import FIN, RST, SYN
from analyzer.track.flow import SIDES
from analyzer.vantage import lacking
from analyzer.vantage.changes import changes_of
from analyzer.vantage.fates import crossing_of
from analyzer.vantage.joint import FATES, Fate, JointEnding, JointFlow, JointProbe, Stray, Why, unseen_at
from analyzer.vantage.strays import strays_of
from analyzer.vantage.waits import wait_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.probe import Probe
    from analyzer.track.flow import Side
    from analyzer.vantage.forgotten import Gone
    from analyzer.vantage.joint import Change, Crossing, Part
    from analyzer.vantage.packets import Packets
    from analyzer.vantage.sighting import Columns
    from analyzer.vantage.weaving import WovenFlow

FEW: Final = 400
"""If a flow has no more packets, all of them are kept, for pictures."""
BY_RESET: Final = (Verdict.TIMED_OUT, Verdict.RESET_ON_PROBE, Verdict.ABORTED)
"""Of one RST, what a point that saw more says of it first."""
TELLING: Final = (
    Verdict.CLOSED,
    Verdict.HALF_CLOSED,
    Verdict.SILENT,
    Verdict.CLOSING,
    Verdict.OPEN,
    Verdict.UNESTABLISHED,
    Verdict.UNDETERMINED,
)
"""Verdicts that no RST brought about, the most telling first."""


class Conclusion:
    """What follows for one connection."""

    def __init__(
        self,
        number: int,
        woven: WovenFlow,
        parts: tuple[Part, ...],
        packets: Packets,
        seen: Sequence[Columns],
        gone: tuple[Gone, Gone] | None,
        judged: Callable[[int, int], JudgedFlow],
    ) -> None:
        """Take its parts and its packets; ``judged`` returns the flow with a number at a point."""
        self.number, self.woven, self.parts, self.packets, self.gone = number, woven, parts, packets, gone
        self.changes, self.changed = changes_of(woven, packets.table, packets.side, seen)
        if gone:
            self.changes = tuple(self._with_gone(change, gone[SIDES.index(change.sender)]) for change in self.changes)
        self.strays = strays_of(parts, packets, seen, judged)
        self._capture = [point.capture for point in packets.points]
        self._crossings: dict[int, Crossing] = {}
        self._rows: dict[tuple[int, int], int] = {}
        for part in parts:
            at = np.flatnonzero(packets.has[:, part.point])
            frames = ((self._capture[part.point], frame) for frame in packets.frame[at, part.point].tolist())
            self._rows.update(zip(frames, at.tolist(), strict=True))

    def joint(self) -> JointFlow:
        """Return the joint flow."""
        packets = self.packets
        control = packets.flags & (SYN | FIN | RST) > 0
        shown = np.flatnonzero(~packets.everywhere | control | self.changed)
        notable = tuple(self.crossing(row) for row in shown.tolist())
        counts = {side: Counter[str]() for side in SIDES}
        for which, side in enumerate(SIDES):
            own = packets.side == which
            counts[side]["both"] = int((own & packets.everywhere).sum()) + (self.gone[which].count if self.gone else 0)
            counts[side]["changed"] = int((own & self.changed).sum())
            for row in np.flatnonzero(own & ~packets.everywhere).tolist():
                crossing = self.crossing(row)
                counts[side][crossing.fate.value] += 1
        names = (*(fate.value for fate in FATES), "changed")
        by_side: dict[Side, dict[str, int]] = {side: {name: counts[side][name] for name in names} for side in SIDES}
        probes = tuple(self._probes())
        resets = tuple(crossing for crossing in notable if crossing.flags & RST)
        few: list[int] = []
        if len(packets.side) <= FEW:
            few = np.flatnonzero(packets.everywhere & ~control & ~self.changed).tolist()
        return JointFlow(
            number=self.number,
            parts=self.parts,
            way=self.woven.way,
            way_by=self.woven.way_by,
            tied=self.woven.tied,
            counts={name: by_side["a"][name] + by_side["b"][name] for name in names},
            counts_from=by_side,
            notable=notable,
            probes=probes,
            resets=resets,
            changes=self.changes,
            delays_ns=self._delays(),
            ending=self._ending(),
            strays=tuple(self._stray(row) for row in self.strays),
            wait=None if self.gone else wait_of(packets, self.crossing, self._initiator()),
            others=tuple(map(self.crossing, few)),
            lacks={
                point: lacked
                for point in packets.own_points
                if (lacked := lacking.anywhere(packets, point)) is not None
            },
        )

    def _initiator(self) -> Side | None:
        """Return who opened the connection, as the first point says that saw it; None if none did."""
        started = ((part, part.judged.record.initiator) for part in self.parts)
        return next((part.side(side) for part, side in started if side is not None), None)

    @staticmethod
    def _with_gone(change: Change, gone: Gone) -> Change:
        """Return a change with the packets that it was counted of alone."""
        return replace(change, count=change.count + gone.changed.get(change.what, 0))

    def crossing(self, row: int) -> Crossing:
        """Return a packet with its fate, made once."""
        if row not in self._crossings:
            self._crossings[row] = crossing_of(self.packets, row)
        return self._crossings[row]

    def at(self, point: int, frame: int | None) -> Crossing | None:
        """Return the packet that is this frame at a point."""
        row = self._row(point, frame)
        return None if row is None else self.crossing(row)

    def _row(self, point: int, frame: int | None) -> int | None:
        """Return the row of a frame of the capture that the point is in."""
        return None if frame is None else self._rows.get((self._capture[point], frame))

    def _delays(self) -> dict[Side, tuple[int, int, int]]:
        """Return the smallest, median and largest delay of each end's packets across all points."""
        found: dict[Side, tuple[int, int, int]] = {}
        if not self.woven.way:
            return found
        packets, first, last = self.packets, self.woven.way[0], self.woven.way[-1]
        for which, side in enumerate(SIDES):
            rows = np.flatnonzero((packets.side == which) & packets.has[:, first] & packets.has[:, last])
            took_ns = packets.at_ns[rows, last] - packets.at_ns[rows, first]
            if self.gone and (more := self._apart_ns(self.gone[which], first, last)):
                took_ns = np.concatenate([took_ns, more])
            if not len(took_ns):
                continue
            took_ns = took_ns if which == 0 else -took_ns
            found[side] = int(took_ns.min()), int(np.median(took_ns)), int(took_ns.max())
        return found

    def _apart_ns(self, gone: Gone, first: int, last: int) -> list[int]:
        """Return how far apart the quickest and the slowest of the forgotten packets passed two points."""
        ends = self._capture[first], self._capture[last]
        clocks = self.packets.points[first].clock, self.packets.points[last].clock
        if sorted(ends) != [0, 1] or clocks[0] is None or clocks[1] is None:
            return []
        seen_ns = np.array(gone.apart_ns, dtype=np.int64).reshape(-1, 2)
        left_ns = clocks[0].reference_ns(seen_ns[:, ends[0]])
        found: list[int] = (clocks[1].reference_ns(seen_ns[:, ends[1]]) - left_ns).tolist()
        return found

    # probes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _probes(self) -> Iterator[JointProbe]:
        """Yield the probes of all points, each once, in order of time."""
        told: dict[int, list[tuple[Part, Probe]]] = {}
        for part in self.parts:
            for probe in part.judged.record.probes:
                row = self._row(part.point, probe.frame)
                if row is not None:
                    told.setdefault(row, []).append((part, probe))
        rows = sorted(told, key=lambda row: int(self.packets.ts_ns[row]))
        answers = self._answers(rows, told)
        for row in rows:
            yield self._probe(row, [probe for _, probe in told[row]], answers.get(row))

    def _answers(self, rows: list[int], told: dict[int, list[tuple[Part, Probe]]]) -> dict[int, int]:
        """Return which packet answers each probe, as it was sent: at the point nearest to who answers.

        A point that lacks a probe takes its answer for that of the one before: it answers the last that arrived.
        """
        found: dict[int, int] = {}
        moved: dict[int, int] = {}
        for at, row in enumerate(rows):
            way = self.packets.way_of(row) or self.packets.own_points
            claims = [(-way.index(part.point), self._row(part.point, probe.answer_frame)) for part, probe in told[row]]
            for _, answer in sorted(claims, key=lambda claim: claim[0]):
                if answer is None:
                    continue
                last = self._asked_last(rows, at, answer)
                if last is not None:
                    (found if last == row else moved).setdefault(last, answer)
        return moved | found

    def _asked_last(self, rows: list[int], at: int, answer: int) -> int | None:
        """Return the last of the probes, of one end, that an answer may be to; the one ``at`` was said to be it.

        What was lost draws nothing but a RST of something on the way.
        """
        packets = self.packets
        side, until_ns = packets.side[rows[at]], packets.ts_ns[answer] + packets.jitter_ns
        behind = takewhile(lambda row: packets.ts_ns[row] <= until_ns, islice(rows, at + 1, None))
        own = [row for row in (rows[at], *behind) if packets.side[row] == side]
        if not packets.flags[answer] & RST:
            own = [row for row in own if self.crossing(row).fate is not Fate.LOST]
        return own[-1] if own else None

    def _probe(self, row: int, told: list[Probe], answered: int | None) -> JointProbe:
        crossing = self.crossing(row)
        certainty = min((probe.certainty for probe in told), key=("certain", "probable", "suspected").index)
        way = self.packets.way_of(row) or self.packets.own_points
        answer = None if answered is None else self.crossing(answered)
        return JointProbe(crossing, certainty, answer, self._outcome(crossing, answer, way))

    def _outcome(self, crossing: Crossing, answer: Crossing | None, way: tuple[int, ...]) -> str:
        """Return what became of a probe and its answer, in a word."""
        if answer is not None:
            if answer.flags & RST:
                return "reset"
            if answer.why is Why.CAPTURED_TWICE:
                return "unproven"
            if unseen_at(answer, self.woven.way):
                return "not_captured"
            came_back = answer.frame_at(way[0]) is not None or way[0] in answer.missed_at
            if came_back or answer.fate is Fate.BOTH:
                return "answered"
            return "answer_lost" if answer.fate is Fate.LOST else "unproven"
        if crossing.fate in (Fate.LOST, Fate.MADE, Fate.UNPROVEN):
            return str(crossing.fate.value)
        return "not_captured" if unseen_at(crossing, self.woven.way) else "unanswered"

    def _stray(self, row: int) -> Stray:
        """Return where a packet is another connection's."""
        where = self.strays[row]
        return Stray(self.crossing(row), *where)

    # ending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ending(self) -> JointEnding:
        """Return how it ended: by the earliest RST that ended it somewhere, else the most telling verdict."""
        ended: list[tuple[int, Part, Crossing]] = []
        for part in self.parts:
            reset = part.judged.record.ending_reset
            if reset is None or not part.judged.ending.verdict.is_reset:
                continue
            crossing = self.at(part.point, reset.frame)
            if crossing is not None:
                ended.append((crossing.first.ts_ns, part, crossing))
        if ended:
            first = min(ended, key=lambda each: each[0])[2]
            parts = [part for _, part, crossing in ended if crossing is first]
            return self._by_reset(min(parts, key=lambda part: BY_RESET.index(part.judged.ending.verdict)), first)
        order = [part for part in self._from_a() if part is not None]
        part = min(order, key=lambda part: TELLING.index(part.judged.ending.verdict))
        by = part.judged.ending.by
        return JointEnding(
            part.judged.ending.verdict.value, self._side(part, by), proven=False, between=None, part=part, crossing=None
        )

    def _from_a(self) -> Iterator[Part]:
        for point in self.woven.way or (part.point for part in self.parts):
            yield next(part for part in self.parts if part.point == point)

    def _side(self, part: Part, by: str | None) -> str | None:
        """Return what who ended it there is called in the joint flow."""
        side = next((side for side in SIDES if side == by), None)
        return by if side is None else part.side(side)

    def _by_reset(self, part: Part, crossing: Crossing) -> JointEnding:
        """Say who made the RST that ended the flow."""
        word = part.judged.ending.verdict.value
        if crossing.fate is Fate.MADE:
            return JointEnding(word, "between", crossing.proven, crossing.between, part, crossing)
        if crossing.why is Why.LINK:
            return JointEnding(word, None, proven=False, between=None, part=part, crossing=crossing)
        told = self._side(part, part.judged.ending.by)
        way = self.woven.way if crossing.sender == "a" else self.woven.way[::-1]
        left_first = len(way) > 1 and crossing.first.point == way[0] and crossing.why is not Why.ORDER
        if not left_first and told == crossing.sender and crossing.fate is Fate.UNPROVEN:
            told = None  # nobody saw it at the point that its sender's packets pass first
        if not left_first:
            return JointEnding(word, told, proven=False, between=None, part=part, crossing=crossing)
        row = self._row(crossing.first.point, crossing.first.frame)
        if row in self.strays and not self.strays[row].anew and self.strays[row].point == way[0]:
            return JointEnding(
                word, "between", proven=True, between=None, part=part, crossing=crossing, stray=self._stray(row)
            )
        # it left the point nearest to its sender; a stranger's look there means something beyond that point made it
        nearest = next(p for p in self.parts if p.point == way[0])
        there = [r for r in nearest.judged.record.resets if self.at(nearest.point, r.frame) is crossing]
        strange = bool(there) and bool(there[0].strange)
        by = "between" if strange else crossing.sender
        return JointEnding(word, by, proven=not strange, between=None, part=part, crossing=crossing)
