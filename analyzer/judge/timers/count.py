"""After how many unanswered probes a prober gave up.

The number is seen, but it is *not* the option TCP_KEEPCNT wherever TCP_USER_TIMEOUT may be set: Linux then ignores the
count (field guide 2.4), any number of probes is explained by some timeout, and no segment shows that option. So
``Count.value`` stays None, with two exceptions: on XNU, which has no such option; and where the number is the default,
which a user timeout could only imitate by chance and which is in force with one as without.

It must not know how long any timer is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.judge.timers.lateness import XNU, late
from analyzer.judge.timers.measuring import last_run
from analyzer.loops.loop import loop
from analyzer.segment import NONE
from analyzer.tolerances import JITTER_NS
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows


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


@loop
def tell_count(
    prober: Record,
    heard: Rows,
    count: int,
    stack: int,
    near: bool,
    defaults: Numbers,
    frames: Numbers,
    used: int,
    told: Record,
) -> int:
    """Tell after how many unanswered probes the prober gave up; the head of the file says when that is the count.

    ``defaults`` are the counts of stacks, by number. Returns where the frames end.
    """
    told["gave_up_after"] = 0
    run = last_run(heard, count)
    if prober["reset_frame"] == NONE or run == count:
        return used
    seen = count - run
    most_ns = prober["reset_ns"] - heard[count - 1]["ts_ns"]
    least_ns = most_ns
    end = used
    for at in range(run, count):
        frames[end] = heard[at]["frame"]
        end += 1
        if at > run:
            step_ns = heard[at]["ts_ns"] - heard[at - 1]["ts_ns"]
            most_ns = max(most_ns, step_ns)
            least_ns = min(least_ns, step_ns)
    frames[end] = prober["reset_frame"]
    # In mid-stream a run that no answer precedes may have begun before the capture.
    from_start = count > seen or prober["handshake"] != 0
    whole = from_start and most_ns <= least_ns + late(least_ns, stack) + JITTER_NS
    alone = whole and stack == XNU and near
    told["count"] = seen if alone or (whole and seen == defaults[stack]) else NONE
    told["count_low"] = seen if alone else 1
    told["count_high"] = seen if alone else NONE
    told["count_is_whole"] = 1 if whole else 0
    told["gave_up_after"] = seen
    told["count_first"] = used
    told["count_stop"] = end + 1
    return end + 1
