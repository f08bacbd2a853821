"""The ground plan of a timeline: two lanes with room between them, and what is collected to be drawn there.

Endpoint a is the upper lane. What an endpoint sends starts at its lane and goes to the other. y is measured in heights
of a lane.

It must not know kinds of segments or states.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import field
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from matplotlib.collections import LineCollection

from analyzer.judge.record import other
from analyzer.report.plot.canvas import RASTER_FROM, put_marks, say_thinned
from analyzer.report.plot.colours import SMALL_PT
from analyzer.report.plot.lettering import Label, Labels
from analyzer.report.plot.symbols import NO_ANSWER, mark
from analyzer.report.plot.thinning import Timed, in_columns
from analyzer.units import seconds
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from matplotlib.axes import Axes

    from analyzer.judge.record import FlowRecord
    from analyzer.report.plot.colours import Theme
    from analyzer.report.plot.symbols import Mark
    from analyzer.track.flow import Side

S = TypeVar("S", bound=Timed)
Part = Literal["all", "first", "second"]
"""Of the way from the sender's lane to the other."""

ROOM: Final = 2.7
"""Height of the room between the lanes."""
LOW: Final[dict[Side, float]] = {"b": 0.0, "a": 1 + ROOM}
"""Lower edge of each lane."""
EDGE: Final[dict[Side, float]] = {"b": 1.0, "a": 1 + ROOM}
"""Edge of each lane towards the other."""
MIDDLE: Final = 1 + ROOM / 2
AT: Final[dict[Side, float]] = {"b": EDGE["b"] + 0.24, "a": EDGE["a"] - 0.24}
"""Where the marks of what an endpoint sends stand."""
WORDS: Final[dict[Side, float]] = {"b": -0.55, "a": LOW["a"] + 1.55}
"""Where the words about it stand."""
RASTER_THINNED: Final = 500
"""Lines of segments too near each other to tell apart are drawn as pixels from so many on."""
BESIDE_PT: Final = 30.0
"""How far the words about a segment may be from it."""
CAPTION: Final = WORDS["a"] + 1.25
"""Of the bracket, over everything else but the ending."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """How a line between the lanes is drawn."""

    color: str
    width: float
    dash: str = "-"
    meaning: str = "_rungs"


@dataclass(slots=True)
class Drawing:
    """What is to be drawn, collected before it is."""

    record: FlowRecord
    theme: Theme
    start_ns: int
    stop_ns: int
    """Right end of the time axis."""
    scale: float
    """Size of the marks of probes."""
    marks: defaultdict[Mark, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    endings: defaultdict[Mark, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """Marks that lie over the others."""
    lines: defaultdict[Stroke, list[list[tuple[float, float]]]] = field(default_factory=lambda: defaultdict(list))
    labels: list[Label] = field(default_factory=list)
    span_ns: tuple[int, int] | None = None
    """The stretch of time that is shown, if it is not the whole flow."""
    is_thinned: bool = False
    """Whether a mark stands for others, too."""

    def x(self, ts_ns: int) -> float:
        """Return an instant as seconds from the start of the time axis' count."""
        return seconds(ts_ns - self.start_ns)

    def few(self, segments: Sequence[S], look: Callable[[S], Hashable]) -> Sequence[S]:
        """Return those of some segments that are drawn: of very many, one of each ``look`` where it is one dot wide."""
        drawn = in_columns(segments, self.span_ns or (self.record.first_ns, self.stop_ns), look)
        self.is_thinned |= len(drawn) < len(segments)
        return drawn

    def mark(self, meaning: str, ts_ns: int, y: float) -> None:
        """Add the mark of a kind of segment."""
        self.marks[mark(meaning, self.theme, self.scale)].append((self.x(ts_ns), y))

    def rung(self, ts_ns: int, sender: Side, stroke: Stroke, part: Part = "all") -> None:
        """Add a line from the sender's lane to the other, or a half of it."""
        x = self.x(ts_ns)
        begin = MIDDLE if part == "second" else EDGE[sender]
        end = MIDDLE if part == "first" else EDGE[other(sender)]
        self.lines[stroke].append([(x, begin), (x, end)])

    def unanswered(self, ts_ns: int, sender: Side, stroke: Stroke) -> None:
        """Add a line that stops half way, crossed out."""
        self.rung(ts_ns, sender, stroke, "first")
        self.mark(NO_ANSWER, ts_ns, MIDDLE)

    def say(self, ts_ns: int, sender: Side, wordings: tuple[str, ...], rank: int, color: str | None = None) -> None:
        """Add words beside the sender's lane; those of the lowest rank get their place first."""
        self.labels.append(
            Label(
                self.x(ts_ns),
                WORDS[sender],
                wordings,
                aligns=("center", "left", "right"),
                slide_pt=BESIDE_PT,
                rank=rank,
                color=color or self.theme.ink,
                size_pt=SMALL_PT,
                weight="bold" if color else "normal",
            )
        )

    def put(self, axes: Axes) -> None:
        """Draw everything collected."""
        for stroke, lines in self.lines.items():
            axes.add_collection(
                LineCollection(
                    lines,
                    colors=stroke.color,
                    linewidths=stroke.width,
                    linestyles=stroke.dash,
                    zorder=2.5,
                    capstyle="butt",
                    label=stroke.meaning,
                    rasterized=len(lines) > (RASTER_THINNED if self.is_thinned else RASTER_FROM),
                ),
                autolim=False,
            )
        put_marks(axes, self.marks, self.theme, zorder=3)
        put_marks(axes, self.endings, self.theme, zorder=4)
        if self.is_thinned:
            say_thinned(axes)
        Labels(axes, self.labels)
