"""What is inferred of each end's keepalive settings, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.track.flow import SIDES
from analyzer.words.model import Line
from analyzer.words.teller import count, setting

if TYPE_CHECKING:
    from analyzer.judge.timers.count import Count
    from analyzer.judge.timers.timer import Timer
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def settings_lines(t: Teller) -> list[Line]:
    """Return a line per end and setting."""
    return [line for side in SIDES for line in _of(t, side)]


def _of(t: Teller, side: Side) -> list[Line]:
    settings = t.judged.settings(side)
    if settings is None:
        return []
    parts: list[str] = []
    frames: set[int] = set()
    for name, timer in (("idle time", settings.idle), ("interval", settings.interval)):
        if timer is not None:
            parts.append(f"{name} {timer_text(timer)}")
            frames.update(timer.frames)
    period = settings.period
    if period is not None and period.value_ns and (settings.idle is None or settings.idle.value_ns is None):
        parts.append(f"answered probes every {setting(period.value_ns)}, on Linux the longer of the two")
        frames.update(period.frames)
    if settings.count is not None:
        parts.append(count_text(settings.count))
        frames.update(settings.count.frames)
    if not parts:
        return []
    found = [Line(f"{t.start(side)}: {'; '.join(parts)}.", tuple(sorted(frames)))]
    if settings.families:
        fits = ", ".join(settings.families)
        found.append(Line(f"These fit, among others: {fits}. A family of programs, not a fact.", tuple(sorted(frames))))
    return found


def timer_text(timer: Timer) -> str:
    """Return a setting as a value, or as bounds."""
    if timer.value_ns is not None:
        return setting(timer.value_ns)
    low, high = setting(timer.low_ns), setting(timer.high_ns)
    return f"about {low}" if low == high else f"between {low} and {high}"


def count_text(found: Count) -> str:
    """Return after how many probes a prober gave up, as what it is: evidence."""
    gave_up = f"gave up after {count(found.gave_up_after, 'probe')}"
    if found.value is not None:
        return f"count {found.value} ({gave_up})"
    return f"{gave_up}: its count, or its TCP_USER_TIMEOUT"
