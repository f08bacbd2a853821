"""Pictures of judged flows, with matplotlib; nothing else in the package imports it.

The functions take judged flows and an Axes, or make one, and return the Axes: ``flow_timeline`` and
``probe_intervals`` draw one flow, ``flows_overview`` and ``idle_histogram`` many. ``flow_figure`` and
``overview_figure`` put them together as the command does, ``rendered`` gives the bytes of a file, ``inline_svg`` markup
for a page.

``ladder_figure`` draws a connection that several points saw.

They neither touch rcParams nor pyplot: what a caller has set up stays as it is, and threads do not meet.
"""

import logging

from analyzer.local_settings import ignored

# a list of fonts that cannot be kept costs the next run a moment, and is nothing to tell a user who asked for a picture
logging.getLogger("matplotlib.font_manager").addFilter(lambda record: not record.msg.startswith("Could not save"))

with ignored("matplotlibrc"):  # matplotlib is imported by these
    from analyzer.report.plot.canvas import FORMATS, inline_svg, rendered, time_axes
    from analyzer.report.plot.colours import THEMES
    from analyzer.report.plot.endings import Ended, endings_figure
    from analyzer.report.plot.histogram import idle_histogram
    from analyzer.report.plot.intervals import probe_intervals
    from analyzer.report.plot.ladder import ladder_figure
    from analyzer.report.plot.limits import Silences, idle_limits_figure
    from analyzer.report.plot.many_flows import flows_overview
    from analyzer.report.plot.pages import flow_figure, overview_figure
    from analyzer.report.plot.timeline_figure import flow_timeline

__all__ = [
    "FORMATS",
    "THEMES",
    "Ended",
    "Silences",
    "endings_figure",
    "flow_figure",
    "flow_timeline",
    "flows_overview",
    "idle_histogram",
    "idle_limits_figure",
    "inline_svg",
    "ladder_figure",
    "overview_figure",
    "probe_intervals",
    "rendered",
    "time_axes",
]
