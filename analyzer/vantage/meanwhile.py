"""How far the clock of a point is ahead of the first point's, as far as packets show while both are being read.

Delays are in it: it says when a packet should be here that was there. What clocks are taken to be in the end is
``clock``'s. It must not know which packets are one.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Numbers

    Ints = NDArray[np.int64]

BLOCK: Final = 256
"""Of so many packets in a row the middle says what clocks differ by."""
ENOUGH: Final = 1 << 14
"""Of many more packets in a stretch some say it as well as all."""
LEAST: Final = 16
"""Fewer packets say nothing about clocks."""
MOST_TOLD: Final = 4096


@loop
def read_off(times_ns: Numbers, count: int, when_ns: Numbers, apart_ns: Numbers, found_ns: Numbers) -> None:
    """Write how far apart the clocks are at these times, nearly in order: in between what they are at others.

    ``when_ns`` are these others, in order, ``apart_ns`` what is known of each. The same as ``numpy.interp``, which goes
    through all of a stretch several times.
    """
    last = len(when_ns) - 1
    base_ns = apart_ns[0]
    at = 0
    for i in range(count):
        time_ns = times_ns[i]
        while at < last and when_ns[at + 1] <= time_ns:
            at += 1
        while at > 0 and when_ns[at] > time_ns:
            at -= 1
        rest_ns = apart_ns[at] - base_ns
        if at < last and when_ns[at] < time_ns:
            slope = (apart_ns[at + 1] - apart_ns[at]) / (when_ns[at + 1] - when_ns[at])
            rest_ns = int(slope * (time_ns - when_ns[at]) + rest_ns)
        found_ns[i] = base_ns + rest_ns


class Meanwhile:
    """How far one clock is ahead of the first."""

    def __init__(self) -> None:
        """Begin with nothing known: as if they were the same."""
        self.apart_ns = 0
        """How far it is by what was seen last."""
        self._told: list[tuple[int, int]] = []
        """When, by the first clock, it was how far ahead."""

    @property
    def is_known(self) -> bool:
        """Whether packets said anything."""
        return bool(self._told)

    def learn(self, there: NDArray[np.void], here: NDArray[np.void], mate: Ints) -> None:
        """Learn from sightings: ``mate`` is of each there the index here, or below 0."""
        at = np.flatnonzero(mate >= 0)
        at = at[:: 1 + len(at) // ENOUGH]
        at = at[(there["seq"][at] != 0) & (there["ack"][at] != 0)]
        if len(at) < LEAST and not (len(at) and self.is_known):
            return
        apart_ns, times_ns = here["ts_ns"][mate[at]] - there["ts_ns"][at], there["ts_ns"][at]
        told = self._told
        blocks = len(at) // BLOCK
        parts = [each[: blocks * BLOCK].reshape(blocks, BLOCK) for each in (times_ns, apart_ns)]
        middle = [np.partition(each, BLOCK // 2, axis=1)[:, BLOCK // 2].tolist() for each in parts]
        if len(at) - blocks * BLOCK >= LEAST:
            for each, of in zip(middle, (times_ns, apart_ns), strict=True):
                each.append(int(np.median(of[blocks * BLOCK :])))
        for when, what in zip(*middle, strict=True):
            if not told or when > told[-1][0]:
                told.append((when, what))
        if len(told) > MOST_TOLD:
            del told[1:-1:2]
        self.apart_ns = told[-1][1] if told else self.apart_ns

    def at(self, there_ns: Ints, *, jit: bool) -> Ints:
        """Return how far apart two sightings should be at these times, by the first clock."""
        found = np.zeros(len(there_ns), dtype=np.int64)
        if not self._told:
            return found
        began_ns = int(there_ns.min(initial=self._told[-1][0]))
        first = max(bisect_right(self._told, (began_ns, 0)) - 1, 0)
        when_ns, apart_ns = np.ascontiguousarray(np.array(self._told[first:], dtype=np.int64).T)
        if jit:
            read_off.compiled(np.ascontiguousarray(there_ns), len(there_ns), when_ns, apart_ns, found)
            return found
        rest = found.tolist()
        read_off(there_ns.tolist(), len(rest), when_ns.tolist(), apart_ns.tolist(), rest)
        return np.array(rest, dtype=np.int64)
