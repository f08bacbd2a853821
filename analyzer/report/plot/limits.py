"""Limits of idle time, a row a service: silences that were survived above the line, those that were not below.

On a logarithmic axis a limit shows as a wall between the two; bounds that the trials agree on are shaded, known limits
are lines.

It must not decide whether there is a limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.collections import LineCollection

from analyzer.judge.signatures import MIDDLEBOXES
from analyzer.report.plot import colours
from analyzer.report.plot.canvas import RASTER_FROM, add_legend, add_title, dress, new_figure
from analyzer.report.plot.colours import SMALL_PT, house_style, themed
from analyzer.report.plot.histogram import LIMIT, bins, limits_within
from analyzer.report.plot.lettering import Label, Labels
from analyzer.report.plot.times import mark_durations, tick_text
from analyzer.units import seconds
from analyzer.values import dataclass
from analyzer.words.idle_limits import limit_name, limit_sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analyzer.report.plot.colours import Theme
    from analyzer.report.plot.lettering import Align
    from analyzer.survey.limits import IdleLimit

WIDTH_IN: Final = 9.6
ROW_IN: Final = 0.75
AROUND_IN: Final = 2.0
HEIGHT: Final = 0.32
"""Of a tick, in heights of a row."""
TOP: Final = -1.15
NAMES: Final = -0.95
DURATIONS: Final = -0.6
OTHERS: Final = -0.78
"""How high the lines of known limits go that fit no row."""
SURVIVED: Final = "silence that was survived, one per flow"
DIED: Final = "silence that was not"
BETWEEN: Final = "the limit lies here"
ORDER: Final = (SURVIVED, DIED, BETWEEN, LIMIT)


@dataclass(frozen=True, slots=True)
class Silences:
    """A service or a pair of hosts with what trials say of it, and its silences, one a flow."""

    limit: IdleLimit
    survived_ns: Sequence[int]
    died_ns: Sequence[int]


def idle_limits_figure(rows: Sequence[Silences], *, theme: str = "light") -> Figure:
    """Return a figure of the silences of services, a row each.

    Args:
        rows: at least one.
        theme: ``light``, ``dark``, or ``transparent`` for a page that may be either.
    """
    look = themed(theme)
    with house_style():
        figure = new_figure(WIDTH_IN, AROUND_IN + ROW_IN * len(rows), look)
        axes = figure.add_subplot()
        dress(axes, look)
        axes.spines["left"].set_visible(False)
        edges = bins([seconds(ns) for row in rows for ns in (*row.survived_ns, *row.died_ns)])
        axes.set_xscale("log")
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(len(rows) - 0.5, TOP)
        axes.set_yticks(range(len(rows)), [limit_name(row.limit).removeprefix("connections to ") for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("silence, without any segment")
        mark_durations(axes.xaxis, spacing_pt=48)
        for at, row in enumerate(rows):
            _row(axes, at, row, look)
        Labels(axes, _known(axes, rows, look))
        add_legend(figure, [axes], ORDER, look)
        add_title(figure, _title(rows), look)
    return figure


def _row(axes: Axes, at: int, row: Silences, look: Theme) -> None:
    """Draw one service: its line, its ticks, and between which bounds the limit is."""
    axes.axhline(at, color=look.faint, linewidth=0.8, zorder=1)
    low_ns, high_ns = row.limit.low_ns, row.limit.high_ns
    if row.limit.is_hard and low_ns is not None:
        low_s, high_s = seconds(low_ns), seconds(high_ns)
        axes.fill_betweenx(
            [at - HEIGHT, at + HEIGHT], low_s, high_s, color=colours.ORANGE, alpha=0.35, linewidth=0, zorder=1.5,
            label="_between" if axes.get_legend_handles_labels()[1].count(BETWEEN) else BETWEEN,
        )  # fmt: skip
    for meaning, silences, color, end in (
        (SURVIVED, row.survived_ns, colours.GREEN, at - HEIGHT),
        (DIED, row.died_ns, look.reset, at + HEIGHT),
    ):
        if not silences:
            continue
        lines = [[(seconds(ns), at), (seconds(ns), end)] for ns in silences]
        known = axes.get_legend_handles_labels()[1]
        ticks = LineCollection(lines, colors=color, linewidths=1.2, rasterized=len(lines) > RASTER_FROM, zorder=3)
        ticks.set_label("_again" if meaning in known else meaning)
        axes.add_collection(ticks, autolim=False)


def _known(axes: Axes, rows: Sequence[Silences], look: Theme) -> list[Label]:
    """Mark known limits as lines, and return their names, to stand over the rows: those in full that fit a row."""
    fit = {box.idle_s for row in rows for box in row.limit.fits}
    labels = []
    for index, (idle_s, names) in enumerate(limits_within(MIDDLEBOXES, *axes.get_xlim())):
        label = "_limit" if index else LIMIT
        top = 1.0 if idle_s in fit else (len(rows) - 0.5 - OTHERS) / (len(rows) - 0.5 - TOP)
        style: dict[str, Any] = {"color": look.ink, "linewidth": 0.9, "linestyle": (0, (5, 3)), "label": label}
        axes.axvline(idle_s, 0, top, zorder=1, **style)
        duration = f"{idle_s} s" if idle_s % 60 else tick_text(idle_s, 0)
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        wordings = (f"fits {duration}: {names[0]}{more}", duration) if idle_s in fit else (duration,)
        y = NAMES if idle_s in fit else DURATIONS
        sides: tuple[Align, ...] = ("left", "right") if idle_s in fit else ("left",)
        labels.append(Label(idle_s, y, wordings, aligns=sides, color=look.ink, size_pt=SMALL_PT))
    return labels


def _title(rows: Sequence[Silences]) -> str:
    hard = next((row.limit for row in rows if row.limit.is_hard), None)
    return limit_sentence(hard).partition(": ")[0] if hard is not None else "No limit of idle time shows"
