"""Words inside a picture that never run into each other, over the edge, over their band, or over a mark.

A label knows where it would like to stand and which shorter wordings it has. Only when the picture is drawn is it known
how large everything is, so it is then that each gets a place, the most important first; a label without room is left
out.

It must not know what the words mean.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final, Literal, cast

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.transforms import Bbox

from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.text import Text
    from numpy.typing import NDArray

Align = Literal["center", "left", "right"]
Place = tuple[float, float, float]
"""Where a mark stands, in data coordinates, and its size in points."""
GAP_PT: Final = 3.0
WIDER: Final = 1.04
"""A reader's font may be a little wider than ours."""
ANCHORS: Final[dict[Align, float]] = {"left": 0.0, "center": 0.5, "right": 1.0}
ANYWHERE_PT: Final = 10_000.0
MOST: Final = 400
"""No picture has room for more labels; to look for it costs more for each that has got its place."""
STEP_PT: Final = 4.0
"""How far apart the places are that are tried for a label that may slide."""


@dataclass(slots=True)
class Label:
    """Something to say at a place, in data coordinates."""

    x: float
    y: float
    wordings: tuple[str, ...]
    """Longest first."""
    span: tuple[float, float] | None = None
    """Between which x it must stay, in the middle of what is in view of it; None: anywhere within the axes."""
    height: float | None = None
    """How much room it has, in units of y; a text higher than that is left out. None: enough."""
    aligns: tuple[Align, ...] = ("center",)
    """Which part of the text may stand at x, best first."""
    lifts_pt: tuple[float, ...] = (0.0,)
    """How far over y its middle may be, best first."""
    slide_pt: float = 0.0
    """How far it may move along its span if there is no room at x."""
    rank: int = 0
    """The lowest gets its place first."""
    color: str = "black"
    size_pt: float = 9.0
    weight: str = "normal"
    text: Text | None = field(default=None, repr=False)


class Labels(Artist):
    """The labels of one Axes; draws nothing itself, but places its texts just before they are drawn."""

    def __init__(
        self, axes: Axes, labels: Sequence[Label], obstacles: Sequence[Place] = (), walls: Sequence[float] = ()
    ) -> None:
        """Add the labels' texts to the axes; they keep clear of obstacles, and of lines at the x of ``walls``."""
        super().__init__()
        self.set_zorder(-1000)  # before any text
        self.set_in_layout(False)
        self.labels = _few(sorted(labels, key=lambda label: label.rank))
        self.obstacles = obstacles
        self.walls = walls
        for label in self.labels:
            label.text = axes.text(
                label.x,
                label.y,
                label.wordings[0],
                color=label.color,
                fontsize=label.size_pt,
                fontweight=label.weight,
                va="center_baseline",
                ha="center",
                clip_on=False,
                parse_math=False,
                zorder=6,
            )
            label.text.set_in_layout(False)
        axes.add_artist(self)

    @allow_rasterization  # type: ignore[untyped-decorator]
    def draw(self, renderer: RendererBase) -> None:
        """Place the texts for this size of picture."""
        assert self.axes is not None
        box = self.axes.get_window_extent(renderer)
        taken = self._around(renderer)
        for x, _ in self.axes.transData.transform([(wall, 0) for wall in self.walls]) if self.walls else ():
            taken.append((x - 1, box.y0, x + 1, box.y1))
        standing = np.array(taken, dtype=np.float64).reshape(-1, 4)
        placed: list[Bbox] = []
        for label in self.labels:
            spot = self._fit(label, standing, placed, renderer)
            assert label.text is not None
            label.text.set_visible(spot is not None)
            if spot is not None:
                placed.append(spot)

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        """Return an empty box: it draws nothing itself."""
        del renderer
        return Bbox.null()

    def _around(self, renderer: RendererBase) -> list[tuple[float, float, float, float]]:
        """Return the left, lower, right and upper edges of the obstacles, in pixels."""
        assert self.axes is not None
        if not self.obstacles:
            return []
        middles = self.axes.transData.transform([place[:2] for place in self.obstacles]).tolist()
        halves = [_pixels(renderer, place[2]) / 2 for place in self.obstacles]
        return [(x - half, y - half, x + half, y + half) for (x, y), half in zip(middles, halves, strict=True)]

    def _fit(
        self, label: Label, standing: NDArray[np.float64], placed: Sequence[Bbox], renderer: RendererBase
    ) -> Bbox | None:
        """Set a label's text to its best wording and place; None if there is no room for any.

        It keeps clear of what is ``standing`` there, edges as of ``_around``, and of the labels that were placed.
        """
        axes, text = cast("Axes", self.axes), label.text
        assert text is not None
        text.set_visible(True)  # an invisible text has no size
        gap = _pixels(renderer, GAP_PT)
        box = axes.get_window_extent(renderer)
        x, y = (float(each) for each in axes.transData.transform((label.x, label.y)))
        limits = (box.x0, box.x1)
        if label.span is not None:
            ends = axes.transData.transform([(end, label.y) for end in label.span])[:, 0]
            limits = (max(box.x0, ends[0] + gap), min(box.x1, ends[1] - gap))
            x = x if label.slide_pt else (limits[0] + limits[1]) / 2
        if not box.x0 - 1 <= x <= box.x1 + 1:
            return None
        room = _room(axes, label)
        for wording in label.wordings:
            text.set_text(wording)
            size = text.get_window_extent(renderer)
            width, height = size.width * WIDER, size.height
            if width > limits[1] - limits[0] or height > room:
                continue
            for left, anchor in _lefts(label, x, width, limits, renderer):
                for lift in label.lifts_pt:
                    middle = y + _pixels(renderer, lift)
                    spot = Bbox.from_bounds(left, middle - height / 2, width, height)
                    inside = box.y0 <= spot.y0 and spot.y1 <= box.y1
                    if inside and not (
                        _touch_any(spot, standing, gap) or any(_touch(spot, other, gap) for other in placed)
                    ):
                        at = left + width * ANCHORS[anchor]
                        place = axes.transData.inverted().transform((at, middle))
                        text.set_position((float(place[0]), float(place[1])))
                        text.set_horizontalalignment(anchor)
                        return spot
        return None


