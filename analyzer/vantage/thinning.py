"""What of several captures may be forgotten while they are read: packets that are the same at all points, no more.

Who joins captures looks at what is missing, at probes, RSTs and FINs, and at what stands around these. All other
packets, nearly all, are counted and let go, so that memory follows the flows and what happened to them, not the length
of the captures. What stays around a packet that is missing is what a fate rests on (``fates``): the packets before and
behind it, those that share its bytes, the acknowledgements that cover it.

It must not know fates, or read.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import freeze, pick, records, thaw
from analyzer.segment import ACK, NOTE_TCP, SEGMENT, SegmentBatch
from analyzer.vantage.around import (
    AROUND,
    PARKED,
    agree,
    cover,
    first_waiting,
    look_around,
    park,
    sort_out,
    states_here,
)
from analyzer.vantage.forgotten import COVER, Thinned
from analyzer.vantage.meanwhile import LEAST, Meanwhile
from analyzer.vantage.meeting import SENDER, forget, judge_pairs, meet
from analyzer.vantage.places import GONE, Places
from analyzer.vantage.room import blank, blank_numbers, numbers_for, plain, records_for, zeros
from analyzer.vantage.settled import Ends, Settling
from analyzer.vantage.sighting import Columns, Unwritten, together
from analyzer.vantage.waiting import Waiting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Numbers, Rows
    from analyzer.vantage.forgetting import Forgetting

    Ints = NDArray[np.int64]

STRETCH: Final = 1 << 16
"""Nothing is forgotten before so many sightings of a point wait: short captures stay whole."""
PAUSE: Final = 6
"""So many batches are taken between deciding what of a stretch stays and looking for connections that are over: those
that were read meanwhile, so that whoever reads can go on.
"""
SETTLED_NS: Final = 1_000_000_000
"""How much later than a packet it is sure that what has not come to the other point will not come."""
NEVER_NS: Final = 1 << 62
QUIET_NS: Final = 1_000_000_000
"""An end that sent nothing for so long is asked about again when it sends."""
INDEX: Final = np.int32
WORD: Final = np.int8
"""What is said of each sighting of a stretch is short, so that it stays near the processor."""
NONE: Final = np.zeros(0, dtype=np.int64)


class Thinner:
    """Takes the sightings of points as they are read, and lets go of what shows nothing."""

    def __init__(self, points: int, *, forgetting: Forgetting | None = None) -> None:
        """Begin, with nothing read of so many points; ``forgetting`` says which connections are counted alone."""
        self._waiting = [Waiting() for _ in range(points)]
        self._flows = [0] * points
        """More than the highest number of a flow that waits."""
        self._settling = Settling(points, forgetting)
        self._places = [] if forgetting is None else [Places() for _ in range(points)]
        """Where the flows of each point lie, if some are forgotten: that stands for their numbers until the end."""
        self._forgetting = forgetting
        self._late: list[Numbers] = [None] * points
        """Of each place 1 for a flow that began behind all that will be told."""
        self._sifted = 0
        self._parked = [together([]) for _ in range(points)]
        """The last packets of ends that have been silent since: the same packets at all points, in the same order."""
        self._began = [False] * points
        self._last_ns = [0] * points
        self._clocks = [Meanwhile() for _ in range(points)]
        self._over = [False] * points
        self._stretch = 0
        self._settle_at = STRETCH
        self._until_sift = 0
        self._around: list[Rows] = [None] * points
        self._senders: list[Rows] = [None] * points
        self._owners: list[Numbers] = [None] * points
        self._covers: list[NDArray[np.void]] = []

    @property
    def next(self) -> int | None:
        """The point to read on: the one that is behind; None if all are over."""
        going_on = [point for point, over in enumerate(self._over) if not over]

        def behind(point: int) -> tuple[bool, int]:
            return self._began[point], self._last_ns[point] - self._clocks[point].apart_ns

        return min(going_on, key=behind, default=None)

    def finish(self, point: int, flows: Ints, telling: Ints = NONE) -> None:
        """Note that flows of a point, by their numbers, are over: nothing more comes of them.

        Those that are ``telling`` tell something by themselves.
        """
        if not len(flows):
            return
        if self._places:
            flows, telling = (found[found >= 0] for found in map(self._places[point].find, (flows, telling)))
        self._settling.finish(point, flows, telling)

    @property
    def sifted(self) -> int:
        """How often connections that are over were looked through."""
        return self._sifted

    def verdicts(self, point: int, flows: Ints) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Say of flows of a point that are over which were looked at since, and which of these were forgotten."""
        if not self._places:
            return _flags(self._settling.decided[point], flows), np.zeros(len(flows), dtype=np.bool_)
        found = self._places[point].find(flows)
        gone = found == GONE
        return gone | ((found >= 0) & _flags(self._settling.decided[point], np.maximum(found, 0))), gone

    def end(self, point: int) -> None:
        """Note that a capture has no more."""
        self._over[point] = True

    def add(self, point: int, seen: NDArray[np.void] | Unwritten, now_ns: int, *, jit: bool) -> None:
        """Take sightings of a point, which has been read until ``now_ns``."""
        if not self._began[point]:  # until more is known, that they began at the same time
            self._began[point] = True
            self._clocks[point].apart_ns = now_ns - self._last_ns[0] if point else 0
        self._last_ns[point] = max(self._last_ns[point], now_ns)
        if len(seen):
            waiting = self._waiting[point]
            new = waiting.add(seen, self._places[point] if self._places else None, jit=jit)
            if self._places:
                self._note_late(point, waiting.flows[new], waiting.rows["ts_ns"][new])
        comparable = all(map(len, self._waiting)) or self._all_known
        if comparable and len(self._waiting) > 1 and max(map(len, self._waiting)) >= self._settle_at:
            self.settle(jit=jit)
            self._settle_at = 2 * max(STRETCH, *map(len, self._waiting))  # what waits is looked through again
        elif self._until_sift:
            if self._until_sift == 1:
                self._sift(jit=jit)
            else:
                self._until_sift -= 1

    @property
    def _all_known(self) -> bool:
        """Whether it is known of all clocks how they stand to the first."""
        return all(clock.is_known for clock in self._clocks[1:])

    def _note_late(self, point: int, new: Ints, began_ns: Ints) -> None:
        """Note which flows that begin now will not be told."""
        assert self._forgetting is not None
        self._late[point] = numbers_for(self._late[point], int(new.max(initial=-1)) + 1, jit=True)
        until_ns = self._forgetting.until_ns
        if until_ns < NEVER_NS:
            until_ns += self._clocks[point].apart_ns
        self._late[point][new] = began_ns > until_ns

    def left(self) -> Thinned:
        """Return what is left, when everything was read."""
        if self._stretch and self._all_known:
            jit = isinstance(self._around[0], np.ndarray)
            self.settle(jit=jit)
            self._sift(jit=jit)
        seen = []
        for point, (waiting, parked) in enumerate(zip(self._waiting, self._parked, strict=True)):
            pieces = [*self._settling.take_left(point), parked, waiting.rows]
            self._waiting[point] = Waiting()
            for piece in pieces if self._places else ():
                piece["flow"] = self._places[point].numbers(piece["flow"])
            seen.append(Columns.of(pieces) if self._stretch else Columns(together(pieces)))
        senders = tuple(
            np.zeros(0, dtype=SENDER) if each is None else freeze(each, SENDER) for each in self._senders[1:]
        )
        known = senders[0] if len(senders) == 1 and len(senders[0]) else None
        settled = self._settling.settled(known, [places.numbers for places in self._places])
        if self._around[0] is not None:
            around = freeze(self._around[0], AROUND)
            growing = np.flatnonzero(around["covers"])
            rest = np.zeros(len(growing), dtype=COVER)
            rest["sender"] = growing
            for name, source in (("from_seq", "cover_from"), ("to_seq", "cover_to"), ("from_ns", "cover_ns")):
                rest[name] = around[source][growing]
            self._covers.append(rest)
        covers = np.concatenate([np.zeros(0, dtype=COVER), *self._covers])
        covers = covers[np.argsort(covers["sender"], kind="stable")]
        return Thinned(tuple(seen), senders, covers, settled, self._places[0].find if self._places else None)

    # settling ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def settle(self, *, jit: bool) -> None:
        """Decide what of the waiting sightings stays, and let go of the rest."""
        points = range(len(self._waiting))
        self._take_up_parked(jit=jit)
        whole = [waiting.rows for waiting in self._waiting]
        self._stretch += 1
        rows = [thaw(each, jit=jit) for each in whole]
        keys = [plain(waiting.keys, jit=jit) for waiting in self._waiting]
        self._grow(jit=jit)
        mates: list[tuple[Any, Any]] = []
        for other in points[1:]:
            mate, mate_here = (zeros(len(each), jit=jit, of=INDEX) for each in (whole[0], whole[other]))
            slots = plain(np.full(1 << (2 * len(whole[other])).bit_length(), -1, dtype=INDEX), jit=jit)
            meet.choose(jit=jit)(keys[0], len(whole[0]), keys[other], len(whole[other]), slots, mate, mate_here)
            mates.append((mate, mate_here))
        for other in points[1:]:
            self._clocks[other].learn(rows[0], rows[other], mates[other - 1][0], jit=jit)
        if not self._all_known:
            return
        reached = [
            last_ns - clock.apart_ns
            for last_ns, clock, over in zip(self._last_ns, self._clocks, self._over, strict=True)
            if not over
        ]
        until_ns = min(reached, default=NEVER_NS) - SETTLED_NS
        began_ns = int(whole[0]["ts_ns"].min(initial=NEVER_NS))
        state = zeros(len(whole[0]), jit=jit, of=WORD)
        goes = [zeros(len(each), jit=jit, of=WORD) for each in whole]
        room, late = zeros(len(whole[0]), jit=jit), [zeros(0, jit=jit)] * 2
        if self._forgetting is not None and self._forgetting.until_ns < NEVER_NS:
            late = [plain(each, jit=jit) for each in self._late]
        for other in points[1:]:
            when_ns, apart_ns = self._clocks[other].known(began_ns)
            judge_pairs.choose(jit=jit)(
                rows[0], len(whole[0]), rows[other], mates[other - 1][0],
                plain(when_ns, jit=jit), plain(apart_ns, jit=jit), until_ns, self._stretch,
                self._senders[other], self._owners[other], state, room, late[0], late[1], goes[0], goes[other],
            )  # fmt: skip
        self._look_around(rows, state, mates, until_ns, goes, jit=jit)
        self._let_go(rows, goes, [mate for mate, _ in mates], jit=jit)
        self._sort_out(whole, rows, goes, [mate for mate, _ in mates], until_ns - QUIET_NS, jit=jit)
        if self._until_sift:  # the next stretch was short
            self._sift(jit=jit)
        elif self._settling.is_due:
            self._until_sift = PAUSE

    def _sift(self, *, jit: bool) -> None:
        """Settle the connections that are over at both points, and forget what only they need."""
        if len(self._waiting) != 2 or self._senders[1] is None:
            return
        self._sifted += 1
        self._until_sift = 0
        for point, waiting in enumerate(self._waiting):
            self._flows[point] = max(self._flows[point], 1 + int(waiting.flows.max(initial=-1)))
        self._grow(jit=jit)
        senders = freeze(self._senders[1], SENDER)
        held = [waiting.flows for waiting in self._waiting]
        clock = self._clocks[1]
        around = [freeze(each, AROUND) for each in self._around]
        tells = [np.ascontiguousarray(each["tells"]) for each in around]
        ends = Ends(tells, self._late if self._places else ())
        self._parked, gone = self._settling.sift(
            ends, senders, held, self._parked, partial(clock.at, jit=jit), clock.apart_ns, jit=jit
        )
        self._senders[1] = thaw(senders, jit=jit)
        ended = np.zeros(len(senders), dtype=np.bool_)
        ended[2 * gone] = ended[2 * gone + 1] = True
        around[0]["covers"][np.flatnonzero(ended[: len(around[0])])] = 0
        self._around[0] = thaw(around[0], jit=jit)
        covers = np.concatenate([np.zeros(0, dtype=COVER), *self._covers])
        self._covers = [covers[~ended[covers["sender"]]]]
        if self._places:
            self._release(jit=jit)

    def _release(self, *, jit: bool) -> None:
        """Give away the places of the connections that were forgotten just now."""
        for point, (places, gone) in enumerate(zip(self._places, self._settling.take_gone(), strict=True)):
            ends = np.concatenate([2 * gone, 2 * gone + 1])
            self._around[point] = blank(self._around[point], AROUND, ends, jit=jit)
            if point:
                self._owners[point] = blank_numbers(self._owners[point], ends, jit=jit)
            else:
                self._senders[1] = blank(self._senders[1], SENDER, ends, jit=jit, here=-1)
            places.release(gone)

    def _take_up_parked(self, *, jit: bool) -> None:
        """Let the sightings parked of flows that wait now wait before these."""
        again = np.zeros(len(self._parked[0]), dtype=np.bool_)
        for point, (parked, waiting) in enumerate(zip(self._parked, self._waiting, strict=True)):
            own = np.ascontiguousarray(parked["flow"])
            self._flows[point] = 1 + max(int(each.max(initial=-1)) for each in (own, waiting.flows))
            again |= waiting.present(self._flows[point], jit=jit)[own]
        back, stay = np.flatnonzero(again), np.flatnonzero(~again)
        for waiting, parked in zip(self._waiting, self._parked, strict=True):
            waiting.put_before(pick(parked, back))
        self._parked = [pick(parked, stay) for parked in self._parked]

    def _look_around(
        self,
        rows: list[Any],
        state: Numbers,
        mates: list[tuple[Any, Any]],
        until_ns: int,
        goes: list[Numbers],
        *,
        jit: bool,
    ) -> None:
        """Let each point say of its sightings whether they go: of what is not settled, PENDING."""
        for point, each in enumerate(rows):
            own = state
            if point == 0:
                settled = first_waiting.choose(jit=jit)(state, len(each))
            else:
                own = zeros(len(each), jit=jit, of=WORD)
                waits_ns = until_ns + self._clocks[point].apart_ns
                settled = states_here.choose(jit=jit)(each, len(each), mates[point - 1][1], state, waits_ns, own)
            look_around.choose(jit=jit)(each, settled, own, self._stretch, self._around[point], goes[point])

    def _let_go(self, rows: list[Any], goes: list[Numbers], mates: list[Numbers], *, jit: bool) -> None:
        """Forget the packets of which all points say so: of what one says that it stays, none is forgotten."""
        count = len(rows[0])
        for _ in mates:  # of more than two points, once more with what the others said
            for other, mate in enumerate(mates, start=1):
                agree.choose(jit=jit)(goes[0], count, goes[other], mate)
        for other, mate in enumerate(mates, start=1):
            forget.choose(jit=jit)(rows[0], count, rows[other], mate, goes[0], self._senders[other])
        made = records(COVER, count, jit=jit)
        covered = cover.choose(jit=jit)(rows[0], count, goes[0], self._around[0], made)
        if covered:
            self._covers.append(freeze(made[:covered], COVER).copy())

    def _sort_out(
        self,
        whole: list[NDArray[np.void]],
        rows: list[Any],
        goes: list[Numbers],
        mates: list[Numbers],
        before_ns: int,
        *,
        jit: bool,
    ) -> None:
        """Keep what stays, put aside what waits although nothing of its end came for a while, let the rest wait on."""
        parked = zeros(len(whole[0]), jit=jit)
        met = mates[0] if len(mates) == 1 else plain(np.minimum.reduce(np.array(mates, dtype=INDEX)), jit=jit)
        count = park.choose(jit=jit)(rows[0], len(whole[0]), goes[0], met, before_ns, parked)
        at = np.array(parked[:count], dtype=np.int64)
        for point, each in enumerate(whole):
            own = at if point == 0 else np.asarray(mates[point - 1], dtype=np.int64)[at]
            if point and jit:
                goes[point][own] = PARKED
            for index in own.tolist() if point and not jit else ():
                goes[point][index] = PARKED
            stays, waits = zeros(len(each), jit=jit), zeros(len(each), jit=jit)
            staying, waiting = sort_out.choose(jit=jit)(goes[point], len(each), stays, waits)
            if staying:
                self._settling.keep(point, pick(each, np.array(stays[:staying], dtype=np.int64)))
            if len(own):
                self._parked[point] = together([self._parked[point], pick(each, own)])
            self._waiting[point].keep(np.asarray(waits[:waiting], dtype=np.int64), jit=jit)

    def _grow(self, *, jit: bool) -> None:
        """Make room for the flows that are there now."""
        for point, flows in enumerate(self._flows):
            self._around[point] = records_for(self._around[point], AROUND, 2 * flows, jit=jit)
            if point:
                self._owners[point] = numbers_for(self._owners[point], 2 * flows, jit=jit)
                self._senders[point] = records_for(self._senders[point], SENDER, 2 * self._flows[0], jit=jit, here=-1)


