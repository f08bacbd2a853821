"""``Marks``: what is to be said of frames, kept until the copy is written; in a file, so that memory stays flat.

Marks come as flows finish and are needed by frame. Some at a time are sorted and written to a temporary file without a
name, as a run; the runs are merged when they are read. What a mark means is the business of ``comments``.
"""

from __future__ import annotations

import heapq
import tempfile
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from numpy.typing import NDArray

MARK: Final = np.dtype(
    [
        ("frame", np.int64),
        ("what", np.int8),
        ("which", np.int8),  # Kind of a segment, ResetKind, or row of VERDICTS
        ("answer", np.int8),
        ("certainty", np.int8),
        ("after_fin", np.int8),
        ("number", np.int32),  # of a probe among its sender's, from 1; what an ICMP error was, as in SEGMENT
        ("flow", np.int64),
        ("other", np.int64),  # the frame of the answer, of what is answered, or of what acknowledges; 0 none
        ("passed_ns", np.int64),  # between the two
    ],
    align=True,
)
"""Something to say of a frame; its first two columns are its place among all."""

RUN: Final = 1 << 16
"""This many marks are sorted at a time."""
HELD: Final = 1 << 14
"""This many of all runs together are in memory while runs are merged."""
LEAST: Final = 16
"""Of each run at least so many: fewer would only cost time."""

Row = tuple[Any, ...]


class Marks:
    """Marks in any order in, by frame out; a context manager, which lets go of the file."""

    def __init__(self, run: int = RUN) -> None:
        """Begin without any; ``run`` is how many are sorted at a time."""
        self._run = run
        self._waiting: list[NDArray[np.void]] = []
        self._count = 0
        self._sizes: list[int] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the marks

    def __enter__(self) -> Self:
        """Return the marks."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the file."""
        self._file.close()

    def add(self, marks: NDArray[np.void]) -> None:
        """Take more marks."""
        self._waiting.append(marks)
        self._count += len(marks)
        if self._count >= self._run:
            self._write()

    def __iter__(self) -> Iterator[Row]:
        """Yield all marks by frame and kind, as tuples of Python values."""
        self._write()
        starts = np.cumsum([0, *self._sizes]).tolist()
        some = max(HELD // max(len(self._sizes), 1), LEAST)
        yield from heapq.merge(*(self._read(at, size, some) for at, size in zip(starts, self._sizes, strict=False)))

    def _write(self) -> None:
        if not self._count:
            return
        marks = np.concatenate(self._waiting)
        self._waiting, self._count = [], 0
        self._file.seek(0, 2)
        self._file.write(marks[np.lexsort((marks["what"], marks["frame"]))].tobytes())
        self._sizes.append(len(marks))

    def _read(self, start: int, size: int, some: int) -> Iterator[Row]:
        for at in range(start, start + size, some):
            count = min(some, start + size - at)
            self._file.seek(at * MARK.itemsize)
            yield from np.frombuffer(self._file.read(count * MARK.itemsize), dtype=MARK).tolist()
