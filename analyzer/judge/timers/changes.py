"""When a prober's timers changed in mid-flow: a program called setsockopt on a connection in use.

Its gaps of one kind then come in two rhythms, one after the other, each even in itself. Elsewhere than next to the
prober lost probes and answers may do the same; then there are two epochs all the same, and whoever joins their claims
holds the truth either way.

It must not know what a gap shows of which option.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.judge.timers.gaps import agree, clearly_longer, shortest
from analyzer.judge.timers.lateness import late

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.timers.gaps import Gap, Gaps
    from analyzer.judge.timers.timer import Timer

LEAST: Final = 2
"""This many gaps make a rhythm."""
MANY: Final = 5
"""This many gaps, all longer than so many others one after the other, are not late by chance."""
ODD: Final = 1
"""This many gaps may be of neither rhythm: the one in which the option was set."""


@dataclass(frozen=True, slots=True)
class Change:
    """A timer that was set anew."""

    name: str
    """``idle``, ``interval`` or ``period``."""
    before: Timer
    after: Timer
    until_frame: int
    """The last probe of the old rhythm."""


def epochs(gaps: Gaps) -> tuple[tuple[Gaps, int], ...]:
    """Return the gaps of each epoch in order, and the probe that ends it; one epoch if nothing changed."""
    found = []
    while (split := _change(gaps)) is not None:
        end, begin, until = split
        found.append((_between(gaps, 0, end), until))
        gaps = _between(gaps, begin, None)
    return (*found, (gaps, 0))


def _between(gaps: Gaps, low: int, high: int | None) -> Gaps:
    """Return the gaps that begin at a frame or later, and end at one or earlier."""

    def within(kind: Sequence[Gap]) -> tuple[Gap, ...]:
        return tuple(gap for gap in kind if gap.frames[0] >= low and (high is None or gap.frames[1] <= high))

    return replace(gaps, starts=within(gaps.starts), answered=within(gaps.answered), unanswered=within(gaps.unanswered))


def _change(gaps: Gaps) -> tuple[int, int, int] | None:
    """Return what ``_split`` returns of the first change among all kinds of gaps."""
    free = [gap for gap in gaps.starts if gap.since_ns is None or gap.since_ns > 2 * gap.ns]
    splits = [split for kind in (gaps.answered, gaps.unanswered, free) if (split := _split(kind)) is not None]
    return min(splits, default=None)


def _split(kind: Sequence[Gap]) -> tuple[int, int, int] | None:
    """Return up to and from which frame gaps tell of two rhythms, and the last frame of the first; None if of one.

    The option may have been set in the last gap of the one or the first of the other: these count for neither, where
    there are others.
    """
    if not _may_be_two(kind):
        return None
    for odd in range(ODD + 1):
        least = most = kind[0] if kind else None
        for at in range(1, len(kind) - LEAST + 1):
            if least is None or most is None or not agree(least, most):
                break
            following = kind[at + odd].ns if at + odd < len(kind) else least.ns
            # no rhythm is longer or shorter than another if its first gap is not
            inside = least.ns <= following <= most.ns
            before, after = ((), ()) if at < LEAST or inside else (kind[:at], kind[at + odd :])
            least, most = min(least, kind[at], key=_length), max(most, kind[at], key=_length)
            later = _rhythm(after)
            if len(later) >= LEAST and len(later) > len(after) // 2 and _unlike(before, later):
                last = before[-2] if len(before) > LEAST else before[-1]
                first = later[1] if len(later) > LEAST else later[0]
                return last.frames[1], first.frames[0], before[-1].frames[1]
    return None


def _may_be_two(kind: Sequence[Gap]) -> bool:
    """Say whether gaps are enough, and far enough apart, that some can be ``_unlike`` others."""
    if len(kind) < 2 * LEAST:
        return False
    lengths = [gap.ns for gap in kind]
    least_ns, spread_ns = min(lengths), max(lengths) - min(lengths)
    if len(kind) >= 2 * MANY and spread_ns > min(gap.jitter_ns for gap in kind):
        return True
    # a gap of a slow clock is another than one of none from half a tick on (gaps.match)
    return spread_ns > late(least_ns, None) or 2 * spread_ns > max(gap.tick_ns for gap in kind) > 0


def _rhythm(gaps: Sequence[Gap]) -> list[Gap]:
    """Return the gaps at the beginning that keep to the rhythm of the first."""
    found: list[Gap] = []
    least = most = gaps[0] if gaps else None
    for gap in gaps:
        least, most = min(least or gap, gap, key=_length), max(most or gap, gap, key=_length)
        if not agree(least, most):
            break
        found.append(gap)
    return found


def _length(gap: Gap) -> int:
    return gap.ns


def _unlike(before: Sequence[Gap], after: Sequence[Gap]) -> bool:
    """Say whether every gap of one rhythm is longer than every one of the other: clearly, or many of them."""
    short, long = sorted((before, after), key=lambda gaps: shortest(gaps).ns)
    longest = max(short, key=lambda gap: gap.ns)
    many = min(len(before), len(after)) >= MANY and shortest(long).ns > longest.ns + longest.jitter_ns
    return many or clearly_longer(shortest(long), longest)


def changes(name: str, timers: Sequence[Timer | None], ends: Sequence[int]) -> tuple[Change, ...]:
    """Return where the claims of two epochs for one timer exclude each other; ``ends`` are the frames between them."""
    return tuple(
        Change(name, before, after, frame)
        for (before, after), frame in zip(pairwise(timers), ends, strict=True)
        if before is not None and after is not None and _excludes(before, after)
    )


def _excludes(one: Timer, other: Timer) -> bool:
    """Say whether two claims for one timer cannot both hold."""
    values = {timer.value_ns for timer in (one, other)}
    return one.high_ns < other.low_ns or other.high_ns < one.low_ns or (None not in values and len(values) > 1)


def hull(timers: Sequence[Timer | None]) -> Timer | None:
    """Return one claim that holds whatever all of these do; None if one epoch says nothing."""
    known = [timer for timer in timers if timer is not None]
    if not known or len(known) < len(timers):
        return None
    values = {timer.value_ns for timer in known}
    return known[0]._replace(
        value_ns=values.pop() if len(values) == 1 else None,
        low_ns=min(timer.low_ns for timer in known),
        high_ns=max(timer.high_ns for timer in known),
        observations=sum(timer.observations for timer in known),
        frames=tuple(sorted({frame for timer in known for frame in timer.frames})),
    )
