"""The tick row: a flow's probes, heartbeats, FINs and RSTs along its time, one line an endpoint that has any.

It must not word anything but the legend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.track.flow import SIDES
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.report.screen import Screen
    from analyzer.track.flow import Side


@dataclass(frozen=True, slots=True)
class Mark:
    """A symbol of the tick row."""

    glyph: str
    plain: str
    """Where the encoding has ASCII only."""
    style: str | None
    meaning: str


RESET: Final = Mark("R", "R", "bad", "RST")
FIN: Final = Mark("F", "F", "accent", "FIN")
REFUSED: Final = Mark("◉", "@", "bad", "probe, drew a RST")
UNANSWERED: Final = Mark("○", "o", "warning", "probe, no answer")
CUT_OFF: Final = Mark("◦", ".", "dim", "probe, with which the capture ends")
UNSEEN: Final = Mark("◌", "?", "dim", "probe, answer not visible here")
"""Nothing of its receiver was captured."""
ANSWERED: Final = Mark("●", "*", "good", "probe, answered")
WINDOW_PROBE: Final = Mark("z", "z", "warning", "zero-window probe")
BEATS: Final = Mark("╌", "~", "good", "heartbeats of a program")
UNANSWERED_BEATS: Final = Mark("╴", "=", "warning", "heartbeats, no answer")
SEPARATOR: Final = "   "
NOTHING: Final = Mark("─", "-", "dim", "")
MARKS: Final = (RESET, FIN, REFUSED, UNANSWERED, CUT_OFF, UNSEEN, ANSWERED, WINDOW_PROBE, UNANSWERED_BEATS, BEATS)
"""In order of precedence, where several fall into one cell."""


def tick_rows(judged: JudgedFlow, cells: int) -> list[tuple[Side, list[Mark]]]:
    """Return a row of marks for each endpoint that has any, from the flow's first segment to its end."""
    start_ns, stop_ns = span(judged)
    rows = []
    for side in SIDES:
        marks = _marks(judged.record, side)
        if not marks:
            continue
        row = [NOTHING] * cells
        for first_ns, last_ns, mark in marks:
            first, last = (
                min(max(round((ts_ns - start_ns) * (cells - 1) / max(stop_ns - start_ns, 1)), 0), cells - 1)
                for ts_ns in (first_ns, last_ns)
            )
            for at in range(first, last + 1):
                if row[at] is NOTHING or MARKS.index(mark) < MARKS.index(row[at]):
                    row[at] = mark
        rows.append((side, row))
    return rows


def span(judged: JudgedFlow) -> tuple[int, int]:
    """Return from when to when a flow is drawn: to the capture's end where nothing ended it before."""
    record = judged.record
    return record.first_ns, record.last_ns if judged.ending.verdict.is_over else max(record.last_ns, record.end_ns)


def drawn(row: Iterable[Mark], screen: Screen) -> str:
    """Return a row of marks as text."""
    parts: list[str] = []
    run: list[str] = []
    last: Mark | None = None
    for mark in row:
        if mark is not last and last is not None:
            parts.append(screen.paint("".join(run), last.style))
            run = []
        run.append(mark.glyph if screen.unicode else mark.plain)
        last = mark
    if last is not None:
        parts.append(screen.paint("".join(run), last.style))
    return "".join(parts)


def legend(used: Iterable[Mark], screen: Screen, indent: str) -> Iterator[str]:
    """Yield what the marks in use mean, in as many lines as it takes."""
    wanted = set(used)
    line, length = "", 0
    for mark in reversed(MARKS):
        if mark not in wanted:
            continue
        item = f"{screen.paint(mark.glyph if screen.unicode else mark.plain, mark.style)} {mark.meaning}"
        shown = len(f"x {mark.meaning}")
        if line and len(indent) + length + len(SEPARATOR) + shown > screen.width:
            yield indent + line
            line, length = "", 0
        line, length = (f"{line}{SEPARATOR}{item}", length + len(SEPARATOR) + shown) if line else (item, shown)
    if line:
        yield indent + line


def _marks(record: FlowRecord, side: Side) -> list[tuple[int, int, Mark]]:
    """Return what to mark, each from when to when: of heartbeats the whole train."""
    marks = [(probe.ts_ns, _probe_mark(record, probe)) for probe in record.probes_from(side)]
    marks += [(probe.ts_ns, WINDOW_PROBE) for probe in record.zero_window_probes if probe.sender == side]
    marks += [(fin.ts_ns, FIN) for fin in record.fins if fin.sender == side]
    marks += [(reset.ts_ns, RESET) for reset in record.resets if reset.sender == side]
    trains = [train for train in record.heartbeats if train.sender == side]
    spans = [(train.first_ns, train.last_ns, BEATS) for train in trains]
    spans += [(t.silent_ns, t.last_ns, UNANSWERED_BEATS) for t in trains if t.silent_ns is not None]
    return [(ts_ns, ts_ns, mark) for ts_ns, mark in marks] + spans


def _probe_mark(record: FlowRecord, probe: Probe) -> Mark:
    if record.is_unseen(other(probe.sender)):
        return UNSEEN
    if probe.answer == "rst":
        return REFUSED
    if record.is_cut_off(probe):
        return CUT_OFF
    return ANSWERED if probe.answer else UNANSWERED
