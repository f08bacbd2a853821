"""How early and how late a keepalive timer may fire, and what the shortest one is that may have filled a gap.

Both depend on the stack: Linux has a wheel whose granules grow with the delay and is never early, but for the tick in
which the clock of a first gap started; BSD and macOS gather timers in batches (field guide 2.3); what descends from
4.4BSD counts idle time in ticks of half a second; Windows fires some milliseconds early.

It must not know probes, or what a gap shows.
"""

from __future__ import annotations

from functools import lru_cache

from analyzer.judge.signatures import LINUX_TICKS_PER_S, Stack
from analyzer.tolerances import BUSY_NS, EARLY_WINDOWS_NS, LATE_BSD_NS, SLACK_PARTS, WHEEL_PERCENT
from analyzer.units import NS_PER_S


def early(stack: Stack | None) -> int:
    """Return by how much a stack may be early whatever a gap begins with."""
    return EARLY_WINDOWS_NS if stack is Stack.ONE_OCTET else 0


@lru_cache(maxsize=4096)
def late(ns: int, stack: Stack | None) -> int:
    """Return by how much a timer may be late: an eighth at most on Linux, whose wheel has a granule that grows."""
    coarsest = max(granule(ns, ticks_per_s) for ticks_per_s in LINUX_TICKS_PER_S)
    return BUSY_NS + {Stack.LINUX: coarsest, None: max(coarsest, LATE_BSD_NS)}.get(stack, LATE_BSD_NS)


def granule(ns: int, ticks_per_s: int) -> int:
    """Return the granule of the level of Linux's timer wheel that holds a delay (kernel/time/timer.c, LVL_GRAN)."""
    ticks = ns * ticks_per_s // NS_PER_S
    level = 0
    while ticks >= 63 << 3 * level:
        level += 1
    return (NS_PER_S << 3 * level) // ticks_per_s


def may_repeat(value_ns: int, gap_ns: int, slack_ns: int, off_ns: int, stack: Stack | None) -> bool:
    """Say whether a timer may have run out, and been set again, every so often, always after the same time.

    Linux's wheel fires only at whole granules of a level. A timer that is set when one ran out begins at a granule, so
    that equal gaps are a whole number of them, the first that is longer than the timer. One that finds itself too early
    (an answered probe's: idle time counts from the answer) waits for the rest, which may be of a lower level.
    ``off_ns`` is how far from that a gap may be measured.
    """
    late_ns = gap_ns - value_ns
    steady_ns = slack_ns + BUSY_NS + value_ns // SLACK_PARTS
    if late_ns <= steady_ns or (stack is not Stack.LINUX and late_ns <= steady_ns + LATE_BSD_NS):
        return True
    for ticks_per_s in LINUX_TICKS_PER_S:
        wide_ns = granule(value_ns, ticks_per_s)
        while wide_ns > off_ns:
            whole = round(gap_ns / wide_ns)
            due = -(-value_ns // wide_ns) <= whole <= (value_ns + steady_ns) // wide_ns + 1
            if due and abs(gap_ns - whole * wide_ns) <= off_ns:
                return True
            wide_ns >>= 3
    return False


def earliest(ns: int, slack_ns: int, stack: Stack | None) -> int:
    """Return the shortest timer that may have filled a gap, whatever the clock of its machine."""
    left = ns - slack_ns - BUSY_NS
    wheel, batch = left * 100 // WHEEL_PERCENT, left - LATE_BSD_NS
    return max(0, {Stack.LINUX: wheel, None: min(wheel, batch)}.get(stack, batch))
