"""What is drawn in a picture: its marks by meaning, its words and where they stand."""

from collections import Counter
from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.text import Text

SLACK_PX = 1.5


def marks(axes):
    """How many marks of each meaning an Axes has."""
    found = Counter()
    for collection in axes.collections:
        if isinstance(collection, PathCollection):
            found[collection.get_label()] += len(collection.get_offsets())
    return dict(found)


def said(owner):
    """The visible words of an Axes or figure that stand in it, once it is drawn."""
    return [text.get_text() for text, _ in placed(owner)]


def placed(owner):
    """The visible texts of an Axes or figure with their boxes, in pixels; all is laid out and drawn, but for pixels."""
    figure = owner.get_figure(root=True)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    out_of_view = unseen_ticks(figure)
    return [
        (text, text.get_window_extent(renderer))
        for text in owner.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in out_of_view
    ]


def unseen_ticks(figure):
    """The labels of ticks that matplotlib keeps but does not draw."""
    unseen = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                unseen.add(tick.label2)
                if not low <= tick.get_loc() <= high:
                    unseen.add(tick.label1)
    return unseen


def misplaced(figure):
    """The texts that stand partly outside the picture, and the pairs that overlap."""
    texts = placed(figure)
    wide, high = figure.bbox.width, figure.bbox.height
    outside = [
        text.get_text()
        for text, box in texts
        if box.x0 < -SLACK_PX or box.y0 < -SLACK_PX or box.x1 > wide + SLACK_PX or box.y1 > high + SLACK_PX
    ]
    overlapping = [
        (one.get_text(), other.get_text())
        for (one, a), (other, b) in combinations(texts, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > SLACK_PX and min(a.y1, b.y1) - max(a.y0, b.y0) > SLACK_PX
    ]
    return outside + overlapping


def lines(axes, label):
    """The lines of an Axes that bear this label."""
    return [line for line in axes.lines if line.get_label() == label]


def patches(axes, label):
    """The patches of an Axes that bear this label."""
    return [patch for patch in axes.patches if patch.get_label() == label]
