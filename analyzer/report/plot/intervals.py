"""The gaps between a flow's probes against time: even ticks lie flat, a lost one stands out, backing off climbs.

It must not infer: lines are what ``timers`` inferred, bands their bounds, over the time of the probes that show them.
"""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from analyzer.judge.probe import Probe, ZeroWindowProbe
from analyzer.report.plot import symbols
from analyzer.report.plot.canvas import add_legend, axes_or_new, crowding, dress, put_marks, say_thinned
from analyzer.report.plot.colours import SMALL_PT, house_style, themed
from analyzer.report.plot.facts import with_margin
from analyzer.report.plot.gaps import gaps, inferred, multiples
from analyzer.report.plot.lettering import ANYWHERE_PT, Label, Labels
from analyzer.report.plot.symbols import mark, probe_mark, said_instead, window_probe_mark
from analyzer.report.plot.thinning import COLUMNS, MANY, ROWS, in_columns, parted, seldom
from analyzer.report.plot.times import mark_durations, mark_time
from analyzer.units import seconds

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from matplotlib.axes import Axes

    from analyzer.judge.events import Fin, Reset
    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.record import FlowRecord
    from analyzer.report.plot.colours import Theme
    from analyzer.report.plot.gaps import Gap, Inferred
    from analyzer.report.plot.symbols import Mark
    from analyzer.track.flow import Side

SIZE_IN: Final = (9.6, 2.9)
MOST_LINES: Final = 1000
BOUNDS_KEY: Final = 0.3
"""Opacity of bounds in the legend, where there is no figure behind them to be kept readable."""
"""More FINs and RSTs than these are drawn by one collection of lines: each line of its own costs a millisecond."""
LOGARITHMIC_FROM: Final = 6.0
"""Ratio of the largest gap to the smallest from which on the axis is logarithmic."""


def probe_intervals(
    judged: JudgedFlow,
    start_ns: int,
    ax: Axes | None = None,
    *,
    span_ns: tuple[int, int] | None = None,
    theme: str = "light",
    legend: bool = True,
) -> Axes:
    """Draw the gap before each probe of a flow against time, and return the Axes.

    The gap is that to the previous probe of a train; for a train's first, to the peer's last segment that was not
    keepalive, which is what TCP_KEEPIDLE counts from; for the first zero-window probe, to the closing of the window. A
    probe before which nothing was captured has none.

    Args:
        judged: the flow.
        start_ns: the instant that the time axis counts from; the capture's first frame.
        ax: where to draw; None makes a figure of its own.
        span_ns: the stretch of time to show; None shows the whole flow.
        theme: ``light``, ``dark``, or ``transparent`` for a page that may be either.
        legend: whether to explain the marks below.
    """
    look, record = themed(theme), judged.record
    with house_style():
        axes = axes_or_new(ax, SIZE_IN, look)
        dress(axes, look)
        found, timers = gaps(record), inferred(judged)
        low_ns, high_ns = span_ns or with_margin(judged)
        axes.set_xlim(seconds(low_ns - start_ns), seconds(high_ns - start_ns))
        _scales(axes, found, timers, look, start_ns)
        fins = in_columns(record.fins, (low_ns, high_ns), attrgetter("sender"))
        resets = in_columns(record.resets, (low_ns, high_ns), attrgetter("sender"))
        _events(axes, (fins, resets), look, start_ns)
        labels = _lines(axes, timers, look, start_ns) + _multiples(axes, multiples(found, timers), look)
        drawn = _few(axes, found, start_ns)
        _trains(axes, drawn, look, start_ns, together=len(drawn) < len(found))
        places: defaultdict[Mark, list[tuple[float, float]]] = defaultdict(list)
        scale = crowding(axes, sum(low_ns <= gap.of.ts_ns <= high_ns for gap in found))
        for gap in drawn:
            place = (seconds(gap.of.ts_ns - start_ns), seconds(gap.gap_ns))
            places[_mark(record, gap, look, scale)].append(place)
        put_marks(axes, places, look, zorder=4)
        if not found:
            middle = sum(axes.get_xlim()) / 2, sum(axes.get_ylim()) / 2
            labels.append(Label(*middle, ("no gap between probes to show",), color=look.ink))
        obstacles = [(x, y, kind.size) for kind, points in places.items() for x, y in points]
        walls = [seconds(fin.ts_ns - start_ns) for fin in fins]
        walls += [seconds(reset.ts_ns - start_ns) for reset in resets]
        if len(drawn) < len(found):
            say_thinned(axes)
        Labels(axes, labels, obstacles, walls)
        if legend:
            add_legend(axes, [axes], symbols.ORDER, look)
    return axes


def _few(axes: Axes, found: list[Gap], start_ns: int) -> list[Gap]:
    """Return the gaps that are drawn: of very many, one of each look where one mark would hide the others."""
    if len(found) <= MANY:
        return found
    places = np.array([(seconds(gap.of.ts_ns - start_ns), seconds(gap.gap_ns)) for gap in found])
    across, up = (axes.transScale + axes.transLimits).transform(places).T
    cells = parted(across, COLUMNS) * (ROWS + 2) + parted(up, ROWS)
    return seldom(found, [_look(gap) for gap in found], cells)


def _look(gap: Gap) -> Hashable:
    """Return what a gap's mark depends on."""
    if isinstance(gap.of, Probe):
        return gap.of.sender, gap.of.certainty, gap.of.after_fin, gap.of.answer
    if isinstance(gap.of, ZeroWindowProbe):
        return gap.of.sender, gap.of.answer_frame is None
    return gap.of.sender


