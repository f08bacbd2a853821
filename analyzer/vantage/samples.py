"""Packets that show how two clocks stand to each other, of connections that are forgotten: few, the ones that say most.

It must not know what a clock is taken to be from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

STRETCHES: Final = 1 << 14
"""Of very many packets of one direction the one that bounds most stays of each of so many stretches."""


class Samples:
    """When packets were at two points, and which way they went: 1 for one that came from there, -1, or 0."""

    def __init__(self) -> None:
        """Begin with none."""
        self._pieces: list[NDArray[np.int64]] = []
        self._count = 0

    def add(self, there_ns: Ints, here_ns: Ints, way: Ints, expected_ns: Ints) -> None:
        """Take packets; ``expected_ns`` is how far apart their times should be: clocks drift meanwhile."""
        self._pieces.append(np.stack([there_ns, here_ns, way, here_ns - there_ns - expected_ns]))
        self._count += len(way)
        if self._count > 8 * STRETCHES:
            self._thin()

    def all(self) -> tuple[Ints, Ints, Ints]:
        """Return what is left of them."""
        there, here, way, _ = self._together()
        return there, here, way

    def _together(self) -> Ints:
        return np.concatenate([np.zeros((4, 0), dtype=np.int64), *self._pieces], axis=1)

    def _thin(self) -> None:
        rows = self._together()
        _, here, way, rest = rows
        order = np.argsort(here, kind="stable")
        kept = [_bounding(order[way[order] == sign], sign * rest) for sign in (1, -1)]
        if not (len(kept[0]) or len(kept[1])):  # nobody knows which way any of them went: some say it as well as all
            kept = [order[:: 1 + len(order) // STRETCHES]]
        self._pieces = [rows[:, np.concatenate(kept)]]
        self._count = len(self._pieces[0][0])


def _bounding(own: Ints, rest: Ints) -> Ints:
    """Return of packets of one direction, in order of time, those that bound most in their stretches."""
    size = -(-len(own) // STRETCHES)
    if size <= 1:
        return own
    whole = own[: len(own) // size * size].reshape(-1, size)
    least = whole[np.arange(len(whole)), rest[whole].argmin(axis=1)]
    last = own[whole.size :]
    return np.concatenate([least, last[[rest[last].argmin()]]]) if len(last) else least
