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
from analyzer.judge.timers.changes import changes, epochs, hull
from analyzer.judge.timers.count import count_of
from analyzer.judge.timers.gaps import as_heard, fitted, give_up, measure, passed_no_router, went_on
from analyzer.judge.timers.idle import idle_of
from analyzer.judge.timers.interval import interval_of, interval_of_period, period_of
from analyzer.judge.timers.stack import stack_of
from analyzer.tolerances import OPTION_LEAST_NS

if TYPE_CHECKING:
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.timers.changes import Change
    from analyzer.judge.timers.count import Count
    from analyzer.judge.timers.gaps import Gaps
    from analyzer.judge.timers.timer import Timer
    from analyzer.judge.verdict import Ending
    from analyzer.track.flow import Side

    Timers = tuple[Timer | None, Timer | None, Timer | None]


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
    changes: tuple[Change, ...]
    """Timers that were set anew in mid-flow; the claims above then hold what was in force before and after."""
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
    undisturbed = stack is Stack.LINUX or (near and went_on(gaps))
    gaps = fitted(gaps, stack, undisturbed=undisturbed and not octets)
    timers, changed = _timers_of(gaps, stack, near=near)
    interval, period, idle = timers
    count = count_of(record, probes, reset, stack, side)
    return Settings(
        idle=idle,
        interval=interval,
        period=period,
        count=count,
        # elsewhere than next to the prober lost probes and answers make rhythms too
        changes=changed if near else (),
        stack=stack.value if stack else None,
        families=families(_span(idle), _span(interval), _span(period), count.allowed if count else None, stack),
    )


def _timers_of(gaps: Gaps, stack: Stack | None, *, near: bool) -> tuple[Timers, tuple[Change, ...]]:
    """Return what gaps show of interval, period and idle time, over all epochs, and where one was set anew."""
    parts = epochs(gaps)
    each = [_timers(part, stack, near=near) for part, _ in parts]
    ends = [frame for _, frame in parts[:-1]]
    changed = tuple(
        change
        for name, timers in zip(("interval", "period", "idle"), zip(*each, strict=True), strict=True)
        for change in changes(name, timers, ends)
    )
    if len(parts) == 1:
        return each[0], ()
    intervals, periods, idles = zip(*each, strict=True)
    if near:
        # no answered probe comes sooner than idle
        idles = tuple(idle or _at_most(period) for idle, period in zip(idles, periods, strict=True))
    return (hull(intervals), hull(periods), hull(idles)), changed


def _at_most(timer: Timer | None) -> Timer | None:
    """Return a timer of which it is only known that it is no longer than another."""
    return timer and timer._replace(value_ns=None, low_ns=min(OPTION_LEAST_NS, timer.low_ns))


def _timers(gaps: Gaps, stack: Stack | None, *, near: bool) -> Timers:
    """Return what the gaps of one epoch show of interval, period and idle time."""
    interval = interval_of(gaps, stack, near=near)
    period = period_of(gaps, interval, stack, near=near)
    idle = idle_of(gaps, interval, period, stack, near=near)
    period = _no_shorter(period, idle)
    if interval is None and period is not None:
        interval = interval_of_period(gaps, period, stack)
    return interval, period, idle


def _no_shorter(period: Timer | None, idle: Timer | None) -> Timer | None:
    """Return the spacing of answered probes, which is idle or longer everywhere, by what is known of idle."""
    if period is None or idle is None or not period.value_ns or not idle.value_ns:
        return period
    return period._replace(value_ns=idle.value_ns) if period.value_ns < idle.value_ns <= period.high_ns else period


def _span(timer: Timer | None) -> Span | None:
    if timer is None:
        return None
    exact = timer.value_ns
    return Span(timer.low_ns, timer.high_ns) if exact is None else Span(exact, exact)
