"""How long flows had been silent before they went on, or before they ended: a middlebox's idle limit shows as a wall.

Beyond the limit of a middlebox no silence is survived; so the silences that were, and those that were not, part there.

It must not say which middlebox it is: known limits are drawn as hints.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, cast

import numpy as np
from matplotlib.ticker import MaxNLocator

from analyzer.judge.record import other
from analyzer.judge.signatures import MIDDLEBOXES
from analyzer.judge.verdict import Verdict
from analyzer.report.plot import colours
from analyzer.report.plot.canvas import add_legend, axes_or_new, dress
from analyzer.report.plot.colours import SMALL_PT, house_style, themed
from analyzer.report.plot.lettering import Label, Labels
from analyzer.report.plot.times import mark_durations, tick_text
from analyzer.units import NS_PER_S, seconds
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer

    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.signatures import Middlebox
    from analyzer.report.plot.colours import Theme

SIZE_IN: Final = (9.6, 3.4)
BINS_PER_DECADE: Final = 24
FLAG: Final = 0.1
"""Height of the words about a limit, as a part of the picture's."""
FLAGS: Final = 0.56
"""Height that all of them share at most."""
AT_ONCE_NS: Final = NS_PER_S
"""A RST that comes so soon after a segment answers it."""
SURVIVED: Final = "longest silence after which the flow went on"
ENDED: Final = "silence after which it ended"
LIMIT: Final = "known idle limit"


@dataclass(frozen=True, slots=True)
class Silences:
    """The silences of one flow that a middlebox would have measured: without any segment, keepalive or other."""

    survived_ns: int | None
    """The longest after which the flow went on."""
    ended_ns: int | None
    """That after which nothing was answered any more, or a RST was."""


def idle_histogram(
    judged_flows: Iterable[JudgedFlow],
    ax: Axes | None = None,
    *,
    limits: Sequence[Middlebox] = MIDDLEBOXES,
    theme: str = "light",
    legend: bool = True,
) -> Axes:
    """Draw how long flows were silent before they went on and before they ended, and return the Axes.

    Args:
        judged_flows: the flows; with or without probes.
        ax: where to draw; None makes a figure of its own.
        limits: idle limits to mark, those within the picture.
        theme: ``light``, ``dark``, or ``transparent`` for a page that may be either.
        legend: whether to explain the colours below.
    """
    look = themed(theme)
    found = [silences(judged) for judged in judged_flows]
    survived = [seconds(each.survived_ns) for each in found if each.survived_ns]
    ended = [seconds(each.ended_ns) for each in found if each.ended_ns]
    with house_style():
        axes = axes_or_new(ax, SIZE_IN, look)
        dress(axes, look)
        axes.set_xlabel("silence, without any segment")
        axes.set_ylabel("silences, at most two per flow")
        if not survived and not ended:
            axes.set_xticks([])
            axes.set_yticks([])
            axes.text(0.5, 0.5, "no silence to show", ha="center", transform=axes.transAxes, color=look.ink)
            return axes
        edges = bins([*survived, *ended])
        counted = ((SURVIVED, survived), (ENDED, ended))
        names = [f"{what} ({len(of):,} {'flow' if len(of) == 1 else 'flows'})" for what, of in counted]
        counts, _, bars = axes.hist(
            [survived, ended],
            bins=list(edges),
            stacked=True,
            color=[colours.GREEN, look.reset],
            label=names,
            edgecolor=look.page if look.page != "none" else look.faint,
            linewidth=0.5,
            zorder=2,
        )
        for bar in cast("list[BarContainer]", bars)[1]:
            bar.set(hatch="////")
        axes.set_xscale("log")
        axes.set_xlim(edges[0], edges[-1])
        mark_durations(axes.xaxis, spacing_pt=48)
        tallest = int(np.max(counts))
        known = limits_within(limits, *axes.get_xlim())
        flags = min(FLAG, FLAGS / max(1, len(known)))
        axes.set_ylim(0, tallest / (0.96 - flags * len(known)))
        axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
        Labels(axes, _flags(axes, known, flags, look))
        if legend:
            add_legend(axes, [axes], (*names, LIMIT), look)
    return axes


