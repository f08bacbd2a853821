"""From packets as rows to ``JointFlow``: fates, probes, RSTs, and one ending with who brought it about.

It must not hold a sentence.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.verdict import Verdict
from analyzer.segment import FIN, RST, SYN
from analyzer.vantage.changes import changes_of
from analyzer.vantage.fates import FlowFates
from analyzer.vantage.joint import FATES, Fate, JointEnding, JointFlow, JointProbe, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.record import Probe
    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Crossing, Point
    from analyzer.vantage.weaving import Woven, WovenFlow

SIDES: Final[tuple[Side, Side]] = ("a", "b")
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


def conclude(
    woven: Woven,
    seen: Sequence[NDArray[np.void]],
    points: Sequence[Point],
    judged: Callable[[int, int], JudgedFlow],
) -> Iterator[JointFlow]:
    """Yield the joint flows; ``judged`` returns the flow with a number at a point."""
    crossings = woven.crossings
    order = np.argsort(crossings.flow, kind="stable")
    bounds = np.searchsorted(crossings.flow[order], np.arange(len(woven.flows) + 1))
    first = [crossings.ts_ns[order[low]] if low < high else 0 for low, high in pairwise(bounds)]
    for number, at in enumerate(np.argsort(first, kind="stable").tolist()):
        flow, rows = woven.flows[at], order[bounds[at] : bounds[at + 1]]
        parts = tuple(Part(point, there, flipped, judged(point, there)) for point, there, flipped in flow.parts)
        yield _Conclusion(number, flow, parts, FlowFates(flow, crossings, rows, seen, points), seen).joint()


class _Conclusion:
    """What follows for one connection."""

    def __init__(
        self, number: int, woven: WovenFlow, parts: tuple[Part, ...], fates: FlowFates, seen: Sequence[NDArray[np.void]]
    ) -> None:
        self.number, self.woven, self.parts, self.fates = number, woven, parts, fates
        self.changes, self.changed = changes_of(woven, fates.table, fates.side, seen)
        self._capture = [point.capture for point in fates.points]
        self._crossings: dict[int, Crossing] = {}
        self._rows: dict[tuple[int, int], int] = {}
        for part in parts:
            at = np.flatnonzero(fates.has[:, part.point])
            frames = ((self._capture[part.point], frame) for frame in fates.frame[at, part.point].tolist())
            self._rows.update(zip(frames, at.tolist(), strict=True))

    def joint(self) -> JointFlow:
        """Return the joint flow."""
        fates = self.fates
        control = fates.flags & (SYN | FIN | RST) > 0
        shown = np.flatnonzero(~fates.everywhere | control | self.changed)
        notable = tuple(self.crossing(row) for row in shown.tolist())
        counts = {side: Counter[str]() for side in SIDES}
        for which, side in enumerate(SIDES):
            own = fates.side == which
            counts[side]["both"] = int((own & fates.everywhere).sum())
            counts[side]["changed"] = int((own & self.changed).sum())
            for row in np.flatnonzero(own & ~fates.everywhere).tolist():
                crossing = self.crossing(row)
                counts[side][crossing.fate.value] += 1
        names = (*(fate.value for fate in FATES), "changed")
        by_side: dict[Side, dict[str, int]] = {side: {name: counts[side][name] for name in names} for side in SIDES}
        probes = tuple(self._probes())
        resets = tuple(crossing for crossing in notable if crossing.flags & RST)
        few: list[int] = []
        if len(fates.side) <= FEW:
            few = np.flatnonzero(fates.everywhere & ~control & ~self.changed).tolist()
        return JointFlow(
            number=self.number,
            parts=self.parts,
            way=self.woven.way,
            way_by=self.woven.way_by,
            counts={name: by_side["a"][name] + by_side["b"][name] for name in names},
            counts_from=by_side,
            notable=notable,
            probes=probes,
            resets=resets,
            changes=self.changes,
            delays_ns=self._delays(),
            ending=self._ending(),
            others=tuple(map(self.crossing, few)),
        )

    def crossing(self, row: int) -> Crossing:
        """Return a packet with its fate, made once."""
        if row not in self._crossings:
            self._crossings[row] = self.fates.crossing(row)
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
        fates, first, last = self.fates, self.woven.way[0], self.woven.way[-1]
        for which, side in enumerate(SIDES):
            rows = np.flatnonzero((fates.side == which) & fates.has[:, first] & fates.has[:, last])
            if not len(rows):
                continue
            took_ns = fates.at_ns[rows, last] - fates.at_ns[rows, first]
            took_ns = took_ns if which == 0 else -took_ns
            found[side] = int(took_ns.min()), int(np.median(took_ns)), int(took_ns.max())
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
        for row in sorted(told, key=lambda row: int(self.fates.ts_ns[row])):
            yield self._probe(row, told[row])

    def _probe(self, row: int, told: list[tuple[Part, Probe]]) -> JointProbe:
        crossing = self.crossing(row)
        certainty = min((probe.certainty for _, probe in told), key=("certain", "probable", "suspected").index)
        answers = [(part, probe) for part, probe in told if probe.answer_frame is not None]
        # the answer as it was sent: at the point nearest to who answers
        way = self.fates.way_of(row) or self.fates.own_points
        answers.sort(key=lambda each: -way.index(each[0].point))
        answer = self.at(answers[0][0].point, answers[0][1].answer_frame) if answers else None
        return JointProbe(crossing, certainty, answer, self._outcome(crossing, answer, way))

    def _outcome(self, crossing: Crossing, answer: Crossing | None, way: tuple[int, ...]) -> str:
        """Return what became of a probe and its answer, in a word."""
        if answer is not None:
            if answer.flags & RST:
                return "reset"
            came_back = answer.frame_at(way[0]) is not None or way[0] in answer.missed_at
            if came_back or answer.fate is Fate.BOTH:
                return "answered"
            return "answer_lost" if answer.fate is Fate.LOST else "unproven"
        if crossing.fate in (Fate.LOST, Fate.MADE, Fate.UNPROVEN):
            return str(crossing.fate.value)
        return "unanswered"

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
        told = self._side(part, part.judged.ending.by)
        way = self.woven.way if crossing.sender == "a" else self.woven.way[::-1]
        left_first = bool(way) and crossing.first.point == way[0] and len(way) > 1
        if not left_first:
            return JointEnding(word, told, proven=False, between=None, part=part, crossing=crossing)
        # it left the point nearest to its sender; a stranger's look there means something beyond that point made it
        nearest = next(p for p in self.parts if p.point == way[0])
        there = [r for r in nearest.judged.record.resets if self.at(nearest.point, r.frame) is crossing]
        strange = bool(there) and bool(there[0].strange)
        by = "between" if strange else crossing.sender
        return JointEnding(word, by, proven=not strange, between=None, part=part, crossing=crossing)