def _few(labels: list[Label]) -> list[Label]:
    """Return at most MOST of some labels, the most important first: of a rank that is too many, some all along it."""
    if len(labels) <= MOST:
        return labels
    last = labels[MOST].rank
    sure = [label for label in labels if label.rank < last]
    alike = [label for label in labels if label.rank == last]
    room = MOST - len(sure)
    return [*sure, *(alike[at * len(alike) // room] for at in range(room))]


def _pixels(renderer: RendererBase, points: float) -> float:
    return float(renderer.points_to_pixels(points))  # type: ignore[arg-type]


def _room(axes: Axes, label: Label) -> float:
    """Return the height that a label has, in pixels."""
    if label.height is None:
        return float("inf")
    low, high = axes.transData.transform([(label.x, label.y), (label.x, label.y + label.height)])[:, 1]
    return float(abs(high - low))


def _touch(one: Bbox, other: Bbox, gap: float) -> bool:
    return bool(one.x0 - gap < other.x1 and other.x0 < one.x1 + gap and one.y0 < other.y1 and other.y0 < one.y1)


def _touch_any(one: Bbox, others: NDArray[np.float64], gap: float) -> bool:
    """Say whether a box touches any of others, a row each."""
    left, low, right, high = others.T
    beside = (one.x0 - gap < right) & (left < one.x1 + gap)
    return bool((beside & (one.y0 < high) & (low < one.y1)).any())


def _lefts(
    label: Label, x: float, width: float, limits: tuple[float, float], renderer: RendererBase
) -> Iterator[tuple[float, Align]]:
    """Yield where the text may begin, best first, and by which part of it that place is meant."""
    gap, step = _pixels(renderer, GAP_PT), _pixels(renderer, STEP_PT)
    low, high = limits[0] - 0.5, limits[1] - width + 0.5
    starts: dict[Align, float] = {"center": x - width / 2, "left": x + gap, "right": x - width - gap}
    for align in label.aligns:
        if low <= starts[align] <= high:
            yield starts[align], align
    if label.slide_pt:
        nearest = min(max(starts[label.aligns[0]], low), high)
        farthest = min(_pixels(renderer, min(label.slide_pt, ANYWHERE_PT)), high - low + step)
        for count in range(int(farthest / step) + 1):
            for left in dict.fromkeys((nearest - count * step, nearest + count * step)):
                if low <= left <= high:
                    yield left, "center"
