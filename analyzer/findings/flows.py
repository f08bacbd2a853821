"""What conditions are functions of: the flows of a batch as columns, looked at from one endpoint.

A capture of a million flows has findings in thousands, and to make a record of each takes a millisecond. So a condition
answers for all flows of a batch at once, with a mask; a flow alone is a batch of one. The columns are those of
``columns``: what a record of a flow has as None is below zero here (instants, rows, sides) or zero (frames).

It must not hold a rule: what is asked of the columns stands in the conditions.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from analyzer.findings.notable import has_verdict
from analyzer.judge.probe import PROBE_KINDS
from analyzer.judge.probe_facts import comes_behind
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.label.outcome import Answer
from analyzer.segment import ACK

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.findings.columns import Columns
    from analyzer.label.rules import Kind

T = TypeVar("T")
Mask = Any
"""A bool for each flow, or for each SEEN row of all flows."""
Column = Any
"""An integer for each flow, or for each SEEN row."""


class Flows:
    """Some flows, looked at from one endpoint: what every condition is a function of."""

    def __init__(self, columns: Columns, side: int) -> None:
        """Look from endpoint a (0) or b (1)."""
        self.columns = columns
        self.side = side
        self.opposite: Flows | None = None
        """The view from the other endpoint, once somebody asked for it."""
        self._facts: dict[Callable[[Flows], Any], Any] = {}
        self._somewhere: dict[Callable[[Flows], Mask], bool] = {}

    def __len__(self) -> int:
        """Return the number of flows."""
        return len(self.columns)

    def once(self, fact: Callable[[Flows], T]) -> T:
        """Return a fact of these flows, worked out when it is first asked for: several conditions ask."""
        if fact not in self._facts:
            self._facts[fact] = fact(self)
        known: T = self._facts[fact]
        return known

    def somewhere(self, condition: Callable[[Flows], Mask]) -> bool:
        """Say whether a condition holds of any of these flows; found out once, too."""
        if condition not in self._somewhere:
            # several times as fast as any()
            self._somewhere[condition] = bool(np.count_nonzero(self.once(condition)))
        return self._somewhere[condition]

    @property
    def none(self) -> Mask:
        """None of these flows."""
        return np.zeros(len(self), dtype=np.bool_)

    @property
    def from_peer(self) -> Flows:
        """The same flows, looked at from the other endpoint."""
        if self.opposite is None:
            self.opposite = Flows(self.columns, 1 - self.side)
            self.opposite.opposite = self
        return self.opposite

    def let_go(self) -> None:
        """Forget the view from the other endpoint: both hold on to each other, and as a ring to the batch."""
        if self.opposite is not None:
            self.opposite.opposite = None
            self.opposite = None

    # ── columns of flows ──

    def own(self, name: str) -> Column:
        """Return a column of this endpoint's ENDPOINT records."""
        return self.columns.end(self.side, name)

    def peer(self, name: str) -> Column:
        """Return a column of the other endpoint's."""
        return self.columns.end(1 - self.side, name)

    def run(self, name: str) -> Column:
        """Return a column of this endpoint's RUN records: what its probes add up to."""
        return self.columns.column("run_b" if self.side else "run_a", name)

    def peer_run(self, name: str) -> Column:
        """Return a column of the other endpoint's."""
        return self.columns.column("run_a" if self.side else "run_b", name)

    def flow(self, name: str) -> Column:
        """Return a column of the FLOW records."""
        return self.columns.column("flow", name)

    def beats(self, name: str) -> Column:
        """Return a column of this endpoint's TRAINS records: of the train that says most; -1 for instants, else 0.

        One that answers are due to before others, then the one with more unanswered at the end, then one that no other
        follows, then the longest.
        """
        return self.columns.beats(self.side, name)

    def ending(self, name: str) -> Column:
        """Return a column of the ENDING records: the RST that ended the flow."""
        return self.columns.column("ending", name)

    @property
    def ends_ns(self) -> Column:
        """Until when each flow could have been heard."""
        return self.columns.ends_ns

    @property
    def by(self) -> Column:
        """Who brought about each flow's ending: 0 or 1 that endpoint, ``verdict.BETWEEN``, ``verdict.NOBODY``."""
        return self.columns.by

    @cached_property
    def own_reset(self) -> Mask:
        """In which flows the RST that ended them came in this endpoint's name."""
        return (self.ending("reset_row") >= 0) & (self.ending("reset_side") == self.side)

    @cached_property
    def reset_has_ack(self) -> Mask:
        """In which flows the RST that ended them bears ACK."""
        return (self.at_row(self.ending("reset_row"), "flags", 0) & ACK) != 0

    def verdict_in(self, *words: Verdict) -> Mask:
        """Say which flows have one of these verdicts."""
        return has_verdict(self.columns.winners, *words)

    def rule_is(self, name: str) -> Mask:
        """Say which flows this row of VERDICTS won."""
        return np.array([rule.name == name for rule in VERDICTS])[self.columns.winners]

    # ── rows: segments that are more than data or an acknowledgement ──

    def seen(self, name: str) -> Column:
        """Return a column of all SEEN rows, flow by flow."""
        return self.columns.column("seen", name)

    def of_row(self, column: Column) -> Column:
        """Return a column of flows as one of their SEEN rows."""
        return column[self.columns.owner]

    @cached_property
    def outlived_ns(self) -> Column:
        """The longest silence that each flow, or another of the same hosts and service, survived."""
        return np.maximum(self.flow("survived_ns"), self.columns.beside("fellow_ns"))

    @cached_property
    def mine(self) -> Mask:
        """Which rows this endpoint sent."""
        return self.seen("side") == self.side

    @cached_property
    def probing(self) -> Mask:
        """Which rows are probes of this endpoint."""
        return self.mine & self.kind_in(*PROBE_KINDS)

    @property
    def sure(self) -> Mask:
        """Which rows are no suspected probes."""
        return self.columns.sure

    @property
    def answered(self) -> Mask:
        """Which rows are probes, of either end, that an ACK or data answers."""
        return self.columns.answered

    @cached_property
    def trailing(self) -> Mask:
        """Which rows are unanswered probes of this endpoint since its peer last sent what might have answered."""
        unanswered = self.probing & (self.seen("answer") == Answer.NONE)
        heard_ns = self.of_row(self.run("heard_ns"))
        return unanswered & comes_behind(self.seen("ts_ns"), self.seen("peer_last_ns"), heard_ns)

    def kind_in(self, *kinds: Kind) -> Mask:
        """Say which rows are of one of these kinds."""
        return self.columns.kind_in(*kinds)

    def any_row(self, mask: Mask) -> Mask:
        """Say in which flows a mask of rows holds for one."""
        return self.count_rows(mask) > 0

    def count_rows(self, mask: Mask) -> Column:
        """Return for how many rows of each flow a mask holds."""
        return np.bincount(self.columns.owner[np.flatnonzero(mask)], minlength=len(self))

    def largest(self, column: Column, mask: Mask) -> Column:
        """Return the largest of a SEEN column among the rows of each flow that a mask holds for; -1 where none is."""
        found = np.full(len(self), -1, dtype=np.int64)
        np.maximum.at(found, self.columns.owner[mask], column[mask])
        return found

    def last_of(self, mask: Mask) -> Column:
        """Return the last row of each flow that a mask of rows holds for, among all flows' rows; -1 where none is."""
        at = np.flatnonzero(mask)
        found = np.full(len(self), -1, dtype=np.int64)
        found[self.columns.owner[at]] = at  # of several rows of one flow the last comes last, and stays
        return found

    def first_of(self, mask: Mask) -> Column:
        """Return the first such row; -1 where none is."""
        backwards = np.flatnonzero(mask)[::-1]
        found = np.full(len(self), -1, dtype=np.int64)
        found[self.columns.owner[backwards]] = backwards  # of several rows of one flow the first comes last, and stays
        return found

    def value_at(self, at: Column, name: str, absent: int = -1) -> Column:
        """Return a SEEN column at a row of each flow, counted among all flows' rows; ``absent`` where that is -1."""
        seen = self.seen(name)
        return np.where(at >= 0, seen[at], absent) if len(seen) else np.full(len(at), absent)

    def at_row(self, row: Column, name: str, absent: int = -1) -> Column:
        """Return the same at a row counted within its flow, as ENDING and RUN have them."""
        return self.value_at(np.where(row >= 0, self.columns.start + row, -1), name, absent)

    @property
    def window_moves(self) -> Mask:
        """Which rows close or open their sender's receive window."""
        return self.columns.window_moves

    @cached_property
    def pairs(self) -> tuple[Column, Column]:
        """Each two probes of this endpoint that follow each other in a flow: the earlier rows, and the later ones."""
        at = np.flatnonzero(self.probing)
        early, late = at[:-1], at[1:]
        same = self.columns.owner[early] == self.columns.owner[late]
        return early[same], late[same]

    @cached_property
    def answered_gaps(self) -> Mask:
        """Which rows end a spacing of this endpoint's probes within a train, the earlier of them answered by an ACK."""
        early, late = self.pairs
        one_train = self.seen("train")[early] == self.seen("train")[late]
        told = one_train & (self.seen("answer")[early] == Answer.ACK) & (self.seen("gap_ns")[late] >= 0)
        found = np.zeros(len(self.columns.owner), dtype=np.bool_)
        found[late[told]] = True
        return found
