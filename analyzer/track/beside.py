"""``Beside``: what a tracker knows of hosts beside its flows; batches in, testimony about finished flows out.

It must not judge, nor know any word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import freeze, records, scattered, thaw
from analyzer.loops.pool import Pool
from analyzer.segment import WITNESS
from analyzer.track import attend
from analyzer.track.fellows import note_fellows
from analyzer.track.flow import keys_of
from analyzer.track.hosts import (
    ASK,
    CLAIM,
    CLOCK,
    CLOCKS,
    HOST,
    MOST_ASKS,
    MOST_CLAIMS,
    MOST_HOSTS,
    MOST_NEWS,
    MOST_SERVICES,
    MOST_STATIONS,
    NEWS,
    NOTE,
    SERVICE,
    STATION,
)
from analyzer.track.in_question import asked_about
from analyzer.track.news import OF_LINK
from analyzer.track.outages import note_shared
from analyzer.track.refused import note_refused
from analyzer.track.signs import BESIDE_NS
from analyzer.track.subjects import Subjects
from analyzer.track.testimony import TESTIMONY, recall, testify_beside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch
    from analyzer.untyped import Foreign, Rows

SOON: Final = 4096
"""This many NOTE records may wait: those of a batch of segments, so that they are still in the processor's cache."""
PART: Final = 16384
"""About so many frames wait to be heard together, where loops are compiled: a call costs as much as dozens of them."""
TABLES: Final = (
    (HOST, MOST_HOSTS),
    (STATION, MOST_STATIONS),
    (CLAIM, MOST_CLAIMS),
    (ASK, MOST_ASKS),
    (SERVICE, MOST_SERVICES),
    (NEWS, MOST_NEWS),
)
"""In the order of the registers that say how many records of each are used."""
RECORDS: Final = (1, 1, 1, 1, 1, 2)
"""How many new records of each table one frame makes at most."""
OF_SEGMENTS: Final = (attend.HOSTS, attend.STATIONS, attend.SERVICES)
"""The tables that segments make records in; other frames do in all."""
AT_A_TIME: Final = 4
"""For so many times the segments that wait there is room, once more is needed."""
UNNOTED_NS: Final = 5_000_000_000
"""A host that is heard all the time is noted at least so often (``observe.MOMENT``)."""


