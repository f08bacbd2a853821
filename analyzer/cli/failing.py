"""Notes whether a flow has what ``--fail-on`` names, and which, while flows pass by on their way to a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import causes, findings
from analyzer.cli.manner import complain
from analyzer.cli.options import check_words
from analyzer.distinct import distinct
from analyzer.judge.verdict import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.analysis import Analysis
    from analyzer.kept_flows import Flow
    from analyzer.survey.overview import CaptureSummary
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
        self._word = ""
        """Which of the words was met first."""
        self._flow: tuple[int, str] | None = None
        """The flow that met it: its capture, and how it is called."""

    @property
    def asks_for_findings(self) -> bool:
        """Say whether every flow has to be looked at to tell."""
        return bool(self.words) and (not self.words.isdisjoint(findings.CODES) or self.asks_for_causes)

    @property
    def asks_for_causes(self) -> bool:
        """Say whether every flow has to be judged to tell."""
        return bool(self.words) and not self.words.isdisjoint(causes.CODES)

    @property
    def status(self) -> int:
        """Return the exit status."""
        return CONDITION_MET if self.met else 0

    def say(self, captures: Sequence[CaptureSummary]) -> None:
        """Say on standard error which condition was met, and by which flow; nothing if none was."""
        if not self.met:
            return
        if self._flow is None:
            complain(f"--fail-on: a flow is {self._word}")
            return
        capture, flow = self._flow
        where = f" of {captures[capture].name}" if len(captures) > 1 else ""
        verdicts = {rule.verdict.value for rule in VERDICTS}
        complain(f"--fail-on: {flow}{where} {'is' if self._word in verdicts else 'has'} {self._word}")

    def look_at(self, flow: Flow) -> None:
        """Take a flow into account."""
        if not self.words or self.met:
            return
        for word in self._words_of(flow):
            if word in self.words:
                self._note(word, flow)
                return

    def _words_of(self, flow: Flow) -> Iterator[str]:
        """Yield what may be named of a flow: the cheap first."""
        yield flow.verdict
        if self.asks_for_findings:
            yield from flow.codes
        if self.asks_for_causes:
            yield from flow.causes[:1]

    def look_at_all(self, flows: FlowsTogether) -> None:
        """Take some flows into account."""
        if not self.words or self.met:
            return
        for rule in distinct(flows.winners).tolist():
            if VERDICTS[rule].verdict.value in self.words:
                self._note_at(VERDICTS[rule].verdict.value, flows, int(np.flatnonzero(flows.winners == rule)[0]))
                return
        if self.asks_for_findings:
            for code, those in flows.hits.by_code().items():
                if code in self.words:
                    self._note_at(code, flows, int(those[0]))
                    return
        if self.asks_for_causes:
            for place, judged in flows.told.items():
                if (code := next((cause.code for cause in judged.causes), "")) in self.words:
                    self._note_at(code, flows, place)
                    return

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

    def count(self, result: Analysis) -> None:
        """Take the verdicts of an analysis into account, also of flows that were not kept."""
        for word, (capture, name) in result.first_of.items():
            if not self.met and word in self.words:
                self.met, self._word, self._flow = True, word, (capture, name)

    def _note(self, word: str, flow: Flow) -> None:
        self.met, self._word = True, word
        self._flow = (flow.capture, f"flow {flow.number} ({flow.a} and {flow.b})")

    def _note_at(self, word: str, flows: FlowsTogether, place: int) -> None:
        record = next(iter(flows.judged(np.array([place])))).record
        self.met, self._word = True, word
        self._flow = (flows.capture, f"flow {record.number} ({record.a} and {record.b})")
