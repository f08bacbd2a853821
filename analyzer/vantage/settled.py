"""Connections that are over at two points with nothing to tell: they are settled while the captures are read.

Each of their packets was met at both points and was the same there. What begins and ends them stays, in pairs, and
everything else is counted (``meeting.SENDER``), so that nobody has to look for them again when all was read.

It must not know fates, or how packets are met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import pick
from analyzer.segment import FIN, SYN
from analyzer.values import dataclass
from analyzer.vantage.forgetting import Known
from analyzer.vantage.past import Ended
from analyzer.vantage.sighting import Columns, mixed, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.vantage.forgetting import Counted, Forgetting

    Ints = NDArray[np.int64]
    Records = NDArray[np.void]

WORTH: Final = 1 << 14
"""After how many more sightings than last time they are looked through for connections that are over."""
FRAME_BITS: Final = 40


@dataclass(frozen=True, slots=True)
class Settled:
    """Connections of two captures, one row each, and the pairs of sightings that are left of them."""

    there: Ints
    """Number of the flow in the first capture."""
    here: Ints
    """The same in the second."""
    flipped: Ints
    """1 where ``a`` there is ``b`` here."""
    way: Ints
    """As of ``matching.Pairing``."""
    by_hops: NDArray[np.bool_]
    """Whether hops tell the way, not times."""
    start: Ints
    """Where each one's pairs begin in ``seen``; one more entry at the end."""
    seen: tuple[Columns, ...]
    """What is left at both points: the same index is the same packet."""
    sent: tuple[Ints, Ints, Ints]
    """Packets for what clocks show: when at both points, and 1 for one that came from there, -1, or 0."""
    counted: Counted | None = None
    """More connections, that were forgotten."""

    def __len__(self) -> int:
        return len(self.there)


@dataclass(frozen=True, slots=True)
class Ends:
    """What is known of the ends of flows at both points."""

    tells: Sequence[Ints]
    """Of each end 1 if there is something to tell."""
    late: Sequence[Ints] = ()
    """Of each flow 1 if it will not be told."""


class _Piece:
    """Sightings that stay, of which some are taken out from time to time."""

    def __init__(self, seen: Records) -> None:
        self._seen = seen
        self._left = np.arange(len(seen))
        self._flow = np.ascontiguousarray(seen["flow"])

    def __len__(self) -> int:
        return len(self._left)

    def take(self, which: Ints) -> Records:
        """Return some of those that are left."""
        rows: Records = pick(self._seen, self._left[which])
        return rows

    def take_out(self, over: NDArray[np.bool_]) -> Records:
        """Take out those of flows that are over."""
        goes = over[self._flow]
        if not goes.any():
            return self._seen[:0]
        taken = self.take(np.flatnonzero(goes))
        stays = np.flatnonzero(~goes)
        self._left, self._flow = self._left[stays], self._flow[stays]
        if len(stays) < len(self._seen) // 2:
            self._seen, self._left = pick(self._seen, self._left), np.arange(len(stays))
        return taken


