"""The states of both ends as bands in a timeline: filled while an endpoint is heard, hatched where it falls silent.

It must not derive a state: they come with the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.patches import Rectangle

from analyzer.judge.connection import State
from analyzer.report.plot.colours import BANDS, GREEN, GREY, ORANGE
from analyzer.report.plot.facts import unheard_since
from analyzer.report.plot.lanes import LOW
from analyzer.report.plot.lettering import Label
from analyzer.report.plot.symbols import BOTH_OPEN, HALF_CLOSED, OPENING, UNHEARD, UNSEEN
from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analyzer.judge.record import FlowRecord
    from analyzer.report.plot.lanes import Drawing
    from analyzer.track.flow import Side

VIVID: Final = 0.6
"""From this opacity on a band hides the page."""
NARROWEST: Final = 2000
"""A band that is less than such a part of the flow would be nothing but its outline."""
MIDSTREAM_WORDS: Final = {State.ESTABLISHED: ("ESTABLISHED or half-closed", "ESTABLISHED?")}
"""A FIN may have passed before the capture began."""
STATE_MEANINGS: Final = {GREEN: BOTH_OPEN, ORANGE: HALF_CLOSED, GREY: OPENING}
"""What a band's colour says, for the legend."""


def draw_states(axes: Axes, drawing: Drawing) -> None:
    """Draw each endpoint's states, hatched from where it leaves the other unanswered to the end."""
    record = drawing.record
    shortest_ns = (drawing.stop_ns - record.first_ns) // NARROWEST
    for side in SIDES:
        unheard_ns = unheard_since(record, side)
        heard_ns = drawing.stop_ns if unheard_ns is None else unheard_ns
        for begin_ns, end_ns, state in stays(record, side, drawing.stop_ns):
            if end_ns - begin_ns <= shortest_ns or state is State.CLOSED:
                continue
            _band(axes, drawing, side, state, (begin_ns, min(max(heard_ns, begin_ns), end_ns), end_ns))


def _band(axes: Axes, drawing: Drawing, side: Side, state: State, turns_ns: tuple[int, int, int]) -> None:
    """Draw a state from its begin to where its endpoint was last heard, and on to its end."""
    record, theme = drawing.record, drawing.theme
    left, heard, right = (drawing.x(ts_ns) for ts_ns in turns_ns)
    color, weight = BANDS.get(state, ("none", 0.0))
    words: tuple[str, ...] = (state.value,)
    if record.starts_with == "midstream" and state is not State.UNKNOWN:
        weight, words = weight / 2, MIDSTREAM_WORDS.get(state, (f"{state.value}?",))
    if record.is_unseen(side):
        words = (UNSEEN,)
    alpha = min(0.9, weight * theme.fill)
    fill = Rectangle((left, LOW[side]), heard - left, 1, label=f"_{side} {state.value}", zorder=1)
    fill.set(facecolor=color, alpha=alpha, edgecolor="none")
    axes.add_patch(fill)
    if color in STATE_MEANINGS:  # of no size: for the legend
        named = Rectangle((left, LOW[side]), 0, 0, label=STATE_MEANINGS[color])
        named.set(facecolor=color, alpha=alpha, edgecolor="none")
        axes.add_patch(named)
    if right > heard:
        meaning = UNSEEN if record.is_unseen(side) else UNHEARD
        hatch = Rectangle((heard, LOW[side]), right - heard, 1, label=meaning, zorder=1)
        hatch.set(facecolor="none", edgecolor=theme.faint, hatch="////", linewidth=0)
        axes.add_patch(hatch)
    outline = Rectangle((left, LOW[side]), right - left, 1, label="_outline", zorder=2)
    outline.set(facecolor="none", edgecolor=theme.ink, linewidth=0.8)
    axes.add_patch(outline)
    on_fill = heard - left >= right - heard
    span = (left, heard) if on_fill else (heard, right)
    ink = theme.band_ink if on_fill and (alpha > VIVID or theme.page != "none") else theme.ink
    label = Label(sum(span) / 2, LOW[side] + 0.5, words, span, rank=5, color=ink, weight="bold")
    drawing.labels.append(label)


def stays(record: FlowRecord, side: Side, stop_ns: int) -> list[tuple[int, int, State]]:
    """Return an endpoint's states with their begin and end."""
    turns = [(record.first_ns, State.UNKNOWN)]
    turns += [(change.ts_ns, change.state) for change in record.changes if change.side == SIDES.index(side)]
    ends = [ts_ns for ts_ns, _ in turns[1:]] + [stop_ns]
    return [(begin, end, state) for (begin, state), end in zip(turns, ends, strict=True)]
