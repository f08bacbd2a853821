"""Which sightings at two points are one packet.

First what is seen once at both points, by its key, whatever the addresses; that also tells which flows belong together.
Then what is repeated (probes, ACKs, data sent again): by IP ID and timestamp where these pass unchanged, and by time
once the clocks are known. What no single packet explains may have been cut or put together on the way: data that is
there as bytes is no loss.

It must not know what became of a packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import ABSENT, FIN, SYN
from analyzer.values import dataclass
from analyzer.vantage.clock import FASTEST, THE_REFERENCE, Clock, clock_of
from analyzer.vantage.delays import LONGEST_NS, SHORTEST_NS, as_most, slowest, usual
from analyzer.vantage.in_turn import Known, astray, have_others, in_turn, waited
from analyzer.vantage.pairing import Groups, Partner, same_flows
from analyzer.vantage.regrouped import regrouped
from analyzer.vantage.sighting import Columns, mixed
from analyzer.vantage.ways import BY, keeps, ways_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

BETWEEN_REPEATS_NS: Final = 500_000_000
"""What is repeated and alike comes seldom sooner."""
BESIDE: Final = 3
"""So many pairs on either side of one say how far apart it should be."""
NOTHING: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Pairing:
    """A flow of one point and a flow of the other that are one connection."""

    there: int
    here: int
    flipped: bool
    """Whether ``a`` there is ``b`` here."""
    way: int
    """1 if what ``a`` (there) sends passes *there* first, -1 if it passes *here* first, 0 if nothing tells."""
    by: str
    """What tells the way: ``ttl``, ``time``, or empty."""
    keeps_id: bool | None
    """Whether IP IDs pass unchanged; None if nothing tells."""
    keeps_tsval: bool | None


@dataclass(frozen=True, slots=True)
class Matched:
    """What two points have in common."""

    there: Ints
    """Indices of sightings, of equal length: each pair is one packet."""
    here: Ints
    clock: Clock | None
    """How the clock *here* stands to the one there."""
    pairings: tuple[Pairing, ...]
    regrouped_there: Ints
    """Sightings whose data is at the other point in other pieces."""
    regrouped_here: Ints
    guessed: bool = False
    """Whether only the rhythm of repeated packets says which is which."""


def match(
    there: Columns,
    here: Columns,
    may_be_one: Callable[[int, int], bool] = lambda _, __: True,
    *,
    one_clock: bool = False,
    sent: tuple[Ints, Ints, Ints] | None = None,
) -> Matched:
    """Match the sightings of two points, which may have ``one_clock``.

    ``sent`` tells of more packets when they were there and here, and which way they went: for the clock.

    ``may_be_one`` is asked of a flow there and one here for which only half a key speaks (the number of a SYN): whether
    they have something else in common.
    """
    groups = Groups(there["key"], here["key"], (_left(there), _left(here)))
    flows = same_flows(there, here, groups, may_be_one)
    if not flows:
        clock = clock_of(sent[0], sent[1], sent[2].astype(np.int8)) if sent is not None and len(sent[0]) else None
        return Matched(NOTHING, NOTHING, clock, (), NOTHING, NOTHING)
    return _Matching(there, here, groups, flows, one_clock=one_clock, sent=sent).matched()


class _Matching:
    """The packets that two points have in common, found step by step."""

    def __init__(
        self,
        there: Columns,
        here: Columns,
        groups: Groups,
        flows: list[tuple[int, int, bool]],
        *,
        one_clock: bool,
        sent: tuple[Ints, Ints, Ints] | None,
    ) -> None:
        self.seen_there, self.seen_here, self.groups, self.one_clock = there, here, groups, one_clock
        self.sent = sent or (NOTHING, NOTHING, NOTHING)
        self.flows, self.partner = flows, Partner(flows)
        self.there, self.here = groups.single()
        self._now: tuple[Columns, Columns, Ints] | None = None
        self._keep(self.partner.fits(there[self.there], here[self.here]))
        self._know_flows()

    def matched(self) -> Matched:
        """Return what is in common."""
        self._drop_strangers()
        self._add(*self._by_id())
        self._drop_strangers()  # once more: it may be known only now that IP IDs pass unchanged
        self._drop_contradicted()
        clock, guessed = THE_REFERENCE if self.one_clock else self._clock(), False
        if clock is None:
            clock, guessed = self._by_rhythm(), True
        for _ in range(2 if clock is not None else 0):  # once more with what the first time added
            assert clock is not None
            self._drop_untimely(clock)
            self._add(*self._by_time(clock))
            clock = clock if self.one_clock else self._clock() or clock
        if clock is not None and not guessed:
            self._add(*self._waited(clock))
        left = _left(self.seen_there, self.there), _left(self.seen_here, self.here)
        pieces = regrouped(self.seen_there, self.seen_here, *left, self.partner, clock)
        shared = set(self.seen_there["flow"][self.there].tolist())
        pairings = tuple(pairing for pairing in self._pairings() if pairing.there in shared)
        there, here = self.there, self.here
        if clock is not None and not guessed:
            more = self._astray(clock, (there, here))
            there, here = np.concatenate([there, more[0]]), np.concatenate([here, more[1]])
        return Matched(there, here, clock, pairings, *pieces, guessed=guessed and clock is not None)

    def _keep(self, mask: NDArray[np.bool_]) -> None:
        self.there, self.here = self.there[mask], self.here[mask]
        self._now = None

    def _add(self, there: Ints, here: Ints) -> None:
        """Take more pairs of sightings, and learn from them what is the same at both points."""
        self.there, self.here = np.concatenate([self.there, there]), np.concatenate([self.here, here])
        self._now = None
        self._know_flows()

    def _know_flows(self) -> None:
        """Say of each pair of flows what its matched packets show."""
        one, other, at = self._pairs()
        flows = len(self.partner.flows)
        self.ways, self.by = ways_of(one, other, at, flows, one_clock=self.one_clock)
        self.keeps_id, self.keeps_tsval = (keeps(one[name], other[name], at, flows) for name in ("ip_id", "tsval"))

    def _pairings(self) -> list[Pairing]:
        """Return all pairs of flows, with what is known of each."""
        columns = (self.ways, self.by, self.keeps_id, self.keeps_tsval)
        return [
            Pairing(there, here, flipped, way, BY[by], None if kept < 0 else kept > 0, None if same < 0 else same > 0)
            for (there, here, flipped), way, by, kept, same in zip(
                self.partner.flows, *(column.tolist() for column in columns), strict=True
            )
        ]

    def _pairs(self) -> tuple[Columns, Columns, Ints]:
        """Return both sightings of each pair, and which pair of flows it is of."""
        if self._now is None:
            one = self.seen_there[self.there]
            self._now = one, self.seen_here[self.here], self.partner.index_there(one["flow"])
        return self._now

    def _drop_strangers(self) -> None:
        """Leave out pairs that are alike but bear another IP ID or timestamp, where these pass unchanged."""
        one, other, at = self._pairs()
        keeps_id, keeps_tsval = self.keeps_id[at] > 0, self.keeps_tsval[at] > 0
        other_id = (one["ip_id"] != other["ip_id"]) & (one["ip_id"] >= 0) & (other["ip_id"] >= 0)
        has_both = (one["tsval"] != ABSENT) & (other["tsval"] != ABSENT)
        other_tsval = (one["tsval"] != other["tsval"]) & has_both
        self._keep(~((keeps_id & other_id) | (keeps_tsval & other_tsval)))

    def _drop_contradicted(self) -> None:
        """Leave out pairs of which nothing but a number that is often repeated tells, if times near to them do not fit.

        Where captures overlap for a moment, each may have one of many probes or RSTs that are alike. What is dropped is
        matched by time, if it can be.
        """
        one, other, _ = self._pairs()
        apart_ns, at_ns = other["ts_ns"] - one["ts_ns"], one["ts_ns"]
        own_name = (one["ip_id"] > 0) | (one["tsval"] > 0)
        named = own_name | (one["payload_len"] > 0) | (one["flags"] & (SYN | FIN) > 0)
        named &= own_name | _like_most(at_ns, apart_ns)
        sure, rest = np.flatnonzero(named), np.flatnonzero(~named)
        if not (len(sure) and len(rest)):
            return
        sure = sure[np.argsort(at_ns[sure], kind="stable")]
        behind = np.searchsorted(at_ns[sure], at_ns[rest])
        fits = np.zeros(len(rest), dtype=np.bool_)
        for near in (sure[np.maximum(behind - 1, 0)], sure[np.minimum(behind, len(sure) - 1)]):
            drifted_ns = (np.abs(at_ns[rest] - at_ns[near]) * FASTEST).astype(np.int64)
            fits |= np.abs(apart_ns[rest] - apart_ns[near]) <= BETWEEN_REPEATS_NS + drifted_ns
        keep = np.ones(len(named), dtype=np.bool_)
        keep[rest] = fits
        self._keep(keep)

    def _by_id(self) -> tuple[Ints, Ints]:
        """Match repeated packets by IP ID and timestamp together with their key, where that is seen once at both."""
        left_there = _telling(self.seen_there, _left(self.seen_there, self.there))
        left_here = _telling(self.seen_here, _left(self.seen_here, self.here))
        groups = Groups(_key_with_id(self.seen_there[left_there]), _key_with_id(self.seen_here[left_here]))
        one, other = groups.single()
        one, other = left_there[one], left_here[other]
        fits = self.partner.fits(self.seen_there[one], self.seen_here[other])
        return one[fits], other[fits]

    # time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ways(self) -> NDArray[np.int8]:
        """Return of each pair which way it goes: 1 from there to here, 0 if nothing tells."""
        one, _, at = self._pairs()
        way = self.ways[at].astype(np.int8)
        went: NDArray[np.int8] = np.where(one["side"] == 0, way, -way).astype(np.int8)
        return went

    def _clock(self) -> Clock | None:
        if not len(self.there) + len(self.sent[0]):
            return None
        one, other, _ = self._pairs()
        own = one["ts_ns"], other["ts_ns"], self._ways()
        there_ns, here_ns, ways = (np.concatenate(each) for each in zip(own, self.sent, strict=True))
        return clock_of(there_ns, here_ns, ways.astype(np.int8))

    def _delays(self, clock: Clock) -> Ints:
        """Return how long pairs took; where the way is not known, how far apart they are."""
        one, other, _ = self._pairs()
        apart_ns = clock.reference_ns(other["ts_ns"]) - one["ts_ns"]
        way = self._ways()
        delays: Ints = np.where(way == 0, np.abs(apart_ns), apart_ns * way)
        return delays

    def _drop_untimely(self, clock: Clock) -> None:
        """Leave out pairs that cannot be one packet, because it took too long or arrived before it left."""
        if not len(self.there):
            return
        delays = self._delays(clock)
        slack, latest_ns = SHORTEST_NS // 2 + clock.width_ns, max(slowest(np.abs(delays), clock), LONGEST_NS)
        self._keep((delays >= -slack) & (np.abs(delays) <= latest_ns) & ~self._repeated(clock, np.abs(delays)))

    def _repeated(self, clock: Clock, delays: Ints) -> NDArray[np.bool_]:
        """Say which pairs took longer than others do, and may be of a packet and its repetition: nothing names them."""
        one, other, _ = self._pairs()
        same = ((one["ip_id"] > 0) & (one["ip_id"] == other["ip_id"])) | (
            (one["tsval"] > 0) & (one["tsval"] == other["tsval"])
        )
        slow: NDArray[np.bool_] = (delays > usual(delays, clock)) & ~same
        doubtful = np.flatnonzero(slow)
        if not len(doubtful):
            return slow
        pairs, paired = ((self.there[at], self.here[at]) for at in (doubtful, np.flatnonzero(~slow)))
        slow[doubtful] = self._have_others(clock, pairs, paired)
        return slow

    def _have_others(self, clock: Clock, pairs: tuple[Ints, Ints], paired: tuple[Ints, Ints]) -> NDArray[np.bool_]:
        """Say of slow ``pairs`` which may be of two packets, besides those that are surely ``paired``."""
        return have_others(self.seen_there, pairs, paired, self._known(clock), self._astray(clock, paired))

    def _by_time(self, clock: Clock) -> tuple[Ints, Ints]:
        """Match what is repeated by the time at which it passed, in order.

        First what came as most do, then as others do: what waited longer may be any of the rest.
        """
        left = _left(self.seen_there, self.there), _left(self.seen_here, self.here)
        delays = np.maximum(self._delays(clock), 0) if len(self.there) else NOTHING
        known, earliest = self._known(clock), -(SHORTEST_NS // 10 + clock.width_ns)
        found: tuple[list[Ints], list[Ints]] = ([NOTHING], [NOTHING])
        for latest in (as_most(delays, clock), usual(delays, clock), slowest(delays, clock)):
            pairs = in_turn(self.seen_there, self.seen_here, left, known, (earliest, latest))
            for own, more in zip(found, pairs, strict=True):
                own.append(more)
            first, second = (np.setdiff1d(each, taken) for each, taken in zip(left, pairs, strict=True))
            left = first, second
        return np.concatenate(found[0]), np.concatenate(found[1])

    def _known(self, clock: Clock) -> Known:
        told_ns = clock.reference_ns(self.seen_here["ts_ns"])
        return Known(self.partner, self.ways, self.keeps_id, self.keeps_tsval, told_ns)

    def _waited(self, clock: Clock) -> tuple[Ints, Ints]:
        """Match what is left and waited on the way longer than others do."""
        left = _left(self.seen_there, self.there), _left(self.seen_here, self.here)
        limits = -(SHORTEST_NS // 10 + clock.width_ns), LONGEST_NS + clock.width_ns
        known = self._known(clock)
        pairs = waited(self.seen_there, self.seen_here, left, (self.there, self.here), known, limits)
        lasts = ~self._have_others(clock, pairs, (self.there, self.here))
        return pairs[0][lasts], pairs[1][lasts]

    def _astray(self, clock: Clock, paired: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
        """Match what is left besides what is ``paired``, in flows that are not one connection."""
        left = _left(self.seen_there, paired[0]), _left(self.seen_here, paired[1])
        latest_ns = usual(np.abs(self._delays(clock)), clock)
        told_ns = clock.reference_ns(self.seen_here["ts_ns"])
        return astray(self.seen_there, self.seen_here, left, told_ns, self.partner, latest_ns)

    def _by_rhythm(self) -> Clock | None:
        """Return the offset under which most repeated packets meet, where nothing is seen once; None for no packets."""
        apart = [
            (self.seen_here["ts_ns"][other][None, :] - self.seen_there["ts_ns"][one][:, None]).ravel()
            for one, other in self.groups.each()
            if not (_tells(self.seen_there[one]) and _tells(self.seen_here[other]))
        ]
        offsets = np.sort(np.concatenate([NOTHING, *apart]))
        if not len(offsets):
            return None
        reach = np.searchsorted(offsets, offsets + SHORTEST_NS, side="right") - np.arange(len(offsets))
        best = np.flatnonzero(reach == reach.max())
        nearest = int(best[np.argmin(np.abs(offsets[best]))])
        offset_ns = offsets[nearest : nearest + int(reach.max())]
        here_ns = np.full(len(offset_ns), int(self.seen_here["ts_ns"][0]), dtype=np.int64)
        return clock_of(here_ns - offset_ns, here_ns, np.zeros(len(offset_ns), dtype=np.int8))


def _like_most(at_ns: Ints, apart_ns: Ints) -> NDArray[np.bool_]:
    """Say which pairs are about as far apart as most of those next to them, in order of time."""
    like = np.ones(len(at_ns), dtype=np.bool_)
    if len(at_ns) <= 2 * BESIDE:
        return like
    order = np.argsort(at_ns, kind="stable")
    apart = apart_ns[order]
    padded = np.concatenate([apart[2 * BESIDE : BESIDE : -1], apart, apart[-BESIDE - 2 : -2 * BESIDE - 2 : -1]])
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * BESIDE + 1), axis=1)
    like[order] = np.abs(apart - middle) <= BETWEEN_REPEATS_NS
    return like


def _left(seen: Columns, used: Ints = NOTHING) -> Ints:
    """Return the indices of the sightings that are not used, second captures of a packet left out."""
    free = seen["copy"] == 0
    free[used] = False
    return np.flatnonzero(free)


def _telling(seen: Columns, left: Ints) -> Ints:
    """Return those of the sightings that have an IP ID or a timestamp."""
    return left[(seen["ip_id"][left] > 0) | (seen["tsval"][left] > 0)]


def _tells(seen: Columns) -> bool:
    """Say whether packets bear what tells each from the others: then those that were not matched by it are others."""
    return bool((seen["ip_id"] > 0).all() or (seen["tsval"] > 0).all())


def _key_with_id(seen: Columns) -> Ints:
    rest = ((seen["ip_id"].astype(np.int64) & 0xFFFF) << 32) | (seen["tsval"] & 0xFFFFFFFF)
    return mixed(seen["key"].astype(np.uint64), rest.astype(np.uint64))
