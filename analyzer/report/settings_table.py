"""The settings in use as rows of text: for a terminal, and for a page.

It must not infer settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.report.screen import columns
from analyzer.units import format_duration
from analyzer.words.teller import setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.report.screen import Screen
    from analyzer.survey.settings_in_use import InUse, SettingsInUse

MOST_ROWS: Final = 12
"""This many combinations are listed."""
HEADS: Final = (
    ("IDLE", -9),
    ("INTERVAL", -9),
    ("COUNT", -6),
    ("FLOWS", -8),
    ("HOSTS", -7),
    ("SERVICES", -9),
    ("MEASURED GAPS", 0),
)
NOTE: Final = (
    "Idle, interval and count are inferred. Gaps are measured before every probe, so they are of both; most are a"
    " little longer, because kernels' timers run late. A dash: these probes do not show it."
)


def cells(row: InUse) -> tuple[str, ...]:
    """Return what a row says, in the order of HEADS."""
    gaps = ""
    if row.shortest_ns is not None and row.longest_ns is not None:
        low, high = format_duration(row.shortest_ns), format_duration(row.longest_ns)
        gaps = low if low == high else f"{low} to {high}"
    return (
        _timer(row.idle_ns),
        _timer(row.interval_ns),
        "-" if row.count is None else f"{row.count:,}",
        f"{row.flows:,}",
        f"{len(row.hosts):,}",
        f"{len(row.services):,}",
        gaps,
    )


def notes(data: SettingsInUse) -> Iterator[str]:
    """Yield what has to be known of the table."""
    if len(data.rows) > MOST_ROWS:
        rest = data.rows[MOST_ROWS:]
        flows = sum(row.flows for row in rest)
        yield f"{len(rest):,} more combinations, of {flows:,} {'flow' if flows == 1 else 'flows'}, are not listed."
    if data.asked < data.flows:
        yield f"From {data.asked:,} of the {data.flows:,} flows that probe, chosen from each kind of ending."
    yield NOTE


def settings_table(data: SettingsInUse, screen: Screen) -> Iterator[str]:
    """Yield the lines of the table; none for a single flow, whose story tells its settings."""
    if data.flows < 2 or not data.rows:
        return
    yield screen.paint(columns(HEADS).rstrip(), "heading")
    for row in data.rows[:MOST_ROWS]:
        yield columns(tuple(zip(cells(row), (width for _, width in HEADS), strict=True))).rstrip()
    for note in notes(data):
        yield from screen.wrap(note, style="dim")
    yield ""


def _timer(ns: int | None) -> str:
    return "-" if ns is None else setting(ns)
