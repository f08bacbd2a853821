"""What a terminal can show, and the one gate through which foreign text passes: ``printable``.

Colour is SGR sequences around whole words and never carries meaning alone, so the text is the same with and without it.
"""

from __future__ import annotations

import os
import re
import textwrap
from typing import TYPE_CHECKING, Final, TextIO

from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NARROWEST: Final = 40
DEFAULT_WIDTH: Final = 80
PROSE: Final = 110
"""Sentences longer than this are hard to follow with the eye, however wide the terminal."""

GLUE: Final = "\N{NO-BREAK SPACE}"
FRAMES: Final = re.compile(r"\[(?:[0-9,]+ of )?frames? [^]]*\]")
WHOLE: Final = re.compile(FRAMES.pattern + r"|\d (?:us|ms|s|min|h|d)\b(?: \d+ (?:s|min|h)\b)?")
"""What is not broken between lines: numbers with their unit, and frame numbers in brackets, which are dimmed."""

SGR: Final = {
    "bold": "1",
    "dim": "2",
    "heading": "1",
    "bad": "1;31",
    "warning": "33",
    "good": "32",
    "accent": "36",
}
SYMBOLS: Final = "●○─→↔·…"
"""What the text uses beyond ASCII; an encoding without one of them gets ASCII throughout."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Where text goes to."""

    width: int = DEFAULT_WIDTH
    colour: bool = False
    unicode: bool = True

    def paint(self, text: str, style: str | None) -> str:
        """Return the text in a style of SGR, or as it is where there is no colour."""
        return f"\x1b[{SGR[style]}m{text}\x1b[0m" if self.colour and style and text else text

    def arrow(self, *, one_way: bool) -> str:
        """Return what stands between initiator and responder, or between ends of which neither is known as such."""
        if self.unicode:
            return "→" if one_way else "↔"
        return "->" if one_way else "<->"

    def rule(self) -> str:
        """Return what a horizontal line is made of."""
        return "─" if self.unicode else "-"

    def wrap(self, text: str, *, indent: str = "", first: str | None = None, style: str | None = None) -> Iterator[str]:
        """Yield a paragraph in lines, words kept whole; ``first`` stands in place of the indent before the first."""
        room = max(min(self.width, PROSE + len(indent)) - len(indent), 20)
        lines = [text]
        if len(text) > room or not text.isprintable() or text[-1:] in {"", " "}:  # most lines of a timeline fit
            whole = WHOLE.sub(lambda match: match[0].replace(" ", GLUE), text)
            lines = textwrap.wrap(whole, room, break_long_words=False, break_on_hyphens=False) or [""]
        for index, glued in enumerate(lines):
            line = glued.replace(GLUE, " ")
            shown = self.paint(line, style) if style else FRAMES.sub(lambda match: self.paint(match[0], "dim"), line)
            yield (indent if index or first is None else first) + shown


def screen_for(stream: TextIO, environ: Mapping[str, str]) -> Screen:
    """Return what a stream shows: its width (80 when it is no terminal), colour (NO_COLOR, FORCE_COLOR), encoding."""
    terminal = stream.isatty()
    return Screen(_width(stream, environ, terminal=terminal), _colour(environ, terminal=terminal), _unicode(stream))


def printable(text: str) -> str:
    r"""Return text from outside with everything a terminal might act on spelled out: ``\x1b``, ``\u202e``.

    That is control characters, bidirectional overrides, line and paragraph separators, and bytes that are no UTF-8.
    """
    return "".join(char if char.isprintable() else _spelled(char) for char in text)


def columns(cells: Iterable[tuple[str, int]]) -> str:
    """Return cells side by side, two spaces apart; a negative width aligns right."""
    return "  ".join(text.rjust(-width) if width < 0 else text.ljust(width) for text, width in cells).rstrip()


def _spelled(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape (PEP 383): a byte of a file name
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def _width(stream: TextIO, environ: Mapping[str, str], *, terminal: bool) -> int:
    told = environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and int(told):
        return max(int(told), NARROWEST)
    if terminal:
        try:
            return max(os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH, NARROWEST)
        except (OSError, ValueError):  # a stream without a descriptor
            return DEFAULT_WIDTH
    return DEFAULT_WIDTH


def _colour(environ: Mapping[str, str], *, terminal: bool) -> bool:
    """NO_COLOR (no-color.org) wins over FORCE_COLOR."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR") not in {None, "", "0"}:
        return True
    return terminal and environ.get("TERM") != "dumb"


def _unicode(stream: TextIO) -> bool:
    try:
        SYMBOLS.encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
