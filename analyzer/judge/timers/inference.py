"""Infers idle time, interval and count of a prober from its trains of probes, with bounds.

The file's law: bounds hold the truth, a value is claimed only where one is left, and nothing is claimed that another
reading of the same frames contradicts. A timer is never early, but for the tick in which the clock of a first gap
started; how late it may be is known (field guide 2.3), and so is what else makes a gap too long: the way to the
prober and back, a probe that was lost before it was captured, a socket option that came late. So the *smallest* gap
counts, and what could make that one too short or too long is asked first:

* idle (TCP_KEEPIDLE): from the last segment of the peer that was not keepalive to the first probe of a train. Alone
  it is an upper bound (an option set late makes it longer) and becomes a value where a second train, or the spacing
  of answered probes, agrees, or where it is a number people choose.
* period: from an answered probe to the next. On Linux this is max(idle, interval) and may not be split; elsewhere it
  is idle. Captured away from the prober, an answer may have been lost behind the observer: then the gap shows the
  interval, and only bounds are left.
* interval (TCP_KEEPINTVL): from an unanswered probe to the next, or to the prober's RST. An answered train shows it
  only where the first gap is clearly shorter: max(idle, interval) is not idle, so it is the interval; and where
  interval is shorter than period, period is idle.
* count (TCP_KEEPCNT): how many probes went unanswered before the prober gave up is seen, but it is *not* the option
  wherever TCP_USER_TIMEOUT may be set: Linux then ignores the count (field guide 2.4), any number of probes is
  explained by some timeout, and no segment shows that option. So ``Count.value`` stays None, with two exceptions: on
  XNU, which has no such option; and where the number is the default, which a user timeout could only imitate by
  chance and which is in force with one as without.

It must not claim more than the trains show: a wrong claim is worse than none. It must not know how anything is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.judge.signatures import ROUND_S, Span, Stack, default_count, families
from analyzer.judge.timers.gaps import (
    LEAST_GAP_NS,
    UNSEEN_JITTER_NS,
    agree,
    as_heard,
    clearly_longer,
    give_up,
    last_run,
    match,
    measure,
    passed_no_router,
    shortest,
    undisturbed,
)
from analyzer.judge.timers.lateness import earliest, late
from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.record import FlowRecord, Probe, Reset
    from analyzer.judge.timers.gaps import Gap, Gaps
    from analyzer.judge.verdict import Ending
    from analyzer.track.flow import Side

LEAST_NS: Final = NS_PER_S
"""No stack's option takes less than a second, and no train starts earlier."""
LONGEST_S: Final = 100_000
"""No keepalive timer is told to the second beyond this."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A duration that was configured, as far as the capture tells."""

    value_ns: int | None
    """The most likely configured value, or None where only bounds can be said."""
    low_ns: int
    high_ns: int
    observations: int
    """How many gaps agree."""
    frames: tuple[int, ...]
    """The segments at both ends of those gaps."""


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
    stack = _stack(record, side, sent, gaps, near=near)
    if stack is Stack.LINUX and not any(probe.payload_len for probe in record.probes_from(other(side))):
        gaps = undisturbed(gaps)
    interval = _interval(gaps, stack, near=near)
    period = _period(gaps, interval, stack, near=near)
    idle = _idle(gaps, interval, period, stack, near=near)
    if interval is None and period is not None:
        interval = _interval_of_period(gaps, period, stack)
    count = _count(record, probes, reset, stack, side)
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


# Which stack


def _stack(record: FlowRecord, side: Side, probes: Sequence[Probe], gaps: Gaps, *, near: bool) -> Stack | None:
    """Return the family of TCP implementations that the form and the rhythm of the probes show."""
    if all(probe.payload_len for probe in probes):
        return Stack.ONE_OCTET
    if record.facts(side).timestamps and all(probe.header_len == 20 for probe in probes):
        return Stack.XNU
    if any(probe.payload_len for probe in probes):
        return None
    waits = near and _waits_interval(gaps)  # elsewhere lost probes look the same
    return Stack.LINUX if waits or _ignores_peer_probes(record, side, probes) else None


