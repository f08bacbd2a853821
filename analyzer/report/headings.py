"""What a report is of: a line for each capture, and for many what they are together.

However many files were named, what was found is then on the first screen. It must not know what flows show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.report.shown import plural
from analyzer.report.sums import MOST_LISTED, names_of, short_title, title_of
from analyzer.units import format_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.report.screen import Screen
    from analyzer.report.shown import Report
    from analyzer.survey.overview import CaptureSummary


def headings(data: Report, screen: Screen) -> Iterator[str]:
    """Yield the lines that stand first in a terminal: which captures were read."""
    captures = data.captures
    if len(captures) == 1:
        yield from screen.wrap(title_of(captures[0]), indent="  ", first="", style="heading")
        return
    listed: Sequence[int] = range(len(captures))
    if len(captures) > MOST_LISTED:
        yield from screen.wrap(f"{together(captures)}.", indent="  ", first="", style="heading")
        if len(data.flows) < data.notable:
            listed = sorted({flow.capture for flow in data.flows})
    for index in listed:
        title = f"{index}: {short_title(captures[index])}"
        yield from screen.wrap(title, indent="   ", first="", style="heading")
    if len(listed) < len(captures):
        rest = len(captures) - len(listed)
        more = f"{rest:,} more {plural(rest, 'capture')}: --limit 0 lists all, with all flows."
        yield from screen.wrap(more, style="dim")


def together(captures: Sequence[CaptureSummary]) -> str:
    """Return what several captures are together: how many, where they lie, how much, and of which time."""
    segments = sum(capture.tcp_segments for capture in captures)
    begins = [capture.start_ns for capture in captures if capture.start_ns is not None]
    ends = [capture.end_ns for capture in captures if capture.end_ns is not None]
    first, last = (format_date(min(begins)), format_date(max(ends))) if begins and ends else (None, None)
    when = f", from {first} to {last}" if first and last else ""
    return f"{names_of(captures)}: {segments:,} TCP {plural(segments, 'segment')}{when}"
