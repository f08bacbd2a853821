"""Interval and period that most likely were set, told far from the prober by what the path between lost.

Next to the prober a capture has every probe. Elsewhere one that was lost on the way shows as a longer wait: the period,
and one interval for each that is missing. And where an answer is lost on its way back, the next probe comes after the
interval, and does not echo that answer's timestamp (RFC 7323). If all waits of a prober fit one period and one interval
so, and the even waits come back after a longer one, that is most likely what was set.

It must not say anything that ``changes`` or ``anew`` tell, nor be told as a fact.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.judge.timers.anew import likely_anew
from analyzer.judge.timers.lateness import UNKNOWN, late
from analyzer.judge.timers.likely import whole_seconds
from analyzer.tolerances import JITTER_NS, OPTION_LEAST_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.probe import Probe
    from analyzer.judge.timers.settings import Settings

MOST: Final = 9
"""More intervals than this in one wait would fit nearly everything; and the usual count is no higher."""


class Skipped(NamedTuple):
    """What fits all waits between answered probes, in nanoseconds; and the probes behind the waits that show it."""

    period_ns: int
    """The middle of the even waits."""
    interval_ns: int
    """The shortest excess, or wait after a lost answer."""
    probes_lost: int
    answers_lost: int
    shown_by: tuple[Probe, ...]

    @property
    def period_value_ns(self) -> int | None:
        """The whole seconds that alone fit the period, or None."""
        return whole_seconds(self.period_ns, self.period_ns)

    @property
    def interval_value_ns(self) -> int | None:
        """The whole seconds that alone fit the interval, or None."""
        return whole_seconds(self.interval_ns + JITTER_NS, self.interval_ns)


def likely_skipped(settings: Settings, probes: Sequence[Probe], *, stamped: bool) -> Skipped | None:
    """Return what most likely was lost between a prober and this point, and the settings that show by it.

    ``probes`` are all of that prober, in order; ``stamped`` says whether its connection has timestamps, without which a
    lost probe and a lost answer look alike. None where anything does not fit.
    """
    pairs = [(before, after) for before, after in pairwise(probes) if not after.first_of_train]
    if not stamped or settings.changes or not all(_is_sure(before, after) for before, after in pairs):
        return None
    waits = [(after.ts_ns - before.ts_ns, after) for before, after in pairs]
    heard = [(ns, after) for ns, after in waits if after.echoes]
    if not heard or likely_anew(settings, probes) is not None:
        return None
    least_ns = min(ns for ns, _ in heard)
    most_ns = least_ns + late(least_ns, UNKNOWN)
    even = [(ns, after) for ns, after in heard if ns <= most_ns]
    longer = [(ns, after) for ns, after in heard if ns > most_ns]
    period_ns = sorted(ns for ns, _ in even)[len(even) // 2]
    if not _is_period(settings, period_ns, len(even)) or not _comes_back(even, longer):
        return None
    cut = [(ns, after) for ns, after in waits if not after.echoes]
    if any(least_ns <= ns <= most_ns for ns, _ in cut):
        return None  # answers came and are not echoed: behind a gap in what the peer sent nothing is (RFC 7323 4.3)
    parts = [ns - period_ns for ns, _ in longer] + [ns for ns, _ in cut]
    interval_ns = min(parts, default=0)
    if interval_ns > period_ns + late(period_ns, UNKNOWN):
        return None  # answered probes come after the longer of idle time and interval: something else made it wait
    times = [_times(ns, interval_ns) for ns in parts] if interval_ns >= OPTION_LEAST_NS - JITTER_NS else [0]
    if not all(times):
        return None
    lost = sum(times) - len(cut)
    return Skipped(period_ns, interval_ns, lost, len(cut), tuple(after for _, after in longer + cut))


def _is_sure(before: Probe, after: Probe) -> bool:
    return before.answer == "ack" and after.certainty == "certain"


def _is_period(settings: Settings, period_ns: int, waits: int) -> bool:
    """Say whether more than one wait shows the period, or a single one and the idle time that equals it."""
    known_ns = settings.idle.value_ns if settings.idle is not None else None
    return waits > 1 or (known_ns is not None and 0 <= period_ns - known_ns <= late(known_ns, UNKNOWN))


def _comes_back(even: Sequence[tuple[int, Probe]], longer: Sequence[tuple[int, Probe]]) -> bool:
    """Say whether an even wait follows a longer one: no setting that was made anew stayed."""
    return not longer or min(after.ts_ns for _, after in longer) < max(after.ts_ns for _, after in even)


def _times(ns: int, interval_ns: int) -> int:
    """Return how many intervals fill this, 0 if no number does."""
    count = round(ns / interval_ns)
    off_ns = abs(ns - count * interval_ns)
    return (
        count if 0 < count <= MOST and off_ns <= count * late(interval_ns, UNKNOWN) and 3 * off_ns < interval_ns else 0
    )