class Beside:
    """The tables of hosts of one capture point."""

    def __init__(self, *, jit: bool, seed: int) -> None:
        """Start with no host."""
        self._jit = jit
        self._tables = [Subjects(dtype, most, jit=jit) for dtype, most in TABLES]
        self._clocks: Any = scattered(CLOCK, CLOCKS, jit=jit)
        self._notes = Pool(NOTE, jit=jit)
        self._others: list[NDArray[np.void]] = []
        self._waiting = 0
        self._room = 0
        """This many segments find room in their tables, whoever sent them."""
        self._registers: Any = self._numbers([0] * attend.REGISTERS)
        self._registers[attend.LAST_MAC] = self._registers[attend.OTHER_MAC] = -1
        self._keys: Any = self._numbers(list(keys_of(seed)))
        self._digests: Any = self._numbers([0] * attend.RING)

    def _numbers(self, values: list[int]) -> Foreign:
        return np.array(values, dtype=np.int64) if self._jit else values

    def _columns(self) -> tuple[Any, ...]:
        """Return what loops take of the tables."""
        each = [column for table in self._tables for column in (table.slots, table.records)]
        return (*each, self._clocks, self._registers, self._keys)

    def add(self, others: NDArray[np.void]) -> None:
        """Take the WITNESS rows of a batch, before ``observe`` has seen its segments."""
        if len(others):
            self._others.append(others)
            self._waiting += len(others)

    @property
    def many_wait(self) -> bool:
        """Whether so many frames wait that they should be heard before more are added."""
        return self._waiting >= PART

    def make_room(self, noted: int, more: int) -> int:
        """Make room for ``more`` NOTE records behind those that wait; return how many do now."""
        if noted >= SOON or (noted and self._waiting >= PART):
            self.hear(noted)
            noted = 0
        self._notes.make_room(more + PART if self._jit else noted + more)
        return noted

    @property
    def notes(self) -> Rows:
        """Where ``observe`` puts NOTE records; another after ``make_room``."""
        return self._notes.records

    def hear(self, noted: int) -> None:
        """Hear of the hosts in the NOTE records and WITNESS rows that wait."""
        waiting, self._others, self._waiting = self._others, [], 0
        if not noted and not waiting:
            return
        others = np.concatenate(waiting) if waiting else np.empty(0, dtype=WITNESS)
        notes = self._notes.records[:noted]
        more = len(notes) + len(others)
        if len(others) or more > self._room:
            self._make_room(len(notes), len(others))
        self._room = max(self._room - more, 0)
        listen: Foreign = attend.attend.choose(jit=self._jit)
        listen(notes, len(notes), thaw(others, jit=self._jit), len(others), *self._columns(), self._digests)

    def _make_room(self, segments: int, others: int) -> None:
        """Make sure that so many segments and other frames find room, and that the next few times of as many do."""
        more = [AT_A_TIME * segments + others if which in OF_SEGMENTS else others for which in range(len(TABLES))]
        for which, table in enumerate(self._tables):
            used = int(self._registers[which])
            if table.is_full(used):
                self._registers[which] = used = table.forget(used, self._favoured(which, used))
            table.make_room(used, more[which] * RECORDS[which])
        self._room = min(self._tables[which].room(int(self._registers[which])) for which in OF_SEGMENTS)

    def _favoured(self, which: int, used: int) -> NDArray[np.bool_] | None:
        """Return which records of a table are of hosts that connections are of, None where all are.

        Forged ARP, of however many hosts, so drives out none of them.
        """
        if which == attend.HOSTS:
            return self._tables[which].column("ttl", used) >= 0
        if which == attend.SERVICES:
            return None
        stations, known = self._tables[attend.STATIONS], int(self._registers[attend.STATIONS])
        with_tcp = stations.column("has_tcp", known) == 1
        if which == attend.STATIONS:
            return with_tcp
        name = "hi" if which == attend.QUESTIONS else "mac"
        macs = self._tables[which].column(name, used)
        return (macs == OF_LINK) | np.isin(macs, stations.column("lo", known)[with_tcp])

    def compile(self) -> None:
        """Go on with compiled loops."""
        if self._jit:
            return
        self._jit = True
        for which, table in enumerate(self._tables):
            table.compile(int(self._registers[which]))
        self._notes.compile()
        self._clocks = freeze(self._clocks, CLOCK)
        self._room = 0
        self._registers, self._keys = self._numbers(self._registers), self._numbers(self._keys)
        self._digests = self._numbers(self._digests)

    def about(self, batch: FlowBatch, *, recalled: bool = False) -> NDArray[np.void]:
        """Return the TESTIMONY records about those flows of a batch that somebody may ask about, in order.

        ``recalled`` says that nothing was heard since ``recall``.
        """
        parts = self._parts(batch)
        room = self._numbers([0] * len(batch))
        ask: Foreign = asked_about.choose(jit=self._jit)
        count = ask(*parts, batch.end_ns, room)
        if not count:
            return np.empty(0, dtype=TESTIMONY)
        return self._testimony(batch, parts, np.array(room[:count], dtype=np.int64), recalled=recalled)

    def rehearse(self, batch: FlowBatch) -> None:
        """Call the loops that only flows take that somebody asks about, and tables that grow."""
        for table in self._tables:
            table.rehearse()
        self._testimony(batch, self._parts(batch), np.empty(0, dtype=np.int64), recalled=True)

    def _parts(self, batch: FlowBatch) -> tuple[Rows, ...]:
        """Return the tables of a batch as loops take them."""
        tables = (batch.flow, batch.a, batch.b, batch.ending, batch.run_a, batch.run_b)
        return tuple([thaw(table, jit=self._jit) for table in tables])

    def _testimony(
        self, batch: FlowBatch, parts: tuple[Rows, ...], picked: NDArray[np.int64], *, recalled: bool
    ) -> NDArray[np.void]:
        """Return the TESTIMONY records about the flows at these indices."""
        out = records(TESTIMONY, len(picked), jit=self._jit)
        for table in self._tables:
            table.make_room(0, 1)  # loops look at the first record of each, whether or not it is used
        testify: Foreign = testify_beside.choose(jit=self._jit)
        testify(
            picked if self._jit else picked.tolist(),
            *parts,
            BESIDE_NS if recalled else UNNOTED_NS,
            *self._columns(),
            out,
        )
        note_shared(batch, picked, out, jit=self._jit)
        note_refused(batch, picked, out, jit=self._jit)
        note_fellows(batch, picked, out, jit=self._jit)
        written: NDArray[np.void] = freeze(out, TESTIMONY)
        return written

    def recall(self, used: int, flows: Rows, ends: Rows) -> None:
        """Note when the ends of the live flows were last heard, among the first ``used`` FLOW records."""
        hosts = self._tables[attend.HOSTS]
        recall.choose(jit=self._jit)(used, flows, ends, hosts.slots, hosts.records, self._keys)
