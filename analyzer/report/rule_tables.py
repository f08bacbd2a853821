"""Prints the decision tables from the objects that decide, as Wireshark's guide prints its analysis flags."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from analyzer import causes, explain
from analyzer.causes import CAUSES
from analyzer.findings import CODES, FINDINGS, kind_of
from analyzer.judge.connection import TRANSITIONS
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.label.reset_acceptance import RECEPTIONS, Place
from analyzer.label.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.causes import CauseKind
    from analyzer.findings import FindingKind
    from analyzer.report.screen import Screen


PLACES: Final = {
    Place.UNKNOWN: "RCV.NXT unknown",
    Place.BELOW: "SEG.SEQ < RCV.NXT-1",
    Place.ONE_BELOW: "SEG.SEQ = RCV.NXT-1",
    Place.EXACT: "SEG.SEQ = RCV.NXT",
    Place.BETWEEN: "acknowledged <= SEG.SEQ <= sent",
    Place.ABOVE: "above, within the window",
    Place.OUTSIDE: "beyond the window",
}
"""Where the number of a RST lies, as the table of RSTs has it."""


def codes() -> list[str]:
    """Return every word that has a long text: verdicts, then findings, then causes that are none of these."""
    return list(dict.fromkeys([*(verdict.value for verdict in Verdict), *CODES, *causes.CODES]))


def tables(screen: Screen) -> Iterator[str]:
    """Yield all tables."""
    yield from _heading("What a segment is", "rows are tried in order, the first that fits wins", screen)
    for rule in RULES:
        yield from _row(rule.kind.name.lower(), rule.name, rule.cite, rule.conditions, screen)
    yield from _heading("Which RST its receiver takes", "rows are tried in order, the first that fits wins", screen)
    yield from _receptions(screen)
    yield from _heading("How a flow ended", "rows are tried in order, the first that fits wins", screen)
    for verdict in VERDICTS:
        yield from _row(verdict.verdict.value, verdict.name, "", verdict.conditions, screen)
    yield from _heading("What is found in a flow", "every row that fits counts", screen)
    for kind in FINDINGS:
        yield from _finding(kind, screen)
    yield from _heading("Why a flow ended so", "all causes are tried, the surest is named", screen)
    for cause in CAUSES:
        yield from _cause(cause, screen)
    yield from _heading("The states of both ends", "RFC 9293 3.3.2, derived from what passed by", screen)
    width = max(len(state.value) for state, _ in TRANSITIONS)
    events = max(len(event.value) for _, event in TRANSITIONS)
    for (state, event), after in TRANSITIONS.items():
        yield f"  {state.value:<{width}}  {event.value:<{events}}  {after.value}"


def _receptions(screen: Screen) -> Iterator[str]:
    """Yield the table of RSTs: what its receiver does, in which states, at which numbers."""
    for rule in RECEPTIONS:
        name = screen.paint(rule.reception.name.lower(), "accent")
        yield f"{name}  {screen.paint(f'{rule.name}; {rule.cite}', 'dim')}"
        states = ", ".join(state.name.replace("_", "-") for state in rule.states) or "any state"
        places = ", ".join(PLACES[place] for place in rule.places) or "any number"
        acknowledges = "; SEG.ACK acknowledges the SYN" if rule.acknowledges_syn else ""
        yield f"  The receiver is in {states}: {places}{acknowledges}."
    yield ""


def long_text(code: str, screen: Screen) -> Iterator[str]:
    """Yield what is to be said of a verdict, finding or cause, then its rows."""
    text = explain.long_text(code)
    yield from screen.wrap(f"{code}: {text.title}", style="heading", indent="  ", first="")
    yield ""
    for head, body in (
        ("", text.meaning),
        ("Why it matters", text.why),
        ("What to change", text.change),
        ("What would make it wrong", text.doubt),
        ("Source", text.source),
    ):
        if body:
            if head:
                yield screen.paint(head, "heading")
            yield from screen.wrap(body, indent="  " if head else "")
            yield ""
    for verdict in VERDICTS:
        if verdict.verdict.value == code:
            yield from _row(code, verdict.name, "", verdict.conditions, screen)
    if code in CODES:
        yield from _finding(kind_of(code), screen)
    for cause in CAUSES:
        if cause.code == code:
            yield from _cause(cause, screen)


def _finding(kind: FindingKind, screen: Screen) -> Iterator[str]:
    for row in kind.rows:
        yield from _row(kind.code, f"about the {kind.scope.value}", "", row.conditions, screen)


def _cause(cause: CauseKind, screen: Screen) -> Iterator[str]:
    for row in cause.rows:
        yield from _row(cause.code, row.certainty.value, "", row.conditions, screen)


def _heading(title: str, how: str, screen: Screen) -> Iterator[str]:
    yield screen.paint(title.upper(), "heading") + screen.paint(f" ({how})", "dim")
    yield ""


def _row(name: str, row: str, cite: str, conditions: Iterable[Any], screen: Screen) -> Iterator[str]:
    tail = f"{row}; {cite}" if cite else row
    yield f"{screen.paint(name, 'accent')}  {screen.paint(tail, 'dim')}"
    conditions = tuple(conditions)
    if not conditions:
        yield "  Set when no earlier row fits."
    elif len(conditions) == 1:
        yield "  Set when:"
    else:
        yield "  Set when all of the following are true:"
    for condition in conditions:
        sentence = inspect.cleandoc(condition.__doc__ or condition.__name__)
        yield from screen.wrap(" ".join(sentence.split()), indent="    ", first="  - ")
    yield ""
