"""``keepalive man``: the manual page, made from the parser, as groff and mandoc read it (man(7))."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Final

import analyzer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.cli.parser import Parser

EXAMPLES: Final = """\
examples:
  keepalive man | man -l -
  keepalive man > ~/.local/share/man/man1/keepalive.1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's examples; it has no options of its own."""
    parser.epilog = EXAMPLES


def run(options: argparse.Namespace) -> int:  # noqa: ARG001 - as every verb
    """Print the page; return the exit status."""
    sys.stdout.writelines(line + "\n" for line in page())
    return 0


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    from analyzer import cli

    parser, by_name = cli.build(whole=True)
    yield f'.TH KEEPALIVE 1 "" "keepalive {analyzer.__version__}" "User Commands"'
    yield ".SH NAME"
    yield r"keepalive \- what a packet capture says about TCP keepalive"
    yield ".SH SYNOPSIS"
    for verb in by_name.values():
        yield ".br"
        yield rf"\fB{escaped(_usage(verb))}\fR"
    yield ".SH DESCRIPTION"
    yield from _text(parser.description or "")
    yield ".SH VERBS"
    for verb in by_name.values():
        yield f".SS {escaped(verb.prog)}"
        yield from _text(verb.description or "")
        yield from _arguments(verb)
        yield from _preformatted(verb.epilog or "")
    yield from _sections(parser.epilog or "")
    yield ".SH ENVIRONMENT"
    for name, meaning in ENVIRONMENT.items():
        yield ".TP"
        yield rf"\fB{escaped(name)}\fR"
        yield from _text(meaning)
    yield ".SH SEE ALSO"
    yield r"\fBtcpdump\fR(8), \fBtshark\fR(1), \fBpcap-filter\fR(7), \fBtcp\fR(7)"


ENVIRONMENT: Final = {
    "NO_COLOR": "If set, nothing is coloured; --color overrides it.",
    "FORCE_COLOR": "If set, text is coloured even where it does not go to a terminal; NO_COLOR overrides it.",
    "COLUMNS": "How wide text is, instead of the terminal's width.",
    "KEEPALIVE_JIT": "0: no loop is compiled; 1: all are; otherwise the size of the capture decides.",
    "KEEPALIVE_CACHE_DIR": "Where compiled loops are kept, instead of the user's cache folder.",
    "KEEPALIVE_TRACEBACK": "1: print a traceback where the program is at fault.",
}


def escaped(text: str) -> str:
    r"""Return text as roff prints it: backslashes, hyphens, and a leading dot or quote are no commands."""
    found = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{found}" if found[:1] in {".", "'"} else found


def _usage(verb: Parser) -> str:
    return " ".join(verb.format_usage().split()).removeprefix("usage: ")


def _text(text: str) -> Iterator[str]:
    """Yield a paragraph."""
    for line in text.strip().splitlines():
        yield escaped(line.strip())


def _arguments(verb: Parser) -> Iterator[str]:
    """Yield what a verb takes, in the order and the words of its help."""
    formatter = argparse.HelpFormatter(verb.prog)
    for action in verb.actions():
        if action.help == argparse.SUPPRESS:
            continue
        names = ", ".join(rf"\fB{escaped(name)}\fR" for name in action.option_strings)
        value = "" if action.nargs == 0 else _value(action)
        yield ".TP"
        yield f"{names} {value}".strip()
        yield from _text(formatter._expand_help(action))  # noqa: SLF001 - as help prints it; argparse has no other way


def _value(action: argparse.Action) -> str:
    """Return what stands for an argument's value."""
    name = action.metavar if isinstance(action.metavar, str) else None
    if name is None and action.choices is not None:
        name = "|".join(map(str, action.choices))
    return rf"\fI{escaped(name or action.dest)}\fR"


def _preformatted(text: str) -> Iterator[str]:
    """Yield an epilogue: headings are paragraphs, lines that are indented stay as they are."""
    indented = False
    for line in text.rstrip().splitlines():
        if line.startswith("  ") != indented:
            indented = not indented
            yield ".nf" if indented else ".fi"
        yield escaped(line) if line.strip() else ".PP"
    if indented:
        yield ".fi"


def _sections(epilog: str) -> Iterator[str]:
    """Yield the command's own epilogue: each of its headings is a section."""
    for heading, body in re.findall(r"^(\w[\w ]*):\n((?:  .*\n?|\n)*)", epilog, re.MULTILINE):
        yield f".SH {heading.upper()}"
        yield ".nf"
        yield from (escaped(line) for line in body.rstrip().splitlines())
        yield ".fi"
