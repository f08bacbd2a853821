"""THE THIRD TABLE: what an engineer should know about a flow, each with its evidence.

Every kind of which a row holds is found: a flow may have several findings. The order is that in which an engineer wants
to hear them, in every output: what ended the flow, what went wrong, what could, what the capture lacks.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings.case import Case
from analyzer.findings.flows import Flows
from analyzer.findings.kind import Scope
from analyzer.findings.kinds import (
    abort,
    answers_lost,
    capture_lacks,
    close_wait,
    data_limit,
    dead_peer,
    farewells,
    fin_again,
    fin_wait_2,
    foreign_reset,
    forgotten,
    half_close,
    half_open,
    heartbeat_limits,
    heartbeats_missed,
    icmp_errors,
    idle,
    idle_close_race,
    idle_reset,
    ignored_reset,
    lapses,
    late_data,
    lookalikes,
    missing_data,
    new_way,
    no_answers,
    no_heartbeats,
    no_reply,
    old_timestamps,
    one_way,
    outstanding,
    path_mtu,
    pauses,
    program_hung,
    rhythm,
    too_many_pings,
    translation,
    unanswered,
    untranslated,
    window,
)
from analyzer.judge.judged import Finding, JudgedFlow
from analyzer.judge.timers import inference
from analyzer.track.flow import SIDES
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.findings.columns import Columns
    from analyzer.findings.flows import Mask
    from analyzer.findings.kind import FindingKind, Row
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.timers.settings import BothSettings
    from analyzer.judge.verdict import Ending

FINDINGS: Final[tuple[FindingKind, ...]] = (
    # ── what ended it ──
    farewells.REASON_GIVEN,
    fin_wait_2.EXPIRED,
    dead_peer.DEAD,
    answers_lost.ANSWERS_LOST,
    foreign_reset.FROM_BETWEEN,
    half_open.DISCOVERED,
    half_open.BLOCKED,
    path_mtu.LARGE_LOST,
    missing_data.NEVER_PASSED,
    forgotten.FORGOTTEN,
    idle_close_race.RACE,
    late_data.LATE_DATA,
    late_data.MET_CLOSE,
    idle_reset.AT_LIMIT,
    abort.ABORT,
    one_way.LIVE_UNANSWERED,
    unanswered.STILL_PROBING,
    unanswered.THEN_NONE,
    window.UNANSWERED,
    no_answers.ANSWERS_NONE,
    too_many_pings.TOO_MANY,
    program_hung.HUNG,
    no_heartbeats.NEVER_SENT,
    no_reply.NO_REPLY,
    # ── what went wrong on the way ──
    close_wait.HELD,
    close_wait.UNPROBED,
    half_close.IN_USE,
    close_wait.SLOW,
    half_close.FIN_SENDER_PROBES,
    fin_again.FIN_AGAIN,
    outstanding.OUTSTANDING,
    idle.BEYOND_LIMIT,
    data_limit.LIMIT,
    heartbeat_limits.SLOWER,
    heartbeats_missed.MISSED,
    heartbeat_limits.CEASED,
    pauses.SLEPT,
    pauses.PAUSED,
    lapses.STOPPED,
    lapses.LOST,
    new_way.NEW_WAY,
    window.FOR_LONG,
    window.CLOSED,
    icmp_errors.ERRORS,
    untranslated.LEFT_UNTRANSLATED,
    untranslated.OTHER_UNTRANSLATED,
    ignored_reset.IGNORED,
    old_timestamps.WENT_BACK,
    # ── what could go wrong, or be better ──
    idle.UNPROBED,
    rhythm.BELOW_ROUND_TRIP,
    rhythm.AGGRESSIVE,
    rhythm.BOTH_ENDS,
    lookalikes.LOOKALIKE,
    # ── what the capture lacks ──
    capture_lacks.ONE_SIDED,
    capture_lacks.CUT,
    capture_lacks.MIDSTREAM,
    capture_lacks.CLOCK,
    heartbeat_limits.ONLY_PROBES,
    heartbeat_limits.MASKED,
    translation.TRANSLATED,
)

CODES: Final = tuple(kind.code for kind in FINDINGS)
"""Every finding's code, in the order of the table."""
ROWS: Final = tuple((kind, row) for kind in FINDINGS for row in kind.rows)
"""Every row of the table with its kind, in the order of the table."""
_CODE_OF_ROW: Final = np.array([CODES.index(kind.code) for kind, _ in ROWS])
_BY_CODE: Final = {kind.code: kind for kind in FINDINGS}


def kind_of(code: str) -> FindingKind:
    """Return everything about the findings with this code.

    Raises:
        KeyError: there is no such code.
    """
    return _BY_CODE[code]


