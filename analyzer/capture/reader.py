"""``CaptureReader``: a capture file as ``SegmentBatch`` after ``SegmentBatch``; ``open_capture`` opens one.

Joins source, window, framing and decoder, and chooses between plain and compiled loops by size. Nothing is raised
once a frame could be read: damage ends the batches, and a sentence in ``warnings`` says where.

This module must not know protocols or flows.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

from analyzer.capture.contents import CONTENT, look_inside
from analyzer.capture.decoder import BATCH_ROWS, MOST_BY_SCAPY, Decoder, Tables
from analyzer.capture.formats import HEAD, is_text, open_framing
from analyzer.capture.frame import NOTES, empty_frames
from analyzer.capture.linktypes import link_name
from analyzer.capture.source import STDIN, display_name, is_stream, open_source
from analyzer.capture.window import CHUNK, Window
from analyzer.errors import CaptureError, UnsupportedLinkTypeError
from analyzer.loops.choice import jit_wanted
from analyzer.loops.loop import freeze, records, thaw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from analyzer.capture.source import Source
    from analyzer.capture.text.reader import TextReader
    from analyzer.segment import SegmentBatch

LARGE: Final = 1 << 20
"""From this many octets on compiled loops pay: loading them takes as long as reading this plainly."""

HUGE: Final = 8 << 20
"""From this many on it pays to compile them first: reading this plainly takes as long as that."""

SMALLEST_RECORD: Final = 12
"""No frame takes fewer octets of a file than this; a block of pcapng is no shorter."""

LONGER: Final = 2
"""Batches with contents are so many times longer: whoever asks for them reads several captures, in threads that wait
for each other's Python, of which each batch costs some.
"""

COMPRESSION_RATIO: Final = 4
"""What a compressed capture grows by, roughly, for the same decision."""


def open_capture(
    path: str | os.PathLike[str],
    *,
    reader: str = "auto",
    jit: bool | None = None,
    chunk: int = CHUNK,
    contents: bool = False,
    source: Source | None = None,
) -> CaptureReader | TextReader:
    """Open a capture: a path, or ``-`` for standard input; pcap, pcapng or text, plain, gzip or zstd.

    What is open already comes as ``source``; then the path is only what it is called.

    ``reader`` is ``auto`` (the fast one, scapy for tunnels and rare link types), ``fast`` or ``scapy``. ``jit`` compels
    or forbids compiled loops; None decides by size. ``contents`` has what else is in a frame looked at (``contents``);
    text has nothing of it.

    Raises:
        CaptureError: it cannot be opened or is cut within its header.
        NotACaptureError: it is neither pcap nor pcapng, nor text with packets.
        UnsupportedLinkTypeError: no frame of it can be decoded.
    """
    name = os.fspath(path)
    source = source or open_source(name)
    try:
        window = Window(source, chunk=chunk)
        if is_text(window.head(HEAD)):
            from analyzer.capture.text.reader import TextReader

            return TextReader(name, display_name(name), source, window, reader=reader, jit=jit)
        return CaptureReader(name, source, window, reader=reader, jit=jit, contents=contents)
    except BaseException:
        source.close()
        raise


def refuse_text(path: str | os.PathLike[str], purpose: str) -> None:
    """Refuse a path that is text, for who needs packets; ``purpose`` says what for, to fit before "needs packets".

    Raises:
        CaptureError: it is text, cannot be opened, or is a pipe: who needs packets reads them a second time.
    """
    name = os.fspath(path)
    if name == STDIN:
        return
    if is_stream(name):
        raise CaptureError(name, f"can be read only once, and {purpose} reads it twice: save it as a file")
    source = open_source(name)
    try:
        if is_text(Window(source, chunk=1 << 16).head(HEAD)):
            reason = f"is text, and {purpose} needs packets, a pcap or pcapng file; report, explain and plot read text"
            raise CaptureError(display_name(name), reason)
    finally:
        source.close()


class CaptureReader:
    """An open capture: a context manager, and an iterable (once) of batches in file order."""

    def __init__(
        self, path: str, source: Source, window: Window, *, reader: str, jit: bool | None, contents: bool = False
    ) -> None:
        """Find the first frame; the source is closed with this."""
        self._contents = contents
        self._inside = Tables(CONTENT)
        self.path = path
        self.jit = False
        """Whether the loops in use are compiled; a stream begins plain and changes when it grows."""
        self._decoder = Decoder(reader, most_by_scapy=MOST_BY_SCAPY)
        self._notes: Any = records(NOTES, 1, jit=False)[0]
        self._forced = jit
        self._pending = 0  # frames indexed, not decoded
        self._behind = 0  # number of the last frame before the batch at hand
        self._most = BATCH_ROWS * LONGER if contents else BATCH_ROWS
        self._room = self._most
        self._source = source
        self._window = window
        self._framing = open_framing(display_name(path), window)
        self._choose_mode()
        self._frames = empty_frames(self._most if self.jit else 1, jit=self.jit)
        self._find_first()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[SegmentBatch]:
        """Yield batches of the usual size."""
        return self.batches()

    @property
    def format(self) -> str:
        """``pcap`` or ``pcapng``."""
        return self._framing.format

    @property
    def link_types(self) -> list[str]:
        """Names of the link types met so far, as tcpdump prints them."""
        return list(dict.fromkeys(link_name(number) for number in self._framing.link_types))

    @property
    def start_ns(self) -> int | None:
        """Time of the first frame that has one; None while there is none."""
        return int(self._notes["start_ns"]) if self._notes["timed"] else None

    @property
    def warnings(self) -> list[str]:
        """Exact sentences about what is wrong with the capture; grows until the last batch."""
        return self._decoder.notices.sentences(self._notes)

    @property
    def dropped(self) -> int:
        """Packets dropped while capturing, by the statistics that the file holds so far."""
        return int(self._notes["dropped"])

    @property
    def filters(self) -> list[str]:
        """Expressions that packets had to pass to be captured, as far as the file says."""
        return self._framing.filters

    @property
    def bytes_read(self) -> int:
        """Octets of the file read so far (compressed, if it is)."""
        return self._source.bytes_read

    @property
    def size(self) -> int | None:
        """Octets of the file; None for a stream."""
        return self._source.size

    @property
    def used_scapy(self) -> int:
        """Frames that scapy was asked about."""
        return self._decoder.used_scapy

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def batches(self, batch_rows: int | None = None) -> Iterator[SegmentBatch]:
        """Yield batches of at most ``batch_rows`` frames; their rows belong to the caller.

        Without a number, of at most BATCH_ROWS, plain and compiled alike. Plain, no more rows are made than the file
        has room for: one takes a tenth of what it takes to read a frame into it, and most such captures are small.

        Raises:
            UnsupportedLinkTypeError: at the end, if there were frames and none could be decoded.
        """
        self._room = batch_rows or self._most
        count = len(self._frames)
        while True:
            if count == len(self._frames):
                self._grow_index(batch_rows or self._most_frames())
            count = self._index(self._pending, min(self._room, len(self._frames)))
            self._pending = 0
            if count:
                batch = self._decoder.decode(self._window.octets(jit=self.jit), self._frames, count, jit=self.jit)
                self._behind = self._decoder.frames - count
                if self._contents:
                    batch = self._with_contents(batch, self._decoder.frames - count + 1)
                yield self._framing.losses.found(batch, self._frames, self._decoder.frames - count)
            elif not self._more():
                break
        if (rest := self._framing.losses.rest(self._decoder.frames, int(self._notes["last_ts_ns"]))) is not None:
            yield rest
        self._decoder.release()
        self._finish()

    def frame_at(self, number: int) -> tuple[bytes, int, int]:
        """Return a frame of the batch at hand, by its number: its octets, its length on the wire, its link type."""
        frame = self._frames[number - self._behind - 1]
        at, captured = int(frame["at"]), int(frame["captured"])
        return bytes(self._window.view[at : at + captured]), int(frame["original"]), int(frame["link_type"])

    def _with_contents(self, batch: SegmentBatch, number: int) -> SegmentBatch:
        """Return a batch with what else is in its frames; ``number`` is that of the first."""
        rows = batch.rows if self.jit else thaw(batch.rows, jit=False)
        found = self._inside.take(len(rows)) if self.jit else records(CONTENT, len(rows), jit=False)
        octets = self._window.octets(jit=self.jit)
        look_inside.choose(jit=self.jit)(octets, self._frames, number, rows, len(rows), found)
        return replace(batch, contents=freeze(found, CONTENT))

    def _index(self, row: int, room: int) -> int:
        """Index frames of the window behind ``row`` of the index."""
        return self._framing.index(self._window, self._frames, row, room, self._notes, jit=self.jit)

    def _more(self) -> bool:
        """Read on, when all that the window holds was decoded; False at the end of what can be read."""
        if self._framing.damage or not self._window.more():
            return False
        self._choose_mode()
        return True

    def _choose_mode(self) -> None:
        """Change to compiled loops when the capture turns out to be large."""
        if self.jit:
            return
        size, factor = self._source.size or 0, COMPRESSION_RATIO if self._source.compression else 1
        read = self._window.base + self._window.end  # a stream has no size, and what is compressed may hide its own
        octets = max(read, size * factor)
        self.jit = jit_wanted(large=octets >= LARGE, huge=octets >= HUGE, asked=self._forced)
        if self.jit:
            self._notes = freeze([self._notes], NOTES)[0]
            self._frames = empty_frames(max(self._room, self._most), jit=True)

    def _most_frames(self) -> int:
        """Return how many frames the file may hold at most, if that is known and fewer than a batch."""
        size = self._source.size
        if size is None or self._source.compression:
            return self._most
        return min(self._most, size // SMALLEST_RECORD + 1)

    def _grow_index(self, fewest: int) -> None:
        """Make the index longer, keeping the first frame that may be in it."""
        room = self._room if self.jit else min(self._room, max(fewest, 2 * len(self._frames)))
        if len(self._frames) < room:
            frames = empty_frames(room, jit=self.jit)
            for at in range(self._pending):
                frames[at] = self._frames[at]
            self._frames = frames

    def _find_first(self) -> None:
        """Read up to the first frame, so that link types and start are known."""
        while True:
            self._pending = self._index(0, 1)
            if self._pending or not self._more():
                break
        if self._framing.format == "pcap" and not self._decoder.can_decode(self._framing.link_types[0]):
            raise self._unsupported()

    def _unsupported(self) -> UnsupportedLinkTypeError:
        """Make the error that says that nothing here can be decoded."""
        number = self._framing.link_types[0] if self._framing.link_types else -1
        names = ", ".join(f"{link_name(n)} ({n})" for n in self._framing.link_types)
        reason = f"is of link type {names}, which {self._decoder.excuse()}"
        return UnsupportedLinkTypeError(display_name(self.path), number, reason)

    def _finish(self) -> None:
        """Say how the capture ended."""
        notices = self._decoder.notices
        if self._framing.damage:
            notices.say(self._framing.damage)
        else:
            if self._source.damage:
                notices.say(self._source.damage)
            if self._window.rest:
                notices.say(self._framing.cut(self._window))
        if self._decoder.frames and self._decoder.frames == self._decoder.undecodable:
            raise self._unsupported()
