"""What to expect of a prober that is still at it: when the next probe comes, and when it will give up.

Inferred from what ``judge.timers`` says of its settings; only for flows that go on. Instants are nanoseconds since the
Unix epoch.

It must not claim what the settings do not bear, or hold a word.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.judge.signatures import Stack, default_count
from analyzer.tolerances import UNEVEN
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.probe import Probe
    from analyzer.judge.timers.settings import Settings
    from analyzer.judge.timers.timer import Timer
    from analyzer.track.flow import Side


HURRIED: Final = 3
"""So many even gaps are no accident,"""
MUCH_SOONER: Final = 2
"""if one before was longer by this factor."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes next from one prober."""

    prober: Side
    last: Probe
    """Its latest probe."""
    unanswered: int
    """Its unanswered probes since the peer was last heard."""
    next_ns: int | None
    """When the next probe is due; None where nothing can be said."""
    count: int | None
    """After how many unanswered probes it gives up: known, or the default of its system."""
    count_is_default: bool
    give_up_ns: int | None
    """When it gives up, if nothing answers until then."""


def hurried(probes: Sequence[Probe]) -> list[Probe]:
    """Return the answered probes of one end, its last ones, that came evenly and much sooner than one before; or none.

    So probes a prober that hears no answer, though the capture has them all. One that echoes the answer before it
    (RFC 7323) had heard that.
    """
    found: list[Probe] = []
    for late, early in pairwise(reversed(probes)):
        gap_ns = late.gap_ns
        if gap_ns is None or late.first_of_train or not (early.answered and late.answered):
            return []
        if found and gap_ns > (found[-1].gap_ns or 0) * UNEVEN:
            slow = gap_ns >= MUCH_SOONER * (found[-1].gap_ns or 0)
            return found[::-1] if slow and len(found) >= HURRIED else []
        if late.echoes:
            return []
        found.append(late)
    return []


def outlook(judged: JudgedFlow) -> Outlook | None:
    """Return what to expect of the endpoint that probed last, or None if nothing is."""
    probes = judged.record.probes
    if judged.ending.verdict.is_over or not probes:
        return None
    last = max(probes, key=lambda probe: probe.frame)
    side = last.sender
    settings = judged.settings(side)
    unanswered = len(judged.record.trailing(side))
    heard_ns = judged.record.facts(other(side)).active_ns or 0
    if heard_ns > last.ts_ns and last.answer_ns != heard_ns - last.ts_ns:
        return None  # the connection is in use again
    count, is_default = _count(settings)
    if hurried(judged.record.probes_from(side)):
        spacing_ns = last.gap_ns
    else:
        spacing_ns = _spacing(settings, last, answered=last.answer is not None)
    next_ns = None if spacing_ns is None else last.ts_ns + spacing_ns
    between_ns = _spacing(settings, last, answered=False)
    give_up_ns = None
    if unanswered and count is not None and between_ns is not None:
        give_up_ns = last.ts_ns + max(count - unanswered + 1, 1) * between_ns
    return Outlook(side, last, unanswered, next_ns, count, is_default, give_up_ns)


def _spacing(settings: Settings | None, last: Probe, *, answered: bool) -> int | None:
    """Return how long after a probe the next one comes: the period if it was answered, the interval if not."""
    if settings is None:
        return None
    if settings.backs_off and not answered:
        return None
    timers = (settings.period, settings.idle) if answered else (settings.interval,)
    for timer in timers:
        if timer is not None:
            return _likely(timer)
    return None if last.first_of_train else last.gap_ns


def _likely(timer: Timer) -> int:
    return timer.high_ns if timer.value_ns is None else timer.value_ns


def _count(settings: Settings | None) -> tuple[int | None, bool]:
    """Return the number of unanswered probes that end it, and whether that is only its system's default."""
    if settings is None:
        return None, False
    if settings.count is not None and settings.count.value is not None:
        return settings.count.value, False
    stack = next((each for each in Stack if each.value == settings.stack), None)
    return default_count(stack), True
