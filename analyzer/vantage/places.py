"""Places for the flows of a capture in tables that are no longer than flows live at once.

Flows are numbered as they begin, without end. Of one that is forgotten the place is given to another.

It must not know what lies in the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

NOWHERE: Final = -1
"""Nothing was seen of such a flow."""
GONE: Final = -2
"""It was forgotten."""


class Places:
    """Where the flows of one capture lie."""

    def __init__(self) -> None:
        """Begin with none."""
        self._of = np.full(1 << 10, NOWHERE, dtype=np.int32)
        self._numbers = np.zeros(1 << 10, dtype=np.int64)
        self._free = np.zeros(0, dtype=np.int64)
        self.used = 0
        """More than the highest place of any flow."""

    def take(self, flows: Ints) -> Ints:
        """Return the place of each of these flows, by number; a new one gets one that is free."""
        highest = int(flows.max(initial=-1))
        if highest >= len(self._of):
            more = np.full(max(highest + 1, 2 * len(self._of)) - len(self._of), NOWHERE, dtype=np.int32)
            self._of = np.concatenate([self._of, more])
        found = self._of[flows]
        if (found < 0).any():
            self._enter(np.unique(flows[found < 0]))
            found = self._of[flows]
        return found.astype(np.int64)

    def _enter(self, new: Ints) -> None:
        again, self._free = self._free[: len(new)], self._free[len(new) :]
        fresh = np.arange(self.used, self.used + len(new) - len(again))
        self.used += len(fresh)
        if self.used > len(self._numbers):
            self._numbers = np.concatenate([self._numbers, np.zeros(self.used, dtype=np.int64)])
        places = np.concatenate([again, fresh])
        self._of[new] = places
        self._numbers[places] = new

    def find(self, flows: Ints) -> Ints:
        """Return the place of each of these flows; NOWHERE or GONE for one that has none."""
        found = np.full(len(flows), NOWHERE, dtype=np.int64)
        known = flows < len(self._of)
        found[known] = self._of[flows[known]]
        return found

    def numbers(self, places: Ints) -> Ints:
        """Return the numbers of the flows that lie there."""
        return self._numbers[places]

    def release(self, places: Ints) -> None:
        """Give away the places of flows that are forgotten."""
        self._of[self._numbers[places]] = GONE
        self._free = np.concatenate([self._free, places])
