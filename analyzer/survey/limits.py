"""Idle limits: which silences flows survived and which not, by service and by pair of hosts, and what bounds follow.

Every flow brings at most two trials (``track.trial``): the longest silence that both ends went on behind, and the one
behind which nothing but a RST, or nothing at all, came. Where some died and all of these are longer than all that
survived, a limit lies between; where a shorter one died as well, what cut it was no limit of time. Unless it is hardly
shorter: a box whose timers run in steps forgets up to an eighth late (``signatures.LATE``), and so at one silence this
flow and not yet that one. Then flows tell that are well apart from there, by ``trial.step_of``.

It must not hold a word for the user, or look at a SEEN row.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.signatures import LATE, MIDDLEBOXES
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.loops.choice import jit_wanted
from analyzer.loops.loop import freeze, pick, records, stacked, thaw
from analyzer.segment import address_text
from analyzer.survey.overview import responder_is_b
from analyzer.track.flow import Endpoint, keys_of
from analyzer.track.trial import TRIALS, fold, trials_of
from analyzer.units import NS_PER_S
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.judge.signatures import Middlebox
    from analyzer.track.batch import FlowBatch

SAME: Final = ("half", "other_lo", "other_hi", "port", "lo", "hi", "capture")
LARGE: Final = 512
"""This many flows are worth the compiled loop."""
FOLD: Final = 32768
"""This many entries, or as many as there are different ones, may wait before equal ones become one."""
MOST: Final = 8192
"""More services and pairs of hosts are not told apart: then pairs are given up, and, were they as many, services."""
ENOUGH: Final = 3
"""From so many trials of a kind on they say something."""
FEW: Final = 4
"""Less than one in so many is few."""
ONE_MOMENT_NS: Final = 2_000_000_000
"""What dies within this time may have died together, of something else."""
ENDED: Final = frozenset({Verdict.TIMED_OUT, Verdict.SILENT, Verdict.RESET_ON_PROBE, Verdict.ABORTED})


@dataclass(frozen=True, slots=True)
class Trial:
    """A silence of a flow, and how many there are of its kind."""

    ns: int
    flow: int
    from_frame: int
    to_frame: int
    count: int
    apart: int = 0
    """Of these, those whose silence is not near it: well shorter of what survived, well longer of what did not."""

    @property
    def is_clear(self) -> bool:
        """Whether enough of its kind are well apart, and not only few of very many."""
        return self.apart >= max(ENOUGH, self.count / FEW)


@dataclass(frozen=True, slots=True)
class IdleLimit:
    """What the trials of a service, or of a pair of hosts, say about a limit of idle time."""

    capture: int
    service: Endpoint | None
    """None of a pair."""
    hosts: tuple[str, str] | None
    """None of a service."""
    half_closed: bool
    """Whether one end had closed before the silence."""
    longest: Trial | None
    """The longest that survived."""
    shortest: Trial
    """The shortest that did not."""
    apart_ns: int
    """How far apart in time those ended that did not survive."""
    failed_later: bool = False
    """Whether all that did not survive ended after all that did: a host or way that failed meanwhile looks the same."""

    @property
    def low_ns(self) -> int | None:
        """All silences up to this one were survived, or all shorter ones where both kinds overlap."""
        return min(self.longest.ns, self.shortest.ns) if self.longest else None

    @property
    def high_ns(self) -> int:
        """None from this one on was, or no longer one where both kinds overlap."""
        return max(self.longest.ns, self.shortest.ns) if self.longest else self.shortest.ns

    @property
    def overlaps(self) -> bool:
        """Whether a silence was survived that is longer than one that was not."""
        return self.longest is not None and self.shortest.ns <= self.longest.ns

    @property
    def is_hard(self) -> bool | None:
        """Whether all shorter silences survive, and all longer ones do not; None where the trials are too few."""
        if self.longest is None:
            return None
        enough = min(self.shortest.count, self.longest.count) >= ENOUGH
        if self.overlaps:
            if self.longest.ns > self.shortest.ns + self.shortest.ns // LATE:
                return False
            enough = self.shortest.is_clear and self.longest.is_clear
        return True if enough and self.apart_ns > ONE_MOMENT_NS else None

    @property
    def is_worth_telling(self) -> bool:
        """Whether it is a hard limit, or enough trials show that there is none."""
        if self.is_hard is None or self.longest is None:
            return False
        return self.is_hard or min(self.shortest.count, self.longest.count) >= ENOUGH

    @property
    def fits(self) -> tuple[Middlebox, ...]:
        """The known boxes whose limit lies between the bounds."""
        if not self.is_hard or self.longest is None:
            return ()
        low, high = self.longest.ns, self.shortest.ns
        return tuple(
            box
            for box in MIDDLEBOXES
            if box.half_closed == self.half_closed and low <= box.latest_ns and box.idle_s * NS_PER_S <= high
        )

    @property
    def advised_s(self) -> int | None:
        """How often to probe at least, in seconds: a round number well below what survived."""
        if not self.is_hard or self.low_ns is None:
            return None
        # so that it is below a limit that is kept late
        whole = int(self.low_ns * LATE // (LATE + 1) // NS_PER_S)
        step = 1 if whole < 10 else 5 if whole < 100 else 50
        return max(whole // step * step, 1)


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence of a flow: its longest that survived, or the last, which did not."""

    service: Endpoint
    half_closed: bool
    died: bool
    ns: int


