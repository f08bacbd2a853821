"""What every picture shares: an Axes to draw in, its colours, marks and legend, and how it is saved.

The same records give the same bytes, so that a picture may be kept in a repository.

It must not know records.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import ScaledTranslation

from analyzer.report.plot.colours import SMALL_PT, THEMES, TITLE_PT, Theme, house_style
from analyzer.report.plot.symbols import HOLLOW, THINNED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.legend import Legend

    from analyzer.report.plot.symbols import Mark

MARKS_PER_IN: Final = 8.0
"""Side by side at full size, roughly."""
LEAST_SCALE: Final = 0.45
RASTER_FROM: Final = 5000
"""More marks or lines of a kind are drawn as pixels, or no viewer would open the SVG."""
FORMATS: Final = ("png", "svg", "pdf")
"""What pictures are saved as; also the suffixes of their files."""
DOTS_PER_INCH: Final = 144
POINTS_PER_INCH: Final = 72
"""SVG and PDF are laid out in points."""
SMALL: Final = 5.0
"""Marks below this size have a thin rim."""
LEGEND_SIZE: Final = 4.0
"""Of a mark in the legend, at least."""
BELOW_AXIS_PT: Final = 36.0
"""Height of an axis' tick labels and name."""
VARIABLES: Final = {
    name: getattr(THEMES["transparent"], name.replace("-", "_")).lower()
    for name in ("ink", "faint", "probe", "after-fin", "window-probe", "reset")
}
"""Colours of the theme for any page, which a page may replace by what its own background asks for."""
_UNDATED: Final[dict[str, dict[str, str | None]]] = {"png": {"Software": None}, "svg": {"Date": None}}


def new_figure(width_in: float, height_in: float, theme: Theme) -> Figure:
    """Return an empty figure, without the state of pyplot."""
    figure = Figure(figsize=(width_in, height_in), dpi=100, layout="constrained", facecolor=theme.page)
    FigureCanvasAgg(figure)
    return figure


def axes_or_new(ax: Axes | None, size_in: tuple[float, float], theme: Theme) -> Axes:
    """Return the caller's Axes, or that of a new figure."""
    return new_figure(*size_in, theme).add_subplot() if ax is None else ax


def dress(ax: Axes, theme: Theme) -> None:
    """Give an Axes the colours of the theme, and only the spines that measure something."""
    ax.set_facecolor(theme.page)
    ax.grid(visible=False)
    for side, spine in ax.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(theme.faint)
        spine.set_linewidth(0.8)
    ax.tick_params(which="both", color=theme.faint, labelcolor=theme.ink, labelsize=SMALL_PT, width=0.8)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_color(theme.ink)
        axis.label.set_fontsize(SMALL_PT)


