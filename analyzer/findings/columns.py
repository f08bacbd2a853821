"""The columns of the flows of one batch or several, each taken out once.

What a column holds is what the record of a flow (``judge.record``) holds; what a record has as None is below zero here
(instants, rows, sides) or zero (frames). A column is of flows, or of the SEEN rows of all flows, flow by flow. Those of
ends stand as they stood when a RST ended the flow.

It must not hold a rule, or prefer an end.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.findings.notable import is_notable
from analyzer.judge import clocks, event_facts, milestones, verdict
from analyzer.judge.clocks import Standing
from analyzer.label.outcome import Answer, Certainty
from analyzer.label.rules import Kind
from analyzer.track.beats import TRAINS
from analyzer.track.seen import SEEN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analyzer.findings.flows import Column, Mask
    from analyzer.track.batch import FlowBatch

HEARD = ("last_ns", "active_ns", "active_frame")
"""Of an endpoint's columns those that are set back to what they were when the RST came that ended the flow."""
NEVER = {"fin_frame": 0, "fin_ns": -1, "fin_acked_frame": 0, "fin_acked_ns": -1}
"""And those of a FIN, which are as if none had come if it came behind that RST."""
SET_BACK = frozenset({*HEARD, *NEVER})
"""All that count only until that RST."""

Piece = tuple["FlowBatch", "NDArray[np.int8]", "NDArray[np.int64]"]
"""A batch, the rows of VERDICTS of all its flows, and the indices of those that are meant."""

Meant = Any
"""An index of an array: whole numbers, or ALL."""
ALL: Final = slice(None)


