"""``keepalive rules``: the decision tables, what a verdict, finding or cause means, and colours for Wireshark."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from analyzer.cli.options import UsageError

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("code", metavar="CODE", nargs="?", help="a verdict, finding or cause; without one, all tables")
    forms.add_argument(
        "--wireshark",
        action="store_true",
        help="Wireshark's colouring rules for annotated captures, as a profile has them",
    )


def run(options: argparse.Namespace) -> int:
    """Print the tables, what CODE means, or colouring rules; return the exit status."""
    from analyzer.report import rule_tables
    from analyzer.report.screen import screen_for

    if options.wireshark:
        from analyzer.wireshark.colouring import colorfilters

        sys.stdout.writelines(line + "\n" for line in colorfilters())
        return 0
    screen = screen_for(sys.stdout, os.environ)
    if options.code is not None and options.code not in rule_tables.codes():
        raise UsageError(
            f"no verdict, finding or cause is called {options.code}; there are {', '.join(rule_tables.codes())}"
        )
    for line in rule_tables.tables(screen) if options.code is None else rule_tables.long_text(options.code, screen):
        sys.stdout.write(line + "\n")
    return 0
