"""``Turned``: records as columns, many of them taken out in one go.

Of records that are hundreds of octets long, a column taken out by itself touches a cache line of each, and the next
column the same lines again. Turned word by word, each line is read once: all fields of 3,000 records of 448 octets in
the time of ten of them.

This module must not know what is in a record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

WORD: Final = 8
"""Octets that are moved as one."""


class Turned:
    """The columns of records whose fields are numbers, and whose length is a whole number of words."""

    def __init__(self, records: NDArray[np.void], names: Collection[str] | None = None) -> None:
        """Copy the records, or these fields of them, and what lies in one word with them."""
        self._dtype = records.dtype
        self._count = len(records)
        words = self._dtype.itemsize // WORD
        whole = np.ascontiguousarray(records).view(np.int64).reshape(len(records), words)
        taken = list(range(words)) if names is None else sorted({self._field(name)[1] // WORD for name in names})
        self._place = {word: place for place, word in enumerate(taken)}
        self._words = np.ascontiguousarray((whole if names is None else whole.take(taken, axis=1)).T)

    def __len__(self) -> int:
        """Return the number of records."""
        return self._count

    def _field(self, name: str) -> tuple[np.dtype[Any], int]:
        fields = self._dtype.fields
        assert fields is not None
        return fields[name][0], fields[name][1]

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column, contiguous and of the field's type; may be a view of what others are views of."""
        kind, at = self._field(name)
        whole: NDArray[Any] = self._words[self._place[at // WORD]].view(kind)
        if kind.itemsize == WORD:
            return whole
        column: NDArray[Any] = np.ascontiguousarray(whole[at % WORD // kind.itemsize :: WORD // kind.itemsize])
        return column
