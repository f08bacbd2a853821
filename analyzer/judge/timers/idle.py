"""Idle time (TCP_KEEPIDLE): from the last segment of the peer that was not keepalive to the first probe of a train.

Alone such a gap is an upper bound (an option set late makes it longer). It becomes a value where a second train, or
the spacing of answered probes, agrees, or where it is a number people choose.

It must not measure: what the gaps are is known before.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from analyzer.judge.signatures import Stack
from analyzer.judge.timers.gaps import agree, clearly_longer, match, shortest
from analyzer.judge.timers.interval import is_shorter
from analyzer.judge.timers.lateness import late
from analyzer.judge.timers.timer import bounds, estimate
from analyzer.tolerances import OPTION_LEAST_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.timers.gaps import Gap, Gaps
    from analyzer.judge.timers.timer import Timer


def idle_of(
    gaps: Gaps, interval: Timer | None, period: Timer | None, stack: Stack | None, *, near: bool
) -> Timer | None:
    """Return the idle time."""
    if is_shorter(interval, period):
        return period
    if not gaps.starts:
        return _idle_of_period(period, stack, near=near)
    first = shortest(gaps.starts)
    short = shortest(gaps.answered) if gaps.answered else None
    free = _free(gaps, interval, short)
    lead = shortest(free) if free else first
    same = [gap for gap in free if agree(lead, gap)]
    most = bounds(same or [first], OPTION_LEAST_NS, first.high_ns)
    if not free or clearly_longer(lead, first):
        return most
    if short is not None and match(lead, short):
        return estimate([*same, *(gap for gap in gaps.answered if agree(short, gap))], stack)
    if short is not None and clearly_longer(lead, short):
        return bounds(same, OPTION_LEAST_NS, min(most.high_ns, period.high_ns)) if near and period is not None else most
    if len(same) > 1:
        return estimate(same, stack)
    claim = estimate(same, stack, whole=False)
    certain = first.high_ns < 2 * OPTION_LEAST_NS
    return claim._replace(low_ns=most.low_ns) if near or certain else most


def _free(gaps: Gaps, interval: Timer | None, short: Gap | None) -> list[Gap]:
    """Return the first gaps of trains that no interval of an earlier probe can have held back, as Linux does.

    The interval is at most the spacing of answered probes. Where neither is known, first gaps that agree although
    the probes before them were differently long ago were not held back, or not all.
    """
    known = interval is not None and interval.value_ns is not None
    longest_ns = interval.high_ns if interval is not None and known else short.high_ns if short is not None else None
    unlike = _held_back_unlike(gaps.starts)
    return [
        gap
        for at, gap in enumerate(gaps.starts)
        if gap.since_ns is None
        or (longest_ns is not None and gap.since_ns > longest_ns + late(longest_ns, None))
        or at in unlike
    ]


def _held_back_unlike(starts: Sequence[Gap]) -> set[int]:
    """Return which of some gaps agree with one before which the last probe was clearly longer or shorter ago.

    By length, those that a gap agrees with are next to each other; of these the earliest and the latest probe matter.
    """
    known = sorted((at for at, gap in enumerate(starts) if gap.since_ns is not None), key=lambda at: starts[at].ns)
    found: set[int] = set()
    if len(known) < 2:
        return found
    jitter_ns = max((gap.jitter_ns for gap in starts), default=0)
    longer: deque[tuple[int, int]] = deque()  # (place, since_ns), falling
    shorter: deque[tuple[int, int]] = deque()  # the same, rising
    stop = 0
    for at in known:
        gap = starts[at]
        since_ns, room_ns = gap.since_ns or 0, late(gap.since_ns or 0, None)
        while stop < len(known) and starts[known[stop]].ns <= gap.ns + late(gap.ns, None) + jitter_ns:
            other = starts[known[stop]]
            least_ns, most_ns = (other.since_ns or 0) - other.slack_ns, (other.since_ns or 0) + other.slack_ns
            while longer and longer[-1][1] <= least_ns:
                longer.pop()
            while shorter and shorter[-1][1] >= most_ns:
                shorter.pop()
            longer.append((stop, least_ns))
            shorter.append((stop, most_ns))
            stop += 1
        for ends in (longer, shorter):
            while gap.ns > (least := starts[known[ends[0][0]]].ns) + late(least, None) + jitter_ns:
                ends.popleft()
        if longer[0][1] > since_ns + room_ns or shorter[0][1] < since_ns - room_ns:
            found.add(at)
    return found


def _idle_of_period(period: Timer | None, stack: Stack | None, *, near: bool) -> Timer | None:
    """Return what the spacing of answered probes tells of idle: the same, unless on Linux the interval is longer."""
    if period is None or period.value_ns is None:
        return None
    if stack in {Stack.XNU, Stack.ONE_OCTET, Stack.ILLUMOS}:
        return period
    return period._replace(value_ns=None, low_ns=OPTION_LEAST_NS) if near else None
