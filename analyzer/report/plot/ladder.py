"""The ladder of a connection that several points saw: a line for each, packets as slanted arrows, losses as crosses.

Time runs down, a row for each packet, so that bursts and silences are both readable; instants stand beside the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.lines import Line2D

from analyzer.explain.joined import joint_story
from analyzer.explain.points import leg_name, letter, point_name
from analyzer.report.plot.canvas import dress, new_figure
from analyzer.report.plot.colours import FONT_PT, SMALL_PT, TITLE_PT, house_style, themed
from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.units import format_duration, format_instant
from analyzer.values import dataclass
from analyzer.vantage.joint import Fate
from analyzer.words.teller import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analyzer.report.plot.colours import Theme
    from analyzer.vantage.joint import Crossing, JointFlow, Point

MOST_ROWS: Final = 48
"""Most packets that are drawn: those with a fate of their own first, then probes and their answers, then the others."""
ROW_IN: Final = 0.27
WIDTH_IN: Final = 9.6
SLANT: Final = 0.55
"""How far an arrow falls over its whole length, in rows."""
LEGEND_PT: Final = 24
"""How high the legend is, below which the number of what is left out stands."""
STUB: Final = 0.25
"""How far an arrow goes towards where nobody saw it."""
SILENCE_NS: Final = 1_000_000_000
"""A longer silence is marked between the rows."""
MEANINGS: Final = ("probe", "RST", "lost on the way", "made on the way", "not captured there")


@dataclass(frozen=True, slots=True)
class Rung:
    """A packet to draw, and what it is called."""

    crossing: Crossing
    word: str
    is_probe: bool


def ladder_figure(
    flow: JointFlow, points: Sequence[Point], start_ns: int, *, theme: str = "light", title: bool = True
) -> Figure:
    """Return a figure of one connection.

    Args:
        flow: the connection.
        points: all points, for their names.
        start_ns: the instant that times count from.
        theme: ``light``, ``dark``, or ``transparent`` for a page that may be either.
        title: whether the connection and its headline stand above.
    """
    look = themed(theme)
    rungs, left_out = rungs_of(flow)
    silences = sum(_silence_before(rungs, at) > 0 for at in range(len(rungs)))
    height_in = 1.9 + ROW_IN * (len(rungs) + 0.7 * silences) + (0.4 if title else 0)
    with house_style():
        figure = new_figure(WIDTH_IN, height_in, look)
        axes = figure.add_subplot()
        _draw(axes, flow, points, rungs, start_ns, look)
        if title:
            told = joint_story(flow, points, start_ns)
            axes.set_title(_wrapped(told.title, told.headline), fontsize=TITLE_PT, color=look.ink, loc="left")
        if left_out:
            below = LEGEND_PT if axes.get_legend() else 0
            many = f"{count(left_out, 'more packet')}, which all points saw, {'is' if left_out == 1 else 'are'}"
            axes.set_xlabel(f"{many} not drawn", color=look.ink, labelpad=below)
    return figure


def _wrapped(title: str, headline: str) -> str:
    """Return title and headline in lines that fit."""
    import textwrap

    return "\n".join([title, *textwrap.wrap(headline, 118)])


def rungs_of(flow: JointFlow) -> tuple[list[Rung], int]:
    """Return what is drawn, in order of time, and how many packets are left out."""
    probes = {id(probe.crossing) for probe in flow.probes}
    answers = {id(probe.answer) for probe in flow.probes if probe.answer is not None}
    every = {id(crossing): crossing for crossing in (*flow.notable, *flow.others)}
    for probe in flow.probes:
        every.setdefault(id(probe.crossing), probe.crossing)
        if probe.answer is not None:
            every.setdefault(id(probe.answer), probe.answer)

    def rank(key: int) -> int:
        crossing = every[key]
        if crossing.flags & RST or (crossing.fate is not Fate.BOTH and key in probes):
            return 0
        if crossing.fate is not Fate.BOTH:
            return 1
        return 2 if key in probes or key in answers else 3 if crossing.flags & (SYN | FIN) else 4

    def when(key: int) -> int:
        return every[key].first.ts_ns

    picked = sorted(sorted(every, key=lambda key: (rank(key), when(key)))[:MOST_ROWS], key=when)
    rungs = [Rung(every[key], _word(every[key], key in probes, key in answers), key in probes) for key in picked]
    total = sum(packets for name, packets in flow.counts.items() if name != "changed")
    return rungs, max(total - len(rungs), 0)


def _word(crossing: Crossing, is_probe: bool, is_answer: bool) -> str:  # noqa: FBT001 - what a packet is
    if is_probe:
        return "probe"
    named = [name for bit, name in ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST")) if crossing.flags & bit]
    if crossing.flags & SYN and crossing.flags & ACK:
        named.append("ACK")
    if crossing.payload_len:
        named.append(f"{crossing.payload_len} bytes")
    return " ".join(named) or ("answer" if is_answer else "ACK")


def _silence_before(rungs: Sequence[Rung], at: int) -> int:
    if at == 0:
        return 0
    passed_ns = rungs[at].crossing.first.ts_ns - rungs[at - 1].crossing.first.ts_ns
    return passed_ns if passed_ns >= SILENCE_NS else 0


def _draw(
    axes: Axes, flow: JointFlow, points: Sequence[Point], rungs: Sequence[Rung], start_ns: int, theme: Theme
) -> None:
    dress(axes, theme)
    way = flow.way or tuple(part.point for part in flow.parts)
    place = {point: float(at) for at, point in enumerate(way)}
    y, shown = 0.0, set[str]()
    for at, rung in enumerate(rungs):
        if silence_ns := _silence_before(rungs, at):
            axes.text(
                -0.03, y + 0.02, f"{format_duration(silence_ns)} of silence", ha="right", va="center",
                fontsize=SMALL_PT - 1, color=theme.faint, style="italic",
            )  # fmt: skip
            y += 0.7
        axes.text(
            -0.03, y, format_instant(rung.crossing.first.ts_ns, start_ns), ha="right", va="center",
            fontsize=SMALL_PT, color=theme.ink,
        )  # fmt: skip
        shown |= _rung(axes, rung, place, flow.unseen_at(rung.crossing), y, theme)
        y += 1
    bottom = y + 0.2
    for point, x in place.items():
        axes.plot([x, x], [-0.6, bottom], color=theme.ink, linewidth=1.2, zorder=1)
        part = flow.part_at(point)
        assert part is not None
        leg = leg_name(points, point)
        name = f"{letter(point)}  {point_name(points, point, folder=False).removesuffix(leg)}"
        axes.text(
            x, -0.95, f"{_short(name)}{leg}", ha="center", va="bottom", fontsize=FONT_PT, color=theme.ink, weight="bold"
        )
    first, last = flow.parts[0].judged.record.a, flow.parts[0].judged.record.b
    axes.text(-0.03, -2.1, f"to {first}", ha="left", fontsize=SMALL_PT, color=theme.ink)
    axes.text(len(way) - 0.97, -2.1, f"to {last}", ha="right", fontsize=SMALL_PT, color=theme.ink)
    axes.set_xlim(-0.3, len(way) - 1 + 0.16)
    axes.set_ylim(bottom, -2.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    _legend(axes, shown, theme)


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:37] + "..."


def _rung(axes: Axes, rung: Rung, place: dict[int, float], unseen: tuple[int, ...], y: float, theme: Theme) -> set[str]:
    """Draw one packet; return what of it belongs into the legend."""
    crossing, columns = rung.crossing, len(place)
    colour = theme.reset if crossing.flags & RST else theme.probe if rung.is_probe else theme.ink
    xs = [place[sight.point] for sight in crossing.seen]
    shown = {"probe"} if rung.is_probe else {"RST"} if crossing.flags & RST else set[str]()
    begin, end = _reach(crossing, place, unseen)
    slant = SLANT / max(columns - 1, 1)

    def level(x: float) -> float:
        return y + abs(x - begin) * slant - SLANT / 2

    style = "--" if crossing.fate in (Fate.NOT_CAPTURED, Fate.UNPROVEN) else "-"
    axes.annotate(
        "", (end, level(end)), (begin, level(begin)), zorder=3,
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.2, "linestyle": style, "shrinkA": 0,
                    "shrinkB": 0, "mutation_scale": 9},
    )  # fmt: skip
    if style == "--":
        shown.add("not captured there")
    if crossing.fate is Fate.LOST:
        axes.plot([end], [level(end)], marker="x", markersize=8, markeredgewidth=2, color=theme.reset, zorder=4)
        shown.add("lost on the way")
    if crossing.fate is Fate.MADE:
        axes.plot([begin], [level(begin)], marker="D", markersize=6, color=theme.reset, zorder=4)
        shown.add("made on the way")
    for sight in crossing.seen:
        x = place[sight.point]
        axes.text(
            x + (0.012 if x < columns - 1 else 0.015), level(x) - 0.06, str(sight.frame), ha="left", zorder=5,
            va="bottom" if x < columns - 1 else "center", fontsize=SMALL_PT - 1.5, color=theme.faint,
        )  # fmt: skip
    # in the middle of the first stretch, so that no line of a point runs through it
    first = next((x for x in (*xs[1:], end) if x != begin), end)
    middle = (begin + first) / 2
    axes.text(
        middle, level(middle) - 0.1, rung.word, ha="center", va="bottom", fontsize=SMALL_PT - 0.5, color=colour,
        zorder=5,
        bbox={"facecolor": theme.page, "edgecolor": "none", "pad": 0.4} if theme.page != "none" else None,
    )  # fmt: skip
    return shown


def _reach(crossing: Crossing, place: dict[int, float], unseen: tuple[int, ...]) -> tuple[float, float]:
    """Return where the arrow of a packet begins and ends: at points that saw it, or beside those that did not.

    It goes to points that it passed unrecorded, half way to where it was lost or from where it was made, and a little
    towards a point of which nothing tells whether it passed.
    """
    forth = 1 if crossing.sender == "a" else -1
    xs = [place[sight.point] for sight in crossing.seen]
    passed = [place[point] for point in crossing.missed_at if point not in unseen]
    along = sorted([*xs, *passed], key=lambda x: forth * x)
    begin, end = along[0], along[-1]
    if crossing.between is None:
        end += STUB * forth if unseen else 0
    elif crossing.fate is Fate.LOST:
        end = sum(place[point] for point in crossing.between) / 2
    elif crossing.fate is Fate.MADE:
        begin = sum(place[point] for point in crossing.between) / 2
    elif place[crossing.between[0]] * forth >= end * forth:
        end += STUB * forth
    else:
        begin -= STUB * forth
    if begin != end:
        return begin, end
    on_ladder = 0 <= end + STUB * forth <= max(place.values())
    return (begin, end + STUB * forth) if on_ladder else (begin - STUB * forth, end)


def _legend(axes: Axes, shown: set[str], theme: Theme) -> None:
    handles = {
        "probe": Line2D([], [], color=theme.probe),
        "RST": Line2D([], [], color=theme.reset),
        "lost on the way": Line2D([], [], color=theme.reset, marker="x", linestyle="", markeredgewidth=2),
        "made on the way": Line2D([], [], color=theme.reset, marker="D", linestyle=""),
        "not captured there": Line2D([], [], color=theme.ink, linestyle="--"),
    }
    names = [name for name in MEANINGS if name in shown]
    if names:
        axes.legend(
            [handles[name] for name in names], names, ncols=len(names), frameon=False, fontsize=SMALL_PT,
            labelcolor=theme.ink, loc="upper center", bbox_to_anchor=(0.5, 0.0),
        )  # fmt: skip
