"""Whole figures, as the command saves them: a flow's timeline over its intervals; all flows over their silences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain import headline
from analyzer.report.plot import symbols
from analyzer.report.plot.canvas import add_legend, add_title, new_figure
from analyzer.report.plot.colours import FONT_PT, house_style, themed
from analyzer.report.plot.endings import ROW_IN, Ended, endings_panel, rows_that_fit
from analyzer.report.plot.facts import close_up
from analyzer.report.plot.gaps import has_gaps
from analyzer.report.plot.histogram import idle_histogram
from analyzer.report.plot.intervals import probe_intervals
from analyzer.report.plot.many_flows import WIDTH_IN, flows_overview, heights, services_of
from analyzer.report.plot.timeline_figure import flow_timeline
from analyzer.report.plot.times import brief

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analyzer.judge.judged import JudgedFlow
    from analyzer.report.plot.colours import Theme

FLOW_SIZE_IN: Final = (9.6, 6.4)
HISTOGRAM_IN: Final = 2.6
SMALL_IN: Final = 5.0
AROUND_IN: Final = 1.6
MOST_ROWED: Final = 300
"""With more flows than this a row each would be too low to be seen on a page."""
TIMELINE_SIZE_IN: Final = (9.6, 4.2)


def flow_figure(
    judged: JudgedFlow,
    start_ns: int,
    *,
    theme: str = "light",
    size_in: tuple[float, float] | None = None,
    intervals: bool = True,
    title: bool = True,
) -> Figure:
    """Return a figure of one flow: its timeline, and below, on the same time axis, the gaps between its probes.

    Args:
        judged: the flow.
        start_ns: the instant that the time axis counts from; the capture's first frame.
        theme: ``light``, ``dark``, or ``transparent`` for a page that may be either.
        size_in: width and height in inches.
        intervals: whether to draw the gaps; they are left out where there is at most one.
        title: whether the flow's number and headline stand above.
    """
    look = themed(theme)
    intervals = intervals and has_gaps(judged.record)
    near_ns = close_up(judged)
    with house_style():
        figure = new_figure(*(size_in or (FLOW_SIZE_IN if intervals else TIMELINE_SIZE_IN)), look)
        panels = figure.subplots(
            2 if intervals else 1,
            2 if near_ns else 1,
            height_ratios=(5, 4) if intervals else None,
            width_ratios=(3, 2) if near_ns else None,
            sharex="col",
            squeeze=False,
        )
        for column, span_ns in enumerate((None, near_ns) if near_ns else (None,)):
            upper = flow_timeline(judged, start_ns, panels[0][column], span_ns=span_ns, theme=theme, legend=False)
            if intervals:
                probe_intervals(judged, start_ns, panels[1][column], span_ns=span_ns, theme=theme, legend=False)
                upper.set_xlabel("")
                upper.tick_params(axis="x", labelbottom=False)
            if span_ns is not None:
                _subordinate(panels[:, column], brief(span_ns[1] - span_ns[0]), look)
        small = figure.get_figheight() < SMALL_IN
        add_legend(figure, list(panels.flat), symbols.ORDER, look, leave_out=symbols.SPARED if small else ())
        if title:
            add_title(figure, f"Flow {judged.record.number}: {headline(judged, start_ns)}", look)
    return figure


def _subordinate(panels: Iterable[Axes], took: str, look: Theme) -> None:
    """Make a column of panels a close-up of that at its left."""
    for row, panel in enumerate(panels):
        if not panel.get_xlabel().startswith("after "):
            panel.set_xlabel("")  # said at the left
        panel.tick_params(axis="y", labelleft=row > 0)
        panel.set_title("" if row else f"last {took}", loc="left", fontsize=FONT_PT, color=look.ink)


def overview_figure(
    judged_flows: Iterable[JudgedFlow],
    start_ns: int,
    *,
    theme: str = "light",
    size_in: tuple[float, float] | None = None,
    ended: Sequence[Ended] = (),
) -> Figure:
    """Return a figure of all flows that probe, a row each, over the histogram of all flows' silences.

    Where they are too many for a page, or for ``size_in``, a row is a service: how many of its flows were alive, and
    how they ended.

    Args:
        judged_flows: flows of one capture.
        start_ns: the instant that the time axis counts from; the capture's first frame.
        theme: ``light``, ``dark``, or ``transparent`` for a page that may be either.
        size_in: width and height in inches.
        ended: all flows that probe, also those that were not judged.
    """
    look = themed(theme)
    flows = list(judged_flows)
    services, _ = services_of(flows)
    rows_in = heights(services)[1] / 72
    needed_in = rows_in + HISTOGRAM_IN + AROUND_IN
    if ended and (len(ended) > MOST_ROWED or (size_in is not None and needed_in > size_in[1])):
        return _binned(flows, ended, start_ns, size_in, theme)
    with house_style():
        figure = new_figure(*(size_in or (WIDTH_IN, needed_in)), look)
        upper, lower = figure.subplots(2, 1, height_ratios=(rows_in, HISTOGRAM_IN))
        flows_overview(flows, start_ns, upper, theme=theme)
        idle_histogram(flows, lower, theme=theme)
        count = sum(len(service.flows) for service in services)
        add_title(figure, f"{count} flow{'' if count == 1 else 's'} with probes", look)
    return figure


def _binned(
    flows: Sequence[JudgedFlow],
    ended: Sequence[Ended],
    start_ns: int,
    size_in: tuple[float, float] | None,
    theme: str,
) -> Figure:
    """Return a figure of many flows that probe, a row each service, over the histogram of silences."""
    look = themed(theme)
    low_in = HISTOGRAM_IN if size_in is None else min(HISTOGRAM_IN, size_in[1] * 0.35)
    room_in = 13 * ROW_IN if size_in is None else max(size_in[1] - low_in - AROUND_IN, ROW_IN)
    rows = rows_that_fit(ended, room_in)
    with house_style():
        figure = new_figure(*(size_in or (WIDTH_IN, rows * ROW_IN + low_in + AROUND_IN + 0.4)), look)
        upper, lower = figure.subplots(2, 1, height_ratios=(max(rows * ROW_IN, 0.6), low_in))
        meanings = endings_panel(ended, upper, rows, start_ns, theme=theme)
        add_legend(upper, [upper], meanings, look)
        idle_histogram(flows, lower, theme=theme)
        services = len({one.service for one in ended})
        add_title(
            figure,
            f"{len(ended):,} flows with probes, to {services:,} service{'' if services == 1 else 's'}: when they were"
            " alive, and how they ended",
            look,
        )
    return figure
