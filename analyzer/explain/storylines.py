"""Which words tell a flow: those of the finding that leads, else those of its verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from analyzer.explain import halfclose, orderly, quiet, why_so
from analyzer.findings import kind_of
from analyzer.judge.verdict import Verdict
from analyzer.values import dataclass
from analyzer.words.model import Line
from analyzer.words.teller import Teller

if TYPE_CHECKING:
    from analyzer.findings import Lead
    from analyzer.judge.judged import Finding

Words = Callable[[Teller], list[Line]]


@dataclass(frozen=True, slots=True)
class Storyline:
    """How one flow is told."""

    headline: Callable[[Teller], str]
    happened: Words
    why: Words


_RESET: Final = Storyline(quiet.reset_headline, quiet.reset, quiet.reset_why)

STORYLINES: Final = {
    Verdict.RESET_ON_PROBE: _RESET,
    Verdict.TIMED_OUT: _RESET,
    Verdict.ABORTED: _RESET,
    Verdict.SILENT: Storyline(quiet.silent_headline, quiet.silent, quiet.nothing),
    Verdict.HALF_CLOSED: Storyline(halfclose.headline, halfclose.happened, halfclose.why),
    Verdict.CLOSING: Storyline(halfclose.closing_headline, halfclose.closing, quiet.nothing),
    Verdict.CLOSED: Storyline(orderly.closed_headline, orderly.closed, orderly.closed_why),
    Verdict.OPEN: Storyline(orderly.open_headline, orderly.open_, orderly.open_why),
    Verdict.UNESTABLISHED: Storyline(quiet.unestablished_headline, quiet.unestablished, quiet.unestablished_why),
    Verdict.UNDETERMINED: Storyline(quiet.undetermined_headline, quiet.undetermined, quiet.nothing),
}
"""How a flow is told that no finding leads."""


def storyline_of(t: Teller) -> Storyline:
    """Return how this flow is told."""
    leading = leader(t)
    if leading is None:
        return STORYLINES[t.ending.verdict]
    lead, finding = leading
    return Storyline(
        headline=lambda t: lead.headline(t, finding),
        happened=lambda t: lead.happened(t, finding),
        why=lambda t: lead.why(t, finding),
    )


def leader(t: Teller) -> tuple[Lead, Finding] | None:
    """Return the words and the finding that lead this flow's story: the first that can, unless one overrules it."""
    replaced = why_so.replaced(t)
    can = [
        (lead, finding)
        for finding in t.judged.findings
        if (lead := kind_of(finding.code).lead) is not None
        and finding.code not in replaced
        and (lead.when is None or lead.when(t, finding))
    ]
    return next((each for each in can if each[0].overrules), can[0] if can else None)
