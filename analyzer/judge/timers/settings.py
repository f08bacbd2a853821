"""``Settings``: what is told of one endpoint's socket options, and which software sets such values.

It must not infer anything but that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from analyzer.judge.signatures import Span, Stack, families
from analyzer.judge.timers.changes import NAMES, Change
from analyzer.judge.timers.count import Count
from analyzer.judge.timers.lateness import STACKS
from analyzer.judge.timers.timer import Timer
from analyzer.segment import NONE
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.untyped import Numbers, Record, Rows


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
    changes: tuple[Change, ...]
    """Timers that were set anew in mid-flow; the claims above then hold what was in force before and after."""
    families: tuple[str, ...]
    """Names of rows of ``signatures`` that fit; families, never facts."""
    backs_off: bool = False
    """Whether unanswered probes wait longer and longer, as retransmissions do: there is no interval then."""


class BothSettings(Protocol):
    """Those of both endpoints, 0 and 1; None of one that sent no probes. A pair is one."""

    def __getitem__(self, side: int, /) -> Settings | None:
        """Return those of one."""
        ...


class Inferred:
    """Those of both endpoints, made objects of when somebody asks: most flows are told without."""

    __slots__ = ("_known", "_of")

    def __init__(self, of: Callable[[int], Settings | None]) -> None:
        """Take what returns those of a side."""
        self._of = of
        self._known: dict[int, Settings | None] = {}

    def __getitem__(self, side: int) -> Settings | None:
        """Return those of one endpoint."""
        if side not in self._known:
            self._known[side] = self._of(side)
        return self._known[side]

    def __eq__(self, other: object) -> bool:
        """Say whether the same is told of both endpoints."""
        return isinstance(other, Inferred | tuple) and (self[0], self[1]) == (other[0], other[1])

    def __hash__(self) -> int:
        """Return the same number for what is equal."""
        return hash((self[0], self[1]))


def settings_of(told: Record, timers: Rows, frames: Numbers, changes: Rows) -> Settings:
    """Return what is told of a prober as an object."""
    interval, period, idle = (timer_of(timers[int(told["timers"]) + at], frames) for at in range(len(NAMES)))
    count = count_of(told, frames)
    delays = bool(told["backs_off"])
    fits = families(span(idle), span(interval), span(period), count.allowed if count else None, STACKS[told["stack"]])
    stack = STACKS[told["stack"]]
    return Settings(
        idle=idle,
        interval=interval,
        period=period,
        count=count,
        stack=stack.value if stack else None,
        changes=tuple(
            change_of(changes[at], timers, frames) for at in range(int(told["change_first"]), int(told["change_stop"]))
        ),
        families=() if delays and stack is not Stack.ILLUMOS else fits,  # all others keep an interval
        backs_off=delays,
    )


def timer_of(timer: Record, frames: Numbers) -> Timer | None:
    """Return a timer as an object, or None if nothing is known of it."""
    if not timer["there"]:
        return None
    low_ns, high_ns, seen = int(timer["low_ns"]), int(timer["high_ns"]), int(timer["observations"])
    return Timer(_or_none(timer["value_ns"]), low_ns, high_ns, seen, _plain(frames, timer["first"], timer["stop"]))


def count_of(told: Record, frames: Numbers) -> Count | None:
    """Return a count as an object, or None if the prober did not give up."""
    if not told["gave_up_after"]:
        return None
    where = _plain(frames, told["count_first"], told["count_stop"])
    value, high = _or_none(told["count"]), _or_none(told["count_high"])
    return Count(
        value, int(told["count_low"]), high, 1, where, int(told["gave_up_after"]), bool(told["count_is_whole"])
    )


def change_of(change: Record, timers: Rows, frames: Numbers) -> Change:
    """Return a change as an object."""
    before, after = (timer_of(timers[int(change[name])], frames) for name in ("before", "after"))
    assert before is not None
    assert after is not None
    return Change(NAMES[change["name"]], before, after, int(change["until_frame"]))


def span(timer: Timer | None) -> Span | None:
    """Return what is known of a duration: its value, or bounds."""
    if timer is None:
        return None
    exact = timer.value_ns
    return Span(timer.low_ns, timer.high_ns) if exact is None else Span(exact, exact)


def _plain(frames: Numbers, first: int, stop: int) -> tuple[int, ...]:
    return tuple(map(int, frames[first:stop]))


def _or_none(value: int) -> int | None:
    return None if value == NONE else int(value)
