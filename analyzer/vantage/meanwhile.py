"""How far the clock of a point is ahead of the first point's, as far as packets show while both are being read.

Delays are in it: it says when a packet should be here that was there. What clocks are taken to be in the end is
``clock``'s. It must not know which packets are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Numbers, Rows

    Ints = NDArray[np.int64]

BLOCK: Final = 256
"""Of so many packets in a row the middle says what clocks differ by."""
ENOUGH: Final = 1 << 14
"""Of many more packets in a stretch some say it as well as all."""
LEAST: Final = 16
"""Fewer packets say nothing about clocks."""
MOST_TOLD: Final = 4096
NOTHING: Final = np.zeros(0, dtype=np.int64)


@loop
def read_off(times_ns: Numbers, count: int, when_ns: Numbers, apart_ns: Numbers, found_ns: Numbers) -> None:
    """Write how far apart the clocks are at these times, nearly in order: in between what they are at others.

    ``when_ns`` are these others, in order, ``apart_ns`` what is known of each. The same as ``numpy.interp``, which goes
    through all of a stretch several times.
    """
    at = 0
    for i in range(count):
        at = last_before(times_ns[i], when_ns, at)
        found_ns[i] = apart_at(times_ns[i], when_ns, apart_ns, at)


@loop
def last_before(time_ns: int, when_ns: Numbers, at: int) -> int:
    """Return the index of the last of these times that is not behind that time, or 0; it may be near ``at``."""
    last = len(when_ns) - 1
    while at < last and when_ns[at + 1] <= time_ns:
        at += 1
    while at > 0 and when_ns[at] > time_ns:
        at -= 1
    return at


@loop
def apart_at(time_ns: int, when_ns: Numbers, apart_ns: Numbers, at: int) -> int:
    """Return how far apart the clocks are at a time; ``at`` is of the last that is known before it."""
    rest_ns = apart_ns[at] - apart_ns[0]
    if at < len(when_ns) - 1 and when_ns[at] < time_ns:
        slope = (apart_ns[at + 1] - apart_ns[at]) / (when_ns[at + 1] - when_ns[at])
        rest_ns = int(slope * (time_ns - when_ns[at]) + rest_ns)
    found_ns: int = apart_ns[0] + rest_ns
    return found_ns


@loop
def sample(there: Rows, count: int, here: Rows, mate: Numbers, every: int, times_ns: Numbers, apart_ns: Numbers) -> int:
    """Write when of the packets at both points one of ``every`` so many passed there, and how far apart both times are.

    Of these only those with both numbers; return how many.
    """
    made = 0
    rest = 0
    for i in range(count):
        j = mate[i]
        if j < 0:
            continue
        rest -= 1
        if rest >= 0:
            continue
        rest = every - 1
        if there[i]["seq"] != 0 and there[i]["ack"] != 0:
            times_ns[made] = there[i]["ts_ns"]
            apart_ns[made] = here[j]["ts_ns"] - there[i]["ts_ns"]
            made += 1
    return made


class Meanwhile:
    """How far one clock is ahead of the first."""

    def __init__(self) -> None:
        """Begin with nothing known: as if they were the same."""
        self.apart_ns = 0
        """How far it is by what was seen last."""
        self._when_ns, self._what_ns = NOTHING, NOTHING
        """When, by the first clock, it was how far ahead."""

    @property
    def is_known(self) -> bool:
        """Whether packets said anything."""
        return len(self._when_ns) > 0

    def learn(self, there: Rows, here: Rows, mate: Numbers, *, jit: bool) -> None:
        """Learn from sightings, as loops take them: ``mate`` is of each there the index here, or below 0."""
        met = int(np.count_nonzero(np.asarray(mate) >= 0))
        every = 1 + met // ENOUGH
        room = -(-met // every)
        times_ns, apart_ns = ([0] * room, [0] * room) if not jit else np.zeros((2, room), dtype=np.int64)
        count = sample.choose(jit=jit)(there, len(there), here, mate, every, times_ns, apart_ns)
        if count < LEAST and not (count and self.is_known):
            return
        times_ns, apart_ns = (np.array(each[:count], dtype=np.int64) for each in (times_ns, apart_ns))
        blocks = count // BLOCK
        parts = [each[: blocks * BLOCK].reshape(blocks, BLOCK) for each in (times_ns, apart_ns)]
        middle = [np.partition(each, BLOCK // 2, axis=1)[:, BLOCK // 2].tolist() for each in parts]
        if count - blocks * BLOCK >= LEAST:
            for each, of in zip(middle, (times_ns, apart_ns), strict=True):
                each.append(int(np.median(of[blocks * BLOCK :])))
        last_ns = int(self._when_ns[-1]) if self.is_known else None
        more: list[tuple[int, int]] = []
        for when, what in zip(*middle, strict=True):
            if last_ns is None or when > last_ns:
                more.append((when, what))
                last_ns = when
        if not more:
            return
        self.apart_ns = more[-1][1]
        new = np.array(more, dtype=np.int64)
        self._when_ns = np.concatenate([self._when_ns, new[:, 0]])
        self._what_ns = np.concatenate([self._what_ns, new[:, 1]])
        if (count := len(self._when_ns)) > MOST_TOLD:
            stays = np.ones(count, dtype=np.bool_)
            stays[1:-1:2] = False
            self._when_ns, self._what_ns = self._when_ns[stays], self._what_ns[stays]

    def known(self, began_ns: int) -> tuple[Ints, Ints]:
        """Return since when it is known how far apart clocks are, for times from ``began_ns`` on, and how far that is.

        Something must be known.
        """
        before = int(np.searchsorted(self._when_ns, began_ns))
        if before < len(self._when_ns) and self._when_ns[before] == began_ns and self._what_ns[before] <= 0:
            before += 1
        first = max(before - 1, 0)
        return self._when_ns[first:], self._what_ns[first:]

    def at(self, there_ns: Ints, *, jit: bool) -> Ints:
        """Return how far apart two sightings should be at these times, by the first clock."""
        found = np.zeros(len(there_ns), dtype=np.int64)
        if not self.is_known:
            return found
        when_ns, apart_ns = self.known(int(there_ns.min(initial=self._when_ns[-1])))
        if jit:
            read_off.compiled(np.ascontiguousarray(there_ns), len(there_ns), when_ns, apart_ns, found)
            return found
        rest = found.tolist()
        read_off(there_ns.tolist(), len(rest), when_ns.tolist(), apart_ns.tolist(), rest)
        return np.array(rest, dtype=np.int64)
