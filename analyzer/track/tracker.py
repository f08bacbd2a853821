"""Carries the state of all flows across batches: ``feed`` segments in, take finished flows out.

The same code serves a file in one batch, a pipe in many and an interface live. A flow leaves memory some time after
it closed, when its addresses are used anew, or at the end; the tracker keeps nothing of it. ``snapshot`` labels flows
that are still alive without taking them out.

It has no clock: time comes in with segments, or through ``advance``. It must not do I/O or know any word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain as chained
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import freeze, pick, records, thaw
from analyzer.loops.packed import WORTH, Packed
from analyzer.loops.pool import Pool, gathered
from analyzer.segment import ABSENT
from analyzer.track import beats, heartbeats, observe
from analyzer.track.awake import COUNTS, WATCHED, Hole, why_hole, with_loss
from analyzer.track.batch import FlowBatch, labelled
from analyzer.track.beside import Beside
from analyzer.track.endpoint import ENDPOINT
from analyzer.track.flow import FLOW, keys_of, refill
from analyzer.track.habits import HABIT, no_habits
from analyzer.track.leaving import give_back_rows, retire, sweep, walk
from analyzer.track.observe import FLOWS_USED
from analyzer.track.seen import SEEN
from analyzer.track.translated import BEGINNING, no_beginnings
from analyzer.track.untranslated import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.segment import SegmentBatch
    from analyzer.untyped import Foreign, Numbers

LINGER_NS: Final = 120_000_000_000
"""A closed flow is kept this long for stragglers (two TIME-WAIT of Linux), a lone SYN too (its retries end after 127
s).
"""

CHUNK: Final = 16384
"""Rows per pass through the loop; room is made beforehand for as many flows and SEEN rows."""
CHUNK_PLAIN: Final = 1024
"""The same of plain loops, whose records are dicts of many kilobytes a flow."""
SWEEP: Final = 262144
"""Rows after which flows that are over are looked for, unless there are many more flows than that."""
CROWDED: Final = 32768
CROWDED_PLAIN: Final = 4096
"""SEEN rows that the table may hold before those of long-lived flows are packed. Whoever looks often at flows that
still live does not want to wait for their unpacking, and some ten megabytes harm nobody.
"""
VERY_MANY: Final = 1 << 17
"""SEEN rows (40 MiB): if the table grows beyond that, flows with fewer rows are packed as well."""
MOST_HOLES: Final = 64
"""More are not told apart: frames of a capture whose time leaps so often are in no order."""
MOST_LEAVING: Final = 16384
"""Flows that are handed over in one piece meanwhile; more leave with the next rows."""
AT_ONCE: Final = 4096
"""Flows that are handed over in one piece, of those that new ones on their addresses pushed out, and when a capture
ends; there, unless their rows are more than 4 * AT_ONCE."""
CROWDED_PART: Final = 0.5
"""Of what may be kept: if more is, flows that are over leave sooner."""
HURRIED_NS: Final = 1_000_000_000
"""A flow that is over is kept this long when memory runs short."""
MOST_ROWS: Final = 1 << 18
"""SEEN rows of one flow that are kept packed: of more, those in the middle are dropped."""
PIECE: Final = 16384
"""This many rows are packed together."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a tracker may keep."""

    flows: int | None = None
    """Live flows; None for as many as memory holds."""
    octets: int = 640 << 20
    """Of the tables of flows and their notable segments, which is most of what memory is used for."""


@dataclass(slots=True)
class Dropped:
    """Rows in the middle of a flow that were not kept."""

    rows: int
    first_frame: int
    last_frame: int