class Columns:
    """The columns of some flows, each taken out once: records are half a kibibyte apart in memory."""

    def __init__(
        self,
        batch: FlowBatch,
        winners: NDArray[np.int8],
        picked: NDArray[np.int64] | None = None,
        *,
        more: Sequence[Piece] = (),
    ) -> None:
        """Take the flows at these indices, or all; ``winners`` are the rows of VERDICTS of the whole batch.

        Behind them come those of ``more`` batches: what numpy costs a batch is paid once for all.
        """
        pieces = [(batch, winners, np.arange(len(batch)) if picked is None else picked), *more]
        self._pieces = pieces
        self._meant = [_meant(batch, picked) for batch, _, picked in pieces]
        self.winners: Column = np.concatenate([winners[picked] for _, winners, picked in pieces])
        self.ends_ns: Column = np.concatenate([batch.ends_ns[picked] for batch, _, picked in pieces])
        each = [np.diff(batch.start)[picked] for batch, _, picked in pieces]
        self._ends = np.cumsum([rows.sum() for rows in each]).tolist()
        counts = np.concatenate(each)
        self.start: Column = np.cumsum(counts) - counts
        """Where the SEEN rows of each flow begin."""
        self.owner: Column = np.repeat(np.arange(len(counts)), counts)
        """Which of the flows each SEEN row belongs to."""
        self._known: dict[tuple[str, str], Column] = {}
        self._of_kinds: dict[tuple[Kind, ...], Mask] = {}

    def __len__(self) -> int:
        """Return the number of flows."""
        return len(self.winners)

    def beside(self, name: str) -> Column:
        """Return a column of what is known beside the flows (``track.testimony``), 0 where nothing was noted."""
        return np.concatenate([_beside(batch, picked, name) for batch, _, picked in self._pieces])

    def column(self, part: str, name: str) -> Column:
        """Return a column of a part of the batch, which is the name of a field of FlowBatch."""
        key = (part, name)
        if key not in self._known:
            if part == "seen":
                self._known[key] = np.concatenate([seen[name][rows] for seen, rows in self._seen])
            else:
                self._known[key] = np.concatenate(
                    [
                        getattr(batch, part)[name][at]
                        for (batch, _, _), at in zip(self._pieces, self._meant, strict=True)
                    ]
                )
        return self._known[key]

    def end(self, side: int, name: str) -> Column:
        """Return a column of the ENDPOINT records of one end, as it stood when a RST ended the flow."""
        if name not in SET_BACK:
            return self.column("ab"[side], name)
        return self._set_back[side][name]

    def beats(self, side: int, name: str) -> Column:
        """Return a column of the TRAINS records of one end, of the train that says most; -1 for instants, else 0."""
        key = (f"beats {side}", name)
        if key not in self._known:
            trains, owner = self._trains
            found = np.full(len(self), -1 if name.endswith("_ns") else 0, dtype=np.int64)
            mine = trains["side"] == side
            found[owner[mine]] = trains[name][mine]
            self._known[key] = found
        return self._known[key]

    @property
    def has_heartbeats(self) -> bool:
        """Whether a program of any of these flows sends heartbeats."""
        return len(self._trains[0]) > 0

    def kind_in(self, *kinds: Kind) -> Mask:
        """Say which SEEN rows are of one of these kinds."""
        known = self._of_kinds.get(kinds)
        if known is None:
            known = self._of_kinds[kinds] = _kinds(kinds)[self.column("seen", "kind")]
        return known

    @cached_property
    def sure(self) -> Mask:
        """Which SEEN rows are no suspected probes."""
        return self.column("seen", "certainty") != Certainty.SUSPECTED

    @cached_property
    def answered(self) -> Mask:
        """Which SEEN rows are probes that an ACK or data answers."""
        answer = self.column("seen", "answer")
        return (answer == Answer.ACK) | (answer == Answer.DATA)

    @cached_property
    def window_moves(self) -> Mask:
        """Which SEEN rows close or open their sender's receive window."""
        return event_facts.moves_window(_ByName(lambda name: self.column("seen", name)))

    @cached_property
    def _trains(self) -> tuple[NDArray[np.void], Column]:
        """All trains of heartbeats, those that say more behind others, and whose each is."""
        found, owners, before = [np.empty(0, dtype=TRAINS)], [np.empty(0, dtype=np.int64)], 0
        for batch, _, picked in self._pieces:
            if len(batch.trains):
                of_these, owner = batch.trains_of(picked)
                found.append(of_these)
                owners.append(before + owner)
            before += len(picked)
        trains, owner = np.concatenate(found), np.concatenate(owners)
        awaited = np.where(trains["due"] > 0, trains["unanswered"], 0)
        current = ~_was_followed(trains, owner)
        order = np.lexsort((trains["first_frame"], trains["count"], current, awaited, trains["due"]))
        return trains[order], owner[order]

    @cached_property
    def _set_back(self) -> tuple[dict[str, Column], dict[str, Column]]:
        both = [{name: self.column(end, name).copy() for name in SET_BACK} for end in "ab"]
        ended = np.flatnonzero(self.column("ending", "reset_row") >= 0)
        if len(ended):
            at = self.start[ended] + self.column("ending", "reset_row")[ended]
            names = [f"{end}_{name}" for end in ("own", "peer") for name in HEARD]
            resets = {name: self.column("seen", name)[at] for name in ("frame", "side", *names)}
            ends = tuple({name: column[ended] for name, column in end.items()} for end in both)
            for end, known in zip(both, milestones.until(resets, (ends[0], ends[1])), strict=True):
                for name, column in known.items():
                    end[name][ended] = column
                behind = ended[end["fin_frame"][ended] > resets["frame"]]
                for name, value in NEVER.items():
                    end[name][behind] = value
        return both[0], both[1]

    @cached_property
    def standing(self) -> Standing:
        """Where timestamp clocks stood still, the capture awake meanwhile."""
        found = clocks.standing(lambda name: self.column("seen", name), self.owner)
        awake = self.is_awake(found.before, found.at)
        return Standing(*(column[awake] for column in found))

    def is_awake(self, early: Column, late: Column) -> Mask:
        """Say for pairs of SEEN rows whether the capture was awake all the time from the first to the second."""
        return self.is_awake_until(early, self.column("seen", "frame")[late])

    def is_awake_until(self, early: Column, frame: Column) -> Mask:
        """Say for SEEN rows whether the capture was awake all the time from each to a later frame of its flow."""
        awake = np.ones(len(early), dtype=np.bool_)
        before = self.column("seen", "frame")[early]
        low = 0
        for (batch, _, _), high in zip(self._pieces, self._ends, strict=True):
            here = (early >= low) & (early < high)
            for hole in batch.holes:
                awake[here] &= (before[here] >= hole.to_frame) | (frame[here] <= hole.from_frame)
            low = high
        return awake

    @cached_property
    def by(self) -> Column:
        """Who brought about each flow's ending: 0 or 1 that endpoint, ``verdict.BETWEEN``, ``verdict.NOBODY``."""
        ends = [{"fin_frame": self.column(end, "fin_frame")} for end in "ab"]
        ending = {name: self.column("ending", name) for name in ("stranger", "reset_side")}
        return verdict.by(ending, ends[0], ends[1], self.winners)

    @cached_property
    def notable(self) -> Mask:
        """Which flows have something to say."""
        return np.concatenate([is_notable(batch, winners)[picked] for batch, winners, picked in self._pieces])

    @cached_property
    def _seen(self) -> list[tuple[NDArray[np.void], Meant]]:
        """Of each piece the SEEN rows, and which of them belong to its flows, flow by flow."""
        return [
            (batch.seen, meant) if meant is ALL and isinstance(batch.seen, np.ndarray) else _rows_of(batch, picked)
            for (batch, _, picked), meant in zip(self._pieces, self._meant, strict=True)
        ]


