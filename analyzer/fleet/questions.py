"""Questions that are asked of a fleet's tables, in SQL, through DuckDB.

A question is a file: its first line is its title, further lines of comment say what it means, the rest is a SELECT over
``flows``, ``probes``, ``findings``, ``silences`` and ``captures``, or over other questions, each of which is a view of
its file's name. Whoever has a question of his own puts a file beside these (``views``).

The tables are handed to DuckDB as they lie; no name of a file, a point or a host is ever part of SQL, and DuckDB itself
may open nothing: neither files nor the network.

It must not know how answers are shown.
"""

from __future__ import annotations

import re
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from analyzer.errors import AnalyzerError
from analyzer.fleet import manifest
from analyzer.fleet.columns import TABLES
from analyzer.fleet.extras import library
from analyzer.fleet.partitions import schema_of
from analyzer.fleet.places import Place
from analyzer.fleet.running import FLEET, settings
from analyzer.report.answers import Answer
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from analyzer.untyped import Foreign

ORDER: Final = (
    *("endings", "close_wait", "dead_peers", "silent", "resets", "idle_limits", "seen_twice", "disagreements"),
    *("probes_by_host", "software", "points"),
)
"""In which order the questions are told; further ones come behind, by name."""
HELPERS: Final = frozenset({"connections"})
"""Views that others are made of: they are asked by name only."""
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
ROWS: Final = 10
"""Maximum number of rows of each answer, unless another number is asked for."""


class QuestionError(AnalyzerError):
    """A question that cannot be asked, or tables that are none."""


@dataclass(frozen=True, slots=True)
class Question:
    """A file of SQL."""

    name: str
    title: str
    meaning: str
    sql: str


def questions(views: Sequence[str | Path] = ()) -> list[Question]:
    """Return the questions that there are, with those of further folders; a name that is there again is replaced.

    Raises:
        QuestionError: a file cannot be read, or its name can be none of a view.
    """
    found = {each.name: each for each in _of_package()}
    for folder in views:
        try:
            paths = sorted(path for path in Path(folder).iterdir() if path.suffix == ".sql")
            for path in paths:
                found[path.stem] = question(path.stem, path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise QuestionError(f"{folder}: its questions cannot be read ({type(error).__name__})") from error
    place = {name: at for at, name in enumerate((*ORDER, *sorted(HELPERS)))}
    return sorted(found.values(), key=lambda each: (place.get(each.name, len(place)), each.name))


def _of_package() -> Iterator[Question]:
    for file in files("analyzer.fleet").joinpath("sql").iterdir():
        if file.name.endswith(".sql"):
            yield question(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))


def question(name: str, text: str) -> Question:
    """Return the question in a file.

    Raises:
        QuestionError: the name is none of a view, or one of a table.
    """
    if NAME.fullmatch(name) is None or name in TABLES:
        raise QuestionError(f"{name}.sql: expected a name of small letters, digits and _, and none of a table")
    lines = text.strip().splitlines()
    comments = []
    while lines and lines[0].startswith("--"):
        comments.append(lines.pop(0).removeprefix("--").strip())
    title = comments[0] if comments else name
    return Question(name, title, " ".join(comments[1:]), text.strip().rstrip(";"))