def trials(
    capture: int,
    batch: FlowBatch,
    winners: NDArray[np.int8],
    is_b: NDArray[np.bool_] | None = None,
    *,
    jit: bool | None = None,
) -> NDArray[np.void]:
    """Return the TRIALS of finished flows, by service with the other host; ``is_b`` says which end is the service."""
    ended = np.array([rule.verdict in ENDED for rule in VERDICTS])[winners] & ~_was_cut_before(batch)
    jit = jit_wanted(large=len(batch) >= LARGE, asked=jit)
    rows = records(TRIALS, 2 * len(batch), jit=jit)
    if is_b is None:
        is_b = responder_is_b(batch)
    count = trials_of.choose(jit=jit)(
        thaw(batch.flow, jit=jit), ended if jit else ended.tolist(), is_b if jit else is_b.tolist(), capture, rows
    )
    # a copy, because entries wait to be folded, and would hold what there was room for
    found: NDArray[np.void] = stacked([freeze(rows[:count], TRIALS)])
    return found


def _was_cut_before(batch: FlowBatch) -> NDArray[np.bool_]:
    """Return of which flows something had stayed unacknowledged since before the silence that waits.

    It is a pause between retransmissions, or they had ceased: nobody was idle, and that pause did not cut the way.
    """
    began = batch.flow["trial_from"]
    pending = [(end["unacked_ns"] >= 0) & (end["unacked_frame"] <= began) for end in (batch.a, batch.b)]
    cut: NDArray[np.bool_] = pending[0] | pending[1]
    return cut


def silences(capture: int, batch: FlowBatch, winners: NDArray[np.int8]) -> Iterator[Silence]:
    """Yield the silences of finished flows, each by itself, as a picture shows them."""
    for row in trials(capture, batch, winners):
        service = Endpoint(address_text(int(row["hi"]), int(row["lo"])), int(row["port"]))
        yield Silence(service, bool(row["half"]), bool(row["died"]), int(row["ns"]))


class IdleTrials:
    """The trials of all flows, added up batch by batch."""

    def __init__(self, settled: NDArray[np.void] | None = None) -> None:
        """Start with none, or with these."""
        self._settled = np.zeros(0, dtype=TRIALS) if settled is None else settled
        self._new: list[NDArray[np.void]] = []
        self._waiting = 0
        self.shortened = False
        """Whether there were more groups than are told apart."""

    def add(
        self, capture: int, batch: FlowBatch, winners: NDArray[np.int8], is_b: NDArray[np.bool_] | None = None
    ) -> None:
        """Add the trials of finished flows; ``is_b`` says which end is the service."""
        found = trials(capture, batch, winners, is_b)
        if not len(found):
            return
        if not self.shortened:
            pairs = stacked([found])
            pairs["port"] = -1
            self._wait(pairs)
        found["other_hi"] = found["other_lo"] = 0
        self._wait(found)

    def _wait(self, rows: NDArray[np.void]) -> None:
        """Add entries that may be folded later."""
        self._new.append(rows)
        self._waiting += len(rows)
        if self._waiting >= max(FOLD, len(self._settled)):
            self.settled()

    def settled(self) -> NDArray[np.void]:
        """Return one entry for each group and kind, those of a group one behind the other, in order."""
        if not self._waiting:
            return self._settled
        every = stacked([self._settled, *self._new])
        self._new, self._waiting = [], 0
        found = _added_up(every)
        if len(found) > MOST:
            self.shortened = True
            found = pick(found, np.flatnonzero(found["port"] >= 0))
        self._settled = pick(found, _order_of(found)[:MOST])
        return self._settled

    def merge(self, other: IdleTrials, at: int) -> None:
        """Add the trials of another analysis, whose captures come after the first ``at`` of this one."""
        entries = other.settled().copy()
        entries["capture"] += at
        self._new.append(entries)
        self._waiting += len(entries)
        self.shortened |= other.shortened
        self.settled()

    def copy(self) -> IdleTrials:
        """Return the same, to go on with."""
        both = IdleTrials(self.settled())
        both.shortened = self.shortened
        return both

    def limits(self, *, all_services: bool = True, only_worth_telling: bool = False) -> list[IdleLimit]:
        """Return what the trials say of groups in which one died: of services, and of hard limits of pairs of hosts.

        Hard limits come first, then services, those with many trials first. Without ``all_services`` only hard ones;
        ``only_worth_telling`` leaves out pairs, and of services those that are not: there may be a thousand.
        """
        rows = self.settled()
        if not len(rows):
            return []
        at = np.flatnonzero(rows["died"] == 1)
        before = np.maximum(at - 1, 0)
        has_survived = ~_differ(rows)[at] & (at > 0)
        enough = has_survived & (np.minimum(rows["count"][at], rows["count"][before]) >= ENOUGH)
        longer = rows["ns"][at] > rows["ns"][before]
        hardly_shorter = rows["ns"][before] <= rows["ns"][at] + rows["ns"][at] // LATE
        clear = _are_clear(rows[at]) & _are_clear(rows[before])
        apart = rows["last_ns"][at] - rows["first_ns"][at] > ONE_MOMENT_NS
        hard = enough & (longer | (hardly_shorter & clear)) & apart
        of_service = rows["port"][at] >= 0
        worth = hard | (enough & ~longer & ~hardly_shorter)
        told = of_service & worth if only_worth_telling else hard | (all_services & of_service)
        found = [
            _limit(rows[died], rows[died - 1] if survived else None)
            for died, survived in zip(at[told].tolist(), has_survived[told].tolist(), strict=True)
        ]
        return sorted(found, key=_order)


