"""Captures with packets before and behind a router, a NAT host or a bridge: what both sides show of a flow.

Such a capture is joined with itself when somebody asks. It must not hold a sentence, or decide what became of a packet.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from analyzer.errors import AnalyzerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.joining import Joining
    from analyzer.judge.judged import JudgedFlow
    from analyzer.survey.overview import CaptureSummary
    from analyzer.vantage.joint import JointFlow, Point

MOST_SEGMENTS: Final = 200_000
"""A longer capture is joined with itself by nobody who did not ask for that: it takes memory for each packet."""
PART: Final = 0.1
"""If fewer of a flow's packets were captured twice, it was not captured on both sides of something."""


class Shown(Protocol):
    """A flow of one of the captures."""

    @property
    def capture(self) -> int:
        """Which."""
        ...

    @property
    def judged(self) -> JudgedFlow:
        """The flow with everything that was concluded about it."""
        ...


class BothSides:
    """The connections of captures that have them before and behind something."""

    def __init__(self, captures: Sequence[CaptureSummary]) -> None:
        """Take what is known of the captures; nothing is read yet."""
        self._captures = captures
        self._joined: dict[int, tuple[Joining, dict[int, int]] | None] = {}

    def of(self, flow: Shown) -> tuple[JointFlow, Sequence[Point]] | None:
        """Return the connection that a flow is the first side of, and its points; None if there is one side only."""
        record, capture = flow.judged.record, flow.capture
        if record.translation is None and record.copies < PART * (record.facts_a.segments + record.facts_b.segments):
            return None
        if capture not in self._joined:
            joining = _joined(self._captures[capture])
            self._joined[capture] = None if joining is None else (joining, joining.by_first_flow())
        found = self._joined[capture]
        if found is None or record.number not in found[1]:
            return None
        return found[0].flows[found[1][record.number]], found[0].points


def _joined(capture: CaptureSummary) -> Joining | None:
    """Join a capture with itself; None if it is no file, is long, or has one side only."""
    paths = [Path(path) for path in capture.paths]
    if len(paths) != 1 or not paths[0].is_file() or capture.tcp_segments > MOST_SEGMENTS:
        return None
    from analyzer.joining import join  # hardly any capture needs it, and every report asks

    try:
        return join(paths[0])
    except AnalyzerError:
        return None
