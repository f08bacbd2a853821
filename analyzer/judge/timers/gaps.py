"""What lies between the probes of one endpoint, measured: the gaps that its timers filled, by what they show.

A first gap begins with the last segment of the peer that was not keepalive; the others lie between an answered probe
and the next, or an unanswered one and the next. With each gap goes what could make it too long: the way to the prober
and back, a clock that something restarted; gaps that are no timer's are left out.

It must not know options, or conclude anything from a gap but whether two can show the same timer.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from analyzer.judge.record import other
from analyzer.judge.timers.lateness import early, late
from analyzer.tolerances import (
    BACKOFF_PART,
    BACKOFF_STEPS,
    BUSY_NS,
    EARLY_NS,
    GAP_LEAST_NS,
    HANDSHAKE_MOST_NS,
    JITTER_NS,
    OFF_TICK_NS,
    ROUND_TRIP_NS,
    SLOW_TICK_NS,
)
from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from analyzer.judge.events import Reset
    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.signatures import Stack
    from analyzer.judge.verdict import Ending
    from analyzer.track.flow import Side

INITIAL_TTLS: Final = (32, 64, 128, 255)
"""A segment that still has one of these has passed no router."""


class Segment(Protocol):
    """What probes and RSTs have in common."""

    @property
    def frame(self) -> int:
        """Number of its frame."""
        ...

    @property
    def ts_ns(self) -> int:
        """When it passed."""
        ...


class Gap(NamedTuple):
    """The time between two captured segments that a timer of the prober filled."""

    ns: int
    least_ns: int
    """The same since the last segment that may have restarted the prober's clock."""
    slack_ns: int
    """The most that the way to the prober and back can have added."""
    jitter_ns: int
    """The most that it, or the prober's own clock, can have taken away."""
    frames: tuple[int, int]
    since_ns: int | None
    """Since the prober's probe before, whose interval may have held this one back; None if there can be none."""
    quiet_ns: int = 0
    """The longest stretch between segments that may have restarted the clock: so long it did not fire."""
    tick_ns: int = 0
    """The tick that a slow clock may have taken off a first gap."""

    @property
    def high_ns(self) -> int:
        """What the timer is at most."""
        return self.ns + max(self.jitter_ns, self.tick_ns)

    @property
    def readings_ns(self) -> tuple[tuple[int, int], ...]:
        """How long the timer ran, and how long it is at least, but for being late.

        It ran all the while, or only since the last segment that may have restarted its clock.
        """
        whole = ((self.ns, self.ns),)
        return whole if self.ns == self.least_ns else (*whole, (self.least_ns, max(self.least_ns, self.quiet_ns)))


