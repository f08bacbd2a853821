"""A flow at one point, told with the names and from the zero of the connection that several points saw.

It must not decide what of it is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer import units
from analyzer.explain.points import letter
from analyzer.words.teller import Teller

if TYPE_CHECKING:
    from analyzer.explain.crossings import JointTeller
    from analyzer.judge.judged import JudgedFlow
    from analyzer.track.flow import Side
    from analyzer.vantage.joint import Part


class PartTeller(Teller):
    """What tells a flow of one point within the joint story."""

    def __init__(self, t: JointTeller, part: Part, judged: JudgedFlow | None = None) -> None:
        """Take a part, and what of its flow is to be told: all, unless ``judged`` has less."""
        super().__init__(judged or part.judged, _zero_at(t, part))
        self._joint, self._part = t, part

    def the(self, side: Side) -> str:
        """Return what the end is called in the joint story."""
        return self._joint.name(self._part.side(side))

    def name(self, side: Side) -> str:
        """Return the same without its article."""
        return self.the(side).removeprefix("the ")

    @property
    def its_end(self) -> str:
        """What ended what this point shows of the flow."""
        if self.record.reused_ns is None and not self._joint.one_host():
            return f"the capture of {letter(self._part.point)} ended"
        return super().its_end


def _zero_at(t: JointTeller, part: Part) -> int:
    """Return the zero of the joint story by the clock of a point, as that stood at the flow's end."""
    clock, ts_ns = t.points[part.point].clock, part.judged.record.last_ns
    if clock is None:
        return t.start_ns
    ahead_ns = ts_ns - int(clock.reference_ns(np.array([ts_ns], dtype=np.int64))[0])
    zero_ns = int(t.start_ns) + ahead_ns
    return units.Zero(zero_ns, t.start_ns.clock) if isinstance(t.start_ns, units.Zero) else zero_ns
