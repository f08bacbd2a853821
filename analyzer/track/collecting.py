"""How flows are copied out of a tracker's tables, with their notable segments and trains of heartbeats, and labelled.

The rows of long-lived flows are packed, and of one with very many those in the middle are dropped. It must not know
when a flow leaves.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain as chained
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import freeze, pick, records, thaw
from analyzer.loops.packed import WORTH, Packed
from analyzer.track import beats, heartbeats, tally
from analyzer.track.batch import FlowBatch, labelled
from analyzer.track.held import Dropped, ints
from analyzer.track.lapsed import lapses
from analyzer.track.leaps import Leaps
from analyzer.track.leaving import give_back_rows, walk
from analyzer.track.seen import SEEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Foreign

VERY_MANY: Final = 1 << 17
"""SEEN rows (40 MiB): if the table grows beyond that, flows with fewer rows are packed as well."""
MOST_ROWS: Final = 1 << 18
"""SEEN rows of one flow that are kept packed: of more, those in the middle are dropped."""
PIECE: Final = 16384
"""This many rows are packed together."""


class Collecting(Leaps):
    """A tracker's way of handing flows over."""

    @property
    def _worth(self) -> int:
        """This many rows of a flow are packed: fewer than usual once there are very many in all."""
        return WORTH if self._registers[tally.SEEN_USED] < VERY_MANY else WORTH // 4

    def _attend(self) -> None:
        """Have the hosts know what was noted so far."""
        self._beside.hear(int(self._registers[tally.NOTED]))
        self._registers[tally.NOTED] = 0

    def _recall(self) -> None:
        """Have the hosts know when the ends of the live flows were last heard."""
        self._attend()
        self._beside.recall(int(self._registers[tally.FLOWS_USED]), self._flows.records, self._ends.records)

    def _collect(self, picked: NDArray[np.int64], *, give_back: bool, recalled: bool = False) -> FlowBatch:
        """Copy these flows with their SEEN rows out of the tables, and label the rows."""
        flow = self._copies(self._flows, picked)
        a, b = self._copies(self._ends, 2 * picked), self._copies(self._ends, 2 * picked + 1)
        start = np.concatenate(([0], np.cumsum(flow["seen_count"].astype(np.int64)))).astype(np.int64)
        packed = {}
        if self._packed:
            having = np.flatnonzero(np.isin(picked, list(self._packed)))
            packed = {at: self._packed[index] for at, index in zip(having.tolist(), ints(picked[having]), strict=True)}
        seen = self._rows_of(flow, start, packed, give_back=give_back)
        if give_back:
            for at in packed:
                del self._packed[int(picked[at])]
        self._attend()
        batch = labelled(flow, a, b, seen, start, self.now_ns, self._habits, jit=self.jit)
        forget_trials_behind_the_end(batch)
        batch = batch.with_holes(self.holes, self._undated)
        batch = replace(batch, trains=self._trains_of(batch, give_back=give_back))
        beside = self._beside.about(batch, recalled=recalled)
        return replace(batch, filters=self.filters, beside=beside, lapsed=lapses(batch))

    def _trains_of(self, batch: FlowBatch, *, give_back: bool) -> NDArray[np.void]:
        """Return the trains of heartbeats of the flows of a batch."""
        having = np.flatnonzero(batch.flow["beats"] >= 0)
        return self._picked_trains(having, batch, give_back=give_back) if len(having) else batch.trains

    def _picked_trains(self, having: Foreign, batch: FlowBatch, *, give_back: bool) -> NDArray[np.void]:
        """Return the trains of the flows of a batch at these places, which are all that have any."""
        flow, a, b = (
            part if self.jit else thaw(pick(part, having), jit=False) for part in (batch.flow, batch.a, batch.b)
        )
        if not self.jit:
            having = list(range(len(having)))
        used = min(len(having) * beats.MOST_TRAINS, int(self._beat_registers[beats.LIVE]))
        out = records(beats.BEATS, used, jit=self.jit)
        table = self._beats.records
        count = heartbeats.trains_of.choose(jit=self.jit)(having, flow, a, b, table, out)
        if give_back:
            beats.give_back_beats.choose(jit=self.jit)(having, flow, table, self._beat_registers)
        # a copy, because of most flows no train came, and what there was room for would be kept with those of one
        trains: NDArray[np.void] = beats.of_those_that_left(freeze(out[:count], beats.BEATS))
        in_order: NDArray[np.void] = trains[np.lexsort((trains["first_frame"], trains["number"]))]
        return in_order

    def _rows_of(
        self, flow: NDArray[np.void], start: NDArray[np.int64], packed: dict[int, list[Packed]], *, give_back: bool
    ) -> NDArray[np.void]:
        """Return the SEEN rows of these flows, those that were ``packed`` before those in the table."""
        sizes = np.diff(start)
        for at, parts in packed.items():
            sizes[at] -= sum(map(len, parts))
        chain: Any = np.zeros(int(sizes.sum()), dtype=np.int64) if self.jit else [0] * int(sizes.sum())
        walk.choose(jit=self.jit)(flow if self.jit else thaw(flow, jit=False), self._seen.records, chain)
        unpacked = self._copies(self._seen, chain)
        if give_back:
            give_back_rows.choose(jit=self.jit)(chain, self._seen.records, self._registers, tally.SEEN_FREE)
        if not packed:
            return unpacked
        ats = sorted(packed)
        pieces = np.split(unpacked, (np.cumsum(sizes) - sizes)[ats])
        older = [[part.rows() for part in packed[at]] for at in ats]
        # as octets: numpy compares all fields of records that it joins
        opaque = np.dtype((np.void, SEEN.itemsize))
        every = [pieces[0], *chained.from_iterable([*old, new] for old, new in zip(older, pieces[1:], strict=True))]
        return np.concatenate([np.ascontiguousarray(part).view(opaque) for part in every]).view(SEEN)

    def _pack_rows(self, index: int) -> None:
        """Pack the rows of a flow if there are many; nothing looks at them before the flow is finished."""
        flow = self._copies(self._flows, np.array([index]))
        parts = self._packed.get(index, [])
        here = int(flow["seen_count"][0]) - sum(map(len, parts))
        if here >= self._worth:
            rows = self._rows_of(flow, np.array([0, here]), {}, give_back=True)
            parts = [*parts, *(Packed(rows[at : at + PIECE]) for at in range(0, here, PIECE))]
            record = self._flows.records[index]
            record["first_seen"] = record["last_seen"] = -1
            self._packed[index], dropped = self._without_middle(parts, int(flow["number"][0]))
            record["seen_count"] -= dropped

    def _without_middle(self, parts: list[Packed], number: int) -> tuple[list[Packed], int]:
        """Return the packed rows of a flow, no more than MOST_ROWS, and how many were dropped now."""
        excess = sum(map(len, parts)) - MOST_ROWS
        if excess <= 0:
            return parts, 0
        first, kept = 0, 0
        while kept < MOST_ROWS // 2:
            kept += len(parts[first])
            first += 1
        stop, count = first, 0
        while count < excess:
            count += len(parts[stop])
            stop += 1
        frames = parts[first].rows()["frame"], parts[stop - 1].rows()["frame"]
        before = self.dropped.get(number)
        self.dropped[number] = Dropped(
            count + (before.rows if before else 0),
            before.first_frame if before else int(frames[0][0]),
            int(frames[1][-1]),
        )
        return parts[:first] + parts[stop:], count


def forget_trials_behind_the_end(batch: FlowBatch) -> None:
    """Take a silence that waits out of flows that a RST had ended before it began: it tries nothing on the way.

    The flows of the batch are copies.
    """
    flow, ending = batch.flow, batch.ending
    over = (ending["reset_row"] >= 0) & (flow["trial_ns"] > 0) & (flow["trial_from"] >= ending["reset_frame"])
    if over.any():
        for name in ("trial_ns", "trial_from", "trial_to"):
            flow[name][over] = 0
