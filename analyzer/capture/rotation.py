"""Rotated files of one capture point, read as one stream.

tcpdump (-C, -G, -W) and dumpcap (-b) write a long capture as a row of files. Files of one folder whose names differ
only in digits, and of which each begins where the one before it ended, are such a row: their flows span files, and
frames are counted through. ``one_stream=False`` reads each file for itself.

This module must not know what is in a frame.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from analyzer.capture.reader import CaptureReader, open_capture
from analyzer.capture.source import is_stream
from analyzer.errors import AnalyzerError
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from analyzer.capture.text.reader import TextReader
    from analyzer.segment import SegmentBatch

OVERLAP_NS: Final = 1_000_000_000
"""A file that begins this long before its forerunner's last frame was captured elsewhere, or at the same time."""
PAUSE_NS: Final = 60_000_000_000
"""A file that begins later than this after its forerunner's last frame is a capture of its own."""

SUFFIXES: Final = re.compile(r"\.(pcap|pcapng|cap|dmp)\d*(\.(gz|zst))?$", re.IGNORECASE)
"""What captures in a folder are called; other files there are passed over."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a stream."""

    path: str
    first_frame: int
    """Its first frame, as the stream counts."""


def in_folders(paths: Sequence[str]) -> list[str]:
    """Return the paths, folders replaced by the captures in them, by name; one without any stays, to be refused."""
    found = []
    for path in paths:
        inside: list[str] = []
        if path != "-" and Path(path).is_dir():
            inside = sorted(str(p) for p in Path(path).iterdir() if p.is_file() and SUFFIXES.search(p.name))
        found += inside or [path]
    return found


def series_of(paths: Sequence[str]) -> list[list[str]]:
    """Return the paths in series that may be rotated files of one capture point, each in order of time.

    Series come in the order of their first files. Only names and first frames are looked at; whether a file really goes
    on where the one before ended shows when that is read (``streams``). What can be read only once is not looked into:
    it is a series of its own, whatever it is called.
    """
    named: dict[tuple[str, str], list[str]] = {}
    for at, path in enumerate(paths):
        folder, name = os.path.split(path)
        key = ("-", str(at)) if is_stream(path) else (folder, re.sub(r"\d+", "#", name))
        named.setdefault(key, []).append(path)
    return [each if len(each) == 1 else sorted(dict.fromkeys(each), key=_began) for each in named.values()]


def _began(path: str) -> tuple[int, str]:
    """Return what puts files in order of time: the first frame's instant; what has none comes last."""
    try:
        with open_capture(path, jit=False, chunk=1 << 16) as source:
            began = source.start_ns
    except (AnalyzerError, OSError):
        began = None
    return (1 << 62 if began is None else began, path)


