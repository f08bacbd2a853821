"""Carries the state of all flows across batches: ``feed`` segments in, take finished flows out.

The same code serves a file in one batch, a pipe in many and an interface live. A flow leaves memory some time after
it closed, when its addresses are used anew, or at the end; the tracker keeps nothing of it. ``snapshot`` judges flows
that are still alive without taking them out.

It has no clock: time comes in with segments, or through ``advance``. It must not do I/O or know any word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer import observe
from analyzer.flow import FLOW, refill, remove
from analyzer.keepalive import RUN, add_up, settle_kinds
from analyzer.kernel import fetch, freeze, kernel, lines_of, pick, records, thaw
from analyzer.observe import FLOWS_USED, LIVE
from analyzer.reset import ENDING, judge
from analyzer.rules import classify
from analyzer.seen import SEEN
from analyzer.table import Table
from analyzer.tcb import ENDPOINT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.segment import SegmentBatch

LINGER_NS: Final = 120_000_000_000
"""A closed flow is kept this long for stragglers (two TIME-WAIT of Linux), a lone SYN too (its retries end after 127
s).
"""

FETCHED: Final = 6
"""Records that are fetched ahead of the one being copied."""

CHUNK: Final = 16384
"""Rows per pass through the kernel; room is made beforehand for as many flows and SEEN rows."""
SWEEP: Final = 131072
"""Rows after which flows that are over are looked for, unless there are many more flows than that."""


@dataclass(frozen=True, slots=True)
class FlowBatch:
    """Some flows, as columns: the same row of each array is the same flow."""

    flow: NDArray[np.void]
    """FLOW records."""
    a: NDArray[np.void]
    """ENDPOINT records of the endpoints that sent first."""
    b: NDArray[np.void]
    """ENDPOINT records of the others."""
    run_a: NDArray[np.void]
    """RUN records: the probes of a."""
    run_b: NDArray[np.void]
    """RUN records: the probes of b."""
    ending: NDArray[np.void]
    """ENDING records: RSTs and ICMP errors."""
    seen: NDArray[np.void]
    """SEEN rows of all these flows, flow by flow, in order."""
    start: NDArray[np.int64]
    """Where each flow's rows begin in ``seen``; one more entry at the end."""
    end_ns: int
    """The capture's time when this was taken."""

    def __len__(self) -> int:
        """Return the number of flows."""
        return len(self.flow)

    def rows(self, index: int) -> NDArray[np.void]:
        """Return the SEEN rows of one flow."""
        return self.seen[self.start[index] : self.start[index + 1]]

    @property
    def ends_ns(self) -> NDArray[np.int64]:
        """Until when each flow could have been heard: to ``end_ns``, or to where another took its addresses."""
        reused_ns = self.flow["reused_ns"]
        return np.where(reused_ns >= 0, reused_ns, self.end_ns)

    def take(self, picked: NDArray[np.int64], *, rows: bool = True) -> FlowBatch:
        """Return only the flows at these indices, with their rows unless nobody will look at one."""
        counts = (self.start[1:] - self.start[:-1])[picked] * rows
        start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        of_these = np.repeat(self.start[:-1][picked] - start[:-1], counts) + np.arange(start[-1])
        return FlowBatch(
            pick(self.flow, picked),
            pick(self.a, picked),
            pick(self.b, picked),
            pick(self.run_a, picked),
            pick(self.run_b, picked),
            pick(self.ending, picked),
            pick(self.seen, of_these),
            start,
            self.end_ns,
        )