MOST_GAPS: Final = 1000
"""This many gaps of one prober and kind are looked at."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """All gaps of one prober, by what they show."""

    starts: tuple[Gap, ...]
    answered: tuple[Gap, ...]
    unanswered: tuple[Gap, ...]
    trailing: frozenset[int]
    """Frames at which gaps of the last unanswered run end."""


def measure(record: FlowRecord, side: Side, probes: Sequence[Probe], reset: Reset | None) -> Gaps:
    """Return the gaps before each probe, and before the prober's RST, by what they show."""
    round_trip_ns, jitter_ns = _way(record)
    stirs = _Marks(_stirs(record, side))
    doubtful = {row.frame for row in record.resent if row.sender == other(side)}
    doubtful |= {row.frame for row in record.not_probes if row.sender == other(side)}
    starts, answered, unanswered = [], [], []
    for at, probe in enumerate(probes):
        before = probes[at - 1] if at else None
        goes_on = before is not None and _continues(before, probe)
        base = before.frame if before is not None and goes_on else probe.idle_frame
        if base is not None and not record.is_awake(base, probe.frame):
            continue
        if before is not None and goes_on:
            slack_ns = max(round_trip_ns, before.answer_ns or 0)
            ns = probe.ts_ns - before.ts_ns
            least_ns, quiet_ns = stirs.stretches(before.ts_ns, probe.ts_ns)
            gap = Gap(ns, least_ns, slack_ns, jitter_ns, (before.frame, probe.frame), ns, quiet_ns)
            if before.answer is None:
                unanswered.append(gap)
            elif before.answer != "rst":
                answered.append(gap)
        elif probe.idle_ns is not None and probe.idle_frame is not None:
            base_ns = probe.ts_ns - probe.idle_ns
            # In mid-stream the first segment may be the answer of a probe that was missed: no start of a train.
            seen = record.starts_with == "handshake" or base_ns - record.first_ns >= NS_PER_S
            # What the prober does not acknowledge had not reached it, and started no clock.
            if seen and probe.idle_frame not in doubtful and not probe.unheard:
                least_ns, quiet_ns = stirs.stretches(base_ns, probe.ts_ns)
                since_ns = _since_own_probe(record, before, probe)
                ns = probe.idle_ns + _opened_before(record, side, probe.idle_frame, base_ns)
                frames = (probe.idle_frame, probe.frame)
                starts.append(Gap(ns, least_ns, round_trip_ns, EARLY_NS, frames, since_ns, quiet_ns))
    heard_out = reset is not None and bool(probes) and record.is_awake(probes[-1].frame, reset.frame)
    if reset is not None and heard_out and probes[-1].answer is None:
        ns = reset.ts_ns - probes[-1].ts_ns
        least_ns, quiet_ns = stirs.stretches(probes[-1].ts_ns, reset.ts_ns)
        unanswered.append(Gap(ns, least_ns, round_trip_ns, jitter_ns, (probes[-1].frame, reset.frame), ns, quiet_ns))
    run = {probe.frame for probe in last_run(probes)} | ({reset.frame} if reset else set())
    return Gaps(
        starts=_usable(record, starts),
        answered=_usable(record, answered),
        unanswered=_usable(record, unanswered),
        trailing=frozenset(last for first, last in map(_FRAMES, unanswered) if first in run and last in run),
    )


def fitted(gaps: Gaps, stack: Stack | None, *, undisturbed: bool) -> Gaps:
    """Return the gaps as the prober's stack makes them.

    ``undisturbed``: its clock is one that probes and RSTs of the peer do not restart. Where they may, a gap between
    unanswered probes in which one came shows no interval.
    """
    may_tick = stack is None and not off_the_tick((*gaps.answered, *gaps.unanswered))

    early_ns = early(stack)

    def fit(found: Sequence[Gap], *, starts: bool = False) -> tuple[Gap, ...]:
        fitting = []
        for gap in found:
            least_ns, jitter_ns = gap.ns if undisturbed else gap.least_ns, max(gap.jitter_ns, early_ns)
            tick_ns = SLOW_TICK_NS if may_tick and (starts or gap.ns != gap.least_ns) else 0
            same = (least_ns, jitter_ns, tick_ns) == (gap.least_ns, gap.jitter_ns, gap.tick_ns)
            fitting.append(gap if same else gap._replace(least_ns=least_ns, jitter_ns=jitter_ns, tick_ns=tick_ns))
        return tuple(fitting)

    return Gaps(
        starts=fit(gaps.starts, starts=True),
        answered=fit(gaps.answered),
        unanswered=fit([gap for gap in gaps.unanswered if undisturbed or gap.ns == gap.least_ns]),
        trailing=gaps.trailing,
    )


def went_on(gaps: Gaps) -> bool:
    """Say whether what the peer sent between unanswered probes did not restart the prober's clock.

    Where it does, the next probe comes no sooner than idle behind it; these did, evenly, as they come of an interval.
    """
    stirred = [gap for gap in gaps.unanswered if gap.ns != gap.least_ns]
    if not gaps.starts or len(stirred) < 2:
        return False
    lead = shortest(stirred)
    idle = shortest(gap._replace(ns=gap.least_ns) for gap in gaps.starts)
    soon = clearly_longer(idle, lead._replace(ns=max(gap.least_ns for gap in stirred)))
    return soon and all(agree(lead, gap) for gap in stirred)


