"""``keepalive rules``: what the words of a report mean, the decision tables, and colours for Wireshark."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner
from analyzer.cli.options import UsageError
from analyzer.cli.parser import suggestion

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from analyzer.report.screen import Screen

EXAMPLES: Final = """\
examples:
  keepalive rules                  a line for each verdict, finding and cause
  keepalive rules half_closed      why it matters, what to do
  keepalive rules CLOSE-WAIT       any word of a report: states, kinds, doubts
  keepalive rules --tables | less  the tables that decide, in full
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.epilog = EXAMPLES
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "code", metavar="WORD", nargs="?", help="a verdict, finding, cause, or any other word that a report uses"
    )
    forms.add_argument("--tables", action="store_true", help="the decision tables, each row with its conditions")
    forms.add_argument(
        "--wireshark",
        action="store_true",
        help="Wireshark's colouring rules for annotated captures, as a profile has them",
    )


def run(options: argparse.Namespace) -> int:
    """Print a line for each word, what WORD means, the tables, or colouring rules; return the exit status."""
    from analyzer.report import rule_tables

    if options.wireshark:
        from analyzer.wireshark.colouring import colorfilters

        sys.stdout.writelines(line + "\n" for line in colorfilters())
        return 0
    screen = manner.screen()
    if options.tables:
        lines = rule_tables.tables(screen)
    elif options.code is None:
        lines = rule_tables.listed(screen)
    else:
        lines = _meaning(options.code, screen)
    for line in lines:
        sys.stdout.write(line + "\n")
    return 0


def _meaning(word: str, screen: Screen) -> Iterator[str]:
    """Return what a word means.

    Raises:
        UsageError: no report uses it.
    """
    from analyzer.report import rule_tables
    from analyzer.report.lexicon import TERMS
    from analyzer.wireshark.classes import CLASSES

    spelled = rule_tables.spelled(word)
    if spelled is not None:
        return rule_tables.meaning(spelled, screen)
    row = next((each for each in CLASSES if each.name == word.lower()), None)
    if row is None:
        known = [each for each in rule_tables.known_words() if each not in TERMS]
        known += [each.name for each in CLASSES]
        if not word:
            raise UsageError("the word is empty; is a variable not set? keepalive rules lists all")
        meant = suggestion(word, known) or suggestion(word, TERMS)
        raise UsageError(f"no word of a report is {word}{meant}; keepalive rules lists them")
    text = f"{row.name}: how Wireshark's labels differ from ours (keepalive compare); right: {row.right.value}."
    return iter(
        [
            *screen.wrap(text, style="heading", indent="  ", first=""),
            "",
            *screen.wrap(row.reason),
            *screen.wrap(f"How we know: {row.known}"),
        ]
    )
