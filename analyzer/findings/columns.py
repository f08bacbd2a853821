"""The third table over columns: which of a batch's flows have a finding, or may have it, before one is looked at.

A capture of a million flows has findings in thousands, and to make a record of each takes a millisecond. So most
conditions have a twin here that answers for all flows of a batch at once. A twin never says no where its condition
says yes; an ``exact`` one says no more often than it, either. A condition without a twin may hold anywhere.

Where all conditions of a row are exact, the flows that have the finding are known; else those that may have it are,
and who wants to be sure judges them. It must not hold a rule of its own: a test compares each twin with its condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.findings import conditions as c
from analyzer.findings.kind import Condition, Scope
from analyzer.findings.kinds import (
    abort,
    capture_lacks,
    close_wait,
    dead_peer,
    fin_wait_2,
    foreign_reset,
    half_close,
    icmp_errors,
    idle,
    ignored_reset,
    lapses,
    late_data,
    lookalikes,
    outstanding,
    rhythm,
    translation,
    unanswered,
    window,
)
from analyzer.findings.table import FINDINGS
from analyzer.judge.record import NOT_PROBE_WORDS, PROBE_KINDS
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.label.outcome import Answer, Certainty
from analyzer.label.reset import ResetKind
from analyzer.label.rules import Kind
from analyzer.segment import ACK
from analyzer.tolerances import ANSWER_RST_NS, OVERDUE, OVERDUE_NS
from analyzer.track.seen import SEEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.findings.kind import Row
    from analyzer.track.batch import FlowBatch

Mask = Any
Column = Any


class Columns:
    """The columns of some flows of a batch, each taken out once: records are half a kibioctet apart in memory."""

    def __init__(self, batch: FlowBatch, winners: NDArray[np.int8], picked: NDArray[np.int64]) -> None:
        """Take the flows at these indices; ``winners`` are the rows of VERDICTS of the whole batch."""
        self.winners = winners[picked]
        self.ends_ns = batch.ends_ns[picked]
        counts = np.diff(batch.start)[picked]
        self.start = np.cumsum(counts) - counts
        """Where the SEEN rows of each flow begin."""
        self.owner = np.repeat(np.arange(len(picked)), counts)
        """Which of the flows each SEEN row belongs to."""
        self._batch, self._picked = batch, picked
        self._known: dict[tuple[str, str], Column] = {}

    def __len__(self) -> int:
        """Return the number of flows."""
        return len(self._picked)

    def column(self, part: str, name: str) -> Column:
        """Return a column of a part of the batch, which is the name of a field of FlowBatch."""
        key = (part, name)
        if key not in self._known:
            whole = getattr(self._batch, part)[name] if part != "seen" else self._seen[name]
            self._known[key] = whole[self._rows if part == "seen" else self._picked]
        return self._known[key]

    @cached_property
    def _seen(self) -> NDArray[np.void]:
        """The SEEN rows of the batch, or of these flows where the batch has them packed."""
        seen: Any = self._batch.seen
        if isinstance(seen, np.ndarray):
            return seen
        return np.concatenate([np.empty(0, dtype=SEEN), *(self._batch.rows(int(at)) for at in self._picked)])

    @cached_property
    def _rows(self) -> NDArray[np.int64]:
        """Which of them belong to these flows, flow by flow."""
        every = np.arange(len(self.owner))
        if not isinstance(self._batch.seen, np.ndarray):
            return every
        starts = self._batch.start[:-1][self._picked]
        return np.repeat(starts - self.start, np.diff(self._batch.start)[self._picked]) + every


class Flows:
    """Some flows, looked at from one endpoint: what every twin is a function of."""

    def __init__(self, columns: Columns, side: int) -> None:
        """Look from endpoint a (0) or b (1)."""
        self.columns = columns
        self.side = side

    def own(self, name: str) -> Column:
        """Return a column of this endpoint's ENDPOINT records."""
        return self.columns.column("b" if self.side else "a", name)

    def peer(self, name: str) -> Column:
        """Return a column of the other endpoint's."""
        return self.columns.column("a" if self.side else "b", name)

    def run(self, name: str) -> Column:
        """Return a column of this endpoint's RUN records."""
        return self.columns.column("run_b" if self.side else "run_a", name)

    def peer_run(self, name: str) -> Column:
        """Return a column of the other endpoint's."""
        return self.columns.column("run_a" if self.side else "run_b", name)

    def flow(self, name: str) -> Column:
        """Return a column of the FLOW records."""
        return self.columns.column("flow", name)

    def ending(self, name: str) -> Column:
        """Return a column of the ENDING records."""
        return self.columns.column("ending", name)

    def seen(self, name: str) -> Column:
        """Return a column of all SEEN rows."""
        return self.columns.column("seen", name)

    @property
    def ends_ns(self) -> Column:
        """Until when each flow could have been heard."""
        return self.columns.ends_ns

    def verdict_in(self, *words: Verdict) -> Mask:
        """Say which flows have one of these verdicts."""
        return np.array([rule.verdict in words for rule in VERDICTS])[self.columns.winners]

    def rule_is(self, name: str) -> Mask:
        """Say which flows this row of VERDICTS won."""
        return np.array([rule.name == name for rule in VERDICTS])[self.columns.winners]

    @cached_property
    def mine(self) -> Mask:
        """Which rows this endpoint sent."""
        return self.seen("side") == self.side

    @cached_property
    def probing(self) -> Mask:
        """Which rows are probes of this endpoint."""
        return self.mine & self.kind_in(*PROBE_KINDS)

    @property
    def sure(self) -> Mask:
        """Which rows are no suspected probes."""
        return self.seen("certainty") != Certainty.SUSPECTED

    def kind_in(self, *kinds: Kind) -> Mask:
        """Say which rows are of one of these kinds."""
        return np.isin(np.arange(len(Kind)), kinds)[self.seen("kind")]

    def any_row(self, mask: Mask) -> Mask:
        """Say in which flows a mask of rows holds for one."""
        return np.bincount(self.columns.owner[mask], minlength=len(self.columns)) > 0

    @cached_property
    def reset_mine(self) -> Mask:
        """In which flows the RST that ended them came in this endpoint's name."""
        return (self.ending("reset_row") >= 0) & (self.ending("reset_side") == self.side)

    def last_of(self, mask: Mask) -> Column:
        """Return the last SEEN row of each flow that a mask of rows holds for; -1 where there is none."""
        at = np.flatnonzero(mask)
        last = np.full(len(self.columns), -1)
        np.maximum.at(last, self.columns.owner[at], at)
        return last

    def last_probe(self, name: str, absent: int) -> Column:
        """Return a SEEN column at this endpoint's last probe, ``absent`` where it sent none."""
        at = self.last_of(self.probing)
        return np.where(at >= 0, self.seen(name)[at], absent) if len(self.seen(name)) else np.full(len(at), absent)

    def at_row(self, row: Column, name: str, absent: int) -> Column:
        """Return a SEEN column at a row of each flow, ``absent`` where the row is -1."""
        seen = self.seen(name)
        if not len(seen):
            return np.full(len(self.columns), absent)
        at = np.clip(self.columns.start + row, 0, len(seen) - 1)
        return np.where(row >= 0, seen[at], absent)


