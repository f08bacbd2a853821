"""Interval (TCP_KEEPINTVL) and period, the spacing of answered probes.

* period: from an answered probe to the next. On Linux this is max(idle, interval) and may not be split; elsewhere it
  is idle. Captured away from the prober, an answer may have been lost behind the observer: then the gap shows the
  interval, and only bounds are left.
* interval: from an unanswered probe to the next, or to the prober's RST. An answered train shows it only where the
  first gap is clearly shorter: max(idle, interval) is not idle, so it is the interval; and where interval is shorter
  than period, period is idle.

It must not know where a train began: that is ``idle``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.judge.signatures import Stack
from analyzer.judge.timers.gaps import agree, backs_off, clearly_longer, match, shortest
from analyzer.judge.timers.timer import bounds, estimate
from analyzer.tolerances import OPTION_LEAST_NS

if TYPE_CHECKING:
    from analyzer.judge.timers.gaps import Gaps
    from analyzer.judge.timers.timer import Timer


def interval_of(gaps: Gaps, stack: Stack | None, *, near: bool) -> Timer | None:
    """Return the interval that unanswered probes show.

    An answer that the capture dropped would show the period instead: so the gaps must be shorter than those after
    answered probes, or belong to a run that nothing ended, or there is nothing to mistake them for. Away from the
    prober a single gap may span a lost probe. Where each is twice as long as the one before there is no interval.
    """
    if not gaps.unanswered or backs_off(gaps.unanswered):
        return None
    lead = shortest(gaps.unanswered)
    same = [gap for gap in gaps.unanswered if agree(lead, gap)]
    trailing = any(gap.frames[1] in gaps.trailing for gap in same)
    if gaps.answered and not trailing and not clearly_longer(shortest(gaps.answered), lead):
        return None
    if len(same) > 1 or (near and (trailing or gaps.answered)):
        return estimate(same, stack)
    return bounds(same, OPTION_LEAST_NS, lead.high_ns)


def period_of(gaps: Gaps, interval: Timer | None, stack: Stack | None, *, near: bool) -> Timer | None:
    """Return the spacing of answered probes.

    Two things can deceive away from the prober: a probe lost on its way to the observer makes a gap too long, an
    answer lost behind the observer makes it an interval. A first gap no longer than the shortest refutes the second:
    were idle the longer, no train could start so soon. Otherwise only bounds are left, the upper one sound in any
    case: each gap holds an interval, each first gap idle.
    """
    if not gaps.answered:
        return None
    short = shortest(gaps.answered)
    same = [gap for gap in gaps.answered if agree(short, gap)]
    claim = estimate(same, stack)
    unproven = claim._replace(value_ns=None, low_ns=min(claim.low_ns, OPTION_LEAST_NS))
    even = len(same) == len(gaps.answered)
    first = shortest(gaps.starts) if gaps.starts else None
    if first is None:
        high_ns = max(gap.high_ns for gap in gaps.answered)
        return claim if even and (near or len(same) > 1) else unproven._replace(high_ns=high_ns)
    if match(first, short):
        return claim
    if first.ns > short.ns:
        return claim if near and even else unproven._replace(high_ns=max(claim.high_ns, first.high_ns))
    # The interval is the longer: a second gap, or the unanswered probes, must say so too.
    if interval is None or interval.value_ns is None:
        return claim if len(same) > 1 else unproven
    return claim if interval.low_ns <= claim.high_ns and claim.low_ns <= interval.high_ns else unproven


def interval_of_period(gaps: Gaps, period: Timer, stack: Stack | None) -> Timer | None:
    """Return what answered probes tell of a Linux interval: the period where idle is shorter, else at most that."""
    if stack is not Stack.LINUX or period.value_ns is None:
        return None
    if gaps.starts and clearly_longer(shortest(gaps.answered), shortest(gaps.starts)):
        return period
    return period._replace(value_ns=None, low_ns=OPTION_LEAST_NS)


def is_shorter(interval: Timer | None, period: Timer | None) -> bool:
    """Say whether an interval is shorter than a period, both known."""
    if interval is None or period is None or interval.value_ns is None or period.value_ns is None:
        return False
    return interval.value_ns < period.value_ns