class RotatedReader:
    """Several files as one: what ``CaptureReader`` offers, over a series of paths.

    It stops before the first file that does not go on where its forerunner ended; ``left`` has what remains.
    """

    def __init__(
        self, paths: Sequence[str], *, reader: str = "auto", jit: bool | None = None, contents: bool = False
    ) -> None:
        """Open the first file.

        Raises:
            CaptureError: it cannot be read (``left`` of nothing is made; go on with the other paths).
        """
        self.path = paths[0]
        self.left: list[str] = list(paths[1:])
        self.parts: list[Part] = [Part(paths[0], 1)]
        """The files so far."""
        self._options: Any = {"reader": reader, "jit": jit, "contents": contents}
        self._total = _sizes(paths) if len(paths) > 1 else None
        self._done_bytes = 0
        self._warnings: list[str] = []
        self._dropped = 0
        self._links: list[str] = []
        self._filters: list[str] = []
        self._now = open_capture(paths[0], **self._options)
        self._start_ns = self._now.start_ns
        self.format = self._now.format

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file at hand."""
        self._now.close()

    @property
    def jit(self) -> bool:
        """Whether compiled loops are in use."""
        return self._now.jit

    @property
    def start_ns(self) -> int | None:
        """Time of the first frame that has one; the first frames of a file may have none."""
        return self._now.start_ns if self._start_ns is None else self._start_ns

    @property
    def link_types(self) -> list[str]:
        """Names of the link types met so far."""
        return list(dict.fromkeys([*self._links, *self._now.link_types]))

    @property
    def dropped(self) -> int:
        """Packets dropped while capturing, at least: the largest count of a file, as each may go on with the last."""
        return max(self._dropped, self._now.dropped)

    @property
    def filters(self) -> list[str]:
        """Expressions that packets had to pass to be captured, as far as the files say."""
        return list(dict.fromkeys([*self._filters, *self._now.filters]))

    @property
    def warnings(self) -> list[str]:
        """Exact sentences about what is wrong; those about one of several files name it."""
        return [*self._warnings, *self._named(self._now)]

    @property
    def bytes_read(self) -> int:
        """Octets of the files read so far."""
        return self._done_bytes + self._now.bytes_read

    @property
    def size(self) -> int | None:
        """Octets of all files; None for a stream."""
        return self._now.size if self._total is None else self._total

    @property
    def used_scapy(self) -> int:
        """Frames of the file at hand that scapy was asked about."""
        return self._now.used_scapy

    def __iter__(self) -> Iterator[SegmentBatch]:
        """Yield the batches of all files, their frames counted through."""
        before = 0
        while True:
            frames = 0
            last_ns = -1
            for batch in self._now:
                count_through(batch, before)
                frames += batch.frames
                last_ns = max(last_ns, batch.last_ts_ns)
                yield batch
            before += frames
            following = self._next(last_ns)
            if following is None:
                return
            self.parts.append(Part(following.path, before + 1))
            self._warnings += self._named(self._now)
            self._dropped, self._filters = self.dropped, self.filters
            self._links += self._now.link_types
            self._done_bytes += self._now.bytes_read
            self._now.close()
            self._now = following

    def _next(self, last_ns: int) -> CaptureReader | TextReader | None:
        """Open the next file if it goes on where this one ended; else leave it and the rest."""
        if not self.left:
            return None
        try:
            following = open_capture(self.left[0], **self._options)
        except (AnalyzerError, OSError):
            return None  # whoever reads it as a capture of its own says what is wrong with it
        if not goes_on(last_ns, following.start_ns):
            following.close()
            return None
        self.left.pop(0)
        self._start_ns = self.start_ns
        return following

    def _named(self, source: CaptureReader | TextReader) -> list[str]:
        """Return a file's warnings, with its name if the series has several."""
        several = len(self.parts) > 1 or bool(self.left)
        return [f"{Path(source.path).name}: {w}" if several else w for w in source.warnings]


def goes_on(last_ns: int, start_ns: int | None) -> bool:
    """Say whether a file that begins at ``start_ns`` goes on where one ended whose last frame was at ``last_ns``.

    Where either is not known (``last_ns`` below 0) nothing speaks against it.
    """
    return start_ns is None or last_ns < 0 or -OVERLAP_NS <= start_ns - last_ns <= PAUSE_NS


def count_through(batch: SegmentBatch, before: int) -> None:
    """Number the frames of a batch on from the ``before`` frames of earlier files."""
    if before:
        batch.rows["frame"] += before
        batch.others["frame"] += before
        for end in ("from_frame", "to_frame"):
            batch.leaps[end] += before
            batch.losses[end] += before


def streams(
    series: Sequence[str], *, reader: str = "auto", jit: bool | None = None
) -> Iterator[RotatedReader | AnalyzerError]:
    """Yield a reader for each part of a series that goes on, or the error of a file that cannot be opened.

    A part that does not go on where the one before ended begins with a reader of its own; that shows when the one
    before has been read, so ask for the next one then.
    """
    left = list(series)
    while left:
        try:
            source = RotatedReader(left, reader=reader, jit=jit)
        except AnalyzerError as error:
            left = left[1:]
            yield error
        else:
            yield source
            left = source.left


def _sizes(paths: Sequence[str]) -> int | None:
    """Return the octets of all files, None if one cannot be asked."""
    try:
        return sum(Path(path).stat().st_size for path in paths)
    except OSError:
        return None
