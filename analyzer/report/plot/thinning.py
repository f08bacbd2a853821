"""Which of very many segments a picture shows: of those that look alike, one for each column that it tells apart.

A picture is some thousand dots wide. Of a hundred thousand probes in it most would be drawn over each other, at a tenth
of a millisecond each.

It must not know how anything looks: who asks says which are alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from numpy.typing import NDArray

MANY: Final = 5000
"""Of no more segments than this all are drawn."""
COLUMNS: Final = 2000
"""How many places in time a picture tells apart: more than it has dots."""
ROWS: Final = 64
"""How many heights: a mark is higher than that."""


class Timed(Protocol):
    """A segment, or what else has an instant."""

    @property
    def ts_ns(self) -> int:
        """When it passed."""
        ...


T = TypeVar("T")
S = TypeVar("S", bound=Timed)


def in_columns(segments: Sequence[S], span_ns: tuple[int, int], look: Callable[[S], Hashable]) -> Sequence[S]:
    """Return segments in their order, one of each look in a column of the stretch of time; all, if they are not many.

    What lies before or behind the stretch is in a column of its own. The first and last of each look are among them.
    """
    if len(segments) <= MANY:
        return segments
    low_ns, high_ns = span_ns
    after = np.fromiter((segment.ts_ns - low_ns for segment in segments), np.float64, len(segments))
    columns = parted(after / max(high_ns - low_ns, 1), COLUMNS)
    return seldom(segments, [look(segment) for segment in segments], columns)


def parted(fractions: NDArray[np.float64], parts: int) -> NDArray[np.int64]:
    """Return in which of so many equal parts places are, -1 for those before the first, ``parts`` behind the last."""
    return np.clip(np.floor(fractions * parts), -1, parts).astype(np.int64)


def seldom(found: Sequence[T], looks: Sequence[Hashable], cells: NDArray[np.int64]) -> list[T]:
    """Return the first of each look in each cell, and the last of each look, in their order."""
    places = range(len(found) - 1, -1, -1)
    first = dict(zip(zip(reversed(looks), cells[::-1].tolist(), strict=True), places, strict=True))
    last = dict(zip(looks, range(len(found)), strict=True))
    return [found[at] for at in sorted({*first.values(), *last.values()})]
