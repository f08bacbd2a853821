"""An end that was not there for a while: a prober that paused, a host whose clock stood still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Remedy, Row
from analyzer.findings.pausing import pauses, pauses_of, standstills_of
from analyzer.judge.timers.probers import passed_no_router
from analyzer.words.model import LongText
from analyzer.words.teller import duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def paused(f: Flows) -> Mask:
    """Before a probe of it nothing passed for twice as long as it usually waits, or ever did before a first probe."""
    return f.any_row(pauses(f)) & ~c.clock_went_back(f)


def _paused_evidence(case: Case) -> Evidence:
    """The longest pause, and what is usual."""
    found = pauses_of(case)
    longest = max(found, key=lambda pause: pause.ns)
    return frames_of(longest.from_frame, longest.probe.frame), known(
        silent_ns=longest.ns,
        usual_ns=longest.usual_ns,
        probe_frame=longest.probe.frame,
        pauses=len(found),
        near=int(passed_no_router(case.record, case.side)),
    )


def _paused_detail(t: Teller, f: Finding) -> str:
    lost = "" if number(f, "near") else ", or its probes were lost before this point"
    others = f" (the longest of {number(f, 'pauses')} such pauses)" if number(f, "pauses") > 1 else ""
    return (
        f"{t.start(side_of(f))} usually waits {duration(number(f, 'usual_ns'))} before it probes, yet nothing came for"
        f" {duration(number(f, 'silent_ns'))} before frame {number(f, 'probe_frame'):,}{others}: its own host slept,"
        f" capturing paused, or keepalive was set anew{lost}."
    )


PAUSED: Final = FindingKind(
    code="probes-paused",
    rows=(Row((paused,), _paused_evidence),),
    text=LongText(
        title="The prober itself was silent for a while",
        meaning=(
            "This end probes in a steady rhythm. Once nothing of the flow passed for more than twice as long, no probe"
            " either, and then it probed again."
        ),
        why=(
            "A kernel that is awake probes on time. So no probe was sent, or none was captured; a shorter idle time"
            " would not have helped. A peer or a box that heard nothing meanwhile may have given the connection up."
        ),
        change=(
            "Check whether the prober's host slept (or its virtual machine was paused) or capturing stopped in that"
            " time: its log shows suspend and resume. Have the programs connect anew after it."
        ),
        doubt=(
            "A program may have set keepalive anew, or turned it off for a while. Captured far from the prober, its"
            " probes may have been lost on the way here. What tells: the prober's log, and TCP timestamps, which on"
            " Linux stand still while the host sleeps."
        ),
        source="Linux tcp_keepalive_timer, ktime_get; RFC 7323 5.4; field guide 2.3",
    ),
    detail=_paused_detail,
    advice=Advice.READER,
    remedies=frozenset({Remedy.STAY_AWAKE}),
)


# ── a host whose own clock says that it slept ──


def clock_stood_still(f: Flows) -> Mask:
    """Its timestamp clock lacks 5 s or more, a tenth at least, of what passed, while its peer's counted on."""
    at = f.columns.standing.at
    own = np.zeros(len(f.columns.owner), dtype=np.bool_)
    own[at[f.seen("side")[at] == f.side]] = True
    return f.any_row(own) & ~c.clock_went_back(f)


def _slept_evidence(case: Case) -> Evidence:
    """The longest standstill."""
    found = standstills_of(case.record, case.side)
    longest = max(found, key=lambda each: each.passed_ns - each.counted_ns)
    return frames_of(longest.from_frame, longest.frame), known(
        passed_ns=longest.passed_ns,
        counted_ns=longest.counted_ns,
        slept_ns=longest.passed_ns - longest.counted_ns,
        from_frame=longest.from_frame,
        to_frame=longest.frame,
        times=len(found),
    )


def _slept_detail(t: Teller, f: Finding) -> str:
    others = f" (the longest of {number(f, 'times')} times)" if number(f, "times") > 1 else ""
    return (
        f"{t.start(side_of(f))}'s timestamp clock counted {duration(number(f, 'counted_ns'))} of the"
        f" {duration(number(f, 'passed_ns'))} before frame {number(f, 'to_frame'):,}, while its peer's ran on: its host"
        f" was suspended for about {duration(number(f, 'slept_ns'))}{others}, or its virtual machine was paused."
    )


SLEPT: Final = FindingKind(
    code="host-was-suspended",
    rows=(Row((clock_stood_still,), _slept_evidence),),
    text=LongText(
        title="The host was suspended for a while",
        meaning=(
            "The TCP timestamps of this end stood still for a while, and those of its peer did not: its host slept, or"
            " was paused, and went on later with the connection still there."
        ),
        why=(
            "A host that sleeps answers no probe and sends none. What it left unanswered then was not lost on the way,"
            " and its peer may give up meanwhile."
        ),
        change=(
            "Keep the host that slept awake while its connections must live (its log shows suspend and resume, or that"
            " its virtual machine was paused, saved or moved), or let its peer's keepalive wait for longer than it"
            " sleeps."
        ),
        doubt=(
            "How fast the clock counts is read from the same flow. A proxy that answers from another machine brings"
            " another clock. Some systems let the clock run on while they sleep: that it ran proves nothing."
        ),
        source="RFC 7323 5.4; Linux ktime_get (CLOCK_MONOTONIC does not count suspend)",
    ),
    detail=_slept_detail,
    advice=Advice.READER,
    remedies=frozenset({Remedy.STAY_AWAKE}),
)
