"""Answers to questions about many points, as text and as an HTML page: a title, what it means, and a table.

What is in a table comes from packets and file names: it reaches a terminal through ``printable``, and the page only
through jinja2's autoescape. The page runs no script and loads nothing.

This module must not know a question.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from analyzer.report.html import environment, source
from analyzer.report.screen import printable
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.report.screen import Screen
    from analyzer.untyped import Json

WIDEST: Final = 48
"""A cell with more characters is cut on a terminal; in its middle, because names differ at both ends."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that was asked."""

    name: str
    title: str
    meaning: str
    sql: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int
    """How many rows there are; ``rows`` may be fewer."""


def text(answers: Sequence[Answer], heading: str, screen: Screen) -> Iterator[str]:
    """Yield the lines."""
    yield from screen.wrap(printable(heading))
    for answer in answers:
        yield ""
        yield screen.paint(printable(answer.title), "heading")
        yield from screen.wrap(printable(answer.meaning), style="dim")
        if not answer.total:
            yield "  none"
            continue
        yield from _table(answer, screen)
        if answer.total > len(answer.rows):
            yield f"  and {answer.total - len(answer.rows):,} more (--ask {answer.name} --limit 0)"


def _table(answer: Answer, screen: Screen) -> Iterator[str]:
    cells = [[_cell(value) for value in row] for row in answer.rows]
    right = [all(isinstance(row[at], int | float | None) for row in answer.rows) for at in range(len(answer.columns))]
    widths = [max(len(name), *(len(row[at]) for row in cells)) for at, name in enumerate(answer.columns)]
    for at, row in enumerate([list(answer.columns), *cells]):
        parts = [
            part.rjust(width) if numeric else part.ljust(width)
            for part, width, numeric in zip(row, widths, right, strict=True)
        ]
        line = "  " + "  ".join(parts).rstrip()
        yield screen.paint(line, "dim") if at == 0 else line


def _cell(value: object) -> str:
    word = printable(said(value)).replace("\n", " ")
    return word if len(word) <= WIDEST else f"{word[: WIDEST // 2 - 2]}...{word[-(WIDEST // 2 - 1) :]}"


def said(value: object) -> str:
    """Return a value as text: nothing for none, times in UTC."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds") if value.tzinfo else str(value)
    return str(value)


def page(answers: Sequence[Answer], heading: str) -> str:
    """Return the page."""
    shown = [
        {
            "name": answer.name,
            "title": printable(answer.title),
            "meaning": printable(answer.meaning),
            "sql": answer.sql,
            "columns": answer.columns,
            "rows": [[printable(said(value)) for value in row] for row in answer.rows],
            "more": answer.total - len(answer.rows),
        }
        for answer in answers
    ]
    template = environment().get_template("answers.html")
    return template.render(
        title="TCP keepalive: many points", style=source("style.css"), heading=printable(heading), answers=shown
    )


def objects(answers: Sequence[Answer]) -> list[Json]:
    """Return the answers as JSON has them."""
    return [
        {
            "name": answer.name,
            "title": answer.title,
            "meaning": answer.meaning,
            "sql": answer.sql,
            "total": answer.total,
            "rows": [
                {
                    name: value if isinstance(value, bool | int | float | str | None) else said(value)
                    for name, value in zip(answer.columns, row, strict=True)
                }
                for row in answer.rows
            ],
        }
        for answer in answers
    ]
