"""SEEN rows that nobody needs for now, packed.

A connection that is probed for days has a row for every probe and every answer, and they resemble each other: octet by
octet of the row they pack to a twentieth. The tracker keeps the older rows of long-lived flows so, and a report those
of the flows that it may look at.

This module must not know what is in a row.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import pick

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORTH: Final = 256
"""This many rows of one flow are worth packing."""
LEVEL: Final = 1
"""zlib's fastest: what is between the rows' differences is zeros."""
TURNED: Final = 2048
"""This many rows are turned into columns at a time, or back: they stay in the cache meanwhile."""


class Packed:
    """Some rows, as few octets."""

    def __init__(self, rows: NDArray[np.void]) -> None:
        """Pack them: column of octets by column, each as the differences from row to row."""
        self._count = len(rows)
        self._dtype = rows.dtype
        octets = rows.view(np.uint8).reshape(self._count, -1)
        differences = np.empty(octets.shape[::-1], dtype=np.uint8)
        for first in range(0, self._count, TURNED):
            columns = np.ascontiguousarray(octets[first : first + TURNED].T)
            before = octets[first - 1] if first else np.uint8(0)
            differences[:, first] = columns[:, 0] - before
            np.subtract(columns[:, 1:], columns[:, :-1], out=differences[:, first + 1 : first + TURNED])
        self._octets = zlib.compress(differences.data, LEVEL)

    @classmethod
    def of(cls, octets: bytes, count: int, dtype: np.dtype[np.void]) -> Packed:
        """Return so many rows of a type from the octets that another one has.

        Raises:
            ValueError: they are not these.
        """
        opener = zlib.decompressobj()
        try:
            size = len(opener.decompress(octets, count * dtype.itemsize + 1))
        except zlib.error as error:
            raise ValueError(f"packed rows are damaged: {error}") from error
        if size != count * dtype.itemsize or not opener.eof:
            raise ValueError(f"packed rows are {size} octets, not {count} rows")
        packed = cls.__new__(cls)
        packed._octets, packed._count, packed._dtype = octets, count, dtype  # noqa: SLF001 - one of its own kind
        return packed

    @property
    def octets(self) -> bytes:
        """The rows, packed."""
        return self._octets

    def __len__(self) -> int:
        """Return how many rows there are."""
        return self._count

    def rows(self) -> NDArray[np.void]:
        """Return the rows, as they were."""
        differences = np.frombuffer(zlib.decompress(self._octets), np.uint8).reshape(-1, self._count)
        whole = np.empty(differences.shape[::-1], dtype=np.uint8)
        for first in range(0, self._count, TURNED):
            part = whole[first : first + TURNED]
            part[:] = differences[:, first : first + TURNED].T
            if first:
                part[0] += whole[first - 1]
            np.add.accumulate(part, axis=0, dtype=np.uint8, out=part)
        rows: Any = whole.reshape(-1).view(self._dtype)
        return rows  # type: ignore[no-any-return]


class PackedRows:
    """The rows of several flows, to be asked for flow by flow; those of long ones packed."""

    def __init__(self, rows: NDArray[np.void], start: NDArray[np.int64]) -> None:
        """Take the rows, and where those of each flow begin; one more entry at the end."""
        self._count = len(rows)
        counts = np.diff(start)
        self._long = {int(start[at]): Packed(rows[start[at] : start[at + 1]]) for at in np.flatnonzero(counts >= WORTH)}
        self._short = pick(rows, np.flatnonzero(np.repeat(counts < WORTH, counts)))
        self._before = np.cumsum(np.where(counts < WORTH, counts, 0)) - np.where(counts < WORTH, counts, 0)
        self._start = start[:-1]

    def __len__(self) -> int:
        """Return how many rows there are."""
        return self._count

    def __getitem__(self, where: slice) -> NDArray[np.void]:
        """Return the rows of the flow that begins there."""
        if where.start in self._long and where.stop > where.start:
            return self._long[where.start].rows()
        first = int(self._before[np.searchsorted(self._start, where.start)])
        rows: NDArray[np.void] = self._short[first : first + where.stop - where.start]
        return rows
