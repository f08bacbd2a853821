"""``Decoder``: an index of frames in, a ``SegmentBatch`` out; ``FrameDecoder``: the same for frames one by one.

Joins the fast loop with scapy, which gets the frames that the loop defers, and numbers the frames.

This module must not know files or flows.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.capture.beside import look_beside
from analyzer.capture.frame import (
    CAPACITY,
    CUT,
    CUT_ROW,
    MAX_CAPTURED,
    MAX_ORIGINAL,
    NOT_TCP,
    NOTES,
    OCTETS,
    ROW,
    UNKNOWN_LINK,
    empty_frames,
    octets_of,
    times_of,
)
from analyzer.capture.headers import decode
from analyzer.capture.link import FAST_LINK_TYPES
from analyzer.capture.linktypes import link_name
from analyzer.capture.notices import Notices
from analyzer.loops.loop import freeze, records
from analyzer.segment import ABSENT, LEAP, SEGMENT, WITNESS, SegmentBatch, leaps_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analyzer.untyped import Numbers, Octets, Record, Rows


READERS: Final = ("auto", "fast", "scapy")
NO_LEAPS: Final[NDArray[np.void]] = np.empty(0, dtype=LEAP)

BATCH_ROWS: Final = 16384
"""Frames of a batch: many, because each batch costs some Python; few enough that a pipe does not wait for long."""

MOST_BY_SCAPY: Final = 5000
"""This many frames of a file are left to scapy, at 0.3 to 0.7 ms each; a file of nothing else would take minutes."""
TOO_MANY: Final = (
    f"were not decoded: only scapy can, a thousand times more slowly, and {MOST_BY_SCAPY:,} were before them "
    "(with --reader scapy it does all)"
)

MOST_TABLES: Final = 32
"""Memory of so many batches is kept to be used again: more than ever wait between the stages."""
ROUND: Final = 1 << 12
"""Memory is for so many rows, or a multiple: else each batch that is a little longer than all before would get its own.
"""
_LONELY = [object()]
UNUSED: Final = sys.getrefcount(_LONELY[0])
"""What ``sys.getrefcount`` says of what only a list holds."""
COUNTS: Final = "t" not in getattr(sys, "abiflags", "")
"""Whether references are counted in one place; free-threaded Pythons count those of each thread apart (PEP 703)."""


class Decoder:
    """Decodes the frames of one capture, in order."""

    def __init__(self, reader: str = "auto", *, most_by_scapy: int | None = None) -> None:
        """Start at frame 1; ``auto`` leaves no more than ``most_by_scapy`` frames to scapy, if that is given."""
        if reader not in READERS:
            raise ValueError(f"reader is {reader!r}; expected one of {', '.join(READERS)}")
        self.frames = 0
        """Frames decoded so far."""
        self.undecodable = 0
        """Of these, frames of a link type that no reader here knows."""
        self.used_scapy = 0
        """Frames that scapy was asked about."""
        self._last_ns = ABSENT
        self.notices = Notices()
        self._reader = reader
        self._most_by_scapy = most_by_scapy if reader == "auto" else None
        self._rows = Tables()
        self._known: dict[int, bool] = {}

    def can_decode(self, link_type: int) -> bool:
        """Whether frames of this link type can be decoded by the chosen reader."""
        if link_type not in self._known:
            fast = link_type in FAST_LINK_TYPES and self._reader != "scapy"
            self._known[link_type] = fast or (self._reader != "fast" and _scapy_knows(link_type))
        return self._known[link_type]

    def decode(self, octets: Octets, frames: Rows, count: int, *, jit: bool) -> SegmentBatch:
        """Decode the first ``count`` rows of an index, which are the next frames of the capture.

        ``octets`` and ``frames`` are in the form of the chosen mode (see ``frame``).
        """
        number = self.frames + 1
        self.frames += count
        skipped: Any = np.zeros(3, dtype=np.int64) if jit else [0, 0, 0]
        rows: NDArray[np.void] = np.empty(0, dtype=SEGMENT)
        others: NDArray[np.void] = np.empty(0, dtype=WITNESS)
        deferred: Iterable[Any] = range(count)
        leapt = count
        if self._reader != "scapy":
            table: Any = self._rows.take(count) if jit else [{} for _ in range(count)]
            later: Any = np.empty(count, dtype=np.int64) if jit else [0] * count
            before_ns = self._last_ns if self._last_ns != ABSENT else int(frames[0]["ts_ns"]) if count else 0
            made, put_off, leapt = decode.choose(jit=jit)(
                octets, frames, count, number, table, later, skipped, before_ns
            )
            rows, deferred = freeze(table[:made], SEGMENT), later[:put_off]
            if made < count:
                beside: Any = np.empty(count - made, dtype=WITNESS) if jit else [{} for _ in range(count - made)]
                shown = look_beside.choose(jit=jit)(octets, frames, count, number, table, made, beside)
                others = freeze(beside[:shown], WITNESS)
        extra = [row for at in deferred if (row := self.defer(octets, frames[int(at)], number + int(at), skipped))]
        if extra:
            rows = np.concatenate([rows, freeze(extra, SEGMENT)])
            rows = rows[np.argsort(rows["frame"], kind="stable")]
        counts = (int(skipped[0]), int(skipped[1]), int(skipped[2]))
        if not count:
            return SegmentBatch(rows, count, counts)
        leaps = self._leaps(frames, count, number, jit=jit) if leapt else NO_LEAPS
        self._last_ns = int(frames[count - 1]["ts_ns"])
        return SegmentBatch(rows, count, counts, self._last_ns, leaps, others=others)

    def _leaps(self, frames: Rows, count: int, number: int, *, jit: bool) -> NDArray[np.void]:
        """Return where time leaps from frame to frame, the last one before this batch included."""
        ts_ns = np.empty(count + 1, dtype=np.int64)
        ts_ns[1:] = times_of(frames, count, jit=jit)
        ts_ns[0] = self._last_ns if self._last_ns != ABSENT else ts_ns[1]
        return leaps_in(ts_ns, np.arange(number - 1, number + count, dtype=np.int64))

    def defer(self, octets: Octets, frame: Record, number: int, skipped: Numbers) -> dict[str, int] | None:
        """Ask scapy about a frame; returns its row, or counts why there is none."""
        link_type = int(frame["link_type"])
        if not self.can_decode(link_type):
            skipped[NOT_TCP - 1] += 1
            if link_type != UNKNOWN_LINK:
                self.undecodable += 1
                excuse = self.excuse()
                what, rest = (
                    f"are of link type {link_name(link_type)}, which",
                    f"are of other link types, which {excuse}",
                )
                self.notices.count(f"{what} {excuse}", number, rest=rest)
            return None
        if self._reader == "fast":
            skipped[NOT_TCP - 1] += 1
            self.notices.count("may hold TCP in a tunnel, which only the reader auto or scapy looks into", number)
            return None
        if self.used_scapy == self._most_by_scapy:
            skipped[NOT_TCP - 1] += 1
            self.notices.count(TOO_MANY, number)
            return None
        from analyzer.capture import scapy_reader

        self.used_scapy += 1
        at = int(frame["at"])
        row: dict[str, int] = {}
        try:
            outcome = scapy_reader.decode_frame(
                bytes(octets["octet"][at : at + int(frame["captured"])]), link_type, int(frame["original"]), row
            )
        except scapy_reader.Failed as failed:
            self.notices.count(
                f"could not be taken apart by scapy ({failed})",
                number,
                rest="could not be taken apart by scapy, for other reasons",
            )
            outcome = CUT
        if outcome != ROW:
            skipped[CUT - 1 if outcome == CUT_ROW else outcome - 1] += 1
        if outcome not in (ROW, CUT_ROW):
            return None
        return row | {"ts_ns": int(frame["ts_ns"]), "frame": number, "interface": int(frame["interface"])}

    def release(self) -> None:
        """Keep no memory for rows any longer: there will be no more, and whoever finishes flows wants it."""
        self._rows = Tables()

    def excuse(self) -> str:
        """Say why a link type is not decoded, to fit after "which"."""
        if self._reader == "fast":
            return "the fast reader does not decode"
        return "no reader here decodes" if self._reader == "auto" else "scapy does not decode"


class Tables:
    """Memory for rows, used again as soon as nobody holds a row of it: fresh memory costs as much as decoding."""

    def __init__(self, dtype: np.dtype[np.void] = SEGMENT) -> None:
        """Begin with none, of records of this type."""
        self._dtype = dtype
        self._tables: list[NDArray[np.void]] = []

    def take(self, count: int) -> NDArray[np.void]:
        """Return ``count`` rows, uninitialised."""
        for at in range(len(self._tables)) if COUNTS else ():
            # only the list and the call itself know it
            if sys.getrefcount(self._tables[at]) == UNUSED and len(self._tables[at]) >= count:
                return self._tables[at][:count]
        table: NDArray[np.void] = np.empty(-(-count // ROUND) * ROUND, dtype=self._dtype)
        if COUNTS and len(self._tables) < MOST_TABLES:
            self._tables.append(table)
        return table[:count]


class FrameDecoder:
    """Decodes frames that come as octets, such as those of a live capture: ``add`` some, then ``take`` the batch.

    ``number`` of the first frame is 1.
    """

    def __init__(self, *, reader: str = "auto", jit: bool = False, room: int = BATCH_ROWS) -> None:
        """Start empty. ``jit`` pays from some ten thousand frames on; ``room`` is how many frames a batch may hold."""
        self.decoder = Decoder(reader)
        self.jit = jit
        self._room = room
        self._frames = empty_frames(room, jit=jit)
        self._buffer: NDArray[np.void] = np.empty(1, dtype=OCTETS)
        self._view = self._buffer.view(np.uint8).data
        self._octets = octets_of(self._buffer, jit=jit)
        self._count = 0
        self._end = 0

    def __len__(self) -> int:
        """Return how many frames wait."""
        return self._count

    @property
    def full(self) -> bool:
        """Whether ``take`` must come before the next ``add``."""
        return self._count == self._room or self._end + MAX_CAPTURED > CAPACITY

    @property
    def warnings(self) -> list[str]:
        """Exact sentences about the frames so far."""
        return self.decoder.notices.sentences(records(NOTES, 1, jit=False)[0])

    def add(
        self, octets: bytes, ts_ns: int, link_type: int, *, original: int | None = None, interface: int = 0
    ) -> None:
        """Put a frame in line; ``original`` is its length on the wire if it was cut."""
        assert not self.full, "take() the batch first"
        captured = min(len(octets), MAX_CAPTURED)
        self._view[self._end : self._end + captured] = octets[:captured]
        frame = self._frames[self._count]
        frame["at"] = self._end
        frame["captured"] = captured
        frame["original"] = min(max(original or 0, len(octets)), MAX_ORIGINAL)
        frame["ts_ns"] = ts_ns
        frame["interface"] = interface
        frame["link_type"] = link_type
        self._end += captured
        self._count += 1

    def take(self) -> SegmentBatch:
        """Return the batch of the frames in line, which may be none."""
        batch = self.decoder.decode(self._octets, self._frames, self._count, jit=self.jit)
        self._count = self._end = 0
        return batch


def _scapy_knows(link_type: int) -> bool:
    """Whether scapy decodes a link type; imports it."""
    from analyzer.capture import scapy_reader

    return scapy_reader.knows(link_type)
