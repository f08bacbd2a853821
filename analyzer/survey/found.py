"""In how many flows each finding is, without a record of every flow.

The columns (``findings.columns``) know of most findings just which flows have them. Of the others they know which may:
these are judged one by one until the finding was made in ENOUGH flows; from then on it is only counted how many more
may have it. So a finding that few flows have is never missed, and the cost is bounded by how many kinds there are,
not by how many flows.

It must not hold a rule, or a word for the user.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import findings
from analyzer.findings import CODES
from analyzer.findings.columns import EXACT, Columns, suspects
from analyzer.judge import recording, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch

ENOUGH: Final = 100
"""So many flows show that a finding is no exception; the next is not judged for its sake."""
NAMED: Final = 40
"""So many flows of a finding are remembered by number."""


@dataclass(slots=True)
class Found:
    """One finding over all flows."""

    flows: int = 0
    """How many flows have it, of those looked at."""
    looked_at: int = 0
    may_have: int = 0
    """How many flows may have it; more than were looked at only once ENOUGH have it."""
    first: list[tuple[int, int]] = field(default_factory=list)
    """Capture and number of the first flows that have it."""

    @property
    def is_whole(self) -> bool:
        """Whether every flow that may have it was looked at."""
        return self.looked_at == self.may_have

    def take(self, flow: tuple[int, int]) -> None:
        """Count a flow that has it."""
        self.flows += 1
        if len(self.first) < NAMED:
            self.first.append(flow)


class Findings:
    """What was found in the flows of some captures, by code."""

    def __init__(self) -> None:
        """Start with nothing found."""
        self._found = {code: Found() for code in CODES}

    @classmethod
    def of_each(cls, flows: Iterable[tuple[tuple[int, int], Iterable[str]]]) -> Findings:
        """Return what was found in flows that were all judged: capture and number, and codes, of each."""
        whole = cls()
        for flow, codes in flows:
            for code in dict.fromkeys(codes):
                found = whole._found[code]
                found.looked_at += 1
                found.may_have += 1
                found.take(flow)
        return whole

    def by_code(self) -> dict[str, Found]:
        """Return the findings that were made, in the order of the table."""
        return {code: found for code, found in self._found.items() if found.flows}

    def add(self, capture: int, batch: FlowBatch, winners: NDArray[np.int8], picked: NDArray[np.int64]) -> None:
        """Take the flows of a batch at these indices; ``winners`` are the rows of VERDICTS of all its flows."""
        if not len(picked):
            return
        numbers = batch.flow["number"][picked]
        codes: dict[int, set[str]] = {}
        for code, mask in suspects(Columns(batch, winners, picked)).items():
            found, rows = self._found[code], np.flatnonzero(mask)
            found.may_have += len(rows)
            if code in EXACT:
                found.looked_at += len(rows)
                found.flows += len(rows)
                found.first += [(capture, int(number)) for number in numbers[rows[: NAMED - len(found.first)]]]
                continue
            for at in rows.tolist():
                if found.flows >= ENOUGH:
                    break
                if at not in codes:
                    codes[at] = _codes(batch, winners, int(picked[at]))
                found.looked_at += 1
                if code in codes[at]:
                    found.take((capture, int(numbers[at])))

    def merge(self, other: Findings, at: int) -> None:
        """Add what was found in other captures, which come behind ours: the first of theirs is number ``at``."""
        for code, theirs in other._found.items():
            ours = self._found[code]
            ours.flows += theirs.flows
            ours.looked_at += theirs.looked_at
            ours.may_have += theirs.may_have
            ours.first += [(at + capture, number) for capture, number in theirs.first][: NAMED - len(ours.first)]


def _codes(batch: FlowBatch, winners: NDArray[np.int8], at: int) -> set[str]:
    """Judge one flow; return the codes of what is found."""
    ending = verdict.ending_of(batch, at, int(winners[at]))
    return {finding.code for finding in findings.judge(recording.build(batch, at), ending).findings}
