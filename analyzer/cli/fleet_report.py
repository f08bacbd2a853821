"""``keepalive fleet-report``: what the tables of many points say together, as text, JSON or a page; and its SQL."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner, page, values
from analyzer.cli import options as shared
from analyzer.output import whole
from analyzer.report.screen import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from analyzer.fleet.questions import Tables
    from analyzer.report.answers import Answer

EPILOG: Final = """\
Each question is a view in SQL (DuckDB) over the tables flows, probes, findings,
silences and captures. A folder of .sql files adds questions of your own: the
first line is a comment with the title, the file's name is the view's.

examples:
  keepalive fleet-report tables
  keepalive fleet-report s3://bucket/tables --html fleet.html
  keepalive fleet-report tables --ask close_wait --limit 0 --json
  keepalive fleet-report --sql                      every question
  keepalive fleet-report --sql idle_limits > mine/idle_limits.sql
  keepalive fleet-report tables --views mine
"""
SCHEMA: Final = 1
SAID: Final = 3
"""Maximum number of refused files that are said one by one."""
EVERY: Final = ""
"""What --sql stands for without a name."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EPILOG
    group = parser.add_argument_group("input")
    group.add_argument(
        "tables", metavar="TABLES", nargs="?", default=None, help="where keepalive fleet wrote: a folder, or a URL"
    )
    group.add_argument(
        "--views", metavar="FOLDER", action="append", default=[], help="a folder with more questions (.sql)"
    )
    group = parser.add_argument_group("which questions")
    group.add_argument("--ask", metavar="NAME", action="append", default=[], help="only this question")
    group.add_argument(
        "--limit", metavar="N", type=values.count, default=None, help="at most N rows of each answer; 0 tells all"
    )
    group = parser.add_argument_group("output")
    forms = group.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="one JSON object")
    forms.add_argument(
        "--sql", metavar="NAME", nargs="?", const=EVERY, default=None, help="print the SQL of the questions, or of one"
    )
    page.add_html(group, forms)


def run(options: argparse.Namespace) -> int:
    """Answer; return the exit status."""
    from analyzer.fleet import questions

    if options.sql is not None:
        return _sql(options)
    if options.tables is None:
        raise shared.MisuseError("name the tables that keepalive fleet wrote")
    if options.force and not options.html:
        shared.ignored("--force", "it lets --html overwrite files")
    limit = questions.ROWS if options.limit is None else options.limit or None
    with questions.Tables(options.tables, options.views) as tables:
        answers = [tables.ask(name, limit) for name in options.ask or tables.names]
        if tables.waiting:
            manner.warn(f"{tables.waiting} points have no tables yet: a run is not finished")
        heading = f"{tables.name}: {tables.points:,} capture points, made by the rules {tables.settings.get('rules')}"
        if tables.refused:
            from analyzer.words.teller import count

            heading += f"; {count(len(tables.refused), 'file')} refused"
            _say_refused(tables.refused)
        _write(options, answers, heading, tables)
    return 0


def _say_refused(refused: dict[str, str]) -> None:
    """Say which files are in no table, and why: of many the first."""
    for name in sorted(refused)[:SAID]:
        manner.warn(f"{name}: is in no table: {refused[name]}")
    if len(refused) > SAID:
        more = len(refused) - SAID
        manner.warn(f"and {more:,} more {'is' if more == 1 else 'are'} in no table (--json names all)")


def _write(options: argparse.Namespace, answers: Sequence[Answer], heading: str, tables: Tables) -> None:
    from analyzer.report import answers as told

    if options.json:
        refused = [{"file": name, "why": why} for name, why in sorted(tables.refused.items())]
        found = {
            "schema": SCHEMA,
            "points": tables.points,
            "refused": refused,
            "questions": told.objects(answers),
        }
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    elif options.html:
        try:
            with whole(options.html, replace=options.force) as file:
                file.write(told.page(answers, heading).encode("utf-8"))
        except FileExistsError as error:
            raise shared.UsageError(f"{options.html} exists; --force overwrites it") from error
        except OSError as error:
            raise shared.UsageError(f"{options.html}: {error.strerror or error}") from error
        sys.stdout.write(f"{printable(str(Path(options.html)))}\n")
    else:
        for line in told.text(answers, heading, manner.screen()):
            sys.stdout.write(line + "\n")


def _sql(options: argparse.Namespace) -> int:
    """Print the questions as they are."""
    from analyzer.fleet import questions

    found = {each.name: each for each in questions.questions(options.views)}
    if options.sql and options.sql not in found:
        raise questions.QuestionError(f"{options.sql}: no such question; expected one of {', '.join(found)}")
    texts = []
    for name in [options.sql] if options.sql else list(found):
        head = "" if options.sql else f"-- {name}.sql\n"
        texts.append(head + "\n".join(map(printable, found[name].sql.splitlines())) + "\n")
    sys.stdout.write("\n".join(texts))
    return 0