def _ignores_peer_probes(record: FlowRecord, side: Side, probes: Sequence[Probe]) -> bool:
    """Say whether a probe came right after the prober had received, and answered, one of the peer's.

    Any received segment restarts the clock of BSD and macOS; on Linux an empty probe is dropped before it does.
    """
    answered = [row for row in record.probes_from(other(side)) if row.answer == "ack" and not row.payload_len]
    return any(
        row.answer_frame is not None
        and row.answer_frame < probe.frame
        and row.ts_ns < probe.ts_ns < row.ts_ns + LEAST_GAP_NS
        for row in answered
        for probe in probes
    )


def _waits_interval(gaps: Gaps) -> bool:
    """Say whether answered probes come evenly, and clearly later than a train begins: that waits for the interval."""
    if not gaps.starts or len(gaps.answered) < 2:
        return False
    first, short = shortest(gaps.starts), shortest(gaps.answered)
    even = all(agree(short, gap) for gap in gaps.answered)
    least_ns = min(gap.least_ns for gap in gaps.answered)
    return even and clearly_longer(replace(short, ns=least_ns), first)


# The timers


def _interval(gaps: Gaps, stack: Stack | None, *, near: bool) -> Timer | None:
    """Return the interval that unanswered probes show.

    An answer that the capture dropped would show the period instead: so the gaps must be shorter than those after
    answered probes, or belong to a run that nothing ended, or there is nothing to mistake them for. Away from the
    prober a single gap may span a lost probe.
    """
    if not gaps.unanswered:
        return None
    lead = shortest(gaps.unanswered)
    same = [gap for gap in gaps.unanswered if agree(lead, gap)]
    trailing = any(gap.frames[1] in gaps.trailing for gap in same)
    if gaps.answered and not trailing and not clearly_longer(shortest(gaps.answered), lead):
        return None
    if len(same) > 1 or (near and (trailing or gaps.answered)):
        return _estimate(same, stack)
    return _bounds(same, LEAST_NS, lead.high_ns)


def _period(gaps: Gaps, interval: Timer | None, stack: Stack | None, *, near: bool) -> Timer | None:
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
    claim = _estimate(same, stack)
    unproven = replace(claim, value_ns=None, low_ns=min(claim.low_ns, LEAST_NS))
    even = len(same) == len(gaps.answered)
    first = shortest(gaps.starts) if gaps.starts else None
    if first is None:
        high_ns = max(gap.high_ns for gap in gaps.answered)
        return claim if even and (near or len(same) > 1) else replace(unproven, high_ns=high_ns)
    if match(first, short):
        return claim
    if first.ns > short.ns:
        return claim if near and even else replace(unproven, high_ns=max(claim.high_ns, first.high_ns))
    # The interval is the longer: a second gap, or the unanswered probes, must say so too.
    if interval is None or interval.value_ns is None:
        return claim if len(same) > 1 else unproven
    return claim if interval.low_ns <= claim.high_ns and claim.low_ns <= interval.high_ns else unproven


def _idle(gaps: Gaps, interval: Timer | None, period: Timer | None, stack: Stack | None, *, near: bool) -> Timer | None:
    """Return the idle time."""
    if _is_shorter(interval, period):
        return period
    if not gaps.starts:
        return _idle_of_period(period, stack, near=near)
    first = shortest(gaps.starts)
    short = shortest(gaps.answered) if gaps.answered else None
    free = _free(gaps, interval, short)
    lead = shortest(free) if free else first
    same = [gap for gap in free if agree(lead, gap)]
    most = _bounds(same or [first], LEAST_NS, first.high_ns)
    if not free or clearly_longer(lead, first):
        return most
    if short is not None and match(lead, short):
        return _estimate([*same, *(gap for gap in gaps.answered if agree(short, gap))], stack)
    if short is not None and clearly_longer(lead, short):
        return _bounds(same, LEAST_NS, min(most.high_ns, period.high_ns)) if near and period is not None else most
    if len(same) > 1:
        return _estimate(same, stack)
    claim = _estimate(same, stack, whole=False)
    certain = first.high_ns < 2 * LEAST_NS
    return replace(claim, low_ns=most.low_ns) if near or certain else most