class Tracker:
    """All live flows of one capture point."""

    def __init__(self, *, jit: bool = False, seed: int = 0x1234567, limits: Limits | None = None) -> None:
        """Start with no flows.

        ``jit`` picks compiled loops; ``seed`` stirs the flow table's hash; ``limits`` is when to hurry, and when
        ``full`` becomes true.
        """
        self.limits = limits or Limits()
        self.hurried = 0
        """Flows that were over and left earlier than usual, because memory ran short."""
        self.dropped: dict[int, Dropped] = {}
        """By number of the flow, what was not kept of those with more than MOST_ROWS rows."""
        self.lost = 0
        """Packets that whoever captured is known to have dropped so far, whenever."""
        self.filters: tuple[str, ...] = ()
        """Expressions that packets had to pass to be captured, as far as is known so far."""
        self.jit = jit
        self.now_ns = -1
        self._flows = Pool(FLOW, jit=jit)
        self._ends = Pool(ENDPOINT, jit=jit)
        self._seen = Pool(SEEN, jit=jit)
        self._beats = Pool(beats.BEATS, jit=jit)
        self._beat_registers: Any = np.array([0, -1, 0], dtype=np.int64) if jit else [0, -1, 0]
        self._slots: Any = np.zeros(4096, dtype=np.int64) if jit else [0] * 4096
        self._registers: Any = np.zeros(observe.REGISTERS, dtype=np.int64) if jit else [0] * observe.REGISTERS
        self._registers[observe.FLOW_FREE] = -1
        self._registers[observe.SEEN_FREE] = -1
        self._registers[observe.NOW_NS] = -1
        self._seed = seed
        for register, key in enumerate(keys_of(seed), observe.KEY_LOW):
            self._registers[register] = key
        self._leaving: Any = np.zeros(2 * CHUNK, dtype=np.int64) if jit else [0] * (2 * CHUNK)
        self._digests: Any = np.zeros(observe.RING, dtype=np.int64) if jit else [0] * observe.RING
        self._hints: Any = np.zeros(observe.RING, dtype=np.int64) if jit else [0] * observe.RING
        self._beginnings: Any = no_beginnings(jit=jit)
        self._habits: Any = no_habits(jit=jit)
        self._peers: Any = np.zeros(MEMORY, dtype=np.int64) if jit else [0] * MEMORY
        self._observe = observe.observe.choose(jit=jit)
        self._no_told: Any = np.zeros(0, dtype=np.int64) if jit else []
        self._telling: Any = self._no_told
        self._told: list[NDArray[np.int64]] | None = None
        self._beside = Beside(jit=jit, seed=seed)
        self._pushed_out: list[int] = []
        self._packed: dict[int, list[Packed]] = {}
        """The older SEEN rows of long-lived flows, by index of the flow."""
        self._since_sweep = 0
        self._holes: tuple[Hole, ...] = ()
        self._losses: tuple[Hole, ...] = ()
        self._leap: np.void | None = None
        self._more = False
        """Whether flows that are over had to wait for the next sweep."""
        self._rows = 0
        """SEEN rows in the table of flows that have few, at the last sweep."""

    @property
    def live(self) -> int:
        """How many flows are in memory."""
        return int(self._registers[observe.LIVE])

    @property
    def segments(self) -> int:
        """How many TCP segments passed, copies included."""
        return int(self._registers[observe.SEGMENTS])

    @property
    def copies(self) -> int:
        """How many segments were second captures of a packet."""
        return int(self._registers[observe.COPIES])

    def feed(self, batch: SegmentBatch) -> FlowBatch | None:
        """Let a batch pass; return flows that are finished, or None if there are none, or too few to be worth it."""
        if self._beside.many_wait:  # of batches without a segment, behind which nobody asked
            self._attend()
        self._beside.add(batch.others)
        for part in self._parts(batch):
            self._make_room(len(part))
            self._make_room_for_beats(part)
            self._registers[observe.NOTED] = self._beside.make_room(int(self._registers[observe.NOTED]), len(part))
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
            pushed = int(self._registers[observe.LEAVING])
            if pushed:
                self._pushed_out += _ints(self._leaving[:pushed])
                self._registers[observe.LEAVING] = 0
            self._since_sweep += len(part)
        for loss in batch.losses:
            self._losses = with_loss(self._losses, loss)
        self.now_ns = max(self.now_ns, int(self._registers[observe.NOW_NS]))
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

    def _room_to_tell(self, count: int) -> Numbers:
        """Return room for what ``observe`` tells of so many rows."""
        if len(self._telling) < count:
            self._telling = np.zeros(CHUNK, dtype=np.int64) if self.jit else [0] * CHUNK_PLAIN
        return self._telling

    def _names(self, count: int) -> NDArray[np.int64]:
        """Return what ``observe`` told of so many rows, with the numbers of flows: records may soon be others'."""
        told = np.array(self._telling[:count], dtype=np.int64)
        named = np.full(count, ABSENT, dtype=np.int64)
        at = np.flatnonzero(told >= 0)
        index = told[at] // observe.TOLD_FLOW
        records = self._flows.records
        numbers = records["number"][index] if self.jit else [records[each]["number"] for each in index.tolist()]
        named[at] = observe.TOLD_FLOW * np.asarray(numbers, dtype=np.int64) + told[at] % observe.TOLD_FLOW
        return named

    def _parts(self, batch: SegmentBatch) -> Iterator[NDArray[np.void]]:
        """Yield the rows in parts of at most CHUNK, each leap of the capture's time between two parts."""
        low, most = 0, CHUNK if self.jit else CHUNK_PLAIN
        for leap in batch.leaps:
            if len(self._holes) >= MOST_HOLES:
                break  # no more are told apart, so nothing is asked of those who come behind it
            high = int(np.searchsorted(batch.rows["frame"], leap["to_frame"]))
            for at in range(low, high, most):
                yield batch.rows[at : min(at + most, high)]
            low = high
            self._leapt(leap)
        for at in range(low, len(batch.rows), most):
            yield batch.rows[at : at + most]

    def _leapt(self, leap: np.void) -> None:
        """Begin to ask what a leap was; what the one before it was is settled."""
        self._holes = self._silences
        self._leap = leap
        self._registers[observe.WATCHING] = WATCHED
        self._registers[observe.LEAP_FRAME] = int(leap["to_frame"])
        for count in range(COUNTS):
            self._registers[observe.TESTIMONY + count] = 0

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The holes so far, in order; of the last leap, as far as segments behind it have come."""
        return tuple(sorted((*self._silences, *self._losses), key=lambda hole: hole.from_frame))

    @property
    def _silences(self) -> tuple[Hole, ...]:
        """The holes that show in the capture's time."""
        leap = self._leap
        if leap is None or len(self._holes) >= MOST_HOLES:
            return self._holes
        low = observe.TESTIMONY
        why = why_hole(int(leap["to_ns"]) - int(leap["from_ns"]), self._registers[low : low + COUNTS])
        if why is None:
            return self._holes
        from_ns, to_ns, from_frame, to_frame = leap.tolist()
        return (*self._holes, Hole(from_ns, to_ns, from_frame, to_frame, why))

    @property
    def _undated(self) -> int:
        """How many packets were dropped of which no counter says when."""
        return max(self.lost - sum(loss.packets for loss in self._losses), 0)

    def advance(self, now_ns: int, *, most: int | None = None) -> FlowBatch | None:
        """Say that time has come to ``now_ns``; return the flows that ended long enough before it, or None.

        Not many more than ``most``, if that is given: the others with the next batch.
        """
        self.now_ns = max(self.now_ns, now_ns)
        self._since_sweep = 0
        gone = self._take_pushed()
        crowded = self._used() > CROWDED_PART
        most = MOST_LEAVING if crowded else most or int(self._registers[FLOWS_USED])
        leaving, long = self._sweep(LINGER_NS, most)
        gone += leaving
        for linger_ns in (HURRIED_NS, 0):
            if self._used() > (CROWDED_PART if linger_ns else 1.0):
                leaving, long = self._sweep(linger_ns, max(MOST_LEAVING - len(gone), 0))
                gone += leaving
                self.hurried += len(leaving)
        self._more = len(gone) >= most
        if self._registers[observe.SEEN_USED] >= (CROWDED if self.jit else CROWDED_PLAIN):
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
        return _ints(room[:expired]), _ints(room[len(room) - long :])

    @property
    def _worth(self) -> int:
        """This many rows of a flow are packed: fewer than usual once there are very many in all."""
        return WORTH if self._registers[observe.SEEN_USED] < VERY_MANY else WORTH // 4

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

    def compile(self) -> None:
        """Go on with compiled loops: a stream turned out to be long. Nothing else changes."""
        if self.jit:
            return
        self.jit = True
        for table in (self._flows, self._ends, self._seen, self._beats):
            table.compile()
        self._slots = np.array(self._slots, dtype=np.int64)
        self._registers = np.array(self._registers, dtype=np.int64)
        self._leaving = np.array(self._leaving, dtype=np.int64)
        self._digests = np.array(self._digests, dtype=np.int64)
        self._hints = np.array(self._hints, dtype=np.int64)
        self._beginnings = freeze(self._beginnings, BEGINNING)
        self._habits = freeze(self._habits, HABIT)
        self._peers = np.array(self._peers, dtype=np.int64)
        self._beat_registers = np.array(self._beat_registers, dtype=np.int64)
        self._observe = observe.observe.choose(jit=True)
        self._no_told = self._telling = np.zeros(0, dtype=np.int64)
        self._beside.compile()

    def rehearse(self) -> None:
        """Call the loops that only many segments take."""
        self._make_room(len(self._slots))
        self._sweep(LINGER_NS, 0)
        retire.choose(jit=self.jit)(self._leaving[:0], self._flows.records, self._registers, observe.FLOW_FREE)
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
            if at > first and (at - first == AT_ONCE or rows + size > 4 * AT_ONCE):
                yield self._collect(left[first:at], give_back=True, recalled=True)
                first, rows = at, 0
            rows += size
        if len(left):
            yield self._collect(left[first:], give_back=True, recalled=True)
        hurried, dropped = self.hurried, self.dropped
        self.__init__(jit=self.jit, seed=self._seed, limits=self.limits)  # type: ignore[misc]
        self.hurried, self.dropped = hurried, dropped

    def _attend(self) -> None:
        """Have the hosts know what was noted so far."""
        self._beside.hear(int(self._registers[observe.NOTED]))
        self._registers[observe.NOTED] = 0

    def _recall(self) -> None:
        """Have the hosts know when the ends of the live flows were last heard."""
        self._attend()
        self._beside.recall(int(self._registers[observe.FLOWS_USED]), self._flows.records, self._ends.records)

    def _alive(self) -> list[int]:
        used = int(self._registers[observe.FLOWS_USED])
        if self.jit:
            return _ints(np.flatnonzero(self._flows.records["alive"][:used] >= 1))
        return [index for index in range(used) if self._flows.records[index]["alive"] >= 1]

    def _take_pushed(self) -> list[int]:
        pushed, self._pushed_out = self._pushed_out, []
        return pushed

    def _leaving_room(self) -> Numbers:
        """Return the list of leaving flows, long enough to name each twice."""
        used = int(self._registers[observe.FLOWS_USED])
        if len(self._leaving) < 2 * used:
            self._leaving = np.zeros(2 * used, dtype=np.int64) if self.jit else [0] * (2 * used)
        return self._leaving

    def _finish(self, indices: list[int]) -> FlowBatch:
        batch = self._collect(self._in_order(indices), give_back=True)
        retired = np.array(indices, dtype=np.int64) if self.jit else indices
        retire.choose(jit=self.jit)(retired, self._flows.records, self._registers, observe.FLOW_FREE)
        return batch

    def _in_order(self, indices: list[int]) -> NDArray[np.int64]:
        """Return these flows in the order of their first segments."""
        picked = np.array(indices, dtype=np.int64)
        records = self._flows.records
        numbers = records["number"][picked] if self.jit else np.array([records[index]["number"] for index in indices])
        in_order: NDArray[np.int64] = picked[np.argsort(numbers, kind="stable")]
        return in_order

    def _collect(self, picked: NDArray[np.int64], *, give_back: bool, recalled: bool = False) -> FlowBatch:
        """Copy these flows with their SEEN rows out of the tables, and label the rows."""
        flow = self._copies(self._flows, picked)
        a, b = self._copies(self._ends, 2 * picked), self._copies(self._ends, 2 * picked + 1)
        start = np.concatenate(([0], np.cumsum(flow["seen_count"].astype(np.int64)))).astype(np.int64)
        packed = {}
        if self._packed:
            having = np.flatnonzero(np.isin(picked, list(self._packed)))
            packed = {at: self._packed[index] for at, index in zip(having.tolist(), _ints(picked[having]), strict=True)}
        seen = self._rows_of(flow, start, packed, give_back=give_back)
        if give_back:
            for at in packed:
                del self._packed[int(picked[at])]
        self._attend()
        batch = labelled(flow, a, b, seen, start, self.now_ns, self._habits, jit=self.jit)
        batch = batch.with_holes(self.holes, self._undated)
        batch = replace(batch, trains=self._trains_of(batch, give_back=give_back))
        return replace(batch, filters=self.filters, beside=self._beside.about(batch, recalled=recalled))

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
        trains: NDArray[np.void] = freeze(out[:count], beats.BEATS).copy()
        return trains

    def _copies(self, table: Pool, indices: Numbers) -> NDArray[np.void]:
        """Return these records of a table."""
        if self.jit:
            return gathered(table.records, indices)
        copies: NDArray[np.void] = freeze([table.records[index] for index in indices], table.dtype)
        return copies

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
            give_back_rows.choose(jit=self.jit)(chain, self._seen.records, self._registers, observe.SEEN_FREE)
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

    def _make_room_for_beats(self, part: NDArray[np.void]) -> None:
        """Make sure that each of these rows that has data finds a free record for a train of heartbeats."""
        more = len(part) if self.jit else int(np.count_nonzero(part["payload_len"]))
        self._beats.make_room(int(self._beat_registers[beats.USED]) + more)

    def _make_room(self, rows: int) -> None:
        """Make sure the next ``rows`` rows find free flow and SEEN records and slots."""
        used = int(self._registers[observe.FLOWS_USED])
        self._flows.make_room(used + rows)
        self._ends.make_room(2 * (used + rows))
        self._seen.make_room(int(self._registers[observe.SEEN_USED]) + rows)
        if 2 * (int(self._registers[observe.SLOTS_USED]) + rows) > len(self._slots):
            size = len(self._slots)
            while size < 4 * (self.live + rows):
                size *= 2
            self._slots = np.zeros(size, dtype=np.int64) if self.jit else [0] * size
            refill.choose(jit=self.jit)(self._slots, self._flows.records, used)
            self._registers[observe.SLOTS_USED] = self.live


def _ints(numbers: Numbers) -> list[int]:
    """Return numbers of either form as Python's ints."""
    return numbers.tolist() if isinstance(numbers, np.ndarray) else list(numbers)
