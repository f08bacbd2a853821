"""How a recipe is laid out: commands first, each on a line of its own that can be copied, then the reasons.

A command line is never wrapped, and foreign text in it was checked before it came here.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from analyzer.report.screen import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.howto import Case, Recipe
    from analyzer.report.screen import Screen


def text(case: Case, recipe: Recipe, others: Iterable[Case], screen: Screen) -> Iterator[str]:
    """Yield the lines of a recipe, and what other cases there are."""
    yield screen.paint(case.title, "heading")
    for where, steps in groupby(recipe.steps, lambda step: step.where):
        yield ""
        if where:
            yield from screen.wrap(f"{where[:1].upper()}{where[1:]}:")
        yield from (f"  {printable(step.line)}" for step in steps)
    yield ""
    yield from screen.wrap(recipe.stop)
    yield ""
    yield from screen.wrap("Then:")
    yield from (f"  {line}" for line in recipe.read)
    yield ""
    yield screen.paint("Why", "heading")
    for reason in recipe.why:
        yield f"  {screen.paint(printable(reason.part), 'accent')}"
        yield from screen.wrap(reason.because, indent="    ")
    yield ""
    yield from screen.wrap(f"These commands were {case.tried}.")
    yield ""
    yield screen.paint("Other cases", "heading")
    listed = list(others)
    width = max(len(other.name) for other in listed)
    yield from (f"  keepalive how {other.name:<{width}}  {other.title}" for other in listed)


def as_json(case: Case, recipe: Recipe, wanted_filter: str) -> dict[str, Any]:
    """Return a recipe as an object of JSON."""
    return {
        "schema": 1,
        "case": case.name,
        "title": case.title,
        "filter": wanted_filter,
        "steps": [{"where": step.where or "here", "line": step.line} for step in recipe.steps],
        "stop": recipe.stop,
        "read": list(recipe.read),
        "why": [{"part": reason.part, "because": reason.because} for reason in recipe.why],
        "tried": case.tried,
    }