class Tracker:
    """All live flows of one capture point."""

    def __init__(self, *, jit: bool = False, seed: int = 0x1234567) -> None:
        """Start with no flows.

        ``jit`` picks compiled kernels; ``seed`` stirs the flow table's hash (31 bits).
        """
        self.jit = jit
        self.now_ns = -1
        self._flows = Table(FLOW, jit=jit)
        self._ends = Table(ENDPOINT, jit=jit)
        self._seen = Table(SEEN, jit=jit)
        self._slots: Any = np.zeros(4096, dtype=np.int64) if jit else [0] * 4096
        self._registers: Any = np.zeros(observe.REGISTERS, dtype=np.int64) if jit else [0] * observe.REGISTERS
        self._registers[observe.FLOW_FREE] = -1
        self._registers[observe.SEEN_FREE] = -1
        self._registers[observe.NOW_NS] = -1
        self._registers[observe.SEED] = seed & 0x7FFFFFFF
        self._leaving: Any = np.zeros(CHUNK, dtype=np.int64) if jit else [0] * CHUNK
        self._digests: Any = np.zeros(observe.RING, dtype=np.int64) if jit else [0] * observe.RING
        self._hints: Any = np.zeros(observe.RING, dtype=np.int64) if jit else [0] * observe.RING
        self._observe = observe.observe.choose(jit=jit)
        self._pushed_out: list[int] = []
        self._since_sweep = 0

    @property
    def live(self) -> int:
        """How many flows are in memory."""
        return int(self._registers[observe.LIVE])

    @property
    def flows_seen(self) -> int:
        """How many flows there were so far."""
        return int(self._registers[observe.NEXT_NUMBER])

    @property
    def segments(self) -> int:
        """How many TCP segments passed, copies included."""
        return int(self._registers[observe.SEGMENTS])

    @property
    def copies(self) -> int:
        """How many segments were second captures of a packet."""
        return int(self._registers[observe.COPIES])

    def feed(self, batch: SegmentBatch) -> FlowBatch | None:
        """Let a batch pass; return the flows it finished, or None if there are none."""
        for at in range(0, len(batch.rows), CHUNK):
            part = batch.rows[at : at + CHUNK]
            self._make_room(len(part))
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
            )
            pushed = int(self._registers[observe.LEAVING])
            if pushed:
                self._pushed_out += [int(index) for index in self._leaving[:pushed]]
                self._registers[observe.LEAVING] = 0
            self._since_sweep += len(part)
        self.now_ns = max(self.now_ns, int(self._registers[observe.NOW_NS]))
        self.now_ns = max(self.now_ns, batch.last_ts_ns)
        if self._since_sweep >= max(SWEEP, 2 * self.live):
            return self.advance(self.now_ns)
        return self._finish(self._take_pushed()) if self._pushed_out else None

    def advance(self, now_ns: int) -> FlowBatch | None:
        """Say that time has come to ``now_ns``; return the flows that ended long enough before it, or None."""
        self.now_ns = max(self.now_ns, now_ns)
        self._since_sweep = 0
        gone = self._take_pushed()
        leaving = self._leaving_room()
        expired = sweep.choose(jit=self.jit)(
            self._slots, self._flows.records, self._ends.records, self._registers, self.now_ns - LINGER_NS, leaving
        )
        gone += leaving[:expired].tolist() if self.jit else leaving[:expired]
        return self._finish(gone) if gone else None

    def compile(self) -> None:
        """Go on with compiled kernels: a stream turned out to be long. Nothing else changes."""
        if self.jit:
            return
        self.jit = True
        for table in (self._flows, self._ends, self._seen):
            table.compile()
        self._slots = np.array(self._slots, dtype=np.int64)
        self._registers = np.array(self._registers, dtype=np.int64)
        self._leaving = np.array(self._leaving, dtype=np.int64)
        self._digests = np.array(self._digests, dtype=np.int64)
        self._hints = np.array(self._hints, dtype=np.int64)
        self._observe = observe.observe.choose(jit=True)

    def snapshot(self) -> FlowBatch:
        """Return all flows still in memory as they stand, and keep them."""
        return self._collect(self._alive(), give_back=False)

    def close(self) -> FlowBatch:
        """Finish: return all flows still in memory and forget them."""
        batch = self._collect([*self._take_pushed(), *self._alive()], give_back=True)
        self.__init__(jit=self.jit, seed=int(self._registers[observe.SEED]))  # type: ignore[misc]
        return batch

    def _alive(self) -> list[int]:
        used = int(self._registers[observe.FLOWS_USED])
        if self.jit:
            return [int(index) for index in np.flatnonzero(self._flows.records["alive"][:used] == 1)]
        return [index for index in range(used) if self._flows.records[index]["alive"] == 1]

    def _take_pushed(self) -> list[int]:
        pushed, self._pushed_out = self._pushed_out, []
        return pushed

    def _leaving_room(self) -> Any:  # noqa: ANN401 - array or list
        """Return the list of leaving flows, long enough for all of them."""
        used = int(self._registers[observe.FLOWS_USED])
        if len(self._leaving) < used:
            self._leaving = np.zeros(2 * used, dtype=np.int64) if self.jit else [0] * (2 * used)
        return self._leaving

    def _finish(self, indices: list[int]) -> FlowBatch:
        batch = self._collect(indices, give_back=True)
        retired = np.array(indices, dtype=np.int64) if self.jit else indices
        retire.choose(jit=self.jit)(retired, self._flows.records, self._registers, observe.FLOW_FREE)
        return batch

    def _collect(self, indices: list[int], *, give_back: bool) -> FlowBatch:
        """Copy these flows with their SEEN rows out of the tables, and judge the rows."""
        if self.jit:
            picked = np.array(indices, dtype=np.int64)
            picked = picked[np.argsort(self._flows.records["number"][picked], kind="stable")]
            flow = gathered(self._flows.records, picked)
            a, b = gathered(self._ends.records, 2 * picked), gathered(self._ends.records, 2 * picked + 1)
        else:
            indices = sorted(indices, key=lambda index: int(self._flows.records[index]["number"]))
            flow = freeze([self._flows.records[i] for i in indices], FLOW)
            a = freeze([self._ends.records[2 * i] for i in indices], ENDPOINT)
            b = freeze([self._ends.records[2 * i + 1] for i in indices], ENDPOINT)
        counts = flow["seen_count"].astype(np.int64)
        start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        chain: Any = np.zeros(int(start[-1]), dtype=np.int64) if self.jit else [0] * int(start[-1])
        walk.choose(jit=self.jit)(flow if self.jit else thaw(flow, jit=False), self._seen.records, chain)
        seen = gathered(self._seen.records, chain) if self.jit else freeze([self._seen.records[i] for i in chain], SEEN)
        if give_back:
            give_back_rows.choose(jit=self.jit)(chain, self._seen.records, self._registers, observe.SEEN_FREE)
        return _judged(flow, a, b, seen, start, self.now_ns, jit=self.jit)

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


