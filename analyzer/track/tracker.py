"""Carries the state of all flows across batches: ``feed`` segments in, take finished flows out.

The same code serves a file in one batch, a pipe in many and an interface live. A flow leaves memory some time after
it closed, when its addresses are used anew, or at the end; the tracker keeps nothing of it. ``snapshot`` labels flows
that are still alive without taking them out. The tables are in ``held``, leaps of time in ``leaps``, and how flows are
copied out of the tables in ``collecting``: here is when.

It has no clock: time comes in with segments, or through ``advance``. It must not do I/O or know any word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import thaw
from analyzer.track import beats, tally
from analyzer.track.awake import with_loss
from analyzer.track.collecting import Collecting
from analyzer.track.endpoint import ENDPOINT
from analyzer.track.flow import FLOW
from analyzer.track.held import ints
from analyzer.track.leaving import retire, sweep
from analyzer.track.seen import SEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.segment import SegmentBatch
    from analyzer.track.batch import FlowBatch

LINGER_NS: Final = 120_000_000_000
"""A closed flow is kept this long for stragglers (two TIME-WAIT of Linux), a lone SYN too (its retries end after 127
s).
"""
SWEEP: Final = 262144
"""Rows after which flows that are over are looked for, unless there are many more flows than that."""
CROWDED: Final = 32768
CROWDED_PLAIN: Final = 4096
"""SEEN rows that the table may hold before those of long-lived flows are packed. Whoever looks often at flows that
still live does not want to wait for their unpacking, and some ten megabytes harm nobody.
"""
MOST_LEAVING: Final = 16384
"""Flows that are handed over in one piece meanwhile; more leave with the next rows."""
AT_ONCE: Final = 4096
"""Flows that are handed over in one piece, of those that new ones on their addresses pushed out."""
AT_THE_END: Final = 3072
"""The same when a capture ends, unless their rows are more than 4 * AT_THE_END: then memory is at its peak."""
CROWDED_PART: Final = 0.5
"""Of what may be kept: if more is, flows that are over leave sooner."""
HURRIED_NS: Final = 1_000_000_000
"""A flow that is over is kept this long when memory runs short."""


class Tracker(Collecting):
    """All live flows of one capture point."""

    def feed(self, batch: SegmentBatch) -> FlowBatch | None:
        """Let a batch pass; return flows that are finished, or None if there are none, or too few to be worth it."""
        if self._beside.many_wait:  # of batches without a segment, behind which nobody asked
            self._attend()
        self._beside.add(batch.others)
        for part in self._parts(batch):
            self._make_room(len(part))
            self._make_room_for_beats(part)
            self._registers[tally.NOTED] = self._beside.make_room(int(self._registers[tally.NOTED]), len(part))
            rows = part if self.jit else thaw(part, jit=False)
            self._observe(
                rows,
                len(part),
                self._slots,
                self._flows.records,
                self._ends.records,
                self._seen.records,
                self._leaving,
                self._registers,
                self._digests,
                self._hints,
                self._beginnings,
                self._habits,
                self._peers,
                self._beside.notes,
                self._no_told if self._told is None else self._room_to_tell(len(part)),
                self._beats.records,
                self._beat_registers,
            )
            if self._told is not None:
                self._told.append(self._names(len(part)))
            pushed = int(self._registers[tally.LEAVING])
            if pushed:
                self._pushed_out += ints(self._leaving[:pushed])
                self._registers[tally.LEAVING] = 0
            self._since_sweep += len(part)
        for loss in batch.losses:
            self._losses = with_loss(self._losses, loss)
        self.now_ns = max(self.now_ns, int(self._registers[tally.NOW_NS]))
        self.now_ns = max(self.now_ns, batch.last_ts_ns)
        often = max(MOST_LEAVING, self.live // 8) if self._used() > CROWDED_PART else max(SWEEP, 2 * self.live)
        if self._since_sweep >= often or self._more or self.full:
            return self.advance(self.now_ns, most=AT_ONCE)
        # a few at a time would cost as much as many: who asks for all, by ``advance`` or ``snapshot``, gets these too
        return self._finish(self._take_pushed()) if len(self._pushed_out) >= AT_ONCE else None

    def tell(self) -> None:
        """Keep from now on whose each row is, for who asks with ``take_told``."""
        self._told = []

    def take_told(self) -> NDArray[np.int64]:
        """Return of each row fed since the last call ``TOLD_FLOW`` times the number of its flow.

        Plus ``observe.TOLD_KEPT`` for one that is kept as evidence, ``TOLD_COPY`` for a second capture of a packet, and
        1 if ``b`` sent it; ABSENT for no segment.
        """
        assert self._told is not None, "tell() first"
        told, self._told = self._told, []
        return np.concatenate([np.zeros(0, dtype=np.int64), *told])

    def advance(self, now_ns: int, *, most: int | None = None) -> FlowBatch | None:
        """Say that time has come to ``now_ns``; return the flows that ended long enough before it, or None.

        Not many more than ``most``, if that is given: the others with the next batch.
        """
        self.now_ns = max(self.now_ns, now_ns)
        self._since_sweep = 0
        gone = self._take_pushed()
        crowded = self._used() > CROWDED_PART
        most = MOST_LEAVING if crowded else most or int(self._registers[tally.FLOWS_USED])
        leaving, long = self._sweep(LINGER_NS, most)
        gone += leaving
        for linger_ns in (HURRIED_NS, 0):
            if self._used() > (CROWDED_PART if linger_ns else 1.0):
                leaving, long = self._sweep(linger_ns, max(MOST_LEAVING - len(gone), 0))
                gone += leaving
                self.hurried += len(leaving)
        self._more = len(gone) >= most
        if self._registers[tally.SEEN_USED] >= (CROWDED if self.jit else CROWDED_PLAIN):
            for index in long:
                self._pack_rows(index)
        return self._finish(gone) if gone else None

    def _sweep(self, linger_ns: int, most: int) -> tuple[list[int], list[int]]:
        """Take out the flows that were over so long ago; return these, and those that go on with many SEEN rows."""
        room = self._leaving_room()
        tables = (self._slots, self._flows.records, self._ends.records, self._registers)
        expired, long, self._rows = sweep.choose(jit=self.jit)(
            *tables, self.now_ns - linger_ns, self._worth, most, room
        )
        return ints(room[:expired]), ints(room[len(room) - long :])

    @property
    def full(self) -> bool:
        """Whether more is kept than may be."""
        return self._used() >= 1

    def _used(self) -> float:
        """Return which part is used of what may be."""
        if self.limits.flows is not None and self.live > self.limits.flows:
            return 1.0
        rows = self._rows + self._since_sweep  # no more than these
        octets = self.live * (FLOW.itemsize + 2 * ENDPOINT.itemsize) + rows * SEEN.itemsize
        octets += int(self._beat_registers[beats.LIVE]) * beats.BEATS.itemsize
        return float(octets) / self.limits.octets

    def rehearse(self) -> None:
        """Call the loops that only many segments take."""
        self._make_room(len(self._slots))
        self._sweep(LINGER_NS, 0)
        retire.choose(jit=self.jit)(self._leaving[:0], self._flows.records, self._registers, tally.FLOW_FREE)
        flows = self.snapshot()
        self._picked_trains(np.zeros(0, dtype=np.int64), flows, give_back=True)
        self._beside.rehearse(flows)

    def snapshot(self) -> FlowBatch:
        """Return all flows still in memory as they stand, and keep them."""
        self._recall()
        return self._collect(self._in_order([*self._pushed_out, *self._alive()]), give_back=False, recalled=True)

    def close(self) -> Iterator[FlowBatch]:
        """Finish: yield all flows still in memory, in batches of a bounded size, and forget them."""
        self._recall()
        left = self._in_order([*self._take_pushed(), *self._alive()])
        records = self._flows.records
        sizes = records["seen_count"][left].tolist() if self.jit else [records[at]["seen_count"] for at in left]
        first = rows = 0
        for at, size in enumerate(sizes):
            if at > first and (at - first == AT_THE_END or rows + size > 4 * AT_THE_END):
                yield self._collect(left[first:at], give_back=True, recalled=True)
                first, rows = at, 0
            rows += size
        if len(left):
            yield self._collect(left[first:], give_back=True, recalled=True)
        hurried, dropped = self.hurried, self.dropped
        self.__init__(jit=self.jit, seed=self._seed, limits=self.limits)  # type: ignore[misc]
        self.hurried, self.dropped = hurried, dropped

    def _take_pushed(self) -> list[int]:
        pushed, self._pushed_out = self._pushed_out, []
        return pushed

    def _finish(self, indices: list[int]) -> FlowBatch:
        batch = self._collect(self._in_order(indices), give_back=True)
        retired = np.array(indices, dtype=np.int64) if self.jit else indices
        retire.choose(jit=self.jit)(retired, self._flows.records, self._registers, tally.FLOW_FREE)
        return batch
