"""Flows of several batches as one: their records, their SEEN rows, and tables made of some of these rows.

It must not know what any column means.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.judge.table import WORDS, Table
from analyzer.label.rules import Kind
from analyzer.loops.loop import pick, thaw
from analyzer.segment import NONE
from analyzer.track.seen import SEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.judge.record import Row
    from analyzer.track.awake import Hole
    from analyzer.track.batch import FlowBatch

    Column = NDArray[np.int64]


Piece = tuple["FlowBatch", "NDArray[np.int64]"]
"""A batch, and the indices of those of its flows that are meant."""


class FactRows:
    """Some flows, which may be of several batches: what numpy costs a batch is paid once for all."""

    def __init__(self, *pieces: Piece) -> None:
        """Take flows of batches, in order."""
        self.flow, a, b, run_a, run_b, self.ending = (
            joined([pick(getattr(batch, part), picked) for batch, picked in pieces])
            for part in ("flow", "a", "b", "run_a", "run_b", "ending")
        )
        self.ends, self.runs = (a, b), (run_a, run_b)
        self.seen = joined([_rows_of(batch, picked) for batch, picked in pieces])
        counts = np.concatenate([np.diff(batch.start)[picked] for batch, picked in pieces])
        self.start: Column = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        """Where the SEEN rows of each flow begin."""
        self.owner: Column = np.repeat(np.arange(len(counts)), counts)
        """Which of the flows each SEEN row belongs to."""
        self.ends_ns: Column = np.concatenate([batch.ends_ns[picked] for batch, picked in pieces])
        self._beside = [(batch.beside, batch.flow["number"][picked]) for batch, picked in pieces]
        self._lapsed = [(batch.lapsed, batch.flow["number"][picked]) for batch, picked in pieces]
        self._beating = [(*batch.trains_of(picked), len(picked)) for batch, picked in pieces]
        self._captured = [((batch.holes, batch.lost, batch.filters), len(picked)) for batch, picked in pieces]

    def __len__(self) -> int:
        """Return the number of flows."""
        return len(self.flow)

    def captured(self) -> Iterator[tuple[tuple[Hole, ...], int, tuple[str, ...]]]:
        """Yield for each flow where the capture was not awake, how many packets it had lost, and its filters."""
        for known, count in self._captured:
            for _ in range(count):
                yield known

    def awake(self) -> Iterator[tuple[tuple[Hole, ...], int]]:
        """Yield where captures were not awake, and of how many flows, in order, that is known."""
        for (holes, _, _), count in self._captured:
            yield holes, count

    def testimony(self) -> list[Row | None]:
        """Return for each flow what is known beside it (``track.testimony.TESTIMONY``), if that was noted."""
        return _by_number(self._beside)

    def lapses(self) -> list[Row | None]:
        """Return for each flow when its probes were lost together with others' (``track.lapsed.LAPSE``), if so."""
        return _by_number(self._lapsed)

    @property
    def has_beside(self) -> NDArray[np.bool_]:
        """Which flows have testimony or a lapse."""
        noted = [
            np.concatenate([np.isin(numbers, records["flow"]) for records, numbers in parts])
            for parts in (self._beside, self._lapsed)
        ]
        return np.asarray(noted[0] | noted[1], dtype=np.bool_)

    @property
    def is_captured_in_part(self) -> NDArray[np.bool_]:
        """Which flows are of a capture of which holes, losses or filters are known."""
        return np.concatenate([np.full(count, any(known)) for known, count in self._captured])

    @cached_property
    def _kind(self) -> Column:
        return self.seen["kind"].astype(np.int64)

    def _at(self, *kinds: Kind) -> NDArray[np.int64]:
        """Return which rows are of these kinds."""
        return np.flatnonzero(np.isin(np.arange(len(Kind)), kinds)[self._kind])

    def _start(self, owner: Column) -> Column:
        """Return where the rows of each flow begin among some of which these are the owners, in order."""
        return np.searchsorted(owner, np.arange(len(self) + 1)).astype(np.int64)

    def _table(self, name: str, at: NDArray[np.int64], columns: dict[str, Column]) -> Table:
        """Return a table of some SEEN rows: frame, time and sender with other columns."""
        rows = self.seen
        basics = {"frame": rows["frame"][at], "ts_ns": rows["ts_ns"][at], "sender": rows["side"][at].astype(np.int64)}
        return Table(self._start(self.owner[at]), WORDS[name], basics | columns)

    def _column(self, name: str, at: NDArray[np.int64]) -> Column:
        return self.seen[name][at].astype(np.int64)

    def _frame_of(self, row: Column, at: NDArray[np.int64]) -> Column:
        """Return the frames of rows that rows at ``at`` name, counted within their flow; NONE where they name none."""
        return self._value_of(row, at, "frame")

    def _value_of(self, row: Column, at: NDArray[np.int64], name: str) -> Column:
        if not len(row):
            return row
        there = np.where(row >= 0, self.start[self.owner[at]] + row, 0)
        return np.where(row >= 0, self.seen[name][there], NONE)


def _by_number(parts: list[tuple[NDArray[np.void], NDArray[np.int64]]]) -> list[Row | None]:
    """Return of records in the order of their field ``flow`` the first of each of these flows, if there is one."""
    found: list[Row | None] = []
    for records, numbers in parts:
        at = np.searchsorted(records["flow"], numbers)
        there = np.flatnonzero(at < len(records))
        there = there[records["flow"][at[there]] == numbers[there]]
        rows = thaw(records[at[there]], jit=False)
        known: dict[int, Row] = dict(zip(there.tolist(), rows, strict=True))
        found += [known.get(index) for index in range(len(numbers))]
    return found


def not_below_zero(column: Column) -> Column:
    """Return numbers, and NONE for those that are below zero."""
    return np.where(column >= 0, column, NONE)


def not_zero(column: Column) -> Column:
    """Return numbers, and NONE for those that are zero."""
    return np.where(column != 0, column, NONE)


def _rows_of(batch: FlowBatch, picked: NDArray[np.int64]) -> NDArray[np.void]:
    """Return the SEEN rows of some flows of a batch, flow by flow."""
    seen: Any = batch.seen
    if not isinstance(seen, np.ndarray):
        return joined([np.ascontiguousarray(batch.rows(int(at))) for at in picked] or [np.empty(0, dtype=SEEN)])
    counts = np.diff(batch.start)[picked]
    starts = batch.start[:-1][picked]
    of_these = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    rows: NDArray[np.void] = pick(seen, of_these)
    return rows


def joined(parts: list[NDArray[np.void]]) -> NDArray[np.void]:
    """Return records one behind the other, as bytes: numpy compares all fields of records that it joins."""
    if len(parts) == 1:
        return parts[0]
    dtype = parts[0].dtype
    joined: NDArray[np.void] = np.concatenate([part.view(np.dtype((np.void, dtype.itemsize))) for part in parts])
    return joined.view(dtype)
