"""What is inferred of each end's keepalive settings, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.explain.model import Line
from analyzer.explain.teller import count, setting
from analyzer.flow import SIDES

if TYPE_CHECKING:
    from analyzer.explain.teller import Teller
    from analyzer.flow import Side
    from analyzer.timers import Count, Timer


def settings_lines(t: Teller) -> list[Line]:
    """Return a line per end and setting."""
    return [line for side in SIDES for line in _of(t, side)]


def _of(t: Teller, side: Side) -> list[Line]:
    settings = t.judged.settings(side)
    if settings is None:
        return []
    who = t.start(side)
    found = []
    for name, timer in (
        ("idle time", settings.idle),
        ("interval", settings.interval),
        ("period of answered probes", settings.period),
    ):
        if timer is not None:
            found.append(Line(f"{who}, {name}: {timer_text(timer)}", timer.frames))
    if settings.count is not None:
        found.append(Line(f"{who}, count: {count_text(settings.count)}", settings.count.frames))
    if settings.families and found:
        found.append(
            Line(f"{who}: such settings are those of {', or of '.join(settings.families)}; a family, not a fact.")
        )
    return found


def timer_text(timer: Timer) -> str:
    """Return a setting with its bounds and how often it was seen."""
    seen = f"{count(timer.observations, 'gap')}"
    if timer.value_ns is not None:
        return f"{setting(timer.value_ns)} (from {seen})"
    return f"between {setting(timer.low_ns)} and {setting(timer.high_ns)} (from {seen})"


def count_text(found: Count) -> str:
    """Return a count as what it is: evidence."""
    if found.value is not None:
        return f"gave up after {found.value} unanswered (evidence of the count, not proof)"
    if found.high is None:
        return f"at least {found.low}"
    return f"{found.low} to {found.high}"
