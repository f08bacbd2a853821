"""The values of an array, each once.

``np.unique`` does that too, and imports ``numpy.ma`` first, which takes 7 to 40 ms: more than a report has to do with
such values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def distinct(values: NDArray[T]) -> NDArray[T]:
    """Return the values of an array of one dimension in order, each once."""
    in_order = np.sort(values)
    first = np.ones(len(in_order), dtype=np.bool_)
    first[1:] = in_order[1:] != in_order[:-1]
    return in_order[first]
