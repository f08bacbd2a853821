"""The notes of a pcapng file that ``pcapng_writer`` wrote, read from its end without passing the frames.

A file that ended before its last note was written (a full disk, a kill) is gone back through block by block, a bounded
way. What a file says of itself is believed only as far as it is consistent: a note lies before the one that names it.

This module must not know what is in a note.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.capture.pcapng_writer import COMMENT, LONGEST_NOTE, MARK, STATISTICS

if TYPE_CHECKING:
    from typing import BinaryIO

MOST: Final = 20_000
"""No more notes are read."""
WAY: Final = 200_000
"""So many blocks are gone back for the last note."""
LONGEST_BLOCK: Final = LONGEST_NOTE + 128
SECTION: Final = b"\x0a\x0d\x0d\x0a"
LITTLE: Final = b"\x4d\x3c\x2b\x1a"


def host_notes(path: str) -> list[tuple[int, str]]:
    """Return the notes of a file in order, each with its time (ns since 1970); none if it has none, or is no pcapng."""
    found: list[tuple[int, str]] = []
    try:
        if not Path(path).is_file():  # a pipe was read already
            return []
        with Path(path).open("rb") as file:
            head = file.read(12)
            if head[:4] != SECTION or head[8:12] != LITTLE:
                return []
            at = _last(file, file.seek(0, 2))
            while at and len(found) < MOST:
                note = _note(file, at)
                if note is None:
                    break
                ts_ns, previous, text = note
                found.append((ts_ns, text))
                at = previous if previous < at else 0
    except (OSError, ValueError):
        return []
    return found[::-1]


def _last(file: BinaryIO, end: int) -> int:
    """Return where the last note lies; 0 if there is none within reach."""
    for _ in range(WAY):
        if end < 12:
            return 0
        file.seek(end - 4)
        (length,) = struct.unpack("<I", file.read(4))
        if length < 12 or length % 4 or length > end:
            return 0
        end -= length
        file.seek(end)
        if file.read(4) == struct.pack("<I", STATISTICS) and _note(file, end) is not None:
            return end
    return 0


def _note(file: BinaryIO, at: int) -> tuple[int, int, str] | None:
    """Return time, place of the note before, and text of the note at a place; None if there is none."""
    file.seek(at)
    head = file.read(8)
    if len(head) < 8:
        return None
    kind, length = struct.unpack("<II", head)
    if kind != STATISTICS or not 28 <= length <= LONGEST_BLOCK:
        return None
    body = file.read(length - 8)
    if len(body) < length - 8:
        return None
    high, low, code, size = struct.unpack_from("<4xIIHH", body)
    comment = body[16 : 16 + size]
    first, newline, text = comment.partition(b"\n")
    if code != COMMENT or not newline or not first.startswith(MARK.encode()):
        return None
    number = first[len(MARK) :]
    if not number.isdigit() or len(number) > 18:
        return None
    return (high << 32) + low, int(number), text.decode(errors="replace")
