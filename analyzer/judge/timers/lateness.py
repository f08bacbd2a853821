"""How early and how late a keepalive timer may fire, and what the shortest one is that may have filled a gap.

Both depend on the stack: Linux has a wheel whose granules grow with the delay and is never early, but for the tick in
which the clock of a first gap started; BSD and macOS gather timers in batches (field guide 2.3); what descends from
4.4BSD counts idle time in ticks of half a second; Windows fires some milliseconds early.

It must not know probes, or what a gap shows.
"""

from __future__ import annotations

from typing import Final

from analyzer.judge.signatures import Stack
from analyzer.loops.loop import apart, loop
from analyzer.tolerances import BUSY_NS, EARLY_WINDOWS_NS, LATE_BSD_NS, SLACK_PARTS, WHEEL_PERCENT, S

UNKNOWN: Final = 0
LINUX: Final = 1
XNU: Final = 2
ONE_OCTET: Final = 3
ILLUMOS: Final = 4
STACKS: Final = (None, Stack.LINUX, Stack.XNU, Stack.ONE_OCTET, Stack.ILLUMOS)
"""The stacks, by the numbers that loops have for them."""
LINUX_TICKS_PER_S: Final = (100, 250, 300, 1000)
"""CONFIG_HZ as Linux's kernel/Kconfig.hz offers it."""
LEVELS: Final = 11
"""More levels than Linux's wheel has: delays of decades, which no int is too small for."""


@loop
def early(stack: int) -> int:
    """Return by how much a stack may be early whatever a gap begins with."""
    return EARLY_WINDOWS_NS if stack == ONE_OCTET else 0


@apart
def late(ns: int, stack: int) -> int:
    """Return by how much a timer may be late: an eighth at most on Linux, whose wheel has a granule that grows."""
    if stack > LINUX:
        return BUSY_NS + LATE_BSD_NS
    coarsest = 0 if stack == LINUX else LATE_BSD_NS
    for ticks_per_s in LINUX_TICKS_PER_S:
        coarsest = max(coarsest, granule(ns, ticks_per_s))
    return BUSY_NS + coarsest


@loop
def granule(ns: int, ticks_per_s: int) -> int:
    """Return the granule of the level of Linux's timer wheel that holds a delay (kernel/time/timer.c, LVL_GRAN)."""
    ticks = ns // S * ticks_per_s + ns % S * ticks_per_s // S
    level = 0
    while level < LEVELS and ticks >= 63 << 3 * level:
        level += 1
    return (S << 3 * level) // ticks_per_s


@apart
def may_repeat(value_ns: int, gap_ns: int, slack_ns: int, off_ns: int, stack: int) -> bool:
    """Say whether a timer may have run out, and been set again, every so often, always after the same time.

    Linux's wheel fires only at whole granules of a level. A timer that is set when one ran out begins at a granule, so
    that equal gaps are a whole number of them, the first that is longer than the timer. One that finds itself too early
    (an answered probe's: idle time counts from the answer) waits for the rest, which may be of a lower level.
    ``off_ns`` is how far from that a gap may be measured.
    """
    late_ns = gap_ns - value_ns
    steady_ns = slack_ns + BUSY_NS + value_ns // SLACK_PARTS
    if late_ns <= steady_ns or (stack != LINUX and late_ns <= steady_ns + LATE_BSD_NS):
        return True
    for ticks_per_s in LINUX_TICKS_PER_S:
        wide_ns = granule(value_ns, ticks_per_s)
        while wide_ns > off_ns:
            whole = gap_ns // wide_ns
            rest = 2 * (gap_ns - whole * wide_ns)
            if rest > wide_ns or (rest == wide_ns and whole % 2 == 1):
                whole += 1
            due = -(-value_ns // wide_ns) <= whole <= (value_ns + steady_ns) // wide_ns + 1
            if due and abs(gap_ns - whole * wide_ns) <= off_ns:
                return True
            wide_ns >>= 3
    return False


@loop
def earliest(ns: int, slack_ns: int, stack: int) -> int:
    """Return the shortest timer that may have filled a gap, whatever the clock of its machine."""
    left = ns - slack_ns - BUSY_NS
    wheel = left // WHEEL_PERCENT * 100 + left % WHEEL_PERCENT * 100 // WHEEL_PERCENT
    batch = left - LATE_BSD_NS
    if stack == LINUX:
        return max(0, wheel)
    return max(0, min(wheel, batch) if stack == UNKNOWN else batch)
