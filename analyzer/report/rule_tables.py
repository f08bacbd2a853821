"""Prints the decision tables from the objects that decide, as Wireshark's guide prints its analysis flags."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from analyzer import causes, explain
from analyzer.causes import CAUSES
from analyzer.findings import CODES, FINDINGS, kind_of
from analyzer.judge.connection import TRANSITIONS
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.label.reset_acceptance import RECEPTIONS, Place, ReceptionRule
from analyzer.label.rules import RULES
from analyzer.report import lexicon

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.causes import CauseKind
    from analyzer.findings import FindingKind
    from analyzer.report.screen import Screen


LONGEST: Final = 34
"""Behind a word that is longer, what it means begins on a line of its own."""
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


def spelled(word: str) -> str | None:
    """Return a word as it is printed, for one that somebody wrote with other cases or joints; None if there is none.

    Several of something are looked up as one. CLOSED is a state and closed a verdict, so what is printed exactly so
    comes first, then long texts.
    """
    known = [*codes(), *lexicon.words(), *_row_names()]
    if word in known:
        return word
    plain = _plain(word)
    for written in (plain, plain.removesuffix("s"), plain.removesuffix("es")):
        found = next((each for each in known if _plain(each) == written), None)
        if found is not None:
            return found
    return None


def known_words() -> list[str]:
    """Return every word that can be asked for."""
    return [*codes(), *lexicon.words(), *_row_names()]


def _plain(word: str) -> str:
    return word.lower().replace("_", "-").replace(" ", "-")


def _row_names() -> list[str]:
    """Return the names of rows that the tables print beside the words they lead to."""
    return [row.name for row in (*RULES, *VERDICTS, *RECEPTIONS)]


def listed(screen: Screen) -> Iterator[str]:
    """Yield every verdict, finding, cause and kind of segment, a line each."""
    told = {verdict.value for verdict in Verdict}
    yield from _lines("How a flow ended", [verdict.value for verdict in Verdict], screen)
    yield from _lines("What is found in a flow", CODES, screen)
    others = [code for code in causes.CODES if code not in told and code not in CODES]
    yield from _lines("Why a flow ended so (and some of the findings)", others, screen)
    kinds = {kind.name.lower(): meaning for kind, meaning in lexicon.KINDS.items()}
    yield screen.paint("WHAT A SEGMENT IS", "heading")
    yield ""
    for name, meaning in kinds.items():
        yield _entry(name, meaning, max(map(len, kinds)), screen)
    yield ""
    yield from screen.wrap(
        "keepalive rules WORD tells more of each, and of any other word that a report uses; "
        "keepalive rules --tables prints the tables that decide.",
        style="dim",
    )


def _lines(title: str, named: Iterable[str], screen: Screen) -> Iterator[str]:
    named = list(named)
    yield screen.paint(title.upper(), "heading")
    yield ""
    for code in named:
        yield _entry(code, explain.long_text(code).title, min(max(map(len, named)), LONGEST), screen)
    yield ""


def _entry(name: str, meaning: str, width: int, screen: Screen) -> str:
    """Return the line of a word: what it means stands in a column, unless the word is longer than that."""
    return f"  {screen.paint(name, 'accent')}{' ' * max(width - len(name), 0)}  {meaning}"


def meaning(word: str, screen: Screen) -> Iterator[str]:
    """Yield what is to be said of a word that is printed as ``spelled`` returns it, then the rows that lead to it."""
    if word in codes():
        yield from long_text(word, screen)
        return
    if word in lexicon.words():
        yield from screen.wrap(f"{word}: {lexicon.words()[word]}.", style="heading", indent="  ", first="")
        yield ""
    for rule in RULES:
        if word in (rule.name, rule.kind.name.lower()):
            yield from _row(rule.kind.name.lower(), rule.name, rule.cite, rule.conditions, screen)
    for verdict in VERDICTS:
        if word == verdict.name:
            yield from _row(verdict.verdict.value, verdict.name, "", verdict.conditions, screen)
    receptions = [rule for rule in RECEPTIONS if word in (rule.name, rule.reception.name.lower())]
    if receptions:
        yield from _receptions(screen, receptions)
    steps = [
        (state, event, after) for (state, event), after in TRANSITIONS.items() if word in (state.value, after.value)
    ]
    for state, event, after in steps:
        yield f"  {state.value}  {event.value}  ->  {after.value}"


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


def _receptions(screen: Screen, rules: Iterable[ReceptionRule] = RECEPTIONS) -> Iterator[str]:
    """Yield rows of the table of RSTs: what its receiver does, in which states, at which numbers."""
    for rule in rules:
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