def _free(gaps: Gaps, interval: Timer | None, short: Gap | None) -> list[Gap]:
    """Return the first gaps of trains that no interval of an earlier probe can have held back, as Linux does.

    The interval is at most the spacing of answered probes. Where neither is known, first gaps that agree although
    the probes before them were differently long ago were not held back, or not all.
    """
    known = interval is not None and interval.value_ns is not None
    longest_ns = interval.high_ns if interval is not None and known else short.high_ns if short is not None else None
    free = []
    for gap in gaps.starts:
        if gap.since_ns is None or (longest_ns is not None and gap.since_ns > longest_ns + late(longest_ns, None)):
            free.append(gap)
            continue
        unlike = (
            other.since_ns is not None
            and abs(other.since_ns - gap.since_ns) > late(gap.since_ns, None) + other.slack_ns
            for other in gaps.starts
            if agree(*sorted((gap, other), key=lambda start: start.ns))
        )
        if any(unlike):
            free.append(gap)
    return free


def _idle_of_period(period: Timer | None, stack: Stack | None, *, near: bool) -> Timer | None:
    """Return what the spacing of answered probes tells of idle: the same, unless on Linux the interval is longer."""
    if period is None or period.value_ns is None:
        return None
    if stack in {Stack.XNU, Stack.ONE_OCTET}:
        return period
    return replace(period, value_ns=None, low_ns=LEAST_NS) if near else None


def _interval_of_period(gaps: Gaps, period: Timer, stack: Stack | None) -> Timer | None:
    """Return what answered probes tell of a Linux interval: the period where idle is shorter, else at most that."""
    if stack is not Stack.LINUX or period.value_ns is None:
        return None
    if gaps.starts and clearly_longer(shortest(gaps.answered), shortest(gaps.starts)):
        return period
    return replace(period, value_ns=None, low_ns=LEAST_NS)


def _is_shorter(interval: Timer | None, period: Timer | None) -> bool:
    """Say whether an interval is shorter than a period, both known."""
    if interval is None or period is None or interval.value_ns is None or period.value_ns is None:
        return False
    return interval.value_ns < period.value_ns


def _count(
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
    even = max(steps) <= min(steps) + late(min(steps), stack) + UNSEEN_JITTER_NS
    whole = from_start and even
    frames = (*(probe.frame for probe in run), reset.frame)
    if whole and stack is Stack.XNU and passed_no_router(record, side):
        return Count(seen, seen, seen, 1, frames, seen, whole)
    default = whole and seen == default_count(stack)
    return Count(seen if default else None, 1, None, 1, frames, seen, whole)


# What gaps amount to


def _estimate(gaps: Sequence[Gap], stack: Stack | None, *, whole: bool = True) -> Timer:
    """Return the timer that agreeing gaps show: the whole number of seconds that alone fits, else the round one.

    With ``whole`` false only a round number is claimed. Milliseconds can be set only where probes carry an octet
    (SIO_KEEPALIVE_VALS).
    """
    lead = shortest(gaps)
    low_ns = earliest(lead.least_ns, lead.slack_ns, stack)
    candidates = range(max(1, -(-low_ns // NS_PER_S)), min(lead.high_ns // NS_PER_S, LONGEST_S) + 1)
    fits = [value_s for value_s in candidates if _may_show(lead, value_s * NS_PER_S, stack)]
    rounds = [value_s for value_s in fits if value_s in ROUND_S]
    value_s = rounds[0] if len(rounds) == 1 else None
    if len(fits) == 1 and whole and stack is not Stack.ONE_OCTET:
        value_s = fits[0]
    return replace(_bounds(gaps, low_ns, lead.high_ns), value_ns=None if value_s is None else value_s * NS_PER_S)


def _may_show(gap: Gap, value_ns: int, stack: Stack | None) -> bool:
    """Say whether such a timer may have filled the gap, as it is or since the clock's last possible restart."""
    return any(
        value_ns <= ns + gap.jitter_ns and ns <= value_ns + late(value_ns, stack) + gap.slack_ns
        for ns in (gap.ns, gap.least_ns)
    )


def _bounds(gaps: Sequence[Gap], low_ns: int, high_ns: int) -> Timer:
    """Return a timer of which only bounds are known."""
    frames = tuple(sorted({frame for gap in gaps for frame in gap.frames}))
    return Timer(None, min(low_ns, high_ns), high_ns, len(gaps), frames)
