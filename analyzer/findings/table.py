"""THE THIRD TABLE: what an engineer should know about a flow, each with its evidence.

Every kind of which a row holds is found: a flow may have several findings. The order is that in which an engineer wants
to hear them, in every output: what ended the flow, what went wrong, what could, what the capture lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.case import Case
from analyzer.findings.kind import Scope
from analyzer.findings.kinds import (
    abort,
    capture_lacks,
    close_wait,
    dead_peer,
    fin_wait_2,
    foreign_reset,
    forgotten,
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
from analyzer.judge.judged import Finding, JudgedFlow
from analyzer.judge.timers import inference
from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from analyzer.findings.kind import FindingKind
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.verdict import Ending

FINDINGS: Final[tuple[FindingKind, ...]] = (
    # ── what ended it ──
    fin_wait_2.EXPIRED,
    dead_peer.DEAD,
    dead_peer.ANSWERS_LOST,
    foreign_reset.FROM_BETWEEN,
    forgotten.FORGOTTEN,
    late_data.LATE_DATA,
    abort.ABORT,
    unanswered.STILL_PROBING,
    unanswered.THEN_NONE,
    window.UNANSWERED,
    # ── what went wrong on the way ──
    close_wait.HELD,
    close_wait.UNPROBED,
    half_close.IN_USE,
    close_wait.SLOW,
    half_close.FIN_SENDER_PROBES,
    outstanding.OUTSTANDING,
    idle.BEYOND_LIMIT,
    lapses.STOPPED,
    lapses.LOST,
    window.FOR_LONG,
    window.CLOSED,
    icmp_errors.ERRORS,
    ignored_reset.IGNORED,
    # ── what could go wrong, or be better ──
    idle.UNPROBED,
    rhythm.AGGRESSIVE,
    rhythm.BOTH_ENDS,
    lookalikes.LOOKALIKE,
    # ── what the capture lacks ──
    capture_lacks.ONE_SIDED,
    capture_lacks.CUT,
    capture_lacks.MIDSTREAM,
    capture_lacks.CLOCK,
    translation.TRANSLATED,
)

CODES: Final = tuple(kind.code for kind in FINDINGS)
"""Every finding's code, in the order of the table."""
_BY_CODE: Final = {kind.code: kind for kind in FINDINGS}


def kind_of(code: str) -> FindingKind:
    """Return everything about the findings with this code.

    Raises:
        KeyError: there is no such code.
    """
    return _BY_CODE[code]


def judge(record: FlowRecord, ending: Ending) -> JudgedFlow:
    """Return the flow with settings inferred and findings made; no word is made here."""
    settings_a, settings_b = inference.infer(record, ending, "a"), inference.infer(record, ending, "b")
    cases = [Case(record, ending, side, s) for side, s in zip(SIDES, (settings_a, settings_b), strict=True)]
    found = []
    for kind in FINDINGS:
        for row in kind.rows:
            for case in cases if kind.scope is Scope.ENDPOINT else cases[:1]:
                if all(condition(case) for condition in row.conditions):
                    frames, data = row.evidence(case)
                    found.append(Finding(kind.code, case.side if kind.scope is Scope.ENDPOINT else None, frames, data))
    return JudgedFlow(record, ending, settings_a, settings_b, tuple(found))
