"""The timeline of a flow: both ends as lanes with their derived states, between them the segments that tell the story.

The ending stands in words over the place where it came, and the stretch of time that tells about it is bracketed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.patches import Rectangle

from analyzer.report.plot import symbols
from analyzer.report.plot.canvas import add_legend, axes_or_new, crowding, dress
from analyzer.report.plot.colours import FONT_PT, ORANGE, house_style, themed
from analyzer.report.plot.facts import bracket, ending_words, lane_words, reach_ns, with_margin
from analyzer.report.plot.lanes import CAPTION, EDGE, LOW, ROOM, WORDS, Drawing
from analyzer.report.plot.lettering import ANYWHERE_PT, Align, Label
from analyzer.report.plot.segments import collect_segments
from analyzer.report.plot.states import draw_states
from analyzer.report.plot.times import mark_time
from analyzer.report.plot.witnesses import collect_witnesses
from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analyzer.judge.judged import JudgedFlow
    from analyzer.report.plot.facts import Bracket

SIZE_IN: Final = (9.6, 3.9)


def flow_timeline(
    judged: JudgedFlow,
    start_ns: int,
    ax: Axes | None = None,
    *,
    span_ns: tuple[int, int] | None = None,
    theme: str = "light",
    legend: bool = True,
) -> Axes:
    """Draw a flow from its first segment to its end, and return the Axes.

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
        low_ns, high_ns = span_ns or with_margin(judged)
        probed = [probe.ts_ns for probe in record.probes] + [probe.ts_ns for probe in record.zero_window_probes]
        count = sum(low_ns <= ts_ns <= high_ns for ts_ns in probed)
        drawing = Drawing(record, look, start_ns, reach_ns(judged), crowding(axes, count), span_ns=(low_ns, high_ns))
        span = bracket(judged)
        top = CAPTION if span is None else CAPTION + 1.2
        _frame(axes, drawing, (low_ns, high_ns))
        draw_states(axes, drawing, judged)
        collect_segments(drawing)
        collect_witnesses(drawing, judged)
        if span is not None:
            _bracket(axes, drawing, span)
        _ending(axes, judged, drawing, top)
        below = any(label.y == WORDS["b"] for label in drawing.labels)
        axes.set_ylim(WORDS["b"] - 0.55 if below else -0.35, top + 0.6)
        drawing.put(axes)
        if legend:
            add_legend(axes, [axes], symbols.ORDER, look)
    return axes


def _frame(axes: Axes, drawing: Drawing, span_ns: tuple[int, int]) -> None:
    record = drawing.record
    dress(axes, drawing.theme)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(drawing.x(span_ns[0]), drawing.x(span_ns[1]))
    axes.set_yticks([LOW[side] + 0.5 for side in SIDES], [lane_words(record, side) for side in SIDES])
    axes.tick_params(axis="y", length=0)
    mark_time(axes, drawing.start_ns)
    if record.fins:
        begin = drawing.x(record.fins[0].ts_ns)
        shade = Rectangle(
            (begin, EDGE["b"]), drawing.x(drawing.stop_ns) - begin, ROOM, label="_after the FIN", zorder=0
        )
        shade.set(facecolor=ORANGE, alpha=drawing.theme.shade, edgecolor="none")
        axes.add_patch(shade)


def _bracket(axes: Axes, drawing: Drawing, span: Bracket) -> None:
    theme = drawing.theme
    left, right = drawing.x(span.begin_ns), drawing.x(span.end_ns)
    y, tip = CAPTION - 0.55, 0.24
    axes.plot(
        [left, left, right, right],
        [y - tip, y, y, y - tip],
        color=theme.ink,
        linewidth=1.1,
        solid_joinstyle="miter",
        label="_bracket",
        zorder=4,
    )
    low, high = axes.get_xlim()
    middle = (max(left, low) + min(right, high)) / 2
    limits = (low, max(min(right, high), (low + high) / 2))
    label = Label(middle, CAPTION, span.wordings, limits, slide_pt=ANYWHERE_PT, rank=-1, color=theme.ink)
    drawing.labels.append(label)


def _ending(axes: Axes, judged: JudgedFlow, drawing: Drawing, top: float) -> None:
    """Write how the flow ended over the place where it did."""
    at_ns, words = ending_words(judged, drawing.stop_ns)
    x, ink = drawing.x(at_ns), drawing.theme.ink
    segment = at_ns in {fin.ts_ns for fin in drawing.record.fins} | {rst.ts_ns for rst in drawing.record.resets}
    foot = WORDS["a"] + 0.5 if segment else LOW["b"]
    dashes = (0, (4, 2))
    axes.plot([x, x], [foot, top + 0.45], color=ink, linewidth=0.9, linestyle=dashes, label="_end", zorder=0.6)
    low, high = axes.get_xlim()
    aligns: tuple[Align, ...] = ("right", "left") if x > (low + high) / 2 else ("left", "right")
    label = Label(x, top, words, aligns=aligns, slide_pt=ANYWHERE_PT, rank=-2, color=ink, size_pt=FONT_PT + 1)
    label.weight = "bold"
    drawing.labels.append(label)
