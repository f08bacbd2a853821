"""Flows, probes and findings as tables: pandas, polars, or Parquet files. Units are in the names of the columns.

A DataFrame can have each instant twice: as seconds from the capture's first frame (``time_s``), and as a date with its
time zone (``time_at``).

pandas, polars and pyarrow are imported when they are asked for; none is needed for anything else.
"""

from __future__ import annotations

import contextlib
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from analyzer.errors import AnalyzerError
from analyzer.output import whole
from analyzer.report import tables
from analyzer.report.columns import INSTANTS
from analyzer.report.tables import TABLES
from analyzer.segment import NONE
from analyzer.units import NS_PER_S, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from analyzer.report.bulk import ManyFlows
    from analyzer.untyped import Foreign

    Some = tuple[ManyFlows, NDArray[np.int64] | None]
    """Flows, and the places that put them in the order wanted."""
    Arrows = dict[str, Foreign]
    """Each of TABLES as an Arrow table."""

TEXTS: Final = frozenset(
    {
        *(
            "a",
            "b",
            "initiator",
            "starts_with",
            "state_a",
            "state_b",
            "verdict",
            "by",
            "findings",
            "cause",
            "cause_certainty",
            "cause_instead",
            "from",
            "sender",
        ),
        *("receiver", "certainty", "doubt", "after_fin", "answer", "code", "about", "frames", "detail"),
    }
)
AT_A_TIME: Final = 10_000
"""This many flows are held as columns while a file is written."""

Columns = dict[str, list[Any]]


class MissingLibraryError(AnalyzerError):
    """A library that only this needs is not installed."""


def kind(column: str) -> str:
    """Return what a column holds: ``float`` (seconds), ``text`` or ``int``; in each, None where there is nothing."""
    if column.endswith("_s"):
        return "float"
    return "text" if column in TEXTS else "int"


def columns(table: str, some: Iterable[Some], start_ns: Callable[[int], int], *, dated: bool = False) -> Columns:
    """Return one of TABLES as lists of equal length; ``start_ns`` gives the first instant of a capture.

    ``dated`` puts behind each column of INSTANTS the same as nanoseconds since 1970.
    """
    found: Columns = {}
    for name in TABLES[table]:
        found[name] = []
        if dated and name in INSTANTS:
            found[INSTANTS[name]] = []
    told = tables.Told()
    for flows, order in some:
        zero_ns = int(start_ns(flows.capture))
        for name, cells in tables.table(table, flows, zero_ns, order, told).items():
            found[name] += cells.plain()
            if dated and name in INSTANTS:
                found[INSTANTS[name]] += [None if ns == NONE else ns + zero_ns for ns in cells.values.tolist()]
    return found


def to_pandas(data: Columns, clock: Clock = Clock.UTC) -> Foreign:
    """Return a pandas DataFrame, integers that may be missing as Int64, dates in the zone of the clock."""
    pandas = _library("pandas")
    dtypes = {"float": "float64", "text": "string", "int": "Int64"}
    return pandas.DataFrame(
        {
            name: pandas.DatetimeIndex(_dates(values), tz="UTC").tz_convert(zone_of(clock))
            if name in _DATED
            else pandas.array(values, dtype=dtypes[kind(name)])
            for name, values in data.items()
        }
    )


def to_polars(data: Columns, clock: Clock = Clock.UTC) -> Foreign:
    """Return a polars DataFrame, dates in the zone of the clock."""
    polars = _library("polars")
    dtypes = {"float": polars.Float64, "text": polars.String, "int": polars.Int64}
    frame = polars.DataFrame(data, schema={name: dtypes[kind(name)] for name in data})
    zone = zone_of(clock)
    dates = [polars.from_epoch(polars.col(name), "ns").dt.replace_time_zone("UTC") for name in data if name in _DATED]
    return frame.with_columns(date.dt.convert_time_zone(zone) for date in dates)


_DATED: Final = frozenset(INSTANTS.values())


def _dates(values: list[int | None]) -> NDArray[np.datetime64]:
    """Return nanoseconds since 1970 as numpy has them, NaT for None."""
    absent = np.iinfo(np.int64).min
    return np.array([absent if ns is None else ns for ns in values], dtype=np.int64).view("datetime64[ns]")


def zone_of(clock: Clock) -> str:
    """Return the name of a clock's time zone: this machine's for local, or UTC where its name cannot be told."""
    if clock is not Clock.LOCAL:
        return "UTC"
    _, _, linked = os.path.realpath("/etc/localtime").partition("zoneinfo/")
    for name in (os.environ.get("TZ", "").removeprefix(":"), linked):
        with contextlib.suppress(ValueError, OSError, ZoneInfoNotFoundError):
            return ZoneInfo(name).key
    return "UTC"


