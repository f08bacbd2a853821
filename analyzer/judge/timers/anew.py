"""A timer that most likely was set anew in mid-flow, told by its two rhythms where the prober is far.

Elsewhere than next to the prober, lost answers and lost probes make rhythms too (``changes``). Where each probe echoes
the timestamp of the answer before, no answer was lost; that so many probes in a row were lost each time, and none
before, is possible, but not likely. So it is no change that is told as a fact, and no bound follows from it.

It must not say anything where ``changes`` tells.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.judge.timers.lateness import UNKNOWN, late
from analyzer.judge.timers.likely import whole_seconds
from analyzer.tolerances import JITTER_NS, UNEVEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.probe import Probe
    from analyzer.judge.timers.settings import Settings

SHORT_LEAST: Final = 2
LONG_LEAST: Final = 3
"""This many gaps make a rhythm; of the longer one lost probes make two alike now and then."""
ODD: Final = 1
"""This many gaps may be of neither rhythm: the one in which the option was set."""


class Rhythm(NamedTuple):
    """Answered probes at even distances."""

    gap_ns: int
    """The middle distance as measured."""
    value_ns: int | None
    """The whole seconds that alone fit, or None."""


class Anew(NamedTuple):
    """Two rhythms of one prober, one after the other."""

    before: Rhythm
    after: Rhythm
    until: Probe
    """The last probe of the old rhythm."""
    since: Probe
    """The first probe behind it."""


def likely_anew(settings: Settings, probes: Sequence[Probe]) -> Anew | None:
    """Return the change of the rhythm of a prober's answered probes that its program most likely made.

    ``probes`` are all of that prober, in order. None where the gaps tell a change as a fact, where any answer may not
    have arrived, and where the gaps are not of two even rhythms, clearly apart.
    """
    if settings.changes:
        return None
    pairs = [(early, late) for early, late in pairwise(probes) if not late.first_of_train]
    if len(pairs) < SHORT_LEAST + LONG_LEAST or not all(_arrived(early, late) for early, late in pairs):
        return None
    gaps = [late.ts_ns - early.ts_ns for early, late in pairs]
    for at in range(SHORT_LEAST, len(gaps) - SHORT_LEAST + 1):
        for odd in range(ODD + 1):
            if _are_two(gaps[:at], gaps[at + odd :]):
                return Anew(_rhythm(gaps[:at]), _rhythm(gaps[at + odd :]), *pairs[at])
    return None


def _arrived(early: Probe, late: Probe) -> bool:
    """Say whether a probe was answered, the answer came to the prober, and its next probe is surely one."""
    return early.answer == "ack" and late.echoes and late.certainty == "certain"


def _are_two(old: Sequence[int], new: Sequence[int]) -> bool:
    """Say whether both are even, far enough apart, and long enough."""
    short, long = sorted((old, new), key=min)
    if len(short) < SHORT_LEAST or len(long) < LONG_LEAST or min(long) <= max(short) * UNEVEN + JITTER_NS:
        return False
    return all(max(gaps) - min(gaps) <= late(min(gaps), UNKNOWN) for gaps in (short, long))


def _rhythm(gaps: Sequence[int]) -> Rhythm:
    return Rhythm(sorted(gaps)[len(gaps) // 2], whole_seconds(min(gaps) + JITTER_NS, min(gaps)))
