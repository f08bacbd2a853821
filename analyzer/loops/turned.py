"""``Turned``: records as columns, all of them taken out in one go.

Of records that are hundreds of octets long, a column taken out by itself touches a cache line of each, and the next
column the same lines again. Turned as a whole, word by word, each line is read once: all fields of 3,000 records of 448
octets in the time of ten of them.

This module must not know what is in a record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD: Final = 8
"""Octets that are moved as one."""


class Turned:
    """The columns of records whose fields are numbers, and whose length is a whole number of words."""

    def __init__(self, records: NDArray[np.void]) -> None:
        """Copy the records."""
        self._dtype = records.dtype
        words = self._dtype.itemsize // WORD
        whole = np.ascontiguousarray(records).view(np.int64).reshape(len(records), words)
        self._words = np.ascontiguousarray(whole.T)

    def __len__(self) -> int:
        """Return the number of records."""
        return int(self._words.shape[1])

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column, contiguous and of the field's type; may be a view of what others are views of."""
        fields = self._dtype.fields
        assert fields is not None
        kind, at = fields[name][0], fields[name][1]
        whole: NDArray[Any] = self._words[at // WORD].view(kind)
        if kind.itemsize == WORD:
            return whole
        column: NDArray[Any] = np.ascontiguousarray(whole[at % WORD // kind.itemsize :: WORD // kind.itemsize])
        return column