def gathered(table: NDArray[np.void], indices: NDArray[np.int64]) -> NDArray[np.void]:
    """Return a copy of these records; compiled, for records that lie far apart."""
    copies = np.empty(len(indices), dtype=table.dtype)
    gather.compiled(table, indices, lines_of(table.dtype), copies)
    return copies


def _judged(
    flow: NDArray[np.void],
    a: NDArray[np.void],
    b: NDArray[np.void],
    seen: NDArray[np.void],
    start: NDArray[np.int64],
    end_ns: int,
    *,
    jit: bool,
) -> FlowBatch:
    """Classify the rows of finished flows and fold them."""
    classify(seen)
    rows = thaw(seen, jit=jit)
    run_a = records(RUN, len(flow), jit=jit)
    run_b = records(RUN, len(flow), jit=jit)
    ending = records(ENDING, len(flow), jit=jit)
    starts = start if jit else start.tolist()
    ends = (thaw(a, jit=jit), thaw(b, jit=jit))
    settle.choose(jit=jit)(rows, starts, thaw(flow, jit=jit), *ends, run_a, run_b, ending)
    return FlowBatch(
        flow,
        a,
        b,
        freeze(run_a, RUN),
        freeze(run_b, RUN),
        freeze(ending, ENDING),
        freeze(rows, SEEN),
        start,
        end_ns,
    )


@kernel
def settle(rows: Any, start: Any, flow: Any, a: Any, b: Any, run_a: Any, run_b: Any, ending: Any) -> None:  # noqa: ANN401
    """Fold every flow's rows and judge its RSTs, which need the probes and in turn answer some."""
    for i in range(len(flow)):
        first = start[i]
        stop = start[i + 1]
        if first == stop:
            run_a[i]["first_row"] = -1
            run_a[i]["last_row"] = -1
            run_a[i]["first_after_fin_row"] = -1
            run_b[i]["first_row"] = -1
            run_b[i]["last_row"] = -1
            run_b[i]["first_after_fin_row"] = -1
            ending[i]["reset_row"] = -1
            ending[i]["answers_row"] = -1
            continue
        settle_kinds(rows, first, stop)
        judge(rows, first, stop, a[i]["last_ns"], b[i]["last_ns"], flow[i]["after_reset"], ending[i])
        add_up(rows, first, stop, a[i]["last_ns"], b[i]["last_ns"], run_a[i], run_b[i])


@kernel
def sweep(slots: Any, flows: Any, ends: Any, registers: Any, before_ns: int, leaving: Any) -> int:  # noqa: ANN401
    """Take the live flows that are over and quiet since ``before_ns`` out of the table, list them, and return how many.

    Over: both ends sent FIN, a RST passed and nothing followed, or nothing but SYNs of one end was ever seen.
    """
    count = 0
    for index in range(registers[FLOWS_USED]):
        flow = flows[index]
        if flow["alive"] == 0 or flow["last_ns"] > before_ns:
            continue
        a = ends[2 * index]
        b = ends[2 * index + 1]
        closed = a["fin_frame"] > 0 and b["fin_frame"] > 0
        reset_ended = flow["reset_count"] > 0 and flow["after_reset"] == 0
        unanswered = b["segments"] == 0 and a["segments"] == a["syn_count"]
        if closed or reset_ended or unanswered:
            leaving[count] = index
            count += 1
            remove(slots, flow["hash"], index)
            flow["alive"] = 0
    registers[LIVE] -= count
    return count


@kernel
def retire(indices: Any, flows: Any, registers: Any, free: int) -> None:  # noqa: ANN401
    """Chain these flow records in front of the free ones."""
    for i in range(len(indices)):
        flow = flows[indices[i]]
        flow["alive"] = 0
        flow["number"] = registers[free]
        registers[free] = indices[i]


@kernel
def gather(table: Any, indices: NDArray[np.int64], lines: int, copies: Any) -> None:  # noqa: ANN401
    """Copy these records, which are so many cache lines long; each is fetched while those before it are copied."""
    for i in range(len(indices)):
        if i + FETCHED < len(indices):
            fetch(table, indices[i + FETCHED], lines)
        copies[i] = table[indices[i]]


@kernel
def walk(flow: Any, seen: Any, chain: Any) -> None:  # noqa: ANN401
    """Write the indices of the flows' SEEN rows to ``chain``, flow by flow in order."""
    to = 0
    for i in range(len(flow)):
        at = flow[i]["first_seen"]
        while at >= 0:
            chain[to] = at
            to += 1
            at = seen[at]["next"]


@kernel
def give_back_rows(chain: Any, seen: Any, registers: Any, free: int) -> None:  # noqa: ANN401
    """Chain these SEEN rows in front of the free ones."""
    for i in range(len(chain)):
        seen[chain[i]]["next"] = registers[free]
        registers[free] = chain[i]
