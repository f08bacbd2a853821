"""The endings of many flows over time, a row each service: where leaks and deaths stand out at a glance.

One picture for any number of flows: endings of a service that are alike and near in time are one mark, larger the more
they are. Of many services the ones with the worst endings have rows of their own, the others share one.

It must not look at packets.
"""

from __future__ import annotations

from collections import Counter
from math import log2
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.verdict import SEVERITIES, Severity
from analyzer.report.plot.canvas import add_legend, axes_or_new, dress, put_marks
from analyzer.report.plot.colours import ENDINGS, SMALL_PT, house_style, themed
from analyzer.report.plot.symbols import Mark
from analyzer.report.plot.times import mark_time
from analyzer.units import seconds
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analyzer.judge.verdict import Verdict
    from analyzer.report.plot.colours import Theme

WIDTH_IN: Final = 9.6
ROW_IN: Final = 0.34
AROUND_IN: Final = 1.2
MOST_ROWS: Final = 12
"""This many services have a row of their own."""
COLUMNS: Final = 72
"""Endings in the same of so many equal parts of the time are one mark."""
SMALLEST: Final = 3.5
LARGEST: Final = 11.0
HEALTHY: Final = 0.85
"""Opacity of a good ending's mark, which stands back behind a bad one and is still seen on a dark page."""
APART: Final = 0.07
"""Of a row, between the marks of two kinds of endings: one does not hide the other."""
ALIVE: Final = "flows alive, highest where a row had most"
ALIVE_COLUMNS: Final = 240
NAME: Final = 46
"""Longer names of services are cut in the middle."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The ending of one flow."""

    service: str
    at_ns: int
    """When its last segment came, since the capture's first frame."""
    verdict: Verdict
    began_ns: int | None = None
    """When its first segment came; None if the picture need not show how many were alive."""


def rows_that_fit(ended: Sequence[Ended], height_in: float) -> int:
    """Return how many rows are drawn of these in a panel of some height."""
    services = len({one.service for one in ended})
    return max(min(services, MOST_ROWS + 1, round(height_in / ROW_IN)), 1)


def endings_panel(
    ended: Sequence[Ended], axes: Axes, most: int, start_ns: int = 0, *, theme: str = "light"
) -> list[str]:
    """Draw the endings of flows by service in at most so many rows, and what was alive; return what to explain."""
    look = themed(theme)
    _draw(axes, _rows(ended, most - 1), look, start_ns)
    return [ALIVE, *(_meaning(verdict, ended) for verdict in ENDINGS)]


def endings_figure(ended: Sequence[Ended], start_ns: int = 0, *, theme: str = "light") -> Figure:
    """Return a figure of the endings of flows by service, over time.

    Args:
        ended: one of each flow, in any order.
        start_ns: the instant that their times count from.
        theme: ``light``, ``dark``, or ``transparent`` for a page that may be either.
    """
    look = themed(theme)
    rows = _rows(ended, MOST_ROWS)
    with house_style():
        axes = axes_or_new(None, (WIDTH_IN, len(rows) * ROW_IN + AROUND_IN), look)
        _draw(axes, rows, look, start_ns)
        figure = axes.get_figure(root=True)
        assert figure is not None
        add_legend(figure, [axes], [_meaning(verdict, ended) for verdict in ENDINGS], look)
    return figure


def _rows(ended: Sequence[Ended], most: int) -> list[tuple[str, list[Ended]]]:
    """Return the services with their endings, those with most bad ones first; the last is of all beyond ``most``."""
    by_service: dict[str, list[Ended]] = {}
    for one in ended:
        by_service.setdefault(one.service, []).append(one)

    def rank(name: str) -> tuple[int, int, int, str]:
        severities = Counter(SEVERITIES[one.verdict] for one in by_service[name])
        return -severities[Severity.BAD], -severities[Severity.WARNING], -len(by_service[name]), name

    names = sorted(by_service, key=rank)
    most = len(names) if len(names) == most + 1 else most  # a row is as good as "1 other service"
    rows = [(name, by_service[name]) for name in names[:most]]
    if rest := names[most:]:
        services = f"{len(rest):,} other service{'' if len(rest) == 1 else 's'}"
        rows.append((services, [one for name in rest for one in by_service[name]]))
    return rows


def _draw(axes: Axes, rows: Sequence[tuple[str, list[Ended]]], look: Theme, start_ns: int) -> None:
    """Put the marks of each row; a healthy ending lies behind a bad one."""
    every = [one for _, ended in rows for one in ended]
    low = min((seconds(one.at_ns) for one in every), default=0.0)
    high = max(max((seconds(one.at_ns) for one in every), default=0.0), low + 1e-3)
    width = (high - low) / COLUMNS
    for depth, verdict in enumerate(reversed(ENDINGS)):
        colour, shape = ENDINGS[verdict]
        meaning = _meaning(verdict, every)
        places: dict[Mark, list[tuple[float, float]]] = {}
        for y, (_, ended) in enumerate(rows):
            cells = Counter(int((seconds(one.at_ns) - low) / width) for one in ended if one.verdict is verdict)
            for cell, many in sorted(cells.items()):
                size = round(min(SMALLEST + log2(many) * 1.1, LARGEST), 1)
                edge = look.ink if SEVERITIES[verdict] is Severity.BAD else colour
                opacity = HEALTHY if SEVERITIES[verdict] is Severity.GOOD else 1.0
                mark = Mark(meaning, shape, size, colour, edge, opacity)
                places.setdefault(mark, []).append((low + (cell + 0.5) * width, y + (len(ENDINGS) / 2 - depth) * APART))
        put_marks(axes, places, look, zorder=3 + depth)
    _alive(axes, rows, high, look)
    dress(axes, look)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [_name(name, ended) for name, ended in rows])
    axes.tick_params(axis="y", length=0, labelsize=SMALL_PT)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    for y in range(len(rows)):
        axes.axhline(y, color=look.faint, linewidth=0.5, alpha=0.6, zorder=0)
    axes.set_xlim(low - width, high + width)
    mark_time(axes, start_ns)


def _alive(axes: Axes, rows: Sequence[tuple[str, list[Ended]]], high: float, look: Theme) -> None:
    """Draw behind each row how many of its flows were alive, as an area as high as the row at the most there were."""
    for y, (_, ended) in enumerate(rows):
        spans = [(seconds(one.began_ns), seconds(one.at_ns)) for one in ended if one.began_ns is not None]
        if not spans:
            continue
        begins, ends = (np.sort(np.array(times)) for times in zip(*spans, strict=True))
        times = np.linspace(begins[0], max(high, begins[0] + 1e-3), ALIVE_COLUMNS)
        alive = np.searchsorted(begins, times, side="right") - np.searchsorted(ends, times, side="left")
        top = y + 0.45 - 0.9 * alive / max(int(alive.max()), 1)
        axes.fill_between(
            times, y + 0.45, top, color=look.faint, alpha=0.35, linewidth=0, step="post", zorder=1,
            label=ALIVE if y == 0 else "_alive",
        )  # fmt: skip


def _meaning(verdict: Verdict, ended: Sequence[Ended]) -> str:
    return f"{verdict.value} ({sum(one.verdict is verdict for one in ended):,})"


def _name(name: str, ended: Sequence[Ended]) -> str:
    short = name if len(name) <= NAME else f"{name[: NAME // 2]}\N{HORIZONTAL ELLIPSIS}{name[-NAME // 2 + 1 :]}"
    return f"{short}  ({len(ended):,})"
