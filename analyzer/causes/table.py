"""THE FOURTH TABLE: why a flow ended as it did, or fell silent.

Of each kind the first row that holds gives its certainty; all kinds are tried. The surest is the cause, and at equal
certainty one that frames of the flow speak for, else the first in the table; the others that fit are named with it. A
wrong cause is worse than none.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from analyzer.causes.kind import TRIAL_LEAST_NS, Holding, find, traits
from analyzer.causes.kinds import (
    address_moved,
    claimed_twice,
    host,
    on_the_link,
    own_address,
    this_flow,
    told_by_findings,
    told_by_icmp,
    too_large,
)
from analyzer.judge.judged import Certainty
from analyzer.judge.scene import QUESTIONED, Scene
from analyzer.judge.witness import witnesses

if TYPE_CHECKING:
    from analyzer.causes.kind import CauseKind, Traits
    from analyzer.judge.judged import Cause, JudgedFlow
    from analyzer.judge.verdict import Verdict

CAUSES: Final[tuple[CauseKind, ...]] = (
    # ── somebody says so ──
    told_by_icmp.FILTER_REJECTS,
    told_by_icmp.NO_ROUTE_CAUSE,
    told_by_icmp.HOST_DOWN,
    too_large.PATH_MTU,
    # ── the link shows it ──
    claimed_twice.CLAIMED_TWICE,
    address_moved.ADDRESS_MOVED,
    own_address.OWN_CLAIMED,
    on_the_link.LEASE_ENDED,
    on_the_link.ADDRESS_GONE,
    on_the_link.PEER_OFF_LINK,
    on_the_link.GATEWAY_OFF_LINK,
    # ── other flows show it ──
    host.HOST_RESTARTED,
    host.SERVICE_RESTARTED,
    host.REFUSED_TOGETHER,
    host.ALL_SILENT,
    this_flow.LOST_ONCE,
    this_flow.IDLE_LIMIT,
    host.HOST_SILENT,
    this_flow.FORGOTTEN,
    this_flow.FILTER_DROPS,
    # ── findings tell it ──
    *told_by_findings.POINTERS,
    told_by_findings.ONE_DIRECTION,
    told_by_findings.ANSWERS_NONE,
    told_by_findings.ELSEWHERE,
    # ── what else fits ──
    told_by_findings.INCOMPLETE,
    this_flow.PATH_CHANGED,
)

CODES: Final = tuple(kind.code for kind in CAUSES)
"""Every cause's code, in the order of the table."""
_WITHOUT_QUESTION: Final = tuple(kind for kind in CAUSES if not kind.needs_question)
_BY_CODE: Final = {kind.code: kind for kind in CAUSES}
_RANK: Final = list(Certainty)
LIKELY_ENOUGH: Final = (Certainty.PROVEN,)
"""With these certainties nothing else remains."""


def cause_kind(code: str) -> CauseKind:
    """Return everything about the cause with this code.

    Raises:
        KeyError: there is no such code.
    """
    return _BY_CODE[code]


def explained(judged: JudgedFlow) -> JudgedFlow:
    """Return a judged flow with its witnesses, and its causes, the surest first."""
    record, ending = judged.record, judged.ending
    # of most flows that probe nothing beside them bears on how they ended
    asked = record.beside is not None or ending.verdict in QUESTIONED or bool(record.icmp_errors)
    codes = frozenset([finding.code for finding in judged.findings])
    kinds = _possible(_traits_of(judged) | codes, asked=asked)
    if not (kinds or asked):
        return judged
    scene = Scene(record, ending, judged.findings)
    holding = Holding(scene)
    found = [cause for kind in kinds if (cause := find(kind, holding)) is not None]
    if asked:
        return replace(judged, causes=_ranked(found), witnesses=witnesses(scene))
    return replace(judged, causes=_ranked(found)) if found else judged


def _traits_of(judged: JudgedFlow) -> Traits:
    record = judged.record
    return _traits(judged.ending.verdict, errors=bool(record.icmp_errors), is_long=record.trial_ns >= TRIAL_LEAST_NS)


@cache
def _traits(verdict: Verdict, *, errors: bool, is_long: bool) -> Traits:
    return traits(verdict, errors=errors, trial_ns=TRIAL_LEAST_NS if is_long else 0)


@lru_cache(maxsize=1024)
def _possible(known: Traits, *, asked: bool) -> tuple[CauseKind, ...]:
    """Return the causes that a flow with these traits and findings may have."""
    kinds = CAUSES if asked else _WITHOUT_QUESTION
    return tuple([kind for kind in kinds if not kind.needs.isdisjoint(known)])


def may_have(verdict: Verdict, *, is_long: bool) -> bool:
    """Say whether a flow may have a cause though it raises no question and nothing was found in it.

    ``is_long`` says that what broke a silence as long as a known box allows did not get an answer.
    """
    return bool(_possible(_traits(verdict, errors=False, is_long=is_long), asked=False))


def _ranked(found: list[Cause]) -> tuple[Cause, ...]:
    """Return causes by certainty; behind a proven one none is left, and behind a likely one none that is only possible.

    A possible cause of the same story as a likely one says nothing; two likely ones both remain.
    """
    if not found:
        return ()
    best = min(_RANK.index(cause.certainty) for cause in found)
    kept = sorted(
        (cause for cause in found if _RANK.index(cause.certainty) == best), key=lambda cause: not cause.is_shown
    )
    return tuple(kept[:1] if _RANK[best] in LIKELY_ENOUGH else kept)
