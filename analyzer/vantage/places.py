"""Places for the flows of a capture in tables that are no longer than flows live at once.

Flows are numbered as they begin, without end. Of one that is forgotten the place is given to another.

It must not know what lies in the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Numbers

    Ints = NDArray[np.int64]

NOWHERE: Final = -1
"""Nothing was seen of such a flow."""
GONE: Final = -2
"""It was forgotten."""
USED: Final = 0
FREE: Final = 1
NEW: Final = 2
"""Registers: one more than the highest place of any flow, how many of those below are free, how many flows are new."""


@loop
def place(
    flows: Numbers,
    start: int,
    count: int,
    of: Numbers,
    numbers: Numbers,
    free: Numbers,
    registers: Numbers,
    fresh: Numbers,
) -> int:
    """Put places for the numbers of flows from ``start`` on; return where ``of`` has no room for the number.

    ``fresh`` gets the indices of those that are new.
    """
    for i in range(start, count):
        flow = flows[i]
        if flow >= len(of):
            return i
        at = of[flow]
        flows[i] = at if at >= 0 else given(flow, i, of, numbers, free, registers, fresh)
    return count


@loop
def given(flow: int, i: int, of: Numbers, numbers: Numbers, free: Numbers, registers: Numbers, fresh: Numbers) -> int:
    """Give a place to a flow that has none, and return it; ``fresh`` gets ``i``."""
    if registers[FREE] > 0:
        registers[FREE] -= 1
        at: int = free[registers[FREE]]
    else:
        at = registers[USED]
        registers[USED] += 1
    of[flow] = at
    numbers[at] = flow
    fresh[registers[NEW]] = i
    registers[NEW] += 1
    return at


class Places:
    """Where the flows of one capture lie."""

    def __init__(self) -> None:
        """Begin with none."""
        self._of = np.full(1 << 10, NOWHERE, dtype=np.int64)
        self._numbers = np.zeros(1 << 10, dtype=np.int64)
        self._free = np.zeros(1 << 10, dtype=np.int64)
        self._registers = np.zeros(3, dtype=np.int64)

    @property
    def used(self) -> int:
        """More than the highest place of any flow."""
        return int(self._registers[USED])

    def take(self, flows: Ints, *, jit: bool) -> tuple[Ints, Ints]:
        """Return the place of each of these flows, by number, and the indices of those that were not there before."""
        done, placed, fresh = 0, flows.copy(), self.begin(len(flows))
        while True:
            if jit:
                done = place.compiled(placed, done, len(placed), *self.tables, fresh)
            else:
                given = placed, self._of, self._numbers, self._free, self._registers, fresh
                lists = [each.tolist() for each in given]
                done = place(lists[0], done, len(placed), *lists[1:])
                placed, self._of, self._numbers, self._free, self._registers, fresh = (
                    np.array(each, dtype=np.int64) for each in lists
                )
            if done == len(placed):
                return placed, self.new(fresh)
            self.reach(int(flows.max()))

    @property
    def tables(self) -> tuple[Ints, Ints, Ints, Ints]:
        """What the loops take that give places, but for what ``begin`` returns."""
        return self._of, self._numbers, self._free, self._registers

    def begin(self, count: int) -> Ints:
        """Have room for so many new flows; return where the indices of those go that turn out to be new."""
        self._numbers = _longer(self._numbers, self.used + count, 0)
        self._registers[NEW] = 0
        return np.empty(count, dtype=np.int64)

    def reach(self, flow: int) -> None:
        """Have room for flows up to this one."""
        self._of = _longer(self._of, flow + 1, NOWHERE)

    def new(self, fresh: Ints) -> Ints:
        """Return the indices of the flows that turned out to be new."""
        return fresh[: int(self._registers[NEW])]

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
        having = int(self._registers[FREE])
        self._free = _longer(self._free, having + len(places), 0)
        self._free[having : having + len(places)] = places
        self._registers[FREE] += len(places)


def _longer(table: Ints, count: int, value: int) -> Ints:
    """Return a table with room for so many numbers; new ones are ``value``."""
    if count <= len(table):
        return table
    return np.concatenate([table, np.full(max(count, 2 * len(table)) - len(table), value, dtype=np.int64)])
