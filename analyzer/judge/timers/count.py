"""After how many unanswered probes a prober gave up.

The number is seen, but it is *not* the option TCP_KEEPCNT wherever TCP_USER_TIMEOUT may be set: Linux then ignores the
count (field guide 2.4), any number of probes is explained by some timeout, and no segment shows that option. So
``Count.value`` stays None, with two exceptions: on XNU, which has no such option; and where the number is the default,
which a user timeout could only imitate by chance and which is in force with one as without.

It must not know how long any timer is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from analyzer.judge.signatures import Stack, default_count
from analyzer.judge.timers.gaps import last_run, passed_no_router
from analyzer.judge.timers.lateness import late
from analyzer.tolerances import JITTER_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.events import Reset
    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side


@dataclass(frozen=True, slots=True)
class Count:
    """After how many unanswered probes a prober gave up; evidence of TCP_KEEPCNT, not proof (TCP_USER_TIMEOUT)."""

    value: int | None
    low: int
    high: int | None
    observations: int
    frames: tuple[int, ...]
    """The unanswered probes and the RST."""
    gave_up_after: int
    """How many probes went unanswered before the prober's RST."""
    is_whole: bool = False
    """Whether these are all of them: the run was seen from its start, and is even."""

    @property
    def allowed(self) -> int | None:
        """How many unanswered probes were enough, by count or by user timeout; None if some may be unseen."""
        return self.gave_up_after if self.is_whole else self.value


def count_of(
    record: FlowRecord, probes: Sequence[Probe], reset: Reset | None, stack: Stack | None, side: Side
) -> Count | None:
    """Return after how many unanswered probes the prober gave up; the head of the file says when that is the count."""
    run = last_run(probes)
    if reset is None or not run:
        return None
    seen = len(run)
    # In mid-stream a run that no answer precedes may have begun before the capture.
    from_start = len(probes) > seen or record.starts_with == "handshake"
    steps = [after.ts_ns - before.ts_ns for before, after in pairwise(run)]
    steps.append(reset.ts_ns - run[-1].ts_ns)
    even = max(steps) <= min(steps) + late(min(steps), stack) + JITTER_NS
    whole = from_start and even
    frames = (*(probe.frame for probe in run), reset.frame)
    if whole and stack is Stack.XNU and passed_no_router(record, side):
        return Count(seen, seen, seen, 1, frames, seen, whole)
    default = whole and seen == default_count(stack)
    return Count(seen if default else None, 1, None, 1, frames, seen, whole)