def backs_off(unanswered: Sequence[Gap]) -> bool:
    """Say whether gaps between unanswered probes double, three times in a row or more: that is a backoff.

    illumos sends its probe again as a retransmission (``tcp_keepalive_timer``), unless an interval is set.
    """
    doubled = 0
    for before, gap in pairwise(unanswered):
        twice = before.frames[1] == gap.frames[0] and abs(gap.ns - 2 * before.ns) <= before.ns // BACKOFF_PART + BUSY_NS
        doubled = doubled + 1 if twice else 0
        if doubled == BACKOFF_STEPS:
            return True
    return False


def off_the_tick(between: Iterable[Gap]) -> bool:
    """Say whether gaps between probes refute a clock that ticks every half second: they are no multiples of it."""
    return any(
        OFF_TICK_NS + gap.jitter_ns < gap.ns % SLOW_TICK_NS < SLOW_TICK_NS - OFF_TICK_NS - gap.jitter_ns
        for gap in between
        if gap.ns == gap.least_ns and gap.slack_ns < SLOW_TICK_NS
    )


def as_heard(probes: Sequence[Probe], reset: Reset | None) -> tuple[Probe, ...]:
    """Return the probes with the answers removed that cannot have reached the prober, since it gave up.

    These are the answers to its last probes, as far back as the gaps equal that between the last probe and the RST.
    """
    heard = list(probes)
    if reset is None or not heard or heard[-1].answer is None:
        return tuple(heard)
    until_ns = reset.ts_ns
    last_ns = reset.ts_ns - heard[-1].ts_ns
    for at in range(len(heard) - 1, -1, -1):
        if abs(until_ns - heard[at].ts_ns - last_ns) > late(last_ns, None) + JITTER_NS:
            break
        until_ns = heard[at].ts_ns
        heard[at] = heard[at]._replace(answer=None, answer_frame=None, answer_ns=None)
    return tuple(heard)


def _continues(before: Probe, probe: Probe) -> bool:
    """Say whether nothing but an answer came from the peer between two probes."""
    return probe.idle_frame is None or before.frame > probe.idle_frame or before.answer_frame == probe.idle_frame


def _since_own_probe(record: FlowRecord, before: Probe | None, probe: Probe) -> int | None:
    """Return how long the interval of an earlier probe may have run; in mid-stream one may have come unseen."""
    if before is not None:
        return probe.ts_ns - before.ts_ns
    return None if record.starts_with == "handshake" else probe.ts_ns - record.first_ns


def _stirs(record: FlowRecord, side: Side) -> tuple[Segment, ...]:
    """Return what the peer sent that may or may not have restarted the prober's clock: its probes, and its RSTs.

    Everything received restarts it on BSD, macOS and perhaps Windows; on Linux only a probe with a byte does. Behind
    a RST a prober that goes on either did not get it, or did not take it.
    """
    peer = other(side)
    return (*record.probes_from(peer), *(reset for reset in record.resets if reset.sender == peer))


