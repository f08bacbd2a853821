"""THE THIRD TABLE: what an engineer should know about a flow, each with its evidence.

Every row whose conditions all hold wins: a flow may have several findings. Rows of scope ENDPOINT are tried for both
endpoints, rows of scope FLOW once. The order is that in which an engineer wants to hear them: what ended the flow, what
went wrong, what could, what the capture lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings import evidence as e
from analyzer.findings.case import Case
from analyzer.judge.judged import Finding, JudgedFlow
from analyzer.judge.timers import inference
from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.verdict import Ending


class Scope(Enum):
    """What a row is about."""

    ENDPOINT = "endpoint"
    FLOW = "flow"


@dataclass(frozen=True, slots=True)
class FindingRule:
    """A row of the table: if all conditions hold, this is found, with this evidence."""

    code: str
    conditions: tuple[c.Condition, ...]
    evidence: e.Builder
    scope: Scope = Scope.ENDPOINT


FINDINGS: Final = (
    # ── what ended it ──
    FindingRule(
        "fin-wait-2-expired",
        (c.reset_by_itself, c.verdict_reset_on_probe, c.fin_acknowledged, c.peer_sent_no_fin),
        e.fin_wait_2,
    ),
    FindingRule(
        "fin-wait-2-expired",
        (c.reset_by_itself, c.verdict_aborted, c.peer_sent_no_fin, c.reset_a_minute_after_fin_acknowledged),
        e.fin_wait_2,
    ),
    FindingRule(
        "dead-peer-detected", (c.verdict_timed_out, c.reset_in_its_name, c.last_probes_unanswered), e.dead_peer
    ),
    FindingRule(
        "answers-lost-behind-capture",
        (c.verdict_timed_out, c.reset_in_its_name, c.last_probe_answered_in_capture),
        e.lost_answers,
    ),
    FindingRule("reset-from-between", (c.reset_from_between,), e.between),
    FindingRule(
        "peer-forgot-connection",
        (c.reset_by_itself, c.verdict_reset_on_probe, c.sent_no_fin, c.peer_sent_no_fin),
        e.forgot,
    ),
    FindingRule(
        "peer-forgot-connection",
        (c.reset_by_itself, c.verdict_aborted, c.reset_answers_data, c.sent_no_fin, c.peer_sent_no_fin),
        e.forgot,
    ),
    FindingRule(
        "data-after-peer-closed",
        (c.verdict_aborted, c.peer_sent_fin, c.sent_no_fin, c.peer_reset_answers_data, c.sent_data_since_peer_fin),
        e.late_data,
    ),
    FindingRule("abort-without-fin", (c.reset_by_itself, c.verdict_aborted, c.reset_is_abort, c.sent_no_fin), e.abort),
    FindingRule(
        "still-probing-at-end",
        (c.silent_to_probes, c.last_probes_unanswered, c.probed_last, c.next_probe_not_overdue),
        e.still_probing,
    ),
    FindingRule(
        "probes-unanswered-then-none",
        (c.silent_to_probes, c.last_probes_unanswered, c.probed_last, c.next_probe_overdue),
        e.still_probing,
    ),
    # ── what went wrong on the way ──
    FindingRule(
        "close-wait-held-by-keepalive",
        (c.peer_fin_acknowledged, c.sent_no_fin, c.probed_after_peer_fin, c.sent_no_data_since_peer_fin),
        e.close_wait,
    ),
    FindingRule(
        "close-wait-without-probes",
        (
            c.verdict_half_closed,
            c.peer_fin_acknowledged,
            c.sent_no_fin,
            c.sent_no_data_since_peer_fin,
            c.nobody_probes_half_closed,
            c.half_closed_for_a_minute,
        ),
        e.close_wait_unprobed,
    ),
    FindingRule(
        "half-close-in-use",
        (c.peer_sent_fin, c.peer_takes_data_after_its_fin, c.half_closed_for_long),
        e.half_close,
    ),
    FindingRule(
        "slow-to-close",
        (c.peer_sent_fin_first, c.probed_before_closing, c.sent_no_data_since_peer_fin),
        e.slow_close,
    ),
    FindingRule("fin-sender-still-probes", (c.sent_fin, c.probed_after_own_fin), e.own_fin_probes),
    FindingRule(
        "data-unacknowledged-no-keepalive",
        (c.verdict_silent, c.sent_again_unacknowledged, c.probed_none_since),
        e.unacknowledged,
    ),
    FindingRule(
        "idle-beyond-middlebox-limit",
        (c.probes, c.peer_forgot_or_silent, c.silent_for_minutes_before_the_end),
        e.middlebox,
    ),
    FindingRule("probes-stopped", (c.probe_overdue,), e.overdue),
    FindingRule("probes-lost-but-recovered", (c.probes_lost,), e.lost_probes),
    FindingRule("window-closed", (c.probed_closed_window,), e.closed_window),
    FindingRule("window-closed", (c.window_stays_closed,), e.window_shut),
    FindingRule("icmp-errors-end-nothing", (c.got_icmp_errors,), e.icmp),
    FindingRule("reset-ignored", (c.sent_ignored_reset,), e.ignored),
    # ── what could go wrong, or be better ──
    FindingRule(
        "idle-without-probes", (c.established, c.nobody_probes, c.long_silence_unprobed), e.unprobed, Scope.FLOW
    ),
    FindingRule("aggressive-probing", (c.probes_often,), e.often),
    FindingRule("both-ends-probe", (c.probes, c.peer_probes), e.both_probe, Scope.FLOW),
    FindingRule("not-keepalive-lookalikes", (c.has_lookalikes,), e.lookalikes),
    # ── what the capture lacks ──
    FindingRule("one-sided-capture", (c.one_end_unseen,), e.one_sided, Scope.FLOW),
    FindingRule("headers-cut", (c.headers_cut,), e.cut, Scope.FLOW),
    FindingRule("midstream-start", (c.starts_midstream, c.probed_or_reset), e.first_frame, Scope.FLOW),
    FindingRule("clock-went-back", (c.clock_went_back,), e.backwards, Scope.FLOW),
)

CODES: Final = tuple(dict.fromkeys(rule.code for rule in FINDINGS))
"""Every finding's code, in the order of the table."""


def judge(record: FlowRecord, ending: Ending) -> JudgedFlow:
    """Return the flow with settings inferred and findings made."""
    settings_a, settings_b = inference.infer(record, ending, "a"), inference.infer(record, ending, "b")
    cases = [Case(record, ending, side, s) for side, s in zip(SIDES, (settings_a, settings_b), strict=True)]
    found = []
    for rule in FINDINGS:
        for case in cases if rule.scope is Scope.ENDPOINT else cases[:1]:
            if all(condition(case) for condition in rule.conditions):
                frames, data = rule.evidence(case)
                found.append(Finding(rule.code, case.side if rule.scope is Scope.ENDPOINT else None, frames, data))
    return JudgedFlow(record, ending, settings_a, settings_b, tuple(found))
