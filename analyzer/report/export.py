"""JSON and JSON lines, as docs/json-report.md promises and ``schema/report-1.schema.json`` describes.

Time leaves as float seconds from the capture's first frame, exact to the nanosecond; every name carries its unit.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from analyzer.report.objects import Object, capture_object, flow_object, summary_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.judge.judged import JudgedFlow
    from analyzer.survey.limits import IdleLimit
    from analyzer.survey.overview import CaptureSummary, Part, Totals
    from analyzer.survey.settings_in_use import SettingsInUse
    from analyzer.untyped import Json

SCHEMA: Final = 1
BETWEEN: Final = ",\n  "
"""Between the JSON of two flows."""
PAGE: Final = 1 << 16
"""About so many characters are written at once."""


class FlowToExport(Protocol):
    """A flow as it comes from an analysis."""

    @property
    def capture(self) -> int:
        """Index of its capture."""
        ...

    @property
    def judged(self) -> JudgedFlow:
        """The flow with everything that was concluded about it."""
        ...


# ── JSON ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_json(
    captures: list[CaptureSummary],
    flows: Iterable[FlowToExport],
    totals: Totals,
    write: Callable[[str], object],
    *,
    several: bool,
    more: Callable[[JudgedFlow, int], Object] | None = None,
    limits: Callable[[], Sequence[IdleLimit]] = tuple,
    settings: Callable[[], SettingsInUse] | None = None,
) -> None:
    """Write one object, flow by flow, so that no more than one is in memory; ``more`` adds fields to each."""
    found: Counter[str] = Counter()

    def texts() -> Iterator[str]:
        for flow in flows:
            yield dumps(numbered(flow, captures, several=several, more=more))
            found.update({finding.code for finding in flow.judged.findings})

    write_json_of(captures, texts(), lambda: summary_object(totals, found, limits(), settings and settings()), write)


def write_json_of(
    captures: list[CaptureSummary],
    flows: Iterable[str],
    summary: Callable[[], Object],
    write: Callable[[str], object],
) -> None:
    """Write one object with the JSON of each flow; ``summary`` is asked when all are written.

    Of the texts each is of one flow, or of some with BETWEEN between them.
    """
    write(f'{{"schema": {SCHEMA},\n "captures": [')
    write(",\n              ".join(dumps(capture_object(capture)) for capture in captures))
    write('],\n "flows": [')
    separator = "\n  "
    for some in _pages(flows):
        write(separator)
        write(BETWEEN.join(some))
        separator = BETWEEN
    write(f'],\n "summary": {dumps(summary())}}}\n')


def _pages(flows: Iterable[str]) -> Iterator[list[str]]:
    """Yield texts some at a time: a write for each of a hundred thousand short ones takes a second."""
    some: list[str] = []
    size = 0
    for flow in flows:
        some.append(flow)
        size += len(flow)
        if size >= PAGE:
            yield some
            some, size = [], 0
    if some:
        yield some


def write_json_line(
    flow: FlowToExport,
    captures: list[CaptureSummary],
    write: Callable[[str], object],
    *,
    several: bool,
    more: Callable[[JudgedFlow, int], Object] | None = None,
) -> None:
    """Write one flow as one line."""
    write(dumps(numbered(flow, captures, several=several, more=more)) + "\n")


def numbered(
    flow: FlowToExport,
    captures: list[CaptureSummary],
    *,
    several: bool,
    more: Callable[[JudgedFlow, int], Object] | None = None,
) -> Object:
    """Return a flow's object, with the index of its capture if several captures were named."""
    start_ns = captures[flow.capture].start_ns or 0
    entry = flow_object(flow.judged, start_ns)
    if several:
        entry = {"capture": flow.capture, **entry}
    if more:
        entry |= more(flow.judged, start_ns)
    parts = captures[flow.capture].parts
    return with_file_frames(entry, parts) if len(parts) > 1 else entry


def with_file_frames(entry: Json, parts: Sequence[Part]) -> Json:
    """Return an object in which every ``frame`` of a stream of files is joined by ``file`` and ``file_frame``."""
    if isinstance(entry, list):
        return [with_file_frames(item, parts) for item in entry]
    if not isinstance(entry, dict):
        return entry
    out = {key: with_file_frames(value, parts) for key, value in entry.items()}
    frame = entry.get("frame")
    if isinstance(frame, int) and frame > 0:
        at = bisect_right([part.first_frame for part in parts], frame) - 1
        out |= {"file": at, "file_frame": frame - parts[at].first_frame + 1}
    return out


dumps: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False).encode
"""Return JSON in ASCII: whatever a name holds, a terminal shows it as an escape."""
