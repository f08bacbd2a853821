"""Durations on axes: ticks where a clock would have them, written with their unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axis import XAxis
from matplotlib.ticker import Formatter, Locator

from analyzer.units import NS_PER_S, Clock, Zero, format_date, format_duration, format_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
SECONDS_UP_TO: Final = 180.0
"""An axis that ends between a minute and this is written in seconds throughout."""
CLOCK_PT: Final = 72
"""Distance of ticks that are times of day."""
WHOLE: Final = "since the capture's first frame"
FAR: Final = 10.0
"""This many times its length off, a time axis counts from near by."""
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
    """Puts at most so many ticks at round durations; linear or logarithmic, as the axis is.

    The number is fixed, and not asked of the axis: the room for ticks depends on the layout, the layout on the ticks.
    """

    def __init__(self, most: int, base_s: float = 0.0) -> None:
        """Keep the number of ticks; round is what is so after ``base_s``."""
        self.most = max(2, most)
        self.base_s = base_s

    def __call__(self) -> Sequence[float]:
        """Return the places of the ticks in view."""
        assert self.axis is not None
        low, high = sorted(self.axis.get_view_interval())
        return self.tick_values(low, high)

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """Return the places of ticks between two ends of the axis."""
        if getattr(self.axis, "get_scale", str)() == "log":
            return _log_ticks(max(vmin, 1e-9), vmax, self.most)
        step = next((step for step in STEPS_S if (vmax - vmin) / step <= self.most), STEPS_S[-1])
        first = np.ceil((vmin - self.base_s) / step - 1e-9)
        ticks = np.arange(first, (vmax - self.base_s) / step + 1e-9)
        return [self.base_s + float(tick * step) for tick in ticks]


def _log_ticks(vmin: float, vmax: float, most: int) -> list[float]:
    shown = [step for step in STEPS_S if vmin <= step <= vmax]
    apart = np.log(vmax / vmin) / most
    kept: list[float] = []
    for step in shown:
        if not kept or np.log(step / kept[-1]) >= apart:
            kept.append(step)
    return kept


class DurationFormatter(Formatter):
    """Writes a tick with its unit, as the time after ``base_s``."""

    def __init__(self, base_s: float = 0.0) -> None:
        """Keep the base."""
        self.base_s = base_s

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the text of one tick."""
        del pos
        return tick_text(round(x - self.base_s, 9), abs(x - self.base_s))

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the texts of all ticks of an axis, which share a style."""
        after = [round(value - self.base_s, 9) for value in values]
        reach = max((abs(value) for value in after), default=0.0)
        return [tick_text(value, reach) for value in after]


class ClockFormatter(Formatter):
    """Writes a tick as the time of day, by the clock of the instant that the axis counts from."""

    def __init__(self, zero: Zero) -> None:
        """Keep the instant."""
        self.zero = zero

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the text of one tick."""
        del pos
        return format_instant(self.zero + round(x * NS_PER_S), self.zero)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the texts of all ticks of an axis, without a part that is zero in all."""
        texts = [self(value) for value in values]
        for tail in (".000", ":00"):
            if texts and all(text.endswith(tail) for text in texts):
                texts = [text.removesuffix(tail) for text in texts]
        return texts


def mark_time(axes: Axes, zero_ns: int = 0) -> None:
    """Give a time axis, whose limits are set, round ticks and a name; far into a capture they count from near by.

    ``zero_ns`` is the instant that it counts from; if that has a clock (``units.Zero``), ticks are times of day.
    """
    date = format_date(zero_ns, zero_ns.clock) if isinstance(zero_ns, Zero) else None
    if isinstance(zero_ns, Zero) and zero_ns.clock is not Clock.RELATIVE and date is not None:
        day, time, zone = date.split(" ", 2)
        hours, minutes, seconds = time.split(":")
        midnight_s = -(int(hours) * _HOUR + int(minutes) * _MINUTE + float(seconds))
        axes.xaxis.set_major_locator(DurationLocator(int(_length_pt(axes.xaxis) / CLOCK_PT), midnight_s))
        axes.xaxis.set_major_formatter(ClockFormatter(zero_ns))
        axes.xaxis.set_minor_locator(_NoTicks())
        axes.set_xlabel(f"time of day ({zone}), from {day}")
        return
    base_s = base_of(*axes.get_xlim())
    mark_durations(axes.xaxis, 54, base_s)
    axes.set_xlabel(f"after {_parts(base_s)}" if base_s else WHOLE)


def base_of(low_s: float, high_s: float) -> float:
    """Return from where a time axis should count: 0, or, if it is short and far off, a round time before it."""
    span_s = high_s - low_s
    if low_s < FAR * span_s or high_s <= SECONDS_UP_TO:
        return 0.0
    unit = next((unit for unit in (_DAY, _HOUR, _MINUTE) if unit <= span_s), 1.0)
    return float(np.floor(low_s / unit) * unit)


def mark_durations(axis: Axis, spacing_pt: float, base_s: float = 0.0) -> None:
    """Give an axis in seconds round ticks with units, about so far apart at least."""
    axis.set_major_locator(DurationLocator(int(_length_pt(axis) / spacing_pt), base_s))
    axis.set_major_formatter(DurationFormatter(base_s))
    axis.set_minor_locator(_NoTicks())


def _length_pt(axis: Axis) -> float:
    """Return about how long an axis is on the page, in points."""
    figure = axis.axes.get_figure(root=True)
    assert figure is not None
    place = axis.axes.get_position()
    inches = figure.get_figwidth() * place.width if isinstance(axis, XAxis) else figure.get_figheight() * place.height
    return float(inches * 72)


class _NoTicks(Locator):
    """No minor ticks: a logarithmic axis would write them over ours."""

    def __call__(self) -> Sequence[float]:
        return []

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        del vmin, vmax
        return []
