"""Time leaves the core here: int64 nanoseconds inside, float seconds outside.

These are the only conversions in the package. Everything inside is named ``*_ns``, everything that
leaves (JSON, CSV, plots) is named ``*_s``.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from enum import Enum
from typing import Final, Self

Nanoseconds = int
Seconds = float

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000

_MINUTE_NS = 60 * NS_PER_S
_HOUR_NS = 60 * _MINUTE_NS
_DAY_NS = 24 * _HOUR_NS


def seconds(ns: Nanoseconds) -> Seconds:
    """Return nanoseconds as float seconds; exact to the nanosecond below 2**53 ns (104 days)."""
    return ns / NS_PER_S


def nanoseconds(s: Seconds) -> Nanoseconds:
    """Return seconds as whole nanoseconds, rounded to the nearest."""
    return round(s * NS_PER_S)


def format_duration(ns: Nanoseconds) -> str:
    """Return a duration as an engineer would say it: ``27 us``, ``5.120 s``, ``2 min 3 s``, ``1 h 15 min``."""
    sign = "-" if ns < 0 else ""
    ns = abs(ns)
    if ns < NS_PER_MS:
        return f"{sign}{ns / 1_000:.0f} us"
    if ns < NS_PER_S:
        return f"{sign}{ns / NS_PER_MS:.3g} ms" if ns < 10 * NS_PER_MS else f"{sign}{ns / NS_PER_MS:.0f} ms"
    if ns < 2 * _MINUTE_NS:
        return f"{sign}{ns / NS_PER_S:.3f} s"
    whole_s = round(ns / NS_PER_S)
    if ns < _HOUR_NS:
        return _two(sign, whole_s, 60, "min", "s")
    if ns < _DAY_NS:
        return _two(sign, round(whole_s / 60), 60, "h", "min")
    return _two(sign, round(whole_s / 3600), 24, "d", "h")


def format_offset(ns: Nanoseconds) -> str:
    """Return an instant relative to the capture's first frame, to the millisecond: ``+66.491``."""
    return f"{'-' if ns <= -NS_PER_MS // 2 else '+'}{abs(ns) / NS_PER_S:.3f}"


class Clock(Enum):
    """How instants are said."""

    RELATIVE = "relative"
    """As seconds from the capture's first frame."""
    UTC = "utc"
    LOCAL = "local"
    """In the time zone of this machine."""

    @property
    def zone(self) -> tzinfo | None:
        """Return the time zone that ``datetime`` takes; None is this machine's."""
        return UTC if self is Clock.UTC else None


class Zero(int):
    """The instant from which times count (ns since the epoch), and how instants are said."""

    clock: Clock

    def __new__(cls, ns: Nanoseconds, clock: Clock = Clock.RELATIVE) -> Self:
        """Return the instant with its clock."""
        made = super().__new__(cls, ns)
        made.clock = clock
        return made


def format_instant(ts_ns: Nanoseconds, zero_ns: Nanoseconds) -> str:
    """Return an instant as the clock of its zero says: ``+66.491``, or ``12:46:04.511``, with the date on another day.

    A zero without a clock, or an instant that no calendar has, is said as an offset.
    """
    clock = zero_ns.clock if isinstance(zero_ns, Zero) else Clock.RELATIVE
    if clock is Clock.RELATIVE:
        return format_offset(ts_ns - zero_ns)
    try:
        moment, first = (_wall(ns, clock) for ns in (ts_ns, int(zero_ns)))
    except (ValueError, OverflowError, OSError):
        return format_offset(ts_ns - zero_ns)
    day = "" if moment.date() == first.date() else f"{moment:%m-%d} " if moment.year == first.year else f"{moment:%F} "
    return f"{day}{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"


def format_date(ts_ns: Nanoseconds, clock: Clock = Clock.UTC) -> str | None:
    """Return an instant with its date and zone: ``2026-11-23 12:44:58.020 UTC``, or None if no calendar has it."""
    clock = Clock.UTC if clock is Clock.RELATIVE else clock
    try:
        moment = _wall(ts_ns, clock)
    except (ValueError, OverflowError, OSError):
        return None
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} {moment:%Z}"


def _wall(ts_ns: Nanoseconds, clock: Clock) -> datetime:
    """Return the wall clock at an instant, rounded to the millisecond as offsets are.

    Raises:
        ValueError, OverflowError, OSError: there is no such date, or this system's calendar does not have it.
    """
    whole_s, rest_ns = divmod(ts_ns + NS_PER_MS // 2, NS_PER_S)
    return datetime.fromtimestamp(whole_s, UTC).replace(microsecond=rest_ns // NS_PER_MS * 1000).astimezone(clock.zone)


def _two(sign: str, count: int, base: int, large: str, small: str) -> str:
    """Return ``count`` small units as a large and a small part, the small part dropped when zero."""
    high, low = divmod(count, base)
    return f"{sign}{high} {large}" + (f" {low} {small}" if low else "")
