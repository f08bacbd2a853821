"""In how many flows each finding is, and the first of them by number.

It must not hold a rule, or a word for the user.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from analyzer import findings
from analyzer.values import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analyzer.findings import Hits

NAMED: Final = 40
"""This many flows of a finding are remembered by number."""


@dataclass(slots=True)
class Found:
    """One finding over all flows."""

    flows: int = 0
    """How many flows have it."""
    first: list[tuple[int, int]] = field(default_factory=list)
    """Capture and number of the first flows that have it."""


class Findings:
    """What was found in the flows of some captures, by code."""

    def __init__(self) -> None:
        """Start with nothing found."""
        self._found: dict[str, Found] = {}

    def by_code(self) -> dict[str, Found]:
        """Return the findings that were made, in the order of the table."""
        found = self._found
        return {code: found[code] for code in findings.CODES if code in found and found[code].flows}

    def add(self, capture: int, numbers: NDArray[np.int64], hits: Hits) -> None:
        """Take what some flows of a capture have; ``numbers`` are theirs."""
        for code, rows in hits.by_code().items():
            found = self._found.setdefault(code, Found())
            found.flows += len(rows)
            found.first += [(capture, int(number)) for number in numbers[rows[: NAMED - len(found.first)]]]

    def change(self, capture: int, number: int, before: Hits, after: Hits) -> None:
        """Take what a flow has now instead of what it had before."""
        had, has = before.by_code().keys(), after.by_code().keys()
        for code in had - has:
            found = self._found[code]
            found.flows -= 1
            found.first = [each for each in found.first if each != (capture, number)]
        for code in has - had:
            found = self._found.setdefault(code, Found())
            found.flows += 1
            if len(found.first) < NAMED:
                found.first.append((capture, number))

    def merge(self, other: Findings, at: int) -> None:
        """Add what was found in other captures, which come behind ours: the first of theirs is number ``at``."""
        for code, theirs in other._found.items():
            ours = self._found.setdefault(code, Found())
            ours.flows += theirs.flows
            ours.first += [(at + capture, number) for capture, number in theirs.first][: NAMED - len(ours.first)]