@dataclass(frozen=True, slots=True)
class Hits:
    """Which of some flows have which findings: an entry for each, flow by flow, in the order of the table."""

    flow: NDArray[np.int64]
    """Index of the flow, among those searched."""
    row: NDArray[np.int64]
    """Index in ROWS."""
    side: NDArray[np.int64]
    """The endpoint that the flow was looked at from."""
    start: NDArray[np.int64]
    """Where each flow's entries begin; one more at the end."""

    def of(self, index: int) -> list[tuple[int, int]]:
        """Return what one flow has: rows in ROWS, and the endpoint that each is seen from."""
        part = slice(self.start[index], self.start[index + 1])
        return list(zip(self.row[part].tolist(), self.side[part].tolist(), strict=True))

    def each(self) -> Iterator[list[tuple[int, int]]]:
        """Yield the same of all flows, in order."""
        found = list(zip(self.row.tolist(), self.side.tolist(), strict=True))
        return (found[first:stop] for first, stop in pairwise(self.start.tolist()))

    def counts(self) -> NDArray[np.int64]:
        """Return how many findings each flow has."""
        return np.diff(self.start)

    def by_code(self) -> dict[str, NDArray[np.int64]]:
        """Return by code which flows have a finding, each once, in order; codes that none has are left out."""
        codes = _CODE_OF_ROW[self.row]
        found = {}
        for at in np.flatnonzero(np.bincount(codes)).tolist():
            flows = self.flow[codes == at]  # in order; numpy.unique would import what masked arrays need
            found[CODES[at]] = flows[np.concatenate(([True], flows[1:] != flows[:-1]))]
        return found

    def take(self, picked: NDArray[np.int64]) -> Hits:
        """Return what only the flows at these indices have."""
        counts = self.counts()[picked]
        start = np.concatenate(([0], np.cumsum(counts)))
        of_these = np.repeat(self.start[:-1][picked] - start[:-1], counts) + np.arange(start[-1])
        return Hits(np.repeat(np.arange(len(picked)), counts), self.row[of_these], self.side[of_these], start)


def joined(some: Sequence[Hits]) -> Hits:
    """Return what flows have of which these are parts, in order; at least one."""
    sizes = [len(hits.start) - 1 for hits in some]
    first = np.cumsum([0, *sizes[:-1]])
    return Hits(
        np.concatenate([hits.flow + at for hits, at in zip(some, first, strict=True)]),
        np.concatenate([hits.row for hits in some]),
        np.concatenate([hits.side for hits in some]),
        np.concatenate(([0], np.cumsum(np.concatenate([hits.counts() for hits in some])))),
    )


def search(columns: Columns) -> Hits:
    """Return which of these flows have which findings."""
    hits = [np.empty((3, 0), dtype=np.int64)]
    flows = Flows(columns, 0)
    views = (flows, flows.from_peer)
    for at, (kind, row) in enumerate(ROWS):
        for side in range(len(SIDES) if kind.scope is Scope.ENDPOINT else 1):
            having = np.flatnonzero(mask) if (mask := _holds(row, views[side])) is not None else ()
            if len(having):
                hits.append(np.stack([having, np.full(len(having), at), np.full(len(having), side)]))
    flows.let_go()
    found = np.concatenate(hits, axis=1)
    flow, rows, sides = found[:, np.argsort(found[0], kind="stable")]
    return Hits(flow, rows, sides, np.searchsorted(flow, np.arange(len(columns) + 1)))


def _holds(row: Row, flows: Flows) -> Mask | None:
    """Say for which flows all conditions of a row hold; None if for none."""
    mask = None
    for condition in row.conditions:
        if not flows.somewhere(condition):
            return None
        holds = flows.once(condition)
        mask = holds if mask is None else mask & holds
        if mask is not holds and not np.count_nonzero(mask):
            return None
    return mask


def judge(
    record: FlowRecord, ending: Ending, has: Sequence[tuple[int, int]], settings: BothSettings | None = None
) -> JudgedFlow:
    """Return a flow with its settings, inferred unless they are known, and the findings that it ``has`` (``Hits.of``).

    No word is made here.
    """
    if settings is None:
        settings = inference.infer(record, ending, "a"), inference.infer(record, ending, "b")
    found = []
    for at, side in has:
        kind, row = ROWS[at]
        case = Case(record, ending, SIDES[side], settings)
        frames, data = row.evidence(case)
        found.append(Finding(kind.code, case.side if kind.scope is Scope.ENDPOINT else None, frames, data))
    return JudgedFlow(record, ending, settings, tuple(found))