def write_parquet(
    some: Iterable[Some],
    start_ns: Callable[[int], int],
    folder: Path,
    *,
    replace: bool = True,
    make: Callable[[Iterable[Some]], Iterable[Arrows]] | None = None,
) -> list[Path]:
    """Write each of TABLES to ``folder``, which is made if it is not there; return the files.

    What a column means is in its metadata (``description``). Files that are there are written over if they may be
    ``replace``d. Flows come some at a time, and none is held on to. ``make`` does what ``arrow_tables`` does elsewhere.

    Raises:
        FileExistsError: they are there, and may not.
        OSError: one cannot be written; each is whole, or as it was.
    """
    arrow = _library("pyarrow")
    parquet = _library("pyarrow.parquet")
    schemas = {table: schema_of(columns) for table, columns in TABLES.items()}
    folder.mkdir(parents=True, exist_ok=True)
    paths = {table: folder / f"{table}.parquet" for table in TABLES}
    with contextlib.ExitStack() as open_files:
        writers = {}
        for table, path in paths.items():
            file = open_files.enter_context(whole(path, replace=replace))
            writers[table] = open_files.enter_context(parquet.ParquetWriter(file, schemas[table]))
        told = tables.Told()
        made = (
            make(some)
            if make is not None
            else (arrow_tables(flows, start_ns(flows.capture), order, told) for flows, order in some)
        )
        for part in _parts(made, arrow, schemas):
            for table, writer in writers.items():
                writer.write_table(part[table])
    return list(paths.values())


def schema_of(meanings: dict[str, str]) -> Foreign:
    """Return the Arrow schema of a table with these columns; what each means is its ``description``."""
    arrow = _library("pyarrow")
    types = {"float": arrow.float64(), "text": arrow.string(), "int": arrow.int64()}
    return arrow.schema(
        [arrow.field(name, types[kind(name)], metadata={"description": meaning}) for name, meaning in meanings.items()]
    )


def arrow_table(
    table: str,
    flows: ManyFlows,
    start_ns: int,
    order: NDArray[np.int64] | None = None,
    told: tables.Told | None = None,
) -> Foreign:
    """Return what flows add to one of TABLES as an Arrow table; instants count from ``start_ns``."""
    arrow, schema = _library("pyarrow"), schema_of(TABLES[table])
    cells = tables.table(table, flows, start_ns, order, told)
    return arrow.table([_array(arrow, each, schema.field(name).type) for name, each in cells.items()], schema=schema)


def arrow_tables(flows: ManyFlows, start_ns: int, order: NDArray[np.int64] | None, told: tables.Told) -> Arrows:
    """Return what flows add to each of TABLES."""
    return {table: arrow_table(table, flows, start_ns, order, told) for table in TABLES}


def _parts(made: Iterable[Arrows], arrow: Foreign, schemas: dict[str, Foreign]) -> Iterator[Arrows]:
    """Yield each of TABLES as an Arrow table of some flows, AT_A_TIME at least; once at least."""
    held: dict[str, list[Foreign]] = {table: [schema.empty_table()] for table, schema in schemas.items()}
    count = 0
    for each in made:
        for table in schemas:
            held[table].append(each[table])
        count += each["flows"].num_rows
        if count >= AT_A_TIME:
            yield {table: arrow.concat_tables(each) for table, each in held.items()}
            held, count = {table: [schema.empty_table()] for table, schema in schemas.items()}, 0
    yield {table: arrow.concat_tables(each) for table, each in held.items()}


def _array(arrow: Foreign, cells: tables.Cells, kind_: Foreign) -> Foreign:
    """Return a column as an Arrow array."""
    if cells.texts is not None:
        return arrow.array(cells.texts, kind_)
    absent = cells.values == NONE
    if cells.words is not None:
        words = arrow.array(cells.words, arrow.string())
        return words.take(arrow.array(np.where(absent, 0, cells.values), mask=absent))
    if not cells.is_time:
        return arrow.array(cells.values, kind_, mask=absent)
    values = np.where(absent, 0, cells.values)
    if np.abs(values).max(initial=0) > tables.EXACT_NS:
        return arrow.array(cells.plain(), kind_)
    return arrow.array(values / NS_PER_S, kind_, mask=absent)


EXTRAS: Final = {"pyarrow": "parquet", "pandas": "notebook", "polars": "notebook"}
"""Which extra has a library."""


def _library(name: str) -> Foreign:
    try:
        return import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        raise MissingLibraryError(
            f"this needs {library}, which is not installed: pip install 'keepalive-analyzer[{EXTRAS[library]}]'"
        ) from error
