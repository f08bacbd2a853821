"""Time leaves the core here: int64 nanoseconds inside, float seconds outside.

These are the only conversions in the package. Everything inside is named ``*_ns``, everything that
leaves (JSON, CSV, plots) is named ``*_s``.
"""

from __future__ import annotations

from typing import Final

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
    return f"{'-' if ns < 0 else '+'}{abs(ns) / NS_PER_S:.3f}"


def _two(sign: str, count: int, base: int, large: str, small: str) -> str:
    """Return ``count`` small units as a large and a small part, the small part dropped when zero."""
    high, low = divmod(count, base)
    return f"{sign}{high} {large}" + (f" {low} {small}" if low else "")