def _mark(record: FlowRecord, gap: Gap, theme: Theme, scale: float) -> Mark:
    if isinstance(gap.of, Probe):
        return probe_mark(gap.of, theme, scale, instead=said_instead(record, gap.of))
    if isinstance(gap.of, ZeroWindowProbe):
        return window_probe_mark(gap.of, theme, scale)
    return mark(symbols.RESET, theme)


def _scales(axes: Axes, found: list[Gap], timers: list[Inferred], theme: Theme, start_ns: int) -> None:
    """Set both axes: time as in the timeline, gaps linear from 0 or, where they differ much, logarithmic."""
    mark_time(axes, start_ns)
    drawn = [gap.gap_ns for gap in found]
    drawn += [timer.value_ns for timer in timers if timer.value_ns is not None]
    least, most = (seconds(min(drawn)), seconds(max(drawn))) if drawn else (0.0, 1.0)
    if least > 0 and most / least >= LOGARITHMIC_FROM:
        axes.set_yscale("log")
        axes.set_ylim(least / 1.8, most * 2.4)
    else:
        axes.set_ylim(0, most * 1.35 or 1.0)
    mark_durations(axes.yaxis, spacing_pt=26)
    axes.set_title("gap before each probe", loc="left", fontsize=SMALL_PT, color=theme.ink, pad=4)
    axes.grid(visible=True, axis="y", linewidth=0.5, alpha=0.35, zorder=0)


def _events(axes: Axes, seen: tuple[Sequence[Fin], Sequence[Reset]], theme: Theme, start_ns: int) -> None:
    """Draw FINs and RSTs through, as in the timeline."""
    fins, resets = seen
    if len(fins) + len(resets) > MOST_LINES:
        for some, color, width, label in ((fins, theme.ink, 1.2, "_FIN"), (resets, theme.reset, 1.8, "_RST")):
            axes.vlines(
                [seconds(segment.ts_ns - start_ns) for segment in some],
                *(0, 1),
                colors=color,
                linewidths=width,
                label=label,
                zorder=1,
                transform=axes.get_xaxis_transform(),
                rasterized=True,
            )
        return
    for fin in fins:
        axes.axvline(seconds(fin.ts_ns - start_ns), color=theme.ink, linewidth=1.2, label="_FIN", zorder=1)
    for reset in resets:
        axes.axvline(seconds(reset.ts_ns - start_ns), color=theme.reset, linewidth=1.8, label="_RST", zorder=1)


def _lines(axes: Axes, timers: list[Inferred], theme: Theme, start_ns: int) -> list[Label]:
    """Draw inferred durations as lines with their bounds as bands, where they were in force; return their labels."""
    labels = []
    for timer in timers:
        left, right = seconds(timer.begin_ns - start_ns), seconds(timer.end_ns - start_ns)
        low, high = seconds(timer.low_ns), seconds(timer.high_ns)
        band = Rectangle((left, low), right - left, high - low, label="_bounds", zorder=0.5)
        band.set(facecolor=theme.probe, alpha=theme.shade * 1.5 * (low / high) ** 0.5 if high else 0, edgecolor="none")
        axes.add_patch(band)
        named = Rectangle((left, low), 0, 0, label=symbols.BOUNDS)  # of no size: for the legend
        named.set(facecolor=to_rgba(theme.probe, BOUNDS_KEY), edgecolor=theme.probe, linewidth=0.6)
        axes.add_patch(named)
        y = high if timer.value_ns is None else seconds(timer.value_ns)
        if timer.value_ns is not None:
            axes.plot([left, right], [y, y], color=theme.probe, linewidth=1.2, linestyle="--", label="_value", zorder=1)
        labels.append(_beside(left, y, timer.words, theme))
    return labels


def _multiples(axes: Axes, found: list[tuple[int, str]], theme: Theme) -> list[Label]:
    """Draw where a multiple of the usual gap lies; return the labels."""
    left = axes.get_xlim()[0]
    for gap_ns, _ in found:
        axes.axhline(seconds(gap_ns), color=theme.faint, linewidth=1.0, linestyle=":", label="_multiple", zorder=0.8)
    return [_beside(left, seconds(gap_ns), words, theme) for gap_ns, words in found]


def _beside(x: float, y: float, words: str, theme: Theme) -> Label:
    """Return a label that stands over its line, or under it."""
    return Label(
        x,
        y,
        (words,),
        aligns=("left",),
        lifts_pt=(7.0, -7.0, 12.0, -12.0),
        slide_pt=ANYWHERE_PT,
        color=theme.ink,
        size_pt=SMALL_PT,
    )


def _trains(axes: Axes, found: list[Gap], theme: Theme, start_ns: int, *, together: bool) -> None:
    """Join the gaps of each train; ``together``: by one collection of lines, as there may be very many."""
    trains: defaultdict[tuple[str, Side, int], list[Gap]] = defaultdict(list)
    for gap in found:
        trains[gap.train].append(gap)
    lines = [
        [(seconds(gap.of.ts_ns - start_ns), seconds(gap.gap_ns)) for gap in members] for members in trains.values()
    ]
    if together:
        joined = LineCollection(lines, colors=theme.faint, linewidths=1.0, label="_trains", zorder=2, rasterized=True)
        axes.add_collection(joined, autolim=False)
        return
    for line in lines:
        axes.plot(*zip(*line, strict=True), color=theme.faint, linewidth=1.0, label="_train", zorder=2)
