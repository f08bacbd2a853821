"""The gaps between a flow's probes, and what was inferred of the timers behind them, ready to be drawn.

It must not infer: the durations are the settings that ``judge.timers`` inferred, with their bounds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.judge.record import other
from analyzer.report.plot.times import brief
from analyzer.track.flow import SIDES
from analyzer.values import dataclass
from analyzer.words.probes import waited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.judge.events import Reset
    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.probe import Probe, ZeroWindowProbe
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.timers.timer import Timer
    from analyzer.track.flow import Side

SAME: Final = 0.08
"""How much a gap may differ from a multiple of another to be shown as one."""
FEW: Final = 4
"""Of fewer gaps none is the usual one."""
MULTIPLES: Final = {2: "twice the usual gap", 3: "3 times the usual gap", 4: "4 times the usual gap"}


class Gap(NamedTuple):
    """The time before a probe, or before the RST with which a prober gives up."""

    of: Probe | ZeroWindowProbe | Reset
    gap_ns: int
    train: tuple[str, Side, int]
    """Successive gaps of a train are joined."""
    regular: bool
    """Whether it is the gap from a probe to the next of its train."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """A timer as it is drawn: over the time of the gaps that show it."""

    name: str
    value_ns: int | None
    low_ns: int
    high_ns: int
    begin_ns: int
    end_ns: int

    @property
    def words(self) -> str:
        """What it is called, with its value or its bounds."""
        if self.value_ns is not None:
            return f"{self.name} {brief(self.value_ns)}"
        return f"{self.name} {brief(self.low_ns)} to {brief(self.high_ns)}"


def gaps(record: FlowRecord) -> list[Gap]:
    """Return the gaps before probes of both kinds, and before the RST with which a prober gives up."""
    return list(_gaps(record))


def has_gaps(record: FlowRecord) -> bool:
    """Say whether there are two gaps at least."""
    return len(list(islice(_gaps(record), 2))) > 1


def _gaps(record: FlowRecord) -> Iterator[Gap]:
    """Yield all gaps."""
    for probe in record.probes:
        if (gap_ns := gap_before(record, probe)) is not None:
            yield Gap(probe, gap_ns, ("keepalive", probe.sender, probe.train), not probe.first_of_train)
    for side in SIDES:
        yield from _window_gaps(record, side)
        given_up = [reset for reset in record.resets if reset.sender == side and reset.kind == "gave_up"]
        probes = record.probes_from(side) if given_up else ()
        least_ns = _least_behind([probe.ts_ns for probe in probes])
        for reset in given_up:
            before = bisect_left(least_ns, reset.ts_ns)
            if before:
                last = probes[before - 1]
                yield Gap(reset, reset.ts_ns - last.ts_ns, ("keepalive", side, last.train), regular=True)


def _least_behind(times_ns: list[int]) -> list[int]:
    """Return of each instant the earliest from there on, in which to bisect for the last that is before another.

    Where a clock went back, instants are not in order.
    """
    return list(accumulate(reversed(times_ns), min))[::-1]


def gap_before(record: FlowRecord, probe: Probe) -> int | None:
    """Return the gap that is drawn of a keepalive probe; for a train's first, how long the peer had been idle.

    Behind the RST that ended the flow nothing is idle any more: there it is the time since the prober's probe before.
    """
    if not record.facts(other(probe.sender)).segments:
        return probe.gap_ns
    found = waited(record, probe)
    return None if found is None else found.ns


def _window_gaps(record: FlowRecord, side: Side) -> Iterator[Gap]:
    turns_ns = [change.ts_ns for change in record.windows if change.sender == other(side) and change.shut]
    least_ns = _least_behind(turns_ns)
    before_ns: int | None = None
    train = 0
    for probe in record.zero_window_probes:
        if probe.sender != side:
            continue
        closed = bisect_right(least_ns, probe.ts_ns)
        closed_ns = turns_ns[closed - 1] if closed else None
        first = before_ns is None or (closed_ns is not None and before_ns < closed_ns)
        train += first
        if first:
            before_ns = closed_ns
        if before_ns is not None:
            yield Gap(probe, probe.ts_ns - before_ns, ("window", side, train), not first)
        before_ns = probe.ts_ns


def inferred(judged: JudgedFlow) -> list[Inferred]:
    """Return what was inferred of the probers' timers: equal ones under one name, a period only if it says more."""
    probers = [side for side in SIDES if judged.record.probes_from(side)]
    found: list[Inferred] = []
    for side in probers:
        settings = judged.settings(side)
        if settings is None:
            continue
        who = f"{judged.record.role(side)} " if len(probers) > 1 else ""
        idle, interval, period = settings.idle, settings.interval, settings.period
        valued = {timer.value_ns for timer in (idle, interval) if timer is not None}
        if idle is not None and interval is not None and idle.value_ns == interval.value_ns is not None:
            found.append(_inferred(judged.record, side, who + "idle, interval", idle, interval))
        else:
            found += [
                _inferred(judged.record, side, who + name, timer)
                for name, timer in (("idle", idle), ("interval", interval))
                if timer is not None and (timer.value_ns is not None or period is None)
            ]
        if period is not None and period.value_ns is not None and period.value_ns not in valued:
            found.append(_inferred(judged.record, side, who + "spacing", period))
    return found


def _inferred(record: FlowRecord, side: Side, name: str, *timers: Timer) -> Inferred:
    known = {probe.frame: probe.ts_ns for probe in record.probes_from(side)}
    known |= {reset.frame: reset.ts_ns for reset in record.resets}
    seen = [known[frame] for timer in timers for frame in timer.frames if frame in known]
    high_ns = max(timer.high_ns for timer in timers)
    low_ns = min(timer.low_ns for timer in timers)
    begin_ns, end_ns = (min(seen), max(seen)) if seen else (record.first_ns, record.last_ns)
    return Inferred(name, timers[0].value_ns, low_ns, high_ns, max(record.first_ns, begin_ns - high_ns), end_ns)


def multiples(found: list[Gap], timers: list[Inferred]) -> list[tuple[int, str]]:
    """Return the multiples of the usual gap that occur, and no timer explains: a probe in between was not captured."""
    usual = sorted(gap.gap_ns for gap in found if gap.regular and gap.train[0] == "keepalive")
    if len(usual) < FEW:
        return []
    base_ns = usual[len(usual) // 2]
    return [
        (times * base_ns, words)
        for times, words in MULTIPLES.items()
        if not any(timer.low_ns <= times * base_ns <= timer.high_ns * (1 + SAME) for timer in timers)
        and any(abs(gap_ns - times * base_ns) <= SAME * times * base_ns for gap_ns in usual)
    ]