def crowding(ax: Axes, count: int) -> float:
    """Return by how much marks have to be smaller for so many to stand side by side."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    wide_in = figure.get_figwidth() * ax.get_position().width
    room = MARKS_PER_IN * wide_in / max(1, count)
    return float(max(LEAST_SCALE, min(1.0, room**0.5)))


def put_marks(ax: Axes, marks: Mapping[Mark, Sequence[tuple[float, float]]], theme: Theme, zorder: float = 3) -> None:
    """Put marks at their places, each kind as one collection labelled with its meaning."""
    page = theme.page
    for mark, places in marks.items():
        xs, ys = zip(*places, strict=True)
        hollow = mark.face == HOLLOW
        ax.scatter(
            xs,
            ys,
            s=mark.size**2,
            marker=mark.shape,
            c=page if hollow else mark.face,
            edgecolors=None if mark.is_stroke else mark.edge,
            linewidths=1.4 if mark.is_stroke or hollow else 0.8 if mark.size >= SMALL else 0.3,
            alpha=mark.alpha,
            zorder=zorder,
            label=mark.meaning,
            rasterized=len(places) > RASTER_FROM,
        )


def say_thinned(ax: Axes) -> None:
    """Have the legend say that a mark may stand for several."""
    named = Rectangle((ax.get_xlim()[0], 0), 0, 0, label=THINNED)  # of no size: for the legend
    named.set(facecolor="none", edgecolor="none")
    ax.add_patch(named)


def add_legend(
    owner: Axes | Figure, axes: Sequence[Axes], order: Sequence[str], theme: Theme, *, leave_out: Sequence[str] = ()
) -> Legend | None:
    """Put a legend of what the axes show below them, in as many columns as there is room for."""
    found: dict[str, Artist] = {}
    for ax in axes:
        for handle, meaning in zip(*ax.get_legend_handles_labels(), strict=True):
            if handle is not None and meaning not in leave_out:
                found.setdefault(meaning, handle)
    if not found:
        return None
    meanings = sorted(found, key=lambda meaning: order.index(meaning) if meaning in order else len(order))
    style: dict[str, Any] = {
        "handles": [found[meaning] for meaning in meanings],
        "labels": meanings,
        "ncols": _columns(owner, meanings),
        "frameon": False,
        "fontsize": SMALL_PT,
        "labelcolor": theme.ink,
        "handlelength": 1.6,
        "handletextpad": 0.5,
        "columnspacing": 1.4,
        "borderpad": 0.2,
    }
    if isinstance(owner, Figure):
        legend = owner.legend(loc="outside lower center", **style)
    else:
        figure = owner.get_figure(root=True)
        assert figure is not None
        below = ScaledTranslation(0, -BELOW_AXIS_PT / 72, figure.dpi_scale_trans)
        style |= {"bbox_to_anchor": (0.5, 0), "bbox_transform": owner.transAxes + below}
        legend = owner.legend(loc="upper center", borderaxespad=0, **style)
    for text in legend.get_texts():
        text.set_parse_math(False)
    for shown in legend.legend_handles:
        if isinstance(shown, PathCollection):
            shown.set_sizes([max(float(size), LEGEND_SIZE**2) for size in shown.get_sizes()])
    return legend


def _columns(owner: Axes | Figure, meanings: Sequence[str]) -> int:
    """Return how many columns a legend may have; it is filled column by column."""
    figure = owner.get_figure(root=True)
    assert figure is not None
    room_pt = figure.get_figwidth() * 72 * 0.97
    if not isinstance(owner, Figure):
        room_pt *= owner.get_position().width
    widths = [_width_pt(meaning, {"fontsize": SMALL_PT, "parse_math": False}) for meaning in meanings]
    for rows in range(1, len(meanings)):
        columns = [widths[at : at + rows] for at in range(0, len(widths), rows)]
        if sum(max(column) + 3.6 * SMALL_PT for column in columns) <= room_pt:
            return len(columns)
    return 1


def add_title(figure: Figure, words: str, theme: Theme) -> None:
    """Write a title over a figure, at its left, in as many lines as it takes, about equally long."""
    style = {"fontsize": TITLE_PT, "fontweight": "bold", "parse_math": False}
    # a number stays with its unit
    kept = re.sub(r"(\d) (?=(?:us|ms|s|min|h|d)\b)|(?<=min) (?=\d)", "\\1\N{NO-BREAK SPACE}", words).split(" ")
    widths = [_width_pt(word, style) for word in kept]
    space = _width_pt("n n", style) - _width_pt("nn", style)
    room_pt = figure.get_figwidth() * 72 * 0.96
    lines = _broken(kept, widths, space, room_pt)
    while len(lines) > 1 and len(tighter := _broken(kept, widths, space, room_pt * 0.96)) == len(lines):
        lines, room_pt = tighter, room_pt * 0.96
    figure.suptitle("\n".join(lines), x=0.012, ha="left", color=theme.ink, **style)


def time_axes(figure: Figure) -> list[list[float]]:
    """Return where the time axes of a figure are in its SVG: number, left, right, top, bottom, first and last second.

    The figure must have been rendered; numbers count from 1, as in the ids of its groups.
    """
    scale = 72 / figure.dpi
    height = figure.bbox.height * scale
    found = []
    for number, axes in enumerate(figure.axes, 1):
        box = axes.get_window_extent()
        edges = (box.x0 * scale, box.x1 * scale, height - box.y1 * scale, height - box.y0 * scale)
        found.append([number, *(round(float(edge), 2) for edge in edges), *(float(s) for s in axes.get_xlim())])
    return found


def _broken(words: Sequence[str], widths: Sequence[float], space: float, room: float) -> list[str]:
    """Return words as lines no wider than there is room."""
    lines: list[list[str]] = []
    left = 0.0
    for word, width in zip(words, widths, strict=True):
        if not lines or width > left:
            lines.append([])
            left = room
        lines[-1].append(word)
        left -= width + space
    return [" ".join(line) for line in lines]


@cache
def _scratch() -> FigureCanvasAgg:
    """Return a figure to measure words in, always the same: each holds a picture, and is part of a cycle."""
    return FigureCanvasAgg(Figure(figsize=(1, 1), dpi=100))


def _width_pt(words: str, style: Mapping[str, Any]) -> float:
    canvas = _scratch()
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    text = canvas.figure.text(0, 0, words, **style)
    width_px = float(text.get_window_extent(renderer).width)
    text.remove()
    return width_px * 0.72


def rendered(figures: Iterable[Figure], fmt: str) -> bytes:
    """Return figures as the bytes of a file: the pages of one PDF, or one PNG or SVG.

    The same figures give the same bytes: no date, no version, no random ids.
    """
    stream = BytesIO()
    with house_style():
        if fmt == "pdf":
            from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages  # takes as long as a picture

            with PdfPages(stream, metadata={"CreationDate": None}) as pages:
                for figure in figures:
                    with _laid_out(figure, FigureCanvasPdf, POINTS_PER_INCH) as canvas:
                        canvas.print_pdf(pages)
            return stream.getvalue()
        (figure,) = figures
        if fmt == "svg":
            from matplotlib.backends.backend_svg import FigureCanvasSVG

            with _laid_out(figure, FigureCanvasSVG, POINTS_PER_INCH) as canvas:
                figure.dpi = DOTS_PER_INCH  # of what is drawn as pixels in it
                canvas.print_svg(stream, metadata=_UNDATED[fmt])
        else:
            with _laid_out(figure, FigureCanvasAgg, DOTS_PER_INCH) as canvas:
                canvas.print_png(stream, metadata=_UNDATED[fmt])
    return stream.getvalue()


@contextmanager
def _laid_out(figure: Figure, kind: type[FigureCanvasBase], dpi: float) -> Iterator[Any]:
    """Return such a canvas for a figure, in which everything has its place, and leave the figure as it was.

    ``savefig`` draws a figure twice, the first time only for the layout, which takes a third of the time of an SVG.
    """
    before, dpi_before, engine = figure.canvas, figure.dpi, figure.get_layout_engine()
    try:
        figure.dpi = dpi
        canvas = kind(figure)
        if engine is not None and figure.axes:
            engine.execute(figure)
            figure.set_layout_engine("none")
        yield canvas
    finally:
        figure.set_canvas(before)
        figure.dpi = dpi_before
        figure.set_layout_engine(engine)


def inline_svg(figure: Figure, prefix: str) -> str:
    """Return a figure as an ``<svg>`` element for an HTML page, every id in it preceded by ``prefix``.

    Several pictures may so stand in one page. The page may say what the colours of the theme are, by the variables
    ``--plot-ink`` and so on; where it does not, they are as drawn.
    """
    markup = rendered([figure], "svg").decode()
    markup = markup[markup.index("<svg") :]
    for name, color in VARIABLES.items():
        markup = markup.replace(color, f"var(--plot-{name}, {color})")
    markup = re.sub(r'(<\w+[^>]* )id="', rf'\1id="{prefix}', markup)
    return re.sub(r"(url\(#|href=\"#)", rf"\1{prefix}", markup)
