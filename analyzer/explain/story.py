"""The story of one flow: the most important first, then the timeline, the programs, the capture's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.causes import CAUSES
from analyzer.explain import quiet, reading, why_so
from analyzer.explain.advice import advice
from analyzer.explain.expectations import expectations
from analyzer.explain.limits import limits
from analyzer.explain.settings import settings_lines
from analyzer.explain.storylines import Storyline, storyline_of
from analyzer.explain.timeline import timeline
from analyzer.explain.verdict_texts import VERDICT_TEXTS
from analyzer.findings import FINDINGS, Told, kind_of
from analyzer.findings.kinds import program_hung, too_many_pings
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.words import beats, stations
from analyzer.words.model import Line, LongText, Section, Story
from analyzer.words.probes import in_all
from analyzer.words.teller import Teller

if TYPE_CHECKING:
    from analyzer.judge.judged import Finding, JudgedFlow

EVIDENCE: Final = "Evidence"
WHO: Final = "Who must act"
REMAINS: Final = "What it may be, and how to find out"
HAPPENED: Final = "What happened"
WHY: Final = "Why"
CHANGE: Final = "What to change"
ALSO: Final = "Also"
TIMELINE: Final = "Timeline"
SETTINGS: Final = "Keepalive settings, inferred"
EXPECTED: Final = "What the programs see (expected, not captured)"
LIMITS: Final = "What this capture cannot show"

LEADING_BEATS: Final = (program_hung.HUNG, too_many_pings.TOO_MANY)
"""Findings that tell of the heartbeats they are about, where they lead a story."""
LONG_TEXTS: Final[dict[str, LongText]] = {
    **{kind.code: kind.text for kind in CAUSES},
    **VERDICT_TEXTS,
    **{kind.code: kind.text for kind in FINDINGS},
}


def headline(judged: JudgedFlow, start_ns: int) -> str:
    """Return one flow in one line."""
    t = Teller(judged, start_ns)
    return _headline(t)


def _headline(t: Teller) -> str:
    """Return the cause, if one leads, then what happened, then how many probes there were, if that is not said yet."""
    cause, happened = why_so.headline(t), storyline_of(t).headline(t)
    told = happened if cause is None else f"{cause} {happened}"
    total = in_all(t, told)
    return told if total is None else f"{told} {total}"


def who_must_act(judged: JudgedFlow, start_ns: int) -> str | None:
    """Return who must act, where a cause leads that says so; None else."""
    return next((line.text for line in why_so.who(Teller(judged, start_ns))), None)


def detail(finding: Finding, judged: JudgedFlow) -> str:
    """Return one or two sentences about a finding, for the JSON report."""
    return kind_of(finding.code).detail(Teller(judged, judged.record.first_ns), finding)


def long_text(code: str) -> LongText:
    """Return the long text of a verdict, a finding or a cause.

    Raises:
        KeyError: there is no such code.
    """
    return LONG_TEXTS[code]


def story(judged: JudgedFlow, start_ns: int) -> Story:
    """Return the story of one flow; ``start_ns`` is the capture's first instant."""
    t = Teller(judged, start_ns)
    storyline = storyline_of(t)
    parts = (
        (EVIDENCE, why_so.evidence(t)),
        (WHO, why_so.who(t)),
        (REMAINS, why_so.remains(t)),
        (HAPPENED, happened(t, storyline)),
        (WHY, why_so.why(t) or storyline.why(t)),
        (CHANGE, advice(t)),
        (TIMELINE, list(timeline(t))),
        (SETTINGS, settings_lines(t)),
        (ALSO, also(t)),
        (EXPECTED, why_so.sees(t) or expectations(t)),
        (LIMITS, limits(t)),
    )
    return Story(
        title=title(t),
        headline=_headline(t),
        sections=tuple(Section(heading, tuple(lines)) for heading, lines in parts if lines),
    )


def happened(t: Teller, storyline: Storyline) -> list[Line]:
    """Return what happened: first the heartbeats of a flow that nothing ended, else behind what did."""
    told = frozenset(
        frame
        for kind in LEADING_BEATS
        for found in t.judged.findings
        if found.code == kind.code
        for frame in found.frames
    )
    beating = beats.beat_lines(t, told)
    own = storyline.happened(t)
    first = [*beating, *own] if t.ending.verdict is Verdict.OPEN else [*own, *beating]
    return [*first, *stations.shown(t), *stations.answers_nearer(t), *quiet.heard_by_syn(t), *reading.late_reads(t)]


def title(t: Teller) -> str:
    """Return which flow it is: who opened it, and to whom; or its two ends."""
    record = t.record
    if record.initiator is None:
        return f"Flow {record.number}: {record.a} (endpoint a) and {record.b} (endpoint b)"
    opener, called = record.initiator, other(record.initiator)
    return (
        f"Flow {record.number}: {record.endpoint(opener)} (client, {opener}) to"
        f" {record.endpoint(called)} (server, {called})"
    )


def also(t: Teller) -> list[Line]:
    """Return the findings that the rest of the story leaves out."""
    kinds = [(kind_of(finding.code), finding) for finding in t.judged.findings]
    return [
        Line(kind.detail(t, finding), finding.frames)
        for kind, finding in kinds
        if kind.told_at(t.ending.verdict) is Told.ALSO
    ]