def _flags(flags: NDArray[np.bool_], numbers: Ints) -> NDArray[np.bool_]:
    """Return the flags at these numbers; beyond their end they are false."""
    if not len(flags):
        return np.zeros(len(numbers), dtype=np.bool_)
    found: NDArray[np.bool_] = (numbers < len(flags)) & flags[np.minimum(numbers, len(flags) - 1)]
    return found


def rehearse(forgetting: Forgetting) -> None:
    """Call, compiled, the loops that only long captures take; ``forgetting`` is one that says nothing yet."""
    rows = np.zeros(LEAST, dtype=SEGMENT)
    rows["note"], rows["flags"] = NOTE_TCP, ACK
    for name in ("frame", "seq", "ack", "ts_ns"):
        rows[name] = np.arange(1, LEAST + 1)
    seen = Unwritten(SegmentBatch(rows, LEAST), np.zeros(LEAST, dtype=np.int64))
    for each in (None, forgetting):
        thinner = Thinner(2, forgetting=each)
        for _ in range(2):
            for point in range(2):
                thinner.add(point, seen, LEAST, jit=True)
            thinner.settle(jit=True)
            thinner.finish(0, np.zeros(1, dtype=np.int64))
            thinner.finish(1, np.zeros(1, dtype=np.int64))
        thinner.left()
