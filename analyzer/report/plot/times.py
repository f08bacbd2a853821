"""Durations on axes: ticks where a clock would have them, written with their unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.ticker import Formatter, Locator

from analyzer.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axis import Axis

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
SECONDS_UP_TO: Final = 180.0
"""An axis that ends between a minute and this is written in seconds throughout."""
STEPS_S: Final = (
    *(digit * 10.0**power for power in range(-6, 0) for digit in (1, 2, 5)),
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),
)
"""Distances between ticks, and places of ticks on a logarithmic axis."""


def brief(ns: int) -> str:
    """Return a duration to three digits, for a label: ``61.5 s``, ``5 s``, ``2 min 3 s``."""
    if NS_PER_S <= ns < 120 * NS_PER_S:
        return f"{ns / NS_PER_S:.3g} s"
    return format_duration(ns)


def tick_text(s: float, reach: float) -> str:
    """Return a tick's text on an axis that reaches so far: ``70 s``, ``1 min 30 s``, ``500 ms``, ``2 h``."""
    if s == 0:
        return "0"
    size = abs(s)
    sign = "-" if s < 0 else ""
    for scale, unit in ((1e-6, "us"), (1e-3, "ms")):
        if size < scale * 999.9995:
            return f"{sign}{size / scale:.6g} {unit}"
    if size < _MINUTE or _MINUTE < reach <= SECONDS_UP_TO:
        return f"{sign}{size:.6g} s"
    return f"{sign}{_parts(size)}"


def _parts(s: float) -> str:
    """Return whole units: ``1 min 30 s``, ``2 h``, ``1 d 12 h``."""
    rest = round(s)
    said = []
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, rest = divmod(rest, unit)
        if count:
            said.append(f"{count} {name}")
    return " ".join(said)


class DurationLocator(Locator):
    """Puts ticks at round durations, as many as fit; linear or logarithmic, as the axis is."""

    def __init__(self, *, spacing_pt: float) -> None:
        """Keep a tick ``spacing_pt`` points from the next, at least."""
        self.spacing_pt = spacing_pt

    def __call__(self) -> Sequence[float]:
        """Return the places of the ticks in view."""
        assert self.axis is not None
        low, high = sorted(self.axis.get_view_interval())
        return self.tick_values(low, high)

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """Return the places of ticks between two ends of the axis."""
        room = max(2, int(_length_pt(self.axis) / self.spacing_pt))
        if getattr(self.axis, "get_scale", str)() == "log":
            return _log_ticks(max(vmin, 1e-9), vmax, room)
        step = next((step for step in STEPS_S if (vmax - vmin) / step <= room), STEPS_S[-1])
        first = np.ceil(vmin / step - 1e-9)
        return [float(tick * step) for tick in np.arange(first, vmax / step + 1e-9)]


def _log_ticks(vmin: float, vmax: float, room: int) -> list[float]:
    shown = [step for step in STEPS_S if vmin <= step <= vmax]
    apart = np.log(vmax / vmin) / room
    kept: list[float] = []
    for step in shown:
        if not kept or np.log(step / kept[-1]) >= apart:
            kept.append(step)
    return kept


class DurationFormatter(Formatter):
    """Writes a tick with its unit."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the text of one tick."""
        del pos
        reach = max((abs(place) for place in self.locs), default=abs(x))
        return tick_text(round(x, 9), reach)


def _length_pt(axis: object) -> float:
    """Return how long an axis is on the page, in points."""
    axes = getattr(axis, "axes", None)
    if axes is None:
        return 400.0
    box = axes.get_window_extent()
    pixels = box.width if getattr(axis, "axis_name", "x") == "x" else box.height
    return float(pixels * 72 / axes.figure.dpi)


def mark_durations(axis: Axis, spacing_pt: float) -> None:
    """Give an axis in seconds round ticks with units."""
    axis.set_major_locator(DurationLocator(spacing_pt=spacing_pt))
    axis.set_major_formatter(DurationFormatter())
    axis.set_minor_locator(_NoTicks())


class _NoTicks(Locator):
    """No minor ticks: a logarithmic axis would write them over ours."""

    def __call__(self) -> Sequence[float]:
        return []

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        del vmin, vmax
        return []
