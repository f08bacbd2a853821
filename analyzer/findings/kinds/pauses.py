"""A prober that paused: its host slept, capturing did, or its keepalive was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Row
from analyzer.findings.pausing import pauses, pauses_of
from analyzer.judge.timers.gaps import passed_no_router
from analyzer.words.model import LongText
from analyzer.words.teller import duration, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def paused(f: Flows) -> Mask:
    """Before a probe of it nothing passed for more than twice as long as it usually waits, the capture awake."""
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
)
