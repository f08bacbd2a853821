"""How many flows are judged at once: what numpy costs is paid once for many, and memory stays bounded.

It must not know what is judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

ROWS_AT_ONCE: Final = 4096
"""Rows of flows whose records are made together, at most; or those of one flow that has more."""
FLOWS_AT_ONCE: Final = 512


def portions(sizes: NDArray[np.int64], *, rows: int = ROWS_AT_ONCE, flows: int = FLOWS_AT_ONCE) -> Iterator[slice]:
    """Yield which flows to take together of some that have so many rows: not more than these, or one that has more."""
    first = held = 0
    for at, size in enumerate(sizes.tolist()):
        if at > first and (held + size > rows or at - first == flows):
            yield slice(first, at)
            first, held = at, 0
        held += size
    if first < len(sizes):
        yield slice(first, len(sizes))
