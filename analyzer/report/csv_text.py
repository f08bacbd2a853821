"""CSV, as docs/json-report.md promises: the tables of flows and probes, one row a flow or probe.

Floats have nine decimals and no exponent; what is not there is an empty cell. No cell needs quotes: addresses, numbers
and words of ours are all there is.
"""

from __future__ import annotations

import contextlib
from functools import cache
from typing import TYPE_CHECKING, Final

from analyzer.loops.choice import jit_wanted
from analyzer.report.octets import DECIMALS, NUMBER, TEXT, WORD, Program, pieces
from analyzer.report.tables import TABLES, Told, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.report.bulk import ManyFlows
    from analyzer.report.octets import Later
    from analyzer.report.tables import Cells
    from analyzer.untyped import Foreign

LARGE: Final = 512
"""This many rows are worth the compiled loop."""


class CsvWriter:
    """One of TABLES as CSV."""

    def __init__(self, name: str) -> None:
        """Begin."""
        self._name = name
        self._written = 0
        self._told = Told()

    @property
    def header(self) -> str:
        """The names of the columns, as a line."""
        return ",".join(TABLES[self._name]) + "\n"

    def rows(self, flows: ManyFlows, start_ns: int) -> Later:
        """Return what makes the rows of flows; instants count from ``start_ns``."""
        cells = table(self._name, flows, start_ns, told=self._told)
        self._written += len(flows)
        return text(cells, jit=jit_wanted(large=self._written >= LARGE))


def text(cells: dict[str, Cells], *, jit: bool) -> Later:
    """Return what makes the rows of a table."""
    if jit:
        with contextlib.suppress(OverflowError):
            return _by_program(cells)
    columns = [map(_plain, each.plain()) for each in cells.values()]
    return "".join(",".join(row) + "\n" for row in zip(*columns, strict=True)).__str__


def _plain(value: Foreign) -> str:
    """Return a cell: floats to the nanosecond without exponent, None as nothing."""
    if isinstance(value, float):
        return f"{value:.9f}"
    return "" if value is None else str(value)


def _by_program(cells: dict[str, Cells]) -> Later:
    program = _program(tuple((name, _kind(each), _words(each)) for name, each in cells.items()))
    rows = next(len(each.texts if each.texts is not None else each.values) for each in cells.values())
    joined, data, before = [], {}, 0
    for name, each in cells.items():
        if each.texts is None:
            data[name] = each.values
            continue
        piece, starts = pieces(each.texts)
        joined.append(piece)
        data[name] = starts + before
        before += len(piece)
    layout = program.lay_out(data, rows, b"".join(joined))
    return lambda: layout.render(jit=True)[0]


def _kind(cells: Cells) -> int:
    if cells.texts is not None:
        return TEXT
    return WORD if cells.words is not None else DECIMALS if cells.is_time else NUMBER


def _words(cells: Cells) -> tuple[str, ...]:
    return tuple(word or "" for word in cells.words or ())


@cache
def _program(columns: tuple[tuple[str, int, tuple[str, ...]], ...]) -> Program:
    """Return what is written of a row with these columns: name, kind, words."""
    program = Program("")
    for at, (name, kind, words) in enumerate(columns):
        program.text("," if at else "")
        program.value(kind, _column(name), words)
    program.text("\n")
    program.end()
    return program


@cache
def _column(name: str) -> Callable[[Foreign], Foreign]:
    return lambda data: data[name]