# ── twins that are more than a comparison ────────────────────────────────────────────────────────────────────────────


def _silence(f: Flows) -> tuple[Column, Mask, Mask]:
    """Return the longest silence of each flow, whether both ends were open in it, and whether it is the last."""
    length, before = f.flow("silence_ns").copy(), f.flow("silence_from").copy()
    length[before == 0] = -1
    active_ns = np.maximum(f.own("active_ns"), f.peer("active_ns"))
    later = np.where(f.own("active_ns") >= f.peer("active_ns"), f.own("active_frame"), f.peer("active_frame"))
    frame = np.where(active_ns > 0, later, f.flow("last_frame"))
    to_the_end = f.ends_ns - np.where(active_ns > 0, active_ns, f.flow("last_ns"))
    opened = f.verdict_in(Verdict.OPEN)
    last = opened & ((to_the_end > length) | ((to_the_end == length) & (frame > before)))
    length, before = np.where(last, to_the_end, length), np.where(last, frame, before)
    shut = (f.own("fin_frame") > 0) & (f.own("fin_frame") <= before)
    shut |= (f.peer("fin_frame") > 0) & (f.peer("fin_frame") <= before)
    shut |= (f.ending("reset_row") >= 0) & (f.ending("reset_frame") <= before)
    return length, ~shut & (f.flow("backwards") == 0), last


def _long_silence(f: Flows) -> Mask:
    length, is_one, _ = _silence(f)
    return is_one & (length >= c.LONG_NS)


def _could_probe(f: Flows) -> Mask:
    _, is_one, last = _silence(f)
    return ~(is_one & last & ((f.own("unacked_ns") >= 0) | (f.peer("unacked_ns") >= 0)))


