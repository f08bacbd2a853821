"""The story of one flow: the most important first, then the timeline, the programs, the capture's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.details import detail_of
from analyzer.explain.expectations import expectations
from analyzer.explain.finding_texts import ENDING_TEXTS
from analyzer.explain.limits import LACKS, limits
from analyzer.explain.other_texts import OTHER_TEXTS
from analyzer.explain.settings import settings_lines
from analyzer.explain.storylines import storyline_of
from analyzer.explain.timeline import timeline
from analyzer.explain.verdict_texts import VERDICT_TEXTS
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.words.model import Line, LongText, Section, Story
from analyzer.words.teller import Teller

if TYPE_CHECKING:
    from analyzer.judge.judged import Finding, JudgedFlow

HAPPENED: Final = "What happened"
WHY: Final = "Why"
CHANGE: Final = "What to change"
ALSO: Final = "Also"
TIMELINE: Final = "Timeline"
SETTINGS: Final = "Keepalive settings, inferred"
EXPECTED: Final = "What the programs see (expected, not captured)"
LIMITS: Final = "What this capture cannot show"

TOLD: Final = frozenset(
    {
        "fin-wait-2-expired",
        "dead-peer-detected",
        "answers-lost-behind-capture",
        "reset-from-between",
        "peer-forgot-connection",
        "data-after-peer-closed",
        "abort-without-fin",
        "still-probing-at-end",
        "probes-unanswered-then-none",
        "close-wait-held-by-keepalive",
        "close-wait-without-probes",
        "half-close-in-use",
        "slow-to-close",
        "fin-sender-still-probes",
        "data-unacknowledged-no-keepalive",
        "probes-stopped",
        *LACKS,
    }
)
"""Findings whose words stand elsewhere in the story."""
NO_ADVICE: Final = frozenset(
    {
        "fin-wait-2-expired",
        "both-ends-probe",
        "half-close-in-use",
        "icmp-errors-end-nothing",
        "midstream-start",
        "clock-went-back",
    }
)
"""Findings that need no change of their own."""
TO_NOBODY: Final = frozenset(
    {"still-probing-at-end", "probes-unanswered-then-none", "probes-stopped", "reset-from-between"}
)
"""Findings whose advice is not for the endpoint they are about."""
MINOR: Final = frozenset({"aggressive-probing", "not-keepalive-lookalikes"})
"""Findings whose advice is left to ``keepalive rules``."""

LONG_TEXTS: Final[dict[str, LongText]] = {**VERDICT_TEXTS, **ENDING_TEXTS, **OTHER_TEXTS}


def headline(judged: JudgedFlow, start_ns: int) -> str:
    """Return one flow in one line."""
    t = Teller(judged, start_ns)
    return storyline_of(t).headline(t)


def detail(finding: Finding, judged: JudgedFlow) -> str:
    """Return one or two sentences about a finding, for the JSON report."""
    return detail_of(Teller(judged, judged.record.first_ns), finding)


def long_text(code: str) -> LongText:
    """Return the long text of a verdict or a finding.

    Raises:
        KeyError: there is no such code.
    """
    return LONG_TEXTS[code]


def story(judged: JudgedFlow, start_ns: int) -> Story:
    """Return the story of one flow; ``start_ns`` is the capture's first instant."""
    t = Teller(judged, start_ns)
    storyline = storyline_of(t)
    parts = (
        (HAPPENED, storyline.happened(t)),
        (WHY, storyline.why(t)),
        (CHANGE, advice(t)),
        (TIMELINE, list(timeline(t))),
        (SETTINGS, settings_lines(t)),
        (ALSO, also(t)),
        (EXPECTED, expectations(t)),
        (LIMITS, limits(t)),
    )
    return Story(
        title=title(t),
        headline=storyline.headline(t),
        sections=tuple(Section(heading, tuple(lines)) for heading, lines in parts if lines),
    )


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


def advice(t: Teller) -> list[Line]:
    """Return what to change, from the long texts of the findings, each with whom it concerns."""
    found = []
    for finding in t.judged.findings:
        if finding.code in NO_ADVICE or finding.code in MINOR:
            continue
        named = finding.about is not None and finding.code not in TO_NOBODY
        who = f"{t.start(finding.about)}: " if named and finding.about is not None else ""
        change = LONG_TEXTS[finding.code].change
        if finding.data.get("unread") == "impossible":
            change = "Leave SO_LINGER alone, unless an abort is meant."
        found.append(Line(who + change, finding.frames))
    if t.find("close-wait-held-by-keepalive") and t.ending.verdict not in {Verdict.TIMED_OUT, Verdict.SILENT}:
        frames = t.need("close-wait-held-by-keepalive").frames
        found.append(Line("Other keepalive settings would change only the number of probes.", frames))
    return found


def also(t: Teller) -> list[Line]:
    """Return the findings that the rest of the story leaves out."""
    return [Line(detail_of(t, finding), finding.frames) for finding in t.judged.findings if finding.code not in TOLD]
