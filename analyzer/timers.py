"""Infers idle time, interval and count of a prober from its trains of probes, with bounds.

(contract; body by its owner) It must not claim more than the trains show: a wrong claim is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.flow import Side
    from analyzer.record import FlowRecord
    from analyzer.verdict import Ending


@dataclass(frozen=True, slots=True)
class Timer:
    """A duration that was configured, as far as the capture tells."""

    value_ns: int | None
    """The most likely configured value, or None where only bounds can be said."""
    low_ns: int
    high_ns: int
    observations: int
    frames: tuple[int, ...]
    """The probes (or RST) whose gaps show it."""


@dataclass(frozen=True, slots=True)
class Count:
    """After how many unanswered probes a prober gave up; evidence of TCP_KEEPCNT, not proof (TCP_USER_TIMEOUT)."""

    value: int | None
    low: int
    high: int | None
    observations: int
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """What one endpoint's probes tell of its socket options."""

    idle: Timer | None
    interval: Timer | None
    period: Timer | None
    """Spacing of answered probes: max(idle, interval) on Linux, idle elsewhere."""
    count: Count | None
    stack: str | None
    """Family of the TCP implementation by the probes' form: ``linux``, ``xnu``, ``windows`` ... or None."""
    families: tuple[str, ...]
    """Names of SOFTWARE rows in ``signatures`` that fit; families, never facts."""


def infer(record: FlowRecord, ending: Ending, side: Side) -> Settings | None:
    """Return what the probes of one endpoint show, or None if it sent none."""
    del ending
    return None if not record.probes_from(side) else Settings(None, None, None, None, None, ())
