"""Notes whether a flow has what ``--fail-on`` names, while flows pass by on their way to a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import causes
from analyzer.cli.options import check_words
from analyzer.findings import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.analysis import Flow
    from analyzer.together import FlowsTogether

CONDITION_MET: Final = 1
"""The exit status then."""


class FailOn:
    """Whether a flow had one of some verdicts, findings or causes."""

    def __init__(self, words: list[str]) -> None:
        """Check the words first.

        Raises:
            UsageError: one is neither a verdict, a finding nor a cause.
        """
        check_words(words)
        self.words = frozenset(words)
        self.met = False

    @property
    def asks_for_findings(self) -> bool:
        """Say whether every flow has to be looked at to tell."""
        return not self.words.isdisjoint(CODES) or self.asks_for_causes

    @property
    def asks_for_causes(self) -> bool:
        """Say whether every flow has to be judged to tell."""
        return not self.words.isdisjoint(causes.CODES)

    @property
    def status(self) -> int:
        """Return the exit status."""
        return CONDITION_MET if self.met else 0

    def look_at(self, flow: Flow) -> None:
        """Take a flow into account."""
        if self.words and not self.met:
            self.met = (
                flow.verdict in self.words
                or (self.asks_for_findings and not self.words.isdisjoint(flow.codes))
                or (self.asks_for_causes and not self.words.isdisjoint(flow.causes[:1]))
            )

    def look_at_all(self, flows: FlowsTogether) -> None:
        """Take some flows into account."""
        if self.words and not self.met:
            met = not self.words.isdisjoint(flows.verdicts)
            self.met = met or (self.asks_for_findings and not self.words.isdisjoint(flows.hits.by_code()))

    def all_of(self, flows: Iterable[Flow]) -> Iterator[Flow]:
        """Let flows pass."""
        for flow in flows:
            self.look_at(flow)
            yield flow

    def look_at_each(self, flows: Iterable[Flow]) -> None:
        """Take flows into account until the condition is met."""
        for flow in flows:
            self.look_at(flow)
            if self.met:
                return

    def count(self, verdicts: dict[str, int]) -> None:
        """Take verdicts into account that were only counted."""
        self.met = self.met or not self.words.isdisjoint(verdicts)