def _beside(batch: FlowBatch, picked: NDArray[np.int64], name: str) -> Column:
    known, wanted = batch.beside["flow"], batch.flow["number"][picked]
    if not len(known):
        return np.zeros(len(wanted), dtype=np.int64)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    column: Column = np.where(known[place] == wanted, batch.beside[name][place], 0)
    return column


def _meant(batch: FlowBatch, picked: NDArray[np.int64]) -> Meant:
    """Return what takes these flows out of a column of the batch: the indices, or ALL, which is many times faster."""
    return ALL if len(picked) == len(batch) and np.array_equal(picked, np.arange(len(batch))) else picked


def _rows_of(batch: FlowBatch, picked: NDArray[np.int64]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Return the SEEN rows of a batch, or of these flows where the batch has them packed, and which are of these."""
    counts = np.diff(batch.start)[picked]
    every = np.arange(counts.sum())
    seen: Any = batch.seen
    if not isinstance(seen, np.ndarray):
        # as bytes: numpy compares all fields of records that it joins
        opaque = np.dtype((np.void, SEEN.itemsize))
        parts = [np.ascontiguousarray(batch.rows(int(at))).view(opaque) for at in picked]
        return np.concatenate([np.empty(0, dtype=opaque), *parts]).view(SEEN), every
    starts = batch.start[:-1][picked]
    return seen, np.repeat(starts - (np.cumsum(counts) - counts), counts) + every


class _ByName:
    """Columns as what is read like records."""

    def __init__(self, column: Callable[[str], Column]) -> None:
        self._column = column

    def __getitem__(self, name: str) -> Column:
        return self._column(name)


def _was_followed(trains: NDArray[np.void], owner: Column) -> Mask:
    """Say behind which trains another of the same end begins, of the same protocol: its period was changed."""
    kinds = np.stack((owner, trains["side"], trains["protocol"], trains["due"]))
    _, which = np.unique(kinds, axis=1, return_inverse=True)
    latest = np.zeros(len(trains), dtype=np.int64)
    np.maximum.at(latest, which.reshape(-1), trains["first_frame"])
    return latest[which.reshape(-1)] > trains["last_frame"]


@lru_cache
def _kinds(kinds: tuple[Kind, ...]) -> Mask:
    """Say of each kind of row whether it is one of these."""
    return np.isin(np.arange(len(Kind)), kinds)
