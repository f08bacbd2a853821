"""What a tracker holds: tables of flows, ends, notable segments and trains of heartbeats, and its loop's registers.

It decides how much room there is, plain and compiled. It must not know when a flow leaves, or what becomes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import freeze, loop
from analyzer.loops.pool import Pool, gathered
from analyzer.track import ahead, beats, observe, tally
from analyzer.track.beside import Beside
from analyzer.track.endpoint import ENDPOINT
from analyzer.track.flow import FLOW, keys_of, refill
from analyzer.track.habits import HABIT, no_habits
from analyzer.track.seen import SEEN
from analyzer.track.translated import BEGINNING, no_beginnings
from analyzer.track.untranslated import MEMORY
from analyzer.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.loops.packed import Packed
    from analyzer.track.awake import Hole
    from analyzer.untyped import Numbers, Rows


CHUNK: Final = 16384
"""Rows per pass through the loop; room is made beforehand for as many flows and SEEN rows."""
CHUNK_PLAIN: Final = 1024
"""The same of plain loops, whose records are dicts of many kilobytes a flow."""


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


@loop
def name(told: Numbers, count: int, flows: Rows, named: Numbers) -> None:
    """Put the numbers of flows in place of where they lie, in what ``observe`` told of so many rows."""
    for i in range(count):
        named[i] = told[i]
        if told[i] >= 0:
            index = told[i] // observe.TOLD_FLOW
            named[i] += (flows[index]["number"] - index) * observe.TOLD_FLOW


class Held:
    """All live flows of one capture point, as tables."""

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
        # rows are written once and read once: large pages would cost more to clear than they save in being found
        self._seen = Pool(SEEN, jit=jit, large_pages=False)
        self._beats = Pool(beats.BEATS, jit=jit)
        self._beat_registers: Any = np.array([0, -1, 0], dtype=np.int64) if jit else [0, -1, 0]
        self._slots: Any = np.zeros(4096, dtype=np.int64) if jit else [0] * 4096
        self._registers: Any = np.zeros(tally.REGISTERS, dtype=np.int64) if jit else [0] * tally.REGISTERS
        self._registers[tally.FLOW_FREE] = -1
        self._registers[tally.SEEN_FREE] = -1
        self._registers[tally.NOW_NS] = -1
        self._seed = seed
        for register, key in enumerate(keys_of(seed), tally.KEY_LOW):
            self._registers[register] = key
        self._leaving: Any = np.zeros(2 * CHUNK, dtype=np.int64) if jit else [0] * (2 * CHUNK)
        self._digests: Any = np.zeros(ahead.RING, dtype=np.int64) if jit else [0] * ahead.RING
        self._hints: Any = np.zeros(ahead.RING, dtype=np.int64) if jit else [0] * ahead.RING
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
        self._doubt: np.void | None = None
        self._more = False
        """Whether flows that are over had to wait for the next sweep."""
        self._rows = 0
        """SEEN rows in the table of flows that have few, at the last sweep."""

    @property
    def live(self) -> int:
        """How many flows are in memory."""
        return int(self._registers[tally.LIVE])

    @property
    def begun(self) -> int:
        """How many flows have begun: their numbers are below."""
        return int(self._registers[tally.NEXT_NUMBER])

    @property
    def segments(self) -> int:
        """How many TCP segments passed, copies included."""
        return int(self._registers[tally.SEGMENTS])

    @property
    def copies(self) -> int:
        """How many segments were second captures of a packet."""
        return int(self._registers[tally.COPIES])

    def _room_to_tell(self, count: int) -> Numbers:
        """Return room for what ``observe`` tells of so many rows."""
        if len(self._telling) < count:
            self._telling = np.zeros(CHUNK, dtype=np.int64) if self.jit else [0] * CHUNK_PLAIN
        return self._telling

    def _names(self, count: int) -> NDArray[np.int64]:
        """Return what ``observe`` told of so many rows, with the numbers of flows: records may soon be others'."""
        if not self.jit:
            named = [0] * count
            name(self._telling, count, self._flows.records, named)
            return np.array(named, dtype=np.int64)
        numbers = np.empty(count, dtype=np.int64)
        name.compiled(self._telling, count, self._flows.records, numbers)
        return numbers

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

    def _alive(self) -> list[int]:
        used = int(self._registers[tally.FLOWS_USED])
        if self.jit:
            return ints(np.flatnonzero(self._flows.records["alive"][:used] >= 1))
        return [index for index in range(used) if self._flows.records[index]["alive"] >= 1]

    def _leaving_room(self) -> Numbers:
        """Return the list of leaving flows, long enough to name each twice."""
        used = int(self._registers[tally.FLOWS_USED])
        if len(self._leaving) < 2 * used:
            self._leaving = np.zeros(2 * used, dtype=np.int64) if self.jit else [0] * (2 * used)
        return self._leaving

    def _in_order(self, indices: list[int]) -> NDArray[np.int64]:
        """Return these flows in the order of their first segments."""
        picked = np.array(indices, dtype=np.int64)
        records = self._flows.records
        numbers = records["number"][picked] if self.jit else np.array([records[index]["number"] for index in indices])
        in_order: NDArray[np.int64] = picked[np.argsort(numbers, kind="stable")]
        return in_order

    def _copies(self, table: Pool, indices: Numbers) -> NDArray[np.void]:
        """Return these records of a table."""
        if self.jit:
            return gathered(table.records, indices)
        copies: NDArray[np.void] = freeze([table.records[index] for index in indices], table.dtype)
        return copies

    def _make_room_for_beats(self, part: NDArray[np.void]) -> None:
        """Make sure that each of these rows finds free records for trains of heartbeats."""
        self._beats.make_room(int(self._beat_registers[beats.USED]) + beats.MOST_NEW * len(part))

    def _make_room(self, rows: int) -> None:
        """Make sure the next ``rows`` rows find free flow and SEEN records and slots."""
        used = int(self._registers[tally.FLOWS_USED])
        self._flows.make_room(used + rows)
        self._ends.make_room(2 * (used + rows))
        self._seen.make_room(int(self._registers[tally.SEEN_USED]) + rows)
        if 2 * (int(self._registers[tally.SLOTS_USED]) + rows) > len(self._slots):
            size = len(self._slots)
            while size < 4 * (self.live + rows):
                size *= 2
            self._slots = np.zeros(size, dtype=np.int64) if self.jit else [0] * size
            refill.choose(jit=self.jit)(self._slots, self._flows.records, used)
            self._registers[tally.SLOTS_USED] = self.live


def ints(numbers: Numbers) -> list[int]:
    """Return numbers of either form as Python's ints."""
    return numbers.tolist() if isinstance(numbers, np.ndarray) else list(numbers)