def rehearse(batch: FlowBatch) -> None:
    """Call, compiled, the loops that flows of such a batch take."""
    trials(0, batch, np.zeros(len(batch), dtype=np.int8), jit=True)
    _added_up(np.zeros(1, dtype=TRIALS), jit=True)


def _added_up(rows: NDArray[np.void], *, jit: bool | None = None) -> NDArray[np.void]:
    """Return one entry for all of a group and kind."""
    jit = jit_wanted(large=len(rows) >= LARGE, asked=jit)
    slots = 1 << (2 * len(rows)).bit_length()
    found = records(TRIALS, len(rows), jit=jit)
    keys = keys_of(int.from_bytes(os.urandom(8), "big"))
    count = fold.choose(jit=jit)(
        thaw(rows, jit=jit),
        np.zeros(slots, dtype=np.int64) if jit else [0] * slots,
        found,
        np.array(keys) if jit else list(keys),
    )
    written: NDArray[np.void] = freeze(found[:count], TRIALS)
    return written


def _order_of(rows: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the order in which entries of a group follow each other, what survived before what did not."""
    return np.lexsort((rows["died"], *(rows[name] for name in SAME)))


def _differ(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which entries are of another group than the one before."""
    differs = np.zeros(len(rows), dtype=np.bool_)
    differs[:1] = True
    for name in SAME:
        differs[1:] |= np.diff(rows[name]) != 0
    return differs


def _order(limit: IdleLimit) -> tuple[bool, bool, int]:
    """Sort limits: hard ones first, services before pairs, many trials first."""
    return limit.is_hard is not True, limit.service is None, -limit.shortest.count


def _limit(died: np.void, survived: np.void | None) -> IdleLimit:
    """Return what a group's entries say."""
    address, port = address_text(int(died["hi"]), int(died["lo"])), int(died["port"])
    return IdleLimit(
        int(died["capture"]),
        Endpoint(address, port) if port >= 0 else None,
        (address_text(int(died["other_hi"]), int(died["other_lo"])), address) if port < 0 else None,
        bool(died["half"]),
        None if survived is None else _trial(survived),
        _trial(died),
        int(died["last_ns"]) - int(died["first_ns"]),
        survived is not None and int(survived["last_ns"]) <= int(died["first_ns"]),
    )


def _are_clear(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return of which entries `Trial.is_clear` is true."""
    clear: NDArray[np.bool_] = _apart(rows) >= np.maximum(ENOUGH, rows["count"] / FEW)
    return clear


def _apart(rows: NDArray[np.void]) -> NDArray[np.int64]:
    together: NDArray[np.int64] = rows["there"] + rows["beside"]
    return rows["count"] - together


def _trial(row: np.void) -> Trial:
    ns, flow, from_frame, to_frame, count = (int(row[name]) for name in ("ns", "number", "from", "to", "count"))
    return Trial(ns, flow, from_frame, to_frame, count, int(_apart(np.asarray(row))))