def _probes_often(f: Flows) -> Mask:
    at = np.flatnonzero(f.probing)
    early, late = at[:-1], at[1:]
    train, owner = f.seen("train"), f.columns.owner
    gaps = (owner[early] == owner[late]) & (train[early] == train[late]) & (f.seen("gap_ns")[late] >= 0)
    gaps &= f.seen("answer")[early] == Answer.ACK
    flows = owner[late[gaps]]
    count = np.bincount(flows, minlength=len(f.columns))
    below = np.bincount(flows[f.seen("gap_ns")[late[gaps]] < rhythm.AGGRESSIVE_NS], minlength=len(f.columns))
    return (f.flow("backwards") == 0) & (count >= rhythm.AGGRESSIVE_LEAST) & (below > count // 2)


def _probe_overdue(f: Flows) -> Mask:
    first = f.run("first_row")
    sure = f.at_row(first, "certainty", 0) != Certainty.SUSPECTED
    waited = np.where(sure, np.maximum(f.at_row(first, "idle_ns", 0), 0), 0)
    quiet = f.ends_ns - np.maximum(f.own("last_ns"), f.peer("last_ns"))
    going_on = f.verdict_in(Verdict.OPEN, Verdict.HALF_CLOSED) & (f.own("fin_frame") == 0)
    unsure = (f.own("unacked_ns") >= 0) | (f.run("trailing") > 0) | (f.flow("backwards") > 0)
    return f.any_row(f.probing & f.sure) & going_on & ~unsure & (quiet > OVERDUE * waited + OVERDUE_NS)


def _reset_answers_data(f: Flows, *, mine: bool) -> Mask:
    of = f.peer if mine else f.own
    data_ns = np.maximum(of("data_ns"), of("resent_ns"))
    after = f.ending("reset_ns") - data_ns
    told = (f.ending("reset_row") >= 0) & (f.ending("reset_side") == (f.side if mine else 1 - f.side))
    told &= (f.ending("reset_kind") == ResetKind.NO_SOCKET) & (of("last_ns") >= 0)
    # what came behind the RST is not in the record
    last = (data_ns == of("last_ns")) | (of("last_ns") > f.ending("reset_ns"))
    return told & last & (after >= 0) & (after <= ANSWER_RST_NS)


def _lost(f: Flows) -> Mask:
    answered = f.probing & ((f.seen("answer") == Answer.ACK) | (f.seen("answer") == Answer.DATA))
    before = np.arange(len(f.columns.owner)) < f.last_of(answered)[f.columns.owner]
    return f.any_row(f.probing & f.sure & before & (f.seen("answer") == Answer.NONE))


def _lookalike(f: Flows) -> Mask:
    kinds = [kind for kind, word in NOT_PROBE_WORDS.items() if word in lookalikes.LOOKALIKES]
    form = (f.seen("payload_len") <= 1) & (f.seen("seq") == f.seen("snd_nxt") - 1)
    return f.any_row(f.mine & form & f.kind_in(*kinds))


def _in_use(f: Flows) -> Mask:
    until = np.where(f.own("fin_frame") > 0, f.own("fin_ns"), f.ends_ns)
    probed = f.run("after_fin") + f.peer_run("after_fin") > 0
    return (f.peer("fin_frame") > 0) & (probed | (until - f.peer("fin_ns") >= half_close.IN_USE_NS))


def _no_data_since_fin(f: Flows) -> Mask:
    return (f.peer("fin_frame") == 0) | (f.own("data_ns") < 0) | (f.own("data_ns") <= f.peer("fin_ns"))


def _window_stays_closed(f: Flows) -> Mask:
    going_on = f.verdict_in(Verdict.OPEN, Verdict.SILENT, Verdict.HALF_CLOSED)
    return (f.own("window_shut_frame") > 0) & (f.peer_run("zero_window") == 0) & going_on & (f.peer("fin_frame") == 0)


def _reset_is_abort(f: Flows) -> Mask:
    has_ack = (f.at_row(f.ending("reset_row"), "flags", 0) & ACK) != 0
    return f.reset_mine & has_ack & (f.ending("answers_row") < 0)


# ── the twins ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Twin:
    """A condition over columns."""

    mask: Callable[[Flows], Mask]
    exact: bool = True
    """Whether it holds just where the condition does; else it also holds elsewhere."""


def _ended_otherwise(f: Flows) -> Mask:
    by_me = f.ending("reset_side") == f.side
    closed = (by_me & (f.own("fin_frame") > 0)) | (~by_me & (f.peer("fin_frame") > 0))
    return ~((f.ending("reset_row") >= 0) & closed)


def _nobody(f: Flows) -> Mask:
    return sum(f.run(name) + f.peer_run(name) for name in ("probes", "zero_window")) == 0


TWINS: Final[dict[Condition, Twin]] = {
    c.probes: Twin(lambda f: f.any_row(f.probing & f.sure)),
    rhythm.peer_probes: Twin(lambda f: f.any_row(~f.mine & f.kind_in(*PROBE_KINDS) & f.sure)),
    half_close.sent_fin: Twin(lambda f: f.own("fin_frame") > 0),
    c.sent_no_fin: Twin(lambda f: f.own("fin_frame") == 0),
    c.peer_sent_fin: Twin(lambda f: f.peer("fin_frame") > 0),
    c.peer_sent_no_fin: Twin(lambda f: f.peer("fin_frame") == 0),
    close_wait.peer_fin_acknowledged: Twin(lambda f: (f.peer("fin_frame") > 0) & (f.peer("fin_acked_frame") > 0)),
    close_wait.peer_sent_fin_first: Twin(
        lambda f: (f.own("fin_frame") > f.peer("fin_frame")) & (f.peer("fin_frame") > 0)
    ),
    fin_wait_2.fin_acknowledged: Twin(lambda f: (f.own("fin_frame") > 0) & (f.own("fin_acked_frame") > 0)),
    close_wait.probed_before_closing: Twin(lambda f: f.any_row(f.probing & (f.seen("after_fin") == 2))),
    idle.nobody_probes: Twin(_nobody),
    close_wait.probed_after_peer_fin: Twin(lambda f: f.run("after_peer_fin") > 0),
    half_close.probed_after_own_fin: Twin(lambda f: f.any_row(f.probing & (f.seen("after_fin") == 1))),
    c.sent_no_data_since_peer_fin: Twin(_no_data_since_fin),
    late_data.sent_data_since_peer_fin: Twin(lambda f: ~_no_data_since_fin(f)),
    half_close.peer_takes_data_after_its_fin: Twin(lambda f: ~_no_data_since_fin(f) & (f.own("unacked_ns") < 0)),
    half_close.half_closed_for_long: Twin(_in_use),
    close_wait.nobody_probes_half_closed: Twin(lambda f: f.run("after_fin") + f.peer_run("after_fin") == 0),
    close_wait.half_closed_for_a_minute: Twin(
        lambda f: (f.peer("fin_frame") > 0) & (f.ends_ns - f.peer("fin_ns") >= c.LONG_NS)
    ),
    c.verdict_half_closed: Twin(lambda f: f.verdict_in(Verdict.HALF_CLOSED)),
    c.verdict_timed_out: Twin(lambda f: f.verdict_in(Verdict.TIMED_OUT)),
    c.verdict_reset_on_probe: Twin(lambda f: f.verdict_in(Verdict.RESET_ON_PROBE)),
    c.verdict_aborted: Twin(lambda f: f.verdict_in(Verdict.ABORTED)),
    c.verdict_silent: Twin(lambda f: f.verdict_in(Verdict.SILENT)),
    c.silent_to_probes: Twin(lambda f: f.rule_is("probes-unanswered")),
    window.silent_to_window_probes: Twin(lambda f: f.rule_is("window-unanswered")),
    window.verdict_open: Twin(lambda f: f.verdict_in(Verdict.OPEN)),
    capture_lacks.one_end_unseen: Twin(lambda f: f.rule_is("one-sided")),
    idle.established: Twin(lambda f: ~f.verdict_in(Verdict.UNESTABLISHED, Verdict.UNDETERMINED)),
    idle.peer_forgot_or_silent: Twin(
        lambda f: f.verdict_in(Verdict.RESET_ON_PROBE, Verdict.TIMED_OUT, Verdict.SILENT)
        & (f.own("fin_frame") == 0)
        & (f.peer("fin_frame") == 0)
    ),
    c.reset_in_its_name: Twin(lambda f: f.reset_mine),
    # whom the packet's look points to is worked out flow by flow
    c.reset_by_itself: Twin(lambda f: f.reset_mine, exact=False),
    foreign_reset.reset_from_between: Twin(lambda f: f.reset_mine & (f.ending("stranger") > 0), exact=False),
    c.reset_answers_data: Twin(lambda f: _reset_answers_data(f, mine=True), exact=False),
    late_data.peer_reset_answers_data: Twin(lambda f: _reset_answers_data(f, mine=False), exact=False),
    abort.reset_is_abort: Twin(_reset_is_abort),
    fin_wait_2.reset_a_minute_after_fin_acknowledged: Twin(
        lambda f: f.reset_mine & (f.ending("reset_ns") - f.own("fin_acked_ns") >= fin_wait_2.UNPROMPTED_NS[0]),
        exact=False,
    ),
    c.last_probes_unanswered: Twin(lambda f: f.run("trailing") > 0),
    unanswered.next_probe_overdue: Twin(
        lambda f: (f.run("trailing") > 1) & (f.ends_ns - f.last_probe("ts_ns", -1) > OVERDUE_NS), exact=False
    ),
    # behind a RST that ended the flow the record knows what was heard until then
    unanswered.probed_last: Twin(
        lambda f: (f.run("probes") > 0)
        & ((f.last_probe("ts_ns", -1) == f.own("last_ns")) | (f.ending("reset_row") >= 0)),
        exact=False,
    ),
    dead_peer.last_probe_answered_in_capture: Twin(
        lambda f: np.isin(f.last_probe("answer", 0), [int(Answer.ACK), int(Answer.DATA)])
    ),
    lapses.probes_lost: Twin(
        _lost, exact=False
    ),
    outstanding.sent_again_unacknowledged: Twin(lambda f: (f.own("unacked_ns") >= 0) & (f.own("resent") > 0)),
    outstanding.probed_none_since: Twin(
        lambda f: (f.own("unacked_ns") >= 0) & (f.last_probe("ts_ns", -1) < f.own("unacked_ns")), exact=False
    ),
    lapses.probe_overdue: Twin(_probe_overdue, exact=False),
    window.window_stays_closed: Twin(_window_stays_closed),
    rhythm.probes_often: Twin(_probes_often),
    idle.could_probe: Twin(_could_probe),
    idle.long_silence_unprobed: Twin(_long_silence),
    idle.ended_otherwise: Twin(_ended_otherwise),
    idle.silent_for_minutes_before_the_end: Twin(
        lambda f: ((f.run("trailing") > 0) | (f.ending("answers_row") >= 0))
        & f.any_row(f.probing & (f.seen("gap_ns") >= c.LONG_NS)),
        exact=False,
    ),
    lookalikes.has_lookalikes: Twin(_lookalike),
    window.probed_closed_window: Twin(lambda f: f.peer_run("zero_window") > 0),
    icmp_errors.got_icmp_errors: Twin(lambda f: f.any_row(f.mine & (f.seen("kind") == Kind.ICMP_ERROR))),
    ignored_reset.sent_ignored_reset: Twin(
        lambda f: f.any_row(
            f.mine & (f.seen("kind") == Kind.RESET) & (f.seen("reset_kind") == ResetKind.IGNORED)
        )
    ),
    capture_lacks.starts_midstream: Twin(lambda f: (f.own("syn_frame") == 0) & (f.peer("syn_frame") == 0)),
    capture_lacks.probed_or_reset: Twin(
        lambda f: (f.run("probes") + f.peer_run("probes") > 0) | (f.ending("reset_row") >= 0)
    ),
    c.clock_went_back: Twin(lambda f: f.flow("backwards") > 0),
    capture_lacks.headers_cut: Twin(lambda f: f.flow("cut") > 0),
    translation.captured_under_other_addresses: Twin(lambda f: f.flow("twin") > 0),
}  # fmt: skip


EXACT: Final = frozenset(
    kind.code
    for kind in FINDINGS
    if all(condition in TWINS and TWINS[condition].exact for row in kind.rows for condition in row.conditions)
)
"""The findings of which ``suspects`` knows just which flows have them."""


def suspects(columns: Columns) -> dict[str, NDArray[np.bool_]]:
    """Return by code which flows may have a finding; where the code is in EXACT, which have it.

    Codes that no flow may have are left out.
    """
    both = Flows(columns, 0), Flows(columns, 1)
    known: dict[tuple[int, Condition], Mask] = {}
    found: dict[str, NDArray[np.bool_]] = {}
    for kind in FINDINGS:
        mask = np.zeros(len(columns), dtype=np.bool_)
        for row in kind.rows:
            for view in both if kind.scope is Scope.ENDPOINT else both[:1]:
                mask |= _holds(row, view, known)
        if mask.any():
            found[kind.code] = mask
    return found


def _holds(row: Row, view: Flows, known: dict[tuple[int, Condition], Mask]) -> NDArray[np.bool_]:
    """Say which flows all conditions of a row may hold for; what was worked out of conditions is ``known``."""
    mask = np.ones(len(view.columns), dtype=np.bool_)
    for condition in row.conditions:
        key = (view.side, condition)
        if condition not in TWINS:
            continue
        if key not in known:
            known[key] = TWINS[condition].mask(view)
        mask &= known[key]
        if not mask.any():
            break
    return mask
