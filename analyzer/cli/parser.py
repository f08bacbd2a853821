"""How the command's arguments are parsed, and how a mistake in them is answered: what is meant, and the verb's usage.

It must not know what any option does.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from analyzer.cli import ending
from analyzer.report.screen import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LIKE_ENOUGH: Final = 0.6
"""How much alike two words are if one may be meant by the other (difflib's ratio, from 0 to 1)."""
MEANT: Final = 3
"""No more words than this are suggested."""
LEAST: Final = 3
"""A part of a word with fewer characters suggests nothing."""
INVALID_CHOICE: Final = re.compile(
    r"argument (?P<name>.+?): invalid choice: (?P<value>.+) \(choose from (?P<known>.*)\)"
)
"""argparse's sentence, quoted or not, as its version has it."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are a sentence and the usage, and let nothing unprintable through."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how the verb is used, and exit with status 2."""
        self.print_error(_in_our_words(message))
        sys.exit(ending.UNREADABLE)

    def print_error(self, message: str) -> None:
        """Write a sentence about a mistake, and the usage, to standard error."""
        sys.stderr.write(f"{self.prog}: {printable(message)}\n{self.format_usage()}")
        what = "options" if " " in self.prog else "verbs"
        sys.stderr.write(f"({self.prog} --help lists the {what})\n")

    def actions(self) -> list[argparse.Action]:
        """Return what it takes, in order; argparse has no public way."""
        return self._actions

    def options(self) -> Iterator[str]:
        """Yield every option that help shows."""
        for action in self.actions():
            if action.help != argparse.SUPPRESS:
                yield from action.option_strings

    def settle_usage(self) -> None:
        """Make the usage one line: what must be named; help has the rest."""
        needed = " ".join(_needed(action) for action in self._actions if action.required and action.option_strings)
        places = (_positional(action) for action in self._actions if not action.option_strings)
        named = " ".join(filter(None, places))
        parts = ["%(prog)s", "[options]", needed, named]
        self.usage = " ".join(part for part in parts if part)


def _needed(action: argparse.Action) -> str:
    return f"{action.option_strings[0]} {action.metavar}"


def _positional(action: argparse.Action) -> str:
    if action.help == argparse.SUPPRESS:
        return ""
    name = str(action.metavar or action.dest)
    several = f"[{name}...]" if action.default is None else f"{name}..."
    return {"*": several, "?": f"[{name}]"}.get(str(action.nargs), name)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean ...?`` of the known words that are like one; nothing if none is."""
    like = nearest(word, known)
    if not like:
        return ""
    *others, last = like
    return f"; did you mean {', '.join(others)}{' or ' if others else ''}{last}?"


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return the known words that a mistyped or shortened one may mean, likeliest first."""
    spelled: dict[str, str] = {}
    for each in known:
        spelled.setdefault(_plain(each), each)
    plain = _plain(word)
    if plain in spelled:
        return [spelled[plain]]
    alike = difflib.get_close_matches(plain, spelled, MEANT, LIKE_ENOUGH)
    if len(plain) >= LEAST:
        begun = [each for each in spelled if each.startswith(plain)]
        inside = [each for each in spelled if plain in each]
        alike = [*begun, *alike, *inside] if begun else [*alike, *inside]
    return [spelled[each] for each in dict.fromkeys(alike)][:MEANT]


def unknown(arguments: list[str], known: Iterable[str]) -> str:
    """Return the sentence for arguments that nobody took."""
    option = next((each for each in arguments if each.startswith("-") and each != "-"), None)
    if option is None:
        return f"one argument too many: {' '.join(arguments)}"
    name = option.partition("=")[0]
    return f"there is no option {name}{suggestion(name, known)}"


def _plain(word: str) -> str:
    return word.lower().replace("_", "-").strip("-")


def _in_our_words(message: str) -> str:
    """Return argparse's sentence; that about a choice says what may have been meant."""
    found = INVALID_CHOICE.fullmatch(message)
    if found is None:
        return message
    known = re.findall(r"[\w.-]+", found["known"])
    value = found["value"].strip("'")
    return f"argument {found['name']}: {value} is none of {', '.join(known)}{suggestion(value, known)}"