class Tables:
    """The tables of a fleet, open to be asked."""

    def __init__(self, out: str, views: Sequence[str | Path] = ()) -> None:
        """Find the partitions that exist.

        Raises:
            QuestionError: there are no tables, or a question is no SQL.
            StorageError: they cannot be read.
        """
        duckdb = library("duckdb")
        place = Place(out)
        octets = place.get(place.below(FLEET))
        if octets is None:
            raise QuestionError(f"{place.name}: no tables there; keepalive fleet SOURCE --out {place.name} makes them")
        self.settings = settings(octets, place.name)
        self.name = place.name
        self.points = 0
        """Points whose tables are complete."""
        self.waiting = 0
        """Points of which no tables are complete yet."""
        self.refused: dict[str, str] = {}
        """Files of these points that are in no table, by name, and why."""
        paths = self._partitions(place)
        self._questions = {each.name: each for each in questions(views)}
        self._connection: Any = duckdb.connect(":memory:")
        try:
            self._begin(place, paths)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        """Return the tables."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        self._connection.close()

    def _partitions(self, place: Place) -> dict[str, list[str]]:
        paths: dict[str, list[str]] = {table: [] for table in TABLES}
        for folder in place.folders(place.below("points")):
            octets = place.get(f"{folder}/{manifest.NAME}")
            found = None if octets is None else manifest.read(octets, place.called(f"{folder}/{manifest.NAME}"))
            if found is None or found.shown is None or found.run != self.settings.get("run", ""):
                self.waiting += 1
                continue
            self.points += 1
            self.refused |= dict(found.refused)
            for table, name in (*found.shown.parts, *found.shown.live):
                if table in paths:
                    paths[table].append(f"{folder}/{name}")
        return paths

    def _begin(self, place: Place, paths: dict[str, list[str]]) -> None:
        dataset = library("pyarrow.dataset")
        for table, some in paths.items():
            schema = schema_of(table)
            if some:
                found = dataset.dataset(some, schema=schema, format="parquet", filesystem=place.arrow)
            else:
                found = schema.empty_table()
            self._connection.register(table, found)
        for setting in ("enable_external_access=false", "python_enable_replacements=false", "lock_configuration=true"):
            self._connection.execute(f"SET {setting}")
        waiting = list(self._questions.values())
        while waiting:  # a view may need another
            refused = []
            for each in waiting:
                try:
                    self._connection.execute(f"CREATE VIEW {each.name} AS {each.sql}")
                except library("duckdb").Error as error:
                    refused.append((each, error))
            if len(refused) == len(waiting):
                each, why = refused[0]
                raise QuestionError(f"{each.name}.sql: {_first_line(why)}") from why
            waiting = [each for each, _ in refused]

    @property
    def names(self) -> list[str]:
        """Names of the questions, in order, without those that only help others."""
        return [name for name in self._questions if name not in HELPERS]

    def ask(self, name: str, limit: int | None = ROWS) -> Answer:
        """Return the answer to a question; at most so many rows of it, all of them for None.

        Raises:
            QuestionError: there is none of this name, or it cannot be answered.
        """
        if name not in self._questions:
            raise QuestionError(f"{name}: no such question; expected one of {', '.join(self.names)}")
        asked = self._questions[name]
        # the name is that of a view, which NAME lets through
        most = "" if limit is None else f" LIMIT {int(limit)}"
        columns, rows = self._rows(f"SELECT * FROM {name}{most}")  # noqa: S608
        total = len(rows)
        if limit is not None and total >= limit:
            total = int(self._rows(f"SELECT count(*) FROM {name}")[1][0][0])  # noqa: S608
        return Answer(name, asked.title, asked.meaning, asked.sql, columns, rows, total)

    def _rows(self, sql: str) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
        try:
            table: Foreign = self._connection.sql(sql).to_arrow_table()
        except library("duckdb").Error as error:
            raise QuestionError(f"{self.name}: cannot be asked ({_first_line(error)})") from error
        columns = [[_plain(value) for value in column.to_pylist()] for column in table.columns]
        return tuple(table.column_names), tuple(zip(*columns, strict=True))


def _plain(value: object) -> object:
    """Return sums as integers; DuckDB makes decimals of them."""
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def ask(out: str, name: str, *, views: Sequence[str | Path] = (), limit: int | None = None) -> list[dict[str, Any]]:
    """Return the answer to a question about the tables in ``out``, row by row.

    Raises:
        QuestionError: there are no tables, or no such question.
        StorageError: the tables cannot be read.
        MissingFleetError: a library is not installed.
    """
    with Tables(out, views) as tables:
        answer = tables.ask(name, limit)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
