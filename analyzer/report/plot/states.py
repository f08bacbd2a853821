"""The states of both ends as bands in a timeline: filled while an endpoint is heard, hatched where it falls silent.

It must not derive a state: they come with the record, and what is left of them behind a RST from ``explain.left``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from matplotlib.patches import Rectangle

from analyzer.explain.left import Known, left
from analyzer.judge.connection import State
from analyzer.report.plot.colours import BANDS, GREEN, GREY, ORANGE
from analyzer.report.plot.facts import unheard_since
from analyzer.report.plot.lanes import LOW
from analyzer.report.plot.lettering import Label
from analyzer.report.plot.symbols import BOTH_OPEN, HALF_CLOSED, OPENING, UNHEARD, UNSEEN, UNSURE
from analyzer.track.flow import SIDES
from analyzer.values import dataclass

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analyzer.explain.left import Left
    from analyzer.judge.judged import JudgedFlow
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


@dataclass(frozen=True, slots=True)
class Band:
    """A state of an endpoint as it is drawn."""

    state: State
    begin_ns: int
    heard_ns: int
    """From here on hatched."""
    end_ns: int
    hatched: str = UNHEARD
    """What the hatching says."""


def draw_states(axes: Axes, drawing: Drawing, judged: JudgedFlow) -> None:
    """Draw each endpoint's states, hatched from where it leaves the other unanswered to the end."""
    shortest_ns = (drawing.stop_ns - drawing.record.first_ns) // NARROWEST
    for side in SIDES:
        for band in bands(judged, side, drawing.stop_ns):
            if band.end_ns - band.begin_ns > shortest_ns:
                _band(axes, drawing, side, band)


def bands(judged: JudgedFlow, side: Side, stop_ns: int) -> list[Band]:
    """Return an endpoint's states but for CLOSED; behind the RST that ended the flow what is known of it still."""
    record = judged.record
    unheard_ns = unheard_since(record, side)
    heard_ns = stop_ns if unheard_ns is None else unheard_ns
    meaning = UNSEEN if record.is_unseen(side) else UNHEARD
    found = [
        Band(state, begin_ns, min(max(heard_ns, begin_ns), end_ns), end_ns, meaning)
        for begin_ns, end_ns, state in stays(record, side, stop_ns)
        if state is not State.CLOSED
    ]
    last = left(judged, side)
    if last is None or last.known is Known.CLOSED or not found:
        return found
    return found[:-1] + _left_bands(record, last, found[-1], stop_ns)


def _left_bands(record: FlowRecord, last: Left, band: Band, stop_ns: int) -> list[Band]:
    """Return how the last state of an endpoint is drawn, beyond the RST that ended the flow or not up to it."""
    reset = record.ending_reset
    assert reset is not None
    end_ns = stop_ns if last.until is None else last.until.ts_ns
    heard_ns = max(last.heard_ns or band.begin_ns, band.begin_ns)
    gave_up = reset.kind == "gave_up"
    if last.known is Known.LOST:
        end_ns = reset.ts_ns if record.new_syn is None else record.new_syn.ts_ns
        return [replace(band, heard_ns=min(heard_ns, end_ns), end_ns=end_ns, hatched=UNSURE)]
    if last.known is Known.UNKNOWN:
        return [replace(band, heard_ns=heard_ns, end_ns=end_ns, hatched=UNHEARD if gave_up else UNSURE)]
    if last.known is Known.UNSEEN:
        return [replace(band, end_ns=end_ns)]
    if last.again_ns is None or not gave_up:
        return [replace(band, heard_ns=end_ns, end_ns=end_ns)]
    return [
        replace(band, heard_ns=heard_ns, end_ns=last.again_ns),
        replace(band, begin_ns=last.again_ns, heard_ns=end_ns, end_ns=end_ns),
    ]


def _band(axes: Axes, drawing: Drawing, side: Side, band: Band) -> None:
    """Draw a state from its begin to where its endpoint was last heard, and on to its end."""
    record, theme, state = drawing.record, drawing.theme, band.state
    begin, heard, end = (drawing.x(ts_ns) for ts_ns in (band.begin_ns, band.heard_ns, band.end_ns))
    color, weight = BANDS.get(state, ("none", 0.0))
    words: tuple[str, ...] = (state.value,)
    if record.starts_with == "midstream" and state is not State.UNKNOWN:
        weight, words = weight / 2, MIDSTREAM_WORDS.get(state, (f"{state.value}?",))
    if record.is_unseen(side):
        words = (UNSEEN,)
    alpha = min(0.9, weight * theme.fill)
    fill = Rectangle((begin, LOW[side]), heard - begin, 1, label=f"_{side} {state.value}", zorder=1)
    fill.set(facecolor=color, alpha=alpha, edgecolor="none")
    axes.add_patch(fill)
    if color in STATE_MEANINGS:  # of no size: for the legend
        named = Rectangle((begin, LOW[side]), 0, 0, label=STATE_MEANINGS[color])
        named.set(facecolor=color, alpha=alpha, edgecolor="none")
        axes.add_patch(named)
    if end > heard:
        hatch = Rectangle((heard, LOW[side]), end - heard, 1, label=band.hatched, zorder=1)
        hatch.set(facecolor="none", edgecolor=theme.faint, hatch="////", linewidth=0)
        axes.add_patch(hatch)
    outline = Rectangle((begin, LOW[side]), end - begin, 1, label="_outline", zorder=2)
    outline.set(facecolor="none", edgecolor=theme.ink, linewidth=0.8)
    axes.add_patch(outline)
    on_fill = heard - begin >= end - heard
    span = (begin, heard) if on_fill else (heard, end)
    ink = theme.band_ink if on_fill and (alpha > VIVID or theme.page != "none") else theme.ink
    label = Label(sum(span) / 2, LOW[side] + 0.5, words, span, rank=5, color=ink, weight="bold")
    drawing.labels.append(label)


def stays(record: FlowRecord, side: Side, stop_ns: int) -> list[tuple[int, int, State]]:
    """Return an endpoint's states with their begin and end."""
    turns = [(record.first_ns, State.UNKNOWN)]
    turns += [(change.ts_ns, change.state) for change in record.changes if change.side == SIDES.index(side)]
    ends = [ts_ns for ts_ns, _ in turns[1:]] + [stop_ns]
    return [(begin, end, state) for (begin, state), end in zip(turns, ends, strict=True)]