def bins(values_s: Sequence[float]) -> list[float]:
    """Return edges of bins of equal ratio around all values."""
    low = np.floor(np.log10(min(values_s) / 1.6) * BINS_PER_DECADE)
    high = np.ceil(np.log10(max(values_s) * 1.6) * BINS_PER_DECADE)
    return [float(10 ** (edge / BINS_PER_DECADE)) for edge in np.arange(low, high + 1)]


def silences(judged: JudgedFlow) -> Silences:
    """Return the silences of a flow, as far as its record shows them."""
    record = judged.record
    answered = [probe.gap_ns for probe in record.probes if probe.gap_ns is not None and probe.answered]
    ended_ns, at_idle = _ended(judged)
    if record.probes:
        return Silences(max(answered, default=None), ended_ns)
    return Silences(None if at_idle else record.silence_ns or None, ended_ns)


def _ended(judged: JudgedFlow) -> tuple[int | None, bool]:
    """Return the silence before a flow's end, and whether it is the longest of the flow, which the record knows."""
    record, verdict = judged.record, judged.ending.verdict
    reset = record.ending_reset
    if verdict is Verdict.RESET_ON_PROBE and reset is not None:
        gaps = [probe.gap_ns for probe in record.probes if probe.frame == reset.answers_probe]
        return (gaps[0] if gaps else None), False
    if verdict in {Verdict.TIMED_OUT, Verdict.SILENT}:
        lost = _first_of_the_lost(record)
        if lost is not None:
            return lost, False
    if verdict is Verdict.SILENT:
        for facts in (record.facts_a, record.facts_b):
            if facts.unacked_frame is not None and facts.unacked_frame == record.silence_to:
                return record.silence_ns, True
    if verdict is Verdict.ABORTED and reset is not None and not record.probes:
        peer = record.facts(other(reset.sender))
        if peer.last_data_frame is not None and peer.last_data_frame == record.silence_to:
            soon = peer.last_data_ns is not None and reset.ts_ns - peer.last_data_ns <= AT_ONCE_NS
            return (record.silence_ns, True) if soon else (None, False)
    return None, False


def _first_of_the_lost(record: FlowRecord) -> int | None:
    """Return the gap before the first of the probes that stayed unanswered to the end."""
    gap_ns: int | None = None
    for probe in reversed(record.probes):
        if probe.answer is not None:
            break
        gap_ns = probe.gap_ns
    return gap_ns


def limits_within(limits: Sequence[Middlebox], low_s: float, high_s: float) -> list[tuple[int, list[str]]]:
    """Return the limits between two durations, those of the same length together."""
    boxes: defaultdict[int, list[str]] = defaultdict(list)
    for box in limits:
        if low_s < box.idle_s < high_s:
            boxes[box.idle_s].append(box.name)
    return sorted(boxes.items())


def _flags(axes: Axes, known: Sequence[tuple[int, list[str]]], height: float, theme: Theme) -> list[Label]:
    """Mark limits as poles, each lower than the one before, with flags that no pole crosses; return the flags."""
    labels = []
    top = axes.get_ylim()[1]
    for row, (idle_s, names) in enumerate(known):
        upto = 1 - height * row
        axes.plot(
            [idle_s, idle_s],
            [0, upto],
            transform=axes.get_xaxis_transform(),
            color=theme.ink,
            linewidth=1.0,
            linestyle=(0, (5, 3)),
            label="_limit" if row else LIMIT,
            zorder=1,
        )
        duration = f"{idle_s} s" if idle_s % 60 else tick_text(idle_s, 0)
        wordings = [f"{duration}: {', '.join(names)}", duration]
        if len(names) > 1:
            wordings[1:1] = [f"{duration}: {names[0]} and {len(names) - 1} more", f"{duration}: {len(names)} known"]
        labels.append(
            Label(
                idle_s,
                top * (upto - height / 2),
                tuple(wordings),
                height=top * height,
                aligns=("left",),
                color=theme.ink,
                size_pt=SMALL_PT,
            )
        )
    return labels
