"""``Pool``: records that a tracker keeps, with room for more whenever it asks.

Plain loops get a list of dicts, or a table whose records are made once they are asked for. Compiled ones get an array
at the start of a page, so that a record of whole cache lines never lies across one more; room that nobody has used yet
is memory that the system has not given yet, and growing moves no record where the system can move pages instead.

This module must not know what is in a record.
"""

from __future__ import annotations

import mmap
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import CACHE_LINE, Sparse, fetch, freeze, lines_of, loop, records, thaw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.untyped import Foreign, Rows

MOVES_PAGES: Final = sys.platform == "linux"
"""Whether the system can lengthen a mapping (mremap)."""
FEWEST: Final = 1024
FETCHED: Final = 6
"""Records that are fetched ahead of the one being copied."""


def whole_lines(fields: Sequence[tuple[str, Any]]) -> np.dtype[np.void]:
    """Return the type of a record with these fields that fills cache lines to the end.

    In a table of such records each begins with a line, so what is at the front of one lies in as few lines as can be.
    """
    close = np.dtype(list(fields), align=True)
    assert close.fields is not None
    layout: Any = {
        "names": [name for name, _ in fields],
        "formats": [kind for _, kind in fields],
        "offsets": [close.fields[name][1] for name, _ in fields],
        "itemsize": lines_of(close) * CACHE_LINE,
    }
    whole: np.dtype[np.void] = np.dtype(layout, align=True)
    return whole


class Pool:
    """An array or list of records of one type."""

    def __init__(self, dtype: Foreign, *, jit: bool, sparse: bool = False, large_pages: bool = True) -> None:
        """Start with records of zeros: a few compiled ones, or no plain ones.

        ``sparse`` is for pools with room for far more records than are used: plain ones are made when asked for.
        ``large_pages`` are for records that are looked at again and again wherever they lie.
        """
        self.dtype = dtype
        self._large_pages = large_pages
        self._pages: mmap.mmap | None = None
        plain = Sparse(dtype, 0, {}) if sparse else []
        self.records: Any = self._fresh(FEWEST) if jit else plain
        """What loops take. Another one after ``make_room`` or ``compile``."""

    def __len__(self) -> int:
        """Return how many records there is room for."""
        return self.records.room if isinstance(self.records, Sparse) else len(self.records)

    def make_room(self, count: int) -> None:
        """Make sure that there are ``count`` records; those there stay as they are."""
        if count <= len(self):
            return
        if isinstance(self.records, Sparse):
            self.records.room = count
            return
        if isinstance(self.records, list):
            self.records += records(self.dtype, count - len(self.records), jit=False)
            return
        count = max(count, 2 * len(self.records))
        if self._pages is not None and self._lengthened(count):
            return
        kept = self.records
        self.records = self._fresh(count)
        self.records.view(np.uint8)[: kept.nbytes] = kept.view(np.uint8)

    def _lengthened(self, count: int) -> bool:
        """Lengthen the mapping where it is; False while somebody else holds the records, who keeps the old ones."""
        pages: Any = self._pages
        del self.records
        try:
            pages.resize(count * self.dtype.itemsize)
        except BufferError:
            return False
        finally:
            self.records = np.frombuffer(pages, dtype=self.dtype)
        return True

    def compile(self) -> None:
        """Change from the plain form to the compiled one."""
        room = len(self)
        kept = freeze(self.records.made() if isinstance(self.records, Sparse) else self.records, self.dtype)
        self.records = self._fresh(max(FEWEST, room))
        self.records[: len(kept)] = kept

    def fill(self, rows: NDArray[np.void], room: int) -> None:
        """Take these records, with exactly so much room, where there were none."""
        if isinstance(self.records, Sparse):
            self.records.update(enumerate(thaw(rows, jit=False)))
            self.records.room = room
        elif isinstance(self.records, list):
            self.records = [*thaw(rows, jit=False), *records(self.dtype, room - len(rows), jit=False)]
        else:
            if room > len(self):
                self.records = self._fresh(room)
            self.records[: len(rows)].view(np.uint8)[:] = rows.view(np.uint8)

    def _fresh(self, count: int) -> Rows:
        """Return so many records of zeros."""
        if not MOVES_PAGES:
            return np.zeros(count, dtype=self.dtype)
        self._pages = mmap.mmap(-1, count * self.dtype.itemsize, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if self._large_pages:
            with suppress(OSError):
                # records lie anywhere: in pages of 4 KiB the processor looks up where a page is for nearly each of them
                self._pages.madvise(mmap.MADV_HUGEPAGE)
        return np.frombuffer(self._pages, dtype=self.dtype)


def gathered(table: NDArray[np.void], indices: NDArray[np.int64]) -> NDArray[np.void]:
    """Return a copy of these records; compiled, for records that lie far apart."""
    copies = np.empty(len(indices), dtype=table.dtype)
    gather.compiled(table, indices, lines_of(table.dtype), copies)
    return copies


@loop
def gather(table: Rows, indices: NDArray[np.int64], lines: int, copies: Rows) -> None:
    """Copy these records, which are so many cache lines long; each is fetched while those before it are copied."""
    for i in range(len(indices)):
        if i + FETCHED < len(indices):
            fetch(table, indices[i + FETCHED], lines)
        copies[i] = table[indices[i]]