class Settling:
    """Takes what stays of two captures, and settles connections as they end."""

    def __init__(self, points: int, forgetting: Forgetting | None = None) -> None:
        """Begin; of more points than two none is settled early. ``forgetting`` says which are not even pairs."""
        self._works = points == 2
        self._forgetting = forgetting
        self._over = [np.zeros(0, dtype=np.bool_) for _ in range(points)]
        self._telling = [np.zeros(0, dtype=np.bool_) for _ in range(points)]
        self._young: list[list[_Piece]] = [[] for _ in range(points)]
        self._count = 0
        self._looked = 0
        self._ended = 0
        self._past = np.zeros(0, dtype=np.bool_)
        """Flows of the first capture that were looked at when they were over."""
        self._stays: list[list[Records]] = [[] for _ in range(points)]
        self.decided = [np.zeros(0, dtype=np.bool_) for _ in range(points)]
        """By number, the flows of each point that were over at both when the last ones were settled."""
        self._gone = [np.zeros(0, dtype=np.int64) for _ in range(points)]
        """And those that were forgotten since somebody asked, of which nobody needs anything any more."""
        self._pairs: tuple[list[Records], list[Records]] = ([], [])
        self._flows: list[tuple[Ints, Ints, Ints, Ints]] = []

    def finish(self, point: int, numbers: Ints, telling: Ints) -> None:
        """Note that flows of a point are over, and which of them tell something by themselves."""
        for flags, asked in ((self._over, numbers), (self._telling, telling)):
            flags[point] = _reaching(flags[point], int(asked.max(initial=-1)) + 1)
            flags[point][asked] = True
        self._ended += len(numbers)

    def keep(self, point: int, seen: Records) -> None:
        """Take sightings that stay."""
        self._young[point].append(_Piece(seen))
        self._count += len(seen)

    @property
    def is_due(self) -> bool:
        """Whether so much waits that it is worth looking through."""
        many = self._forgetting is not None and self._ended >= WORTH
        return self._works and (many or self._count >= self._looked + self._looked // 4 + WORTH)

    def take_left(self, point: int) -> list[Records]:
        """Return what stayed at a point, but for settled connections, and do not keep it."""
        stays, young = self._stays[point], self._young[point]
        self._stays[point], self._young[point] = [], []
        return [*stays, *(piece.take(np.arange(len(piece))) for piece in young)]

    def sift(
        self,
        ends_of: Ends,
        senders: Records,
        held: Sequence[Ints],
        parked: list[Records],
        expected_ns: Callable[[Ints], Ints],
        ahead_ns: int,
        *,
        jit: bool,
    ) -> tuple[list[Records], Ints]:
        """Settle what is over; return what is still parked, and the connections, by their flows there.

        ``held`` are the flows of which more waits; ``senders`` get what is counted. ``expected_ns`` says how far apart
        two sightings should be, by times there, ``ahead_ns`` that they are about so much.
        """
        tells = ends_of.tells
        count = len(senders) // 2
        target = senders["here"][::2].astype(np.int64)
        known = np.flatnonzero(target >= 0)
        partner = np.where(target >= 0, target >> 1, 0)
        over = [_reaching(each, size) for each, size in zip(self._over, (count, len(tells[1]) // 2), strict=True)]
        both = np.zeros(count, dtype=np.bool_)
        both[known] = over[0][known] & over[1][partner[known]]
        waits = [np.zeros(len(each), dtype=np.bool_) for each in over]
        for flags, waiting in zip(waits, held, strict=True):
            flags[waiting] = True
        self._past = _reaching(self._past, count)
        ready = both & ~(waits[0][:count] | waits[1][partner] | self._past[:count])
        telling = [(each[::2] | each[1::2]) > 0 for each in tells]
        quiet = ready & ~(_reaching(telling[0], count)[:count] | telling[1][partner])
        owner = np.full(len(over[1]), -1, dtype=np.int64)
        owner[partner[known]] = known
        back = np.flatnonzero(both[parked[0]["flow"]]) if len(parked[0]) else np.zeros(0, dtype=np.int64)
        rest = np.ones(len(parked[0]), dtype=np.bool_)
        rest[back] = False
        over_there = np.ones(count, dtype=np.bool_)
        over_there[known] = over[1][partner[known]]
        owned = over[0][owner] | (owner < 0)
        done = over[0][:count] & over_there, over[1] & owned
        self._past[np.flatnonzero(done[0])] = True
        self.decided = [done[0], done[1]]
        asked = quiet if self._forgetting is None else ready
        asked_here = (owner >= 0) & asked[owner]
        whole = (
            self._take_out(0, done[0], asked, parked[0], back),
            self._take_out(1, done[1], asked_here, parked[1], back),
        )
        homes = np.ascontiguousarray(whole[0]["flow"]), owner[whole[1]["flow"]]
        ends = 2 * homes[0] + whole[0]["side"], 2 * homes[1] + (whole[1]["side"] ^ (target[homes[1]] & 1))
        signs = _signs(ends[0], whole[0]), _signs(ends[1], whole[1])
        ended = Ended.of(whole, homes, ends, signs, jit=jit)
        quiet &= ~ended.unpaired(count)
        settles, goes = quiet, np.zeros(count, dtype=np.bool_)
        if self._forgetting is not None:
            state = self._known(ends_of, senders, ready, quiet, partner)
            settles, goes, unsure = self._forgetting.judge(ended, state, expected_ns, ahead_ns)
            self._forget(goes, target)
            for sent in _sent_of(ended, goes & ~unsure, goes & ~(unsure | state.late), senders):
                self._forgetting.samples.add(*sent, expected_ns(sent[0]))
        self._settle(ended, settles, senders, target)
        settles = settles | goes
        for stays, rows, home in zip(self._stays, whole, homes, strict=True):
            stays.append(pick(rows, np.flatnonzero(~settles[home])))
        self._young = [[piece for piece in young if len(piece)] for young in self._young]
        self._ended = 0
        self._looked = self._count = sum(len(piece) for young in self._young for piece in young)
        return [pick(each, np.flatnonzero(rest)) for each in parked], np.flatnonzero(settles)

    def _known(
        self, ends: Ends, senders: Records, ready: NDArray[np.bool_], quiet: NDArray[np.bool_], partner: Ints
    ) -> Known:
        """Return what is known of the connections that are ready, by their flows there."""
        count, most = len(ready), max(len(ready), int(partner.max(initial=0)) + 1)
        told = _reaching(self._telling[0], count)[:count] | _reaching(self._telling[1], most)[partner]
        none = np.zeros(most, dtype=np.int64)
        late = [_reaching(each > 0, most) for each in ends.late or (none, none)]
        changed = (senders["changed"][::2] | senders["changed"][1::2]) > 0
        is_late = ready & late[0][:count] & late[1][partner]
        return Known(quiet, ready & told, is_late, is_late & changed)

    def _take_out(
        self, point: int, over: NDArray[np.bool_], asked: NDArray[np.bool_], parked: Records, back: Ints
    ) -> Records:
        """Return the sightings of flows that are ``asked`` about; those of others that are over stay."""
        young, again, goes = self._young[point], pick(parked, back), over & asked
        mine = asked[again["flow"]]
        taken = together([*(piece.take_out(goes) for piece in young), pick(again, np.flatnonzero(mine))])
        others = [piece.take_out(over) for piece in young]
        self._stays[point] += [each for each in (*others, pick(again, np.flatnonzero(~mine))) if len(each)]
        return taken

    def _forget(self, goes: NDArray[np.bool_], target: Ints) -> None:
        """Note which connections, by their flows there, are forgotten."""
        there = np.flatnonzero(goes)
        self._gone = [there, target[there] >> 1]

    def take_gone(self) -> list[Ints]:
        """Return of each point the flows that were forgotten just now, and know nothing of them any more."""
        gone, self._gone = self._gone, [np.zeros(0, dtype=np.int64) for _ in self._gone]
        for point, numbers in enumerate(gone):
            flags = [self._over[point], self._telling[point], self.decided[point], *([] if point else [self._past])]
            for each in flags:
                each[numbers[numbers < len(each)]] = False
        return gone

    def _settle(self, ended: Ended, settles: NDArray[np.bool_], senders: Records, target: Ints) -> None:
        """Count the packets of settled connections, and keep the pairs that begin and end them."""
        at = np.flatnonzero(settles[ended.home[0][ended.pairs[0]]])
        if not len(at):
            return
        one, other = (pick(rows, pairs[at]) for rows, pairs in zip(ended.whole, ended.pairs, strict=True))
        flows, ends = ended.home[0][ended.pairs[0][at]], ended.end[0][ended.pairs[0][at]]
        began = np.bincount(flows[one["flags"] & SYN > 0], minlength=len(target)) > 0
        stays = (one["flags"] & (SYN | FIN) > 0) | ~began[flows]
        goes = np.flatnonzero(~stays)
        ttl = (one["ttl"][goes] > 0) & (other["ttl"][goes] > 0) & (one["ttl"][goes] != other["ttl"][goes])
        ids = (one["ip_id"][goes] >= 0) & (other["ip_id"][goes] >= 0) & (one["ip_id"][goes] != other["ip_id"][goes])
        for name, counted in (("gone", goes), ("gone_ttl", goes[ttl]), ("gone_id", goes[ids])):
            senders[name] += np.bincount(ends[counted], minlength=len(senders)).astype(np.int32)
        at = np.flatnonzero(stays)
        at = at[np.argsort((flows[at] << FRAME_BITS) | one["frame"][at])]
        there, counts = np.unique(flows[at], return_counts=True)
        self._flows.append((there, target[there] >> 1, target[there] & 1, counts))
        self._pairs[0].append(pick(one, at))
        self._pairs[1].append(pick(other, at))

    def settled(self, senders: Records | None, numbers: Sequence[Callable[[Ints], Ints]] = ()) -> Settled:
        """Return the connections that were settled; ``numbers`` return, by point, those of flows that have others."""
        columns = [np.concatenate([np.zeros(0, dtype=np.int64), *each]) for each in zip(*self._flows, strict=True)]
        there, here, flipped, counts = columns or [np.zeros(0, dtype=np.int64)] * 4
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        seen = Columns(together(self._pairs[0])), Columns(together(self._pairs[1]))
        which = np.repeat(np.arange(len(there)), counts)
        way, by_hops = _ways(seen[0]["side"], (seen[0]["ttl"], seen[1]["ttl"]), which, there, senders)
        sent = list(_sent(seen[0]["side"], (seen[0]["ts_ns"], seen[1]["ts_ns"]), which, there, way, senders))
        counted = None
        if self._forgetting is not None:
            sent.append(self._forgetting.samples.all())
            counted = self._forgetting.counted()
        told = tuple(np.concatenate(each) for each in zip(*sent, strict=True))
        if numbers:
            there, here = numbers[0](there), numbers[1](here)
        return Settled(there, here, flipped, way, by_hops, start, seen, (told[0], told[1], told[2]), counted)


def _signs(ends: Ints, rows: Records) -> Ints:
    """Return of each sighting a number that says which packet of which end it is."""
    return mixed(ends.astype(np.uint64), rows["key"].astype(np.uint64))


def _sent_of(
    ended: Ended, asked: NDArray[np.bool_], whole: NDArray[np.bool_], senders: Records
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Yield packets of the connections that are ``asked`` about, for what clocks show; pairs of those that are whole.

    Which way they went the hops of the pairs tell, else those of the last that were dropped of each end, else times.
    """
    there = np.flatnonzero(asked)
    home = ended.home[0][ended.pairs[0]]
    at = np.flatnonzero(whole[home])
    rank = np.zeros(len(asked), dtype=np.int64)
    rank[there] = np.arange(len(there))
    which = rank[home[at]]
    side = ended.end[0][ended.pairs[0][at]] & 1
    times, hops = ended.each("ts_ns", at), ended.each("ttl", at)
    way, by_hops = _ways(side, hops, which, there, senders)
    last = np.sign(senders["hops"][2 * there]) - np.sign(senders["hops"][2 * there + 1])
    way = np.where(~by_hops & (last != 0), np.sign(last), way)
    yield from _sent(side, times, which, there, way, senders)


def _sent(
    side: NDArray[np.integer], times: tuple[Ints, Ints], which: Ints, there: Ints, way: Ints, senders: Records | None
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Yield packets of connections for what clocks show: these, and the quickest and slowest of each end."""
    yield *times, np.where(side == 0, 1, -1) * way[which]
    for own, sign in ((0, 1), (1, -1)):
        if senders is None or not len(there):
            break
        ends = pick(senders, 2 * there + own)
        timed = np.flatnonzero(ends["timed"])
        for name in ("quickest", "slowest"):
            yield ends[f"{name}_there_ns"][timed], ends[f"{name}_here_ns"][timed], sign * way[timed]


def _ways(
    side: NDArray[np.integer], ttl: tuple[Ints, Ints], which: Ints, there: Ints, senders: Records | None
) -> tuple[Ints, NDArray[np.bool_]]:
    """Return of each connection which point is nearer to ``a``, and whether hops tell it: by hops, else by times.

    What an end sent passes the point nearest to it first; a clock that is ahead is ahead for both ends.
    """
    hops = np.where(side == 0, 1, -1) * np.sign(ttl[0].astype(np.int64) - ttl[1])
    hops[(ttl[0] <= 0) | (ttl[1] <= 0)] = 0
    score = np.bincount(which, weights=hops, minlength=len(there)).astype(np.int64)
    told = np.bincount(which, weights=hops != 0, minlength=len(there)).astype(np.int64)
    by_hops = (told > 0) & (np.abs(score) == told)
    if senders is None or not len(there):
        return np.where(by_hops, np.sign(score), 0), by_hops
    a, b = pick(senders, 2 * there), pick(senders, 2 * there + 1)
    later = a["quickest_ns"] > b["slowest_ns"]
    sooner = a["slowest_ns"] < b["quickest_ns"]
    timed = (a["timed"] & b["timed"]) > 0
    by_time = np.where(timed & later, 1, np.where(timed & sooner, -1, 0))
    return np.where(by_hops, np.sign(score), by_time), by_hops


def _reaching(flags: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Return flags with room for so many."""
    if len(flags) >= count:
        return flags
    return np.concatenate([flags, np.zeros(max(count, 2 * len(flags)) - len(flags), dtype=np.bool_)])
