"""THE THIRD TABLE: what an engineer should know about a flow, each with its evidence.

(contract; body by its owner) A finding is a stable code, the endpoint it is about, the frames that show it and the numbers its words need. It must not hold a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer import timers

if TYPE_CHECKING:
    from analyzer.flow import Side
    from analyzer.record import FlowRecord
    from analyzer.timers import Settings
    from analyzer.verdict import Ending


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth knowing about a flow."""

    code: str
    about: Side | None
    frames: tuple[int, ...]
    data: dict[str, int | str] = field(default_factory=dict)
    """What the words need: counts, ``*_ns``, names; JSON-ready but for the unit of time."""


@dataclass(frozen=True, slots=True)
class JudgedFlow:
    """A flow with everything that was concluded about it; what words, reports and pictures take."""

    record: FlowRecord
    ending: Ending
    settings_a: Settings | None
    settings_b: Settings | None
    findings: tuple[Finding, ...]

    def settings(self, side: Side) -> Settings | None:
        """Return what is inferred of one endpoint's socket options."""
        return self.settings_a if side == "a" else self.settings_b


def judge(record: FlowRecord, ending: Ending) -> JudgedFlow:
    """Return the flow with settings inferred and findings made."""
    return JudgedFlow(record, ending, timers.infer(record, ending, "a"), timers.infer(record, ending, "b"), ())