class _Marks:
    """Times at which something came, to be asked about stretches of time."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        """Put them in order."""
        self._ns = sorted(segment.ts_ns for segment in segments)

    @cached_property
    def _between(self) -> NDArray[np.int64]:
        times = np.array(self._ns, dtype=np.int64)
        return times[1:] - times[:-1]

    def stretches(self, base_ns: int, probe_ns: int) -> tuple[int, int]:
        """Return how long before a probe the last of them came, and the longest stretch between two, since a time.

        One right before the prober's own probe restarted nothing: it would have kept it from sending.
        """
        if not self._ns:
            return probe_ns - base_ns, 0
        first = bisect_right(self._ns, base_ns)
        stop = bisect_right(self._ns, probe_ns - GAP_LEAST_NS)
        if stop <= first:
            return probe_ns - base_ns, 0
        between = self._between[first : stop - 1]
        longest_ns = max(self._ns[first] - base_ns, int(between.max()) if len(between) else 0)
        return probe_ns - self._ns[stop - 1], longest_ns


def _opened_before(record: FlowRecord, side: Side, base_frame: int, base_ns: int) -> int:
    """Return how long before a SYN,ACK that was sent again the first one came, whose clock Linux does not restart."""
    peer = record.facts(other(side))
    again = (peer.syn_count or 0) > 1 and (peer.ack_frame is None or base_frame < peer.ack_frame)
    return base_ns - peer.syn_ns if again and peer.syn_ns is not None else 0


def _usable(record: FlowRecord, gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    """Leave out what is no timer; where the clock went back, a gap that stands alone proves nothing."""
    usable = [gap for gap in gaps if gap.ns >= GAP_LEAST_NS]
    return () if record.backwards and len(usable) == 1 else tuple(_telling(usable))


def _telling(gaps: list[Gap]) -> list[Gap]:
    """Return the gaps that tell most if there are very many: the shortest, the longest, and some between, in order.

    The shortest and the longest bound a timer. All are compared with each other, which would take hours.
    """
    if len(gaps) <= MOST_GAPS:
        return gaps
    by_length = sorted(range(len(gaps)), key=lambda at: gaps[at].ns)
    some = MOST_GAPS // 4
    spread = range(0, len(gaps), -(-len(gaps) // (2 * some)))
    return [gaps[at] for at in sorted({*by_length[:some], *by_length[-some:], *spread})]


def _way(record: FlowRecord) -> tuple[int, int]:
    """Return how long the way from the observer to an endpoint and back takes at most, and how much that may vary."""
    if record.initiator is not None and not record.facts_a.missed and not record.facts_b.missed:
        opened = record.facts(record.initiator)
        if opened.syn_count == 1 and opened.syn_ns is not None and opened.ack_ns is not None:
            round_trip_ns = opened.ack_ns - opened.syn_ns
            if 0 <= round_trip_ns <= HANDSHAKE_MOST_NS:
                return round_trip_ns, round_trip_ns // 4
    return ROUND_TRIP_NS, JITTER_NS


def passed_no_router(record: FlowRecord, side: Side) -> bool:
    """Say whether the observer sits on the prober's own network: what it sees coming, the prober got."""
    ttl = record.facts(side).ttl
    return ttl is not None and ttl[0] == ttl[1] and ttl[0] in INITIAL_TTLS


def last_run(probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """Return the unanswered probes at the end, with nothing of the peer between."""
    run: list[Probe] = []
    for probe in reversed(probes):
        if probe.answer is not None or (run and not _continues(probe, run[-1])):
            break
        run.append(probe)
    return tuple(reversed(run))


def give_up(record: FlowRecord, ending: Ending, side: Side) -> Reset | None:
    """Return the RST with which this endpoint itself gave up; what came from between is not its own."""
    if ending.by != side:
        return None
    reset = record.ending_reset
    return reset if reset is not None and reset.sender == side and reset.kind == "gave_up" else None


_NS: Final = attrgetter("ns")
_FRAMES: Final = attrgetter("frames")


def shortest(gaps: Iterable[Gap]) -> Gap:
    """Return the shortest of some gaps: what made others longer, it has the least of."""
    return min(gaps, key=_NS)


def agree(short: Gap, long: Gap) -> bool:
    """Say whether two gaps of one kind can show the same timer."""
    return long.ns - short.ns <= late(short.ns, None) + max(short.jitter_ns, long.jitter_ns)


def match(first: Gap, second: Gap) -> bool:
    """Say whether gaps of two kinds can show the same timer: the way to the prober and back may be in one only."""
    short, long = sorted((first, second), key=lambda gap: gap.ns)
    if long.tick_ns and not short.tick_ns and long.ns - short.ns > long.tick_ns // 2:
        return False  # a slow clock: the timer may be longer still, by a tick
    return long.ns - short.ns <= late(short.ns, None) + max(short.slack_ns, long.slack_ns)


def clearly_longer(long: Gap, short: Gap) -> bool:
    """Say whether two gaps of different kinds show different timers."""
    return long.ns > short.ns and not match(long, short)
