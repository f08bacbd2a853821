"""``annotate(path, out)``: a copy of a capture with our labels as packet comments, for Wireshark.

The capture is read twice: once to find out, once to copy. What is kept between is in a temporary file (``mark_store``).
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

import analyzer
from analyzer import explain
from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows
from analyzer.capture.commented import Copied, copy_with_comments
from analyzer.capture.reader import refuse_text
from analyzer.capture.source import open_source
from analyzer.errors import CaptureError
from analyzer.judge import verdict
from analyzer.output import whole
from analyzer.survey import overview
from analyzer.survey.selection import Selection
from analyzer.values import dataclass
from analyzer.wireshark.comments import PREFIX, comments, marks_of
from analyzer.wireshark.mark_store import Marks
from analyzer.words.teller import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.capture.rotation import RotatedReader

FLOWS_NAMED: Final = 20
"""Of so many flows the section comment has a line."""
STDOUT: Final = "-"


@dataclass(frozen=True, slots=True)
class Annotated:
    """What was written."""

    analysis: Analysis
    copied: Copied


def annotate(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    force: bool = False,
    reader: str = "auto",
    jit: bool | None = None,
    select: Selection | None = None,
    progress: Callable[[RotatedReader, int], None] | None = None,
) -> Annotated:
    """Write a pcapng copy of a capture with comments on what ``wireshark.comments`` marks: probes, endings, ...

    The copy appears when it is complete. ``out`` may be ``-`` for standard output.

    Raises:
        FileExistsError: there is an ``out``, and ``force`` was not given.
        CaptureError: nothing could be read of the capture, or it changed while it was read.
    """
    source_path, out_path = os.fspath(path), os.fspath(out)
    if not force and out_path != STDOUT and Path(out_path).exists():
        raise FileExistsError(out_path)
    refuse_text(source_path, "annotate")
    with Marks() as marks:
        result = _find_out(source_path, select or Selection(), marks, reader=reader, jit=jit, progress=progress)
        source = open_source(source_path)
        try:
            with _opened(out_path, replace=force) as file:
                copied = copy_with_comments(
                    source,
                    file.write,
                    comments(marks),
                    about=about(result),
                    application=f"keepalive {analyzer.__version__}",
                    jit=jit,
                )
                if copied.lost:
                    raise CaptureError(source_path, _not_the_same(copied))
        finally:
            source.close()
    return Annotated(result, copied)


def about(result: Analysis) -> str:
    """Return the comment on the whole capture: its sums, and a line for each of the most important flows."""
    totals = result.totals
    verdicts = ", ".join(f"{word} {count}" for word, count in totals.verdicts.items())
    sums = (
        f"{PREFIX}{count(totals.flows, 'flow')}, {totals.flows_with_probes:,} with probes; "
        f"{count(totals.probes, 'probe')}, {totals.probes_answered:,} answered, "
        f"{totals.probes_after_fin:,} after a FIN; {count(totals.zero_window_probes, 'zero-window probe')}. "
        f"Verdicts: {verdicts or 'none'}. "
        f'Comments: frame.comment contains "{PREFIX.strip()}"'
    )
    lines = [sums]
    ranked = overview.ranked(result.lines())
    for line in [line for line in ranked if line["batch"] >= 0][:FLOWS_NAMED]:
        judged = result.flow(line).judged
        record = judged.record
        lines.append(
            f"flow {record.number}, {record.a} and {record.b}: {judged.ending.verdict.value}. "
            f"{explain.headline(judged, result.start_ns())}"
        )
    return "\n".join(lines)


def _not_the_same(copied: Copied) -> str:
    """Say that comments found no packet, to fit after the name of the capture."""
    return (
        f"changed while it was read: {count(copied.lost, 'comment')} found no packet among {copied.frames:,}; "
        "no copy was kept"
    )


def _find_out(
    path: str,
    select: Selection,
    marks: Marks,
    *,
    reader: str,
    jit: bool | None,
    progress: Callable[[RotatedReader, int], None] | None,
) -> Analysis:
    """Read the capture; return what was found, and leave the marks."""
    result = Analysis(keep_all=False, most=FLOWS_NAMED, select=select)
    for capture, batch in read_flows([path], result, reader=reader, jit=jit, progress=progress):
        if batch is None:
            continue
        wanted = batch.take(np.flatnonzero(select.mask(batch, result.start_ns(capture), capture)))
        marks.add(marks_of(wanted, verdict.decide(wanted)))
        result.add(capture, batch)
    return result


@contextlib.contextmanager
def _opened(path: str, *, replace: bool) -> Iterator[BinaryIO]:
    """Open for writing, so that a file is there only once it is complete."""
    if path == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()  # what did not leave was not written
    else:
        with whole(path, replace=replace) as file:
            yield file
