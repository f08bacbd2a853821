"""What one endpoint's probes tell of its socket options: idle, interval, period and count, joined.

Each is inferred in a module of its own; here is only the order in which they need each other, and which software sets
such values. It must not claim more than the trains show: a wrong claim is worse than none. It must not know how
anything is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.judge.record import other
from analyzer.judge.signatures import Span, Stack, families
from analyzer.judge.timers.count import count_of
from analyzer.judge.timers.gaps import as_heard, fitted, give_up, measure, passed_no_router
from analyzer.judge.timers.idle import idle_of
from analyzer.judge.timers.interval import interval_of, interval_of_period, period_of
from analyzer.judge.timers.stack import stack_of

if TYPE_CHECKING:
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.timers.count import Count
    from analyzer.judge.timers.timer import Timer
    from analyzer.judge.verdict import Ending
    from analyzer.track.flow import Side


@dataclass(frozen=True, slots=True)
class Settings:
    """What one endpoint's probes tell of its socket options."""

    idle: Timer | None
    interval: Timer | None
    period: Timer | None
    """Spacing of answered probes: max(idle, interval) on Linux, idle elsewhere."""
    count: Count | None
    stack: str | None
    """Value of a ``signatures.Stack`` by the probes' form and rhythm, or None."""
    families: tuple[str, ...]
    """Names of rows of ``signatures`` that fit; families, never facts."""


def infer(record: FlowRecord, ending: Ending, side: Side) -> Settings | None:
    """Return what the probes of one endpoint show, or None if it sent none."""
    sent = record.probes_from(side)
    if not sent:
        return None
    reset = give_up(record, ending, side)
    probes = as_heard([probe for probe in sent if probe.certainty != "suspected"], reset)
    gaps = measure(record, side, probes, reset)
    near = passed_no_router(record, side)
    stack = stack_of(record, side, sent, gaps, near=near)
    octets = any(probe.payload_len for probe in record.probes_from(other(side)))
    gaps = fitted(gaps, stack, undisturbed=stack is Stack.LINUX and not octets)
    interval = interval_of(gaps, stack, near=near)
    period = period_of(gaps, interval, stack, near=near)
    idle = idle_of(gaps, interval, period, stack, near=near)
    if interval is None and period is not None:
        interval = interval_of_period(gaps, period, stack)
    count = count_of(record, probes, reset, stack, side)
    return Settings(
        idle=idle,
        interval=interval,
        period=period,
        count=count,
        stack=stack.value if stack else None,
        families=families(_span(idle), _span(interval), _span(period), count.allowed if count else None, stack),
    )


def _span(timer: Timer | None) -> Span | None:
    if timer is None:
        return None
    exact = timer.value_ns
    return Span(timer.low_ns, timer.high_ns) if exact is None else Span(exact, exact)
