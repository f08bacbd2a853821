"""Flows, probes and findings as tables: pandas, polars, or Parquet files. Units are in the names of the columns.

pandas, polars and pyarrow are imported when they are asked for; none is needed for anything else.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from analyzer import explain
from analyzer.errors import AnalyzerError
from analyzer.output import whole
from analyzer.report.columns import FINDING_COLUMNS, FLOW_COLUMNS, PROBE_COLUMNS
from analyzer.report.export import flow_row, probe_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from analyzer.report.export import FlowToExport, Object
    from analyzer.untyped import Foreign

TABLES: Final = {"flows": FLOW_COLUMNS, "probes": PROBE_COLUMNS, "findings": FINDING_COLUMNS}
"""The tables, with their columns and what each means."""
TEXTS: Final = frozenset(
    {
        *("a", "b", "initiator", "starts_with", "state_a", "state_b", "verdict", "by", "findings", "from", "sender"),
        *("receiver", "certainty", "doubt", "after_fin", "answer", "code", "about", "frames", "detail"),
    }
)
AT_A_TIME: Final = 10_000
"""So many flows are held as rows while a file is written."""

Columns = dict[str, list[Any]]


class MissingLibraryError(AnalyzerError):
    """A library that only this needs is not installed."""


def kind(column: str) -> str:
    """Return what a column holds: ``float`` (seconds), ``text`` or ``int``; in each, None where there is nothing."""
    if column.endswith("_s"):
        return "float"
    return "text" if column in TEXTS else "int"


def columns(table: str, flows: Iterable[FlowToExport], start_ns: Callable[[int], int]) -> Columns:
    """Return one of TABLES as lists of equal length; ``start_ns`` gives the first instant of a capture."""
    found: Columns = {name: [] for name in TABLES[table]}
    for flow in flows:
        _enter(found, rows(table, flow, start_ns(flow.capture)))
    return found


def rows(table: str, flow: FlowToExport, start_ns: int) -> Iterator[Object]:
    """Yield what a flow adds to a table."""
    if table == "flows":
        yield flow_row(flow, start_ns)
    elif table == "probes":
        yield from probe_rows(flow, start_ns)
    else:
        for finding in flow.judged.findings:
            yield {
                "capture": flow.capture,
                "flow": flow.judged.record.number,
                "code": finding.code,
                "about": finding.about,
                "frames": " ".join(map(str, finding.frames)),
                "detail": explain.detail(finding, flow.judged),
            }


def to_pandas(data: Columns) -> Foreign:
    """Return a pandas DataFrame, integers that may be missing as Int64."""
    pandas = _library("pandas")
    dtypes = {"float": "float64", "text": "string", "int": "Int64"}
    return pandas.DataFrame({name: pandas.array(values, dtype=dtypes[kind(name)]) for name, values in data.items()})


def to_polars(data: Columns) -> Foreign:
    """Return a polars DataFrame."""
    polars = _library("polars")
    dtypes = {"float": polars.Float64, "text": polars.String, "int": polars.Int64}
    return polars.DataFrame(data, schema={name: dtypes[kind(name)] for name in data})


def write_parquet(
    flows: Iterable[FlowToExport], start_ns: Callable[[int], int], folder: Path, *, replace: bool = True
) -> list[Path]:
    """Write each of TABLES to ``folder``, which is made if it is not there; return the files.

    What a column means is in its metadata (``description``). Files that are there are written over if they may be
    ``replace``d.

    Raises:
        FileExistsError: they are there, and may not.
        OSError: one cannot be written; each is whole, or as it was.
    """
    arrow = _library("pyarrow")
    parquet = _library("pyarrow.parquet")
    types = {"float": arrow.float64(), "text": arrow.string(), "int": arrow.int64()}
    schemas = {
        table: arrow.schema(
            [
                arrow.field(name, types[kind(name)], metadata={"description": meaning})
                for name, meaning in TABLES[table].items()
            ]
        )
        for table in TABLES
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = {table: folder / f"{table}.parquet" for table in TABLES}
    with contextlib.ExitStack() as open_files:
        writers = {}
        for table, path in paths.items():
            file = open_files.enter_context(whole(path, replace=replace))
            writers[table] = open_files.enter_context(parquet.ParquetWriter(file, schemas[table]))
        for some in _parts(flows, start_ns):
            for table, writer in writers.items():
                writer.write_table(arrow.table(some[table], schema=schemas[table]))
    return list(paths.values())


def _parts(flows: Iterable[FlowToExport], start_ns: Callable[[int], int]) -> Iterator[dict[str, Columns]]:
    """Yield each of TABLES as columns of some flows, holding on to no flow; once at least."""
    some = {table: columns(table, (), start_ns) for table in TABLES}
    held = 0
    for flow in flows:
        for table, found in some.items():
            _enter(found, rows(table, flow, start_ns(flow.capture)))
        held += 1
        if held == AT_A_TIME:
            yield some
            some, held = {table: columns(table, (), start_ns) for table in TABLES}, 0
    yield some


def _enter(found: Columns, more: Iterable[Object]) -> None:
    for row in more:
        for name, values in found.items():
            values.append(row[name])


def _library(name: str) -> Foreign:
    try:
        return import_module(name)
    except ImportError as error:
        distribution = name.partition(".")[0]
        raise MissingLibraryError(
            f"this needs {distribution}, which is not installed: pip install {distribution}"
        ) from error
