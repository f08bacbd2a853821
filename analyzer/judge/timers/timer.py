"""``Timer``: a configured duration as far as gaps tell it, and what gaps that agree amount to.

The law of all claims: bounds hold the truth, a value is claimed only where one is left, and nothing is claimed that
another reading of the same frames contradicts. A timer is never early, but for the tick in which the clock of a first
gap started; how late it may be is known (field guide 2.3). So the *smallest* gap counts, and what could make that one
too short or too long is asked first.

It must not know which option of a prober a gap shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.judge.signatures import ROUND_S, Stack
from analyzer.judge.timers.gaps import shortest
from analyzer.judge.timers.lateness import earliest, late, may_repeat
from analyzer.tolerances import BUSY_NS, EVEN_NS
from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.judge.timers.gaps import Gap

EVEN_LEAST: Final = 2
"""This many equal gaps are not equal by chance."""
LONGEST_S: Final = 100_000
"""No keepalive timer is told to the second beyond this."""


class Timer(NamedTuple):
    """A duration that was configured, as far as the capture tells."""

    value_ns: int | None
    """The most likely configured value, or None where only bounds can be said."""
    low_ns: int
    high_ns: int
    observations: int
    """How many gaps agree."""
    frames: tuple[int, ...]
    """The segments at both ends of those gaps."""


def estimate(gaps: Sequence[Gap], stack: Stack | None, *, whole: bool = True) -> Timer:
    """Return the timer that agreeing gaps show: the whole number of seconds that alone fits all, else the round one.

    With ``whole`` false only a round number is claimed. Milliseconds can be set only where probes carry a byte
    (SIO_KEEPALIVE_VALS, illumos' thresholds). The round one does not win where a slow clock leaves a longer one, or
    where another reading of the gaps leaves others.
    """
    low_ns, high_ns = _range(gaps, stack)
    candidates = range(max(1, -(-low_ns // NS_PER_S)), min(high_ns // NS_PER_S, LONGEST_S) + 1)
    fits = _fitting(gaps, candidates, stack)
    steady_ns = min([gap.ns + gap.jitter_ns for gap in gaps])
    rounds = [value_s for value_s in fits if value_s in ROUND_S]
    alone = len(rounds) == 1 and fits[-1] * NS_PER_S <= steady_ns and _one_reading(gaps, fits, stack)
    value_s = rounds[0] if alone else None
    if len(fits) == 1 and (rounds or (whole and stack not in {Stack.ONE_OCTET, Stack.ILLUMOS})):
        value_s = fits[0]
    return bounds(gaps, low_ns, high_ns)._replace(value_ns=None if value_s is None else value_s * NS_PER_S)


def _fitting(gaps: Sequence[Gap], candidates: Iterable[int], stack: Stack | None) -> list[int]:
    """Return the numbers of seconds that all gaps may show.

    Of those that have one reading and no slow clock (``may_show``), the longest and the shortest decide.
    """
    simple = [gap for gap in gaps if gap.ns == gap.least_ns and not gap.tick_ns]
    others = [gap for gap in gaps if gap.ns != gap.least_ns or gap.tick_ns] if len(simple) < len(gaps) else []
    least_ns = max([gap.ns - gap.slack_ns for gap in simple], default=0)
    most_ns = min([gap.ns + gap.jitter_ns for gap in simple], default=LONGEST_S * NS_PER_S)
    even = _even(simple)
    return [
        value_s
        for value_s in candidates
        if value_s * NS_PER_S <= most_ns
        and (even is None or may_repeat(value_s * NS_PER_S, even.ns, even.slack_ns, EVEN_NS, stack))
        and least_ns <= value_s * NS_PER_S + late(value_s * NS_PER_S, stack)
        and all(may_show(gap, value_s * NS_PER_S, stack) for gap in others)
    ]


def _even(gaps: Sequence[Gap]) -> Gap | None:
    """Return the shortest of the gaps that begin with a probe, if these are all equal; None if they are too few.

    A first gap begins at any time, and says nothing of how late the same timer is again and again.
    """
    between = [gap for gap in gaps if gap.since_ns == gap.ns]
    if len(between) < EVEN_LEAST:
        return None
    lead = shortest(between)
    return lead if max(gap.ns for gap in between) - lead.ns <= EVEN_NS else None


def _one_reading(gaps: Sequence[Gap], fits: Sequence[int], stack: Stack | None) -> bool:
    """Say whether the longest of some numbers of seconds explains the others too: by being late, not by a restart."""
    shortest_ns, longest_ns = fits[0] * NS_PER_S, fits[-1] * NS_PER_S
    slack_ns = max([gap.slack_ns + gap.jitter_ns for gap in gaps])
    return longest_ns - shortest_ns <= late(longest_ns, stack) + slack_ns


def _range(gaps: Sequence[Gap], stack: Stack | None) -> tuple[int, int]:
    """Return the shortest and the longest timer that agreeing gaps allow, in nanoseconds.

    The shortest gap says what is the least, all of them what is the most. A reading of it that no other gap shares is
    none.
    """
    lead = shortest(gaps)
    spans = _spans(lead, stack)
    shared: list[tuple[int, int]] = []
    if len(spans) > 1:
        others = [_spans(gap, stack) for gap in gaps if gap is not lead]
        shared = [
            (low_ns, high_ns)
            for low_ns, high_ns in spans
            if all(any(low <= high_ns and low_ns <= high for low, high in other) for other in others)
        ]
    low_ns = min(low_ns for low_ns, _ in shared or spans)
    high_ns = max(high_ns for _, high_ns in shared or spans)
    return low_ns, min(high_ns, *[gap.high_ns for gap in gaps])


def _spans(gap: Gap, stack: Stack | None) -> list[tuple[int, int]]:
    """Return the shortest and the longest timer that each reading of a gap allows, in nanoseconds."""
    spans = []
    for ran_ns, least_ns in gap.readings_ns:
        spans.append((earliest(least_ns, gap.slack_ns, stack), ran_ns + gap.jitter_ns))
        if gap.tick_ns:
            spans.append((max(0, least_ns - BUSY_NS - gap.slack_ns), ran_ns + gap.tick_ns))
    return [span for span in spans if span[0] <= span[1]]


def may_show(gap: Gap, value_ns: int, stack: Stack | None) -> bool:
    """Say whether such a timer may have filled the gap, as it is or since the clock's last possible restart.

    One that counts slow ticks is early, but not late.
    """
    late_ns = late(value_ns, stack)
    for ran_ns, least_ns in gap.readings_ns:
        if value_ns <= ran_ns + gap.jitter_ns and least_ns <= value_ns + late_ns + gap.slack_ns:
            return True
        if value_ns <= ran_ns + gap.tick_ns and least_ns <= value_ns + BUSY_NS + gap.slack_ns:
            return True
    return False


def bounds(gaps: Sequence[Gap], low_ns: int, high_ns: int) -> Timer:
    """Return a timer of which only bounds are known."""
    frames = tuple(sorted({frame for gap in gaps for frame in gap.frames}))
    return Timer(None, min(low_ns, high_ns), high_ns, len(gaps), frames)
