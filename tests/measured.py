"""What lies between the probes of hand-made trains, measured."""

import pytest

from analyzer.judge.timers import gaps, measuring, probers
from analyzer.judge.timers.gaps import ANSWERED, GAP, KINDS, PARTS, SPARE, SPARES, STARTS, UNANSWERED
from analyzer.judge.timers.measuring import SENT
from analyzer.loops.loop import records
from tests.trains import S


class Measured:
    """What was measured of a prober."""

    def __init__(self, flow, ending, side="b"):
        known = probers.of_record(flow, ending, side)
        self.room = 1 + len(known.sent)
        self.heard = records(SENT, self.room, jit=False)
        self.gaps = records(GAP, SPARE * self.room + SPARES, jit=False)
        self.counts = [0] * (PARTS + KINDS)
        (prober,) = known.probers
        self.count = measuring.hear(prober, known.sent, self.heard)
        parts = (known.stirs, known.doubts, known.holes)
        measuring.measure(prober, self.heard, self.count, *parts, self.gaps, self.room, self.counts)
        measuring.leave_out(self.gaps, self.room, self.counts, prober["backwards"], [0] * 4 * self.room)

    def fitted(self, stack, *, undisturbed):
        """The same, as a stack makes the gaps."""
        gaps.fit(self.gaps, self.room, self.counts, stack, undisturbed)
        return self

    def _of(self, kind):
        return [dict(row) for row in self.gaps[kind * self.room :][: self.counts[kind]]]

    @property
    def starts(self):
        """First gaps."""
        return self._of(STARTS)

    @property
    def answered(self):
        """Gaps behind answered probes."""
        return self._of(ANSWERED)

    @property
    def unanswered(self):
        """Gaps behind unanswered probes."""
        return self._of(UNANSWERED)

    @property
    def answers(self):
        """What answered the probes, as far as the prober heard it."""
        return [probe["answer"] for probe in self.heard[: self.count]]


def measured(story, side="b"):
    """What was measured of the prober of a hand-made story."""
    return Measured(*story.flow(), side)


def lengths(found):
    """The lengths of gaps in seconds."""
    return [pytest.approx(each["ns"] / S, abs=0.001) for each in found]
