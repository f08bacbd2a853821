"""How the command speaks: quietly, at length, in colour; asked for with -q, -v and --color, by every verb.

It must not know what is said.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

from analyzer.report.screen import printable, screen_for

if TYPE_CHECKING:
    import argparse

    from analyzer.report.screen import Screen

COLOURS: Final = {"auto": {}, "always": {"NO_COLOR": "", "FORCE_COLOR": "1"}, "never": {"NO_COLOR": "1"}}
"""What --color has the environment say."""


class Manner:
    """How this run speaks; a program has one standard error."""

    quiet = False
    verbose = False
    colour = "auto"


def add_manner(parser: argparse.ArgumentParser) -> None:
    """Add -q, -v and --color."""
    group = parser.add_argument_group("how it speaks")
    how = group.add_mutually_exclusive_group()
    how.add_argument(
        "-q", "--quiet", action="store_true", help="say nothing on standard error but errors: no warning, no progress"
    )
    how.add_argument(
        "-v", "--verbose", action="store_true", help="also say how each capture was read, and how long that took"
    )
    group.add_argument(
        "--color", choices=tuple(COLOURS), default="auto", help="colour the text (default: auto, on a terminal)"
    )


def settle(options: argparse.Namespace) -> None:
    """Speak from here on as the options say."""
    Manner.quiet = bool(getattr(options, "quiet", False))
    Manner.verbose = bool(getattr(options, "verbose", False))
    Manner.colour = str(getattr(options, "color", "auto"))


def environment() -> dict[str, str]:
    """Return the environment, with what --color says of colour."""
    return {**os.environ, **COLOURS[Manner.colour]}


def screen(stream: TextIO | None = None) -> Screen:
    """Return what a stream shows, standard output if none is named."""
    return screen_for(sys.stdout if stream is None else stream, environment())


def complain(sentence: str) -> None:
    """Say an error on standard error, quiet or not."""
    sys.stderr.write(f"keepalive: {printable(sentence)}\n")


def warn(sentence: str) -> None:
    """Say a warning or a note on standard error, unless it is to be quiet."""
    if not Manner.quiet:
        complain(sentence)


def detail(sentence: str) -> None:
    """Say on standard error what only --verbose asks for."""
    if Manner.verbose:
        complain(sentence)
