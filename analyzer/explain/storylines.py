"""Which words tell a flow: by its verdict and its leading finding.

Ordered, first match wins; the last row of each verdict asks for no finding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from analyzer.explain import expired, gaveup, halfclose, orderly, quiet, resets
from analyzer.judge.verdict import Verdict
from analyzer.words.model import Line
from analyzer.words.teller import Teller

Words = Callable[[Teller], list[Line]]


@dataclass(frozen=True, slots=True)
class Storyline:
    """How one kind of flow is told."""

    verdicts: frozenset[Verdict]
    code: str | None
    """The finding that must be there, if any."""
    headline: Callable[[Teller], str]
    happened: Words
    why: Words


def _told(
    verdicts: Verdict | tuple[Verdict, ...],
    code: str | None,
    headline: Callable[[Teller], str],
    happened: Words,
    why: Words,
) -> Storyline:
    return Storyline(
        frozenset((verdicts,) if isinstance(verdicts, Verdict) else verdicts), code, headline, happened, why
    )


_RESET: Final = tuple(verdict for verdict in Verdict if verdict.is_reset)

STORYLINES: Final = (
    _told(_RESET, "reset-from-between", resets.between_headline, resets.between, resets.between_why),
    _told(_RESET, "fin-wait-2-expired", expired.headline, expired.happened, expired.why),
    _told(_RESET, "peer-forgot-connection", resets.forgot_headline, resets.forgot, resets.forgot_why),
    _told(Verdict.TIMED_OUT, "dead-peer-detected", gaveup.dead_headline, gaveup.dead, gaveup.dead_why),
    _told(Verdict.TIMED_OUT, "answers-lost-behind-capture", gaveup.belied_headline, gaveup.belied, gaveup.belied_why),
    _told(
        Verdict.ABORTED,
        "data-after-peer-closed",
        halfclose.late_data_headline,
        halfclose.late_data,
        halfclose.late_data_why,
    ),
    _told(Verdict.ABORTED, "abort-without-fin", resets.abort_headline, resets.abort, resets.abort_why),
    _told(_RESET, None, quiet.reset_headline, quiet.reset, quiet.reset_why),
    _told(Verdict.SILENT, "still-probing-at-end", gaveup.silent_headline, gaveup.silent, gaveup.silent_why),
    _told(Verdict.SILENT, "probes-unanswered-then-none", gaveup.silent_headline, gaveup.silent, gaveup.silent_why),
    _told(
        Verdict.SILENT,
        "data-unacknowledged-no-keepalive",
        gaveup.unacked_headline,
        gaveup.unacked,
        gaveup.unacked_why,
    ),
    _told(Verdict.SILENT, None, quiet.silent_headline, quiet.silent, quiet.nothing),
    _told(Verdict.HALF_CLOSED, None, halfclose.headline, halfclose.happened, halfclose.why),
    _told(Verdict.CLOSED, None, orderly.closed_headline, orderly.closed, orderly.closed_why),
    _told(Verdict.OPEN, None, orderly.open_headline, orderly.open_, orderly.open_why),
    _told(Verdict.UNESTABLISHED, None, quiet.unestablished_headline, quiet.unestablished, quiet.unestablished_why),
    _told(Verdict.UNDETERMINED, None, quiet.undetermined_headline, quiet.undetermined, quiet.nothing),
)


def storyline_of(t: Teller) -> Storyline:
    """Return how this flow is told."""
    return next(
        storyline
        for storyline in STORYLINES
        if t.ending.verdict in storyline.verdicts and (storyline.code is None or t.find(storyline.code) is not None)
    )
