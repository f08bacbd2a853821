"""Connections that are over at two points, and what is known of them by then: whether there is something to tell.

Something is to be told of a connection with a flow that tells something by itself, a packet that one point lacks, or
one that is another behind. What is sure of that, while the captures are being read, need not stay: ``settled`` asks.

It must not know fates, or which connections are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.loops.loop import loop, pick
from analyzer.segment import ABSENT
from analyzer.values import dataclass
from analyzer.vantage.clock import THE_REFERENCE
from analyzer.vantage.meeting import LATE_NS, STRANGE_NS
from analyzer.vantage.pairing import Partner
from analyzer.vantage.regrouped import regrouped
from analyzer.vantage.sameness import differs
from analyzer.vantage.sighting import Columns, scattered

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.untyped import Numbers

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Records = NDArray[np.void]


@loop
def pair_up(
    there: Numbers, there_count: int, here: Numbers, here_count: int, slots: Numbers, following: Numbers, mate: Numbers
) -> None:
    """Find for each number there one here that is the same, the first for the first; -1 in ``mate`` for none.

    ``slots`` is a hash table, all -1, of a power of two entries; ``following`` has room for the numbers here.
    """
    mask = len(slots) - 1
    for k in range(here_count):
        j = here_count - 1 - k
        at = here[j] & mask
        following[j] = slots[at]
        slots[at] = j
    for i in range(there_count):
        at = there[i] & mask
        before = -1
        j = slots[at]
        while j >= 0 and here[j] != there[i]:
            before = j
            j = following[j]
        mate[i] = j
        if j >= 0:
            if before < 0:
                slots[at] = following[j]
            else:
                following[before] = following[j]


def paired(there: Ints, here: Ints, *, jit: bool) -> Ints:
    """Return the index here of each number there, the first for the first; -1 for none."""
    there, here = scattered(there), scattered(here)
    mate = np.full(len(there), -1, dtype=np.int64)
    slots = np.full(1 << (2 * len(here) + 1).bit_length(), -1, dtype=np.int64)
    if jit:
        pair_up.compiled(there, len(there), here, len(here), slots, np.zeros(len(here), dtype=np.int64), mate)
        return mate
    found: list[int] = [-1] * len(there)
    pair_up(there.tolist(), len(there), here.tolist(), len(here), slots.tolist(), [0] * len(here), found)
    return np.array(found, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Ended:
    """Sightings of connections that are over at both points, in pairs as far as they are."""

    whole: tuple[Records, Records]
    """At each point."""
    home: tuple[Ints, Ints]
    """Of each the connection, by its flow at the first point."""
    end: tuple[Ints, Ints]
    """Of each who sent it: twice the connection, and 1 more for ``b`` there."""
    sign: tuple[Ints, Ints]
    """Of each a number that is the same at both points, for the packets of this end alone."""
    pairs: tuple[Ints, Ints]
    """Indices of sightings, of equal length: each pair is taken for one packet."""
    left: tuple[Ints, Ints]
    """Indices of the others."""

    @classmethod
    def of(
        cls,
        whole: tuple[Records, Records],
        home: tuple[Ints, Ints],
        end: tuple[Ints, Ints],
        sign: tuple[Ints, Ints],
        *,
        jit: bool,
    ) -> Ended:
        """Pair sightings."""
        mate = paired(sign[0], sign[1], jit=jit)
        met = np.flatnonzero(mate >= 0)
        rest = np.ones(len(sign[1]), dtype=np.bool_)
        rest[mate[met]] = False
        return cls(whole, home, end, sign, (met, mate[met]), (np.flatnonzero(mate < 0), np.flatnonzero(rest)))

    def present(self, count: int) -> Bools:
        """Say of so many connections which these sightings are of."""
        flags = np.zeros(count, dtype=np.bool_)
        for home in self.home:
            flags[home] = True
        return flags

    def unpaired(self, count: int) -> Bools:
        """Say of so many connections whether one of their sightings has no partner."""
        flags = np.zeros(count, dtype=np.bool_)
        for home, left in zip(self.home, self.left, strict=True):
            flags[home[left]] = True
        return flags

    def missing(self, count: int) -> Bools:
        """Say of so many connections whether a point surely lacks a packet.

        Data may be there in other pieces, if the other point has some of the same end without a partner as well.
        """
        flags = np.zeros(count, dtype=np.bool_)
        data = []
        for whole, home, end, rest in zip(self.whole, self.home, self.end, self.left, strict=True):
            left = rest[whole["copy"][rest] == 0]
            empty = whole["payload_len"][left] == 0
            flags[home[left[empty]]] = True
            ends = np.zeros(2 * count, dtype=np.bool_)
            ends[end[left[~empty]]] = True
            data.append(ends)
        alone = data[0] ^ data[1]
        flags |= alone[::2] | alone[1::2]
        return flags

    def lacking(self, count: int, asked: Bools, expected_ns: Callable[[Ints], Ints]) -> Bools:
        """Say which connections that are ``asked`` about lack data at a point, in whatever pieces."""
        picked = []
        for whole, home, end, left in zip(self.whole, self.home, self.end, self.left, strict=True):
            at = left[asked[home[left]] & (whole["payload_len"][left] > 0) & (whole["copy"][left] == 0)]
            rows = pick(whole, at)
            rows["flow"], rows["side"] = home[at], end[at] & 1
            picked.append(rows)
        there, here = picked
        flags = np.zeros(count, dtype=np.bool_)
        if not (len(there) and len(here)):
            return flags
        here["ts_ns"] -= expected_ns(here["ts_ns"] - int(expected_ns(there["ts_ns"][:1])[0]))
        partner = Partner([(each, each, False) for each in np.flatnonzero(asked).tolist()])
        every = np.arange(len(there)), np.arange(len(here))
        found = regrouped(Columns(there), Columns(here), *every, partner, THE_REFERENCE)
        for rows, at in zip(picked, found, strict=True):
            alone = np.ones(len(rows), dtype=np.bool_)
            alone[at] = False
            flags[rows["flow"][alone]] = True
        return flags

    def changed(self, count: int, asked: Bools) -> Bools:
        """Say of the connections that are ``asked`` about whether a packet of theirs is another behind."""
        flags = np.zeros(count, dtype=np.bool_)
        at = np.flatnonzero(asked[self.home[0][self.pairs[0]]])
        one, other = (pick(whole, pairs[at]) for whole, pairs in zip(self.whole, self.pairs, strict=True))
        flags[self.home[0][self.pairs[0][at]][differs(one, other)]] = True
        return flags

    def doubtful(self, count: int, asked: Bools, expected_ns: Callable[[Ints], Ints]) -> tuple[Bools, Bools]:
        """Say which connections only a look at all of their packets together judges, and which pairs may be others.

        They have second captures of packets, or, of those that are ``asked`` about, one that took so long that it may
        be another; ``expected_ns`` says how far apart two sightings should be, by times there. Of what is there more
        often at one point some is missing, whichever it is: of such connections not all pairs are sure.
        """
        flags = np.zeros(count, dtype=np.bool_)
        for whole, home in zip(self.whole, self.home, strict=True):
            flags[home[whole["copy"] > 0]] = True
        unsure = flags.copy()
        home = self.home[0][self.pairs[0]]
        at = np.flatnonzero(asked[home])
        unclear = self._unclear(at)
        unsure[home[at[unclear]]] = True
        flags[home[at[~unclear & ~self._timely(at, expected_ns)]]] = True
        return flags, unsure | flags

    def _unclear(self, at: Ints) -> Bools:
        """Say which of these pairs may be others: one of the points has more sightings of the same sign."""
        left = np.sort(np.concatenate([sign[left] for sign, left in zip(self.sign, self.left, strict=True)]))
        signs = self.sign[0][self.pairs[0][at]]
        if not len(left):
            return np.zeros(len(signs), dtype=np.bool_)
        near = np.minimum(np.searchsorted(left, signs), len(left) - 1)
        unclear: Bools = left[near] == signs
        return unclear

    def _timely(self, at: Ints, expected_ns: Callable[[Ints], Ints]) -> Bools:
        """Say which of these pairs are as far apart as they should be (as ``meeting.judge_pairs``)."""
        (there_ns, here_ns), ids, stamps = (self.each(name, at) for name in ("ts_ns", "ip_id", "tsval"))
        told = (ids[0] > 0) & (ids[0] == ids[1])
        told |= (stamps[0] != ABSENT) & (stamps[0] == stamps[1])
        late_ns = np.abs(here_ns - there_ns - expected_ns(there_ns))
        timely: Bools = late_ns <= np.where(told, LATE_NS, STRANGE_NS)
        return timely

    def each(self, name: str, at: Ints | None = None) -> tuple[Ints, Ints]:
        """Return a field of both sightings of each pair, or of these."""
        one, other = self.pairs if at is None else (self.pairs[0][at], self.pairs[1][at])
        return self.whole[0][name][one], self.whole[1][name][other]

    def apart_ns(self) -> Ints:
        """Return how far apart the two sightings of each pair are, by the clock of each."""
        one, other = self.each("ts_ns")
        apart: Ints = other - one
        return apart

    def may_be_copies(self, moved_ns: int | None) -> tuple[bool, int | None]:
        """Say whether all pairs are the same at both points, and as far apart as ``moved_ns``, if that is known."""
        if not len(self.pairs[0]):
            return True, moved_ns
        apart_ns = self.apart_ns()
        moved_ns = int(apart_ns[0]) if moved_ns is None else moved_ns
        same = all(np.array_equal(*self.each(name)) for name in ("ttl", "ip_id"))
        return same and bool((apart_ns == moved_ns).all()), moved_ns

    def began_ns(self, count: int, ahead_ns: int) -> tuple[Ints, Ints]:
        """Return when the first of each connection was seen at both points, by the clock of each."""
        found = []
        for whole, home in zip(self.whole, self.home, strict=True):
            first = np.full(count, np.iinfo(np.int64).max, dtype=np.int64)
            np.minimum.at(first, home, whole["ts_ns"])
            found.append(first)
        there, here = found
        never = np.iinfo(np.int64).max
        here = np.where((here == never) & (there < never), there + ahead_ns, here)
        return np.where((there == never) & (here < never), here - ahead_ns, there), here
