"""What a line of pasted text was before mail programs, trackers and terminals had it.

Undone are: quotation marks before a line, HTML entities and simple tags, no-break and zero-width spaces, terminal
escapes, numbers of lines. What cannot be undone (a line that was cut, or broken in two) is left to who reads the
packet; ``excerpt`` shows a line that is none.

This module must not know what a packet looks like.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.capture.window import Window

LONGEST: Final = 1 << 16
"""Octets of a line that are read; the rest of a longer one is passed over."""
EXCERPT: Final = 60
"""Characters of a line that are shown."""

PLAIN: Final = re.compile(r"[ \t]*[0-9A-Za-z:\[(][\x20-\x7e\t]*")
"""A line that nothing can have been done to, if it has no entity and no tag."""
ESCAPES: Final = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"""Sequences to a terminal (ECMA-48 5.4), and window titles."""
SPACES: Final = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
INVISIBLE: Final = re.compile(r"[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]")
TAGS: Final = re.compile(
    r"</?(?:br|p|pre|code|div|span|tt|b|i|em|strong|blockquote|ul|ol|li|td|tr|font|a)\b[^<>]*>", re.IGNORECASE
)
BACKSLASHES: Final = re.compile(r"\\([\[\]<>_*.()#+-])")
"""What Markdown has for a character that is meant as it is."""
BREAK: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
CURLY: Final = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"
"""Quotes that word processors put around what is quoted."""
LONE_RETURN: Final = re.compile(rb"\r(?![\r\n])")
QUOTED: Final = re.compile(r"(?:[ \t]{0,8}[>|\u2502])+[ \t]?")
"""Marks of quotation before a line: mail's, and those of tables in trackers."""
BULLET: Final = re.compile(r"[ \t]*(?:[-*+\u2022]|`{1,2})[ \t]*(?=\d|IP)")

ENCODINGS: Final = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF8, "utf-8"))
"""Byte order marks, and what they begin; Windows' shells write the first."""
LATIN: Final = 1.4
"""What is no UTF-8 is text, of Latin-1 perhaps, if it has at most so many characters for each of ASCII."""
CONTROLS: Final = frozenset(range(32)) - frozenset(b"\a\b\t\n\v\f\r\x1b")


def encoding_of(head: bytes) -> str | None:
    """Return the encoding of text that begins so; None if it is no text."""
    for mark, name in ENCODINGS:
        if head.startswith(mark):
            return name
    if not head or CONTROLS & set(head):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        if sum(octet < 0x80 for octet in head) * LATIN < len(head):
            return None
    return "utf-8"


def physical_lines(window: Window, encoding: str) -> Iterator[str]:
    """Yield the lines of a text as they are, without their ends; what is not of the encoding is taken for Latin-1."""
    wide = encoding.startswith("utf-16")
    end = "\n".encode(encoding)
    rest, too_long = b"", False
    while True:
        pieces = _split(rest + bytes(window.view[window.start : window.end]), end, wide=wide)
        window.start = window.end
        rest = pieces.pop()
        for piece in pieces:
            if not too_long:
                yield _decoded(piece[:LONGEST], encoding)
            too_long = False
        if len(rest) > LONGEST:
            if not too_long:
                yield _decoded(rest[:LONGEST], encoding)
            rest, too_long = rest[len(rest) & ~1 :], True
        if not window.more():
            break
    if rest and not too_long:
        yield _decoded(rest, encoding)


def _split(octets: bytes, end: bytes, *, wide: bool) -> list[bytes]:
    """Split at the ends of lines; in wide characters these are two octets, at even places."""
    if not wide:
        if b"\r" in octets:
            octets = LONE_RETURN.sub(b"\n", octets)
        return octets.split(end)
    whole = len(octets) & ~1
    pieces, start, at = [], 0, octets.find(end)
    while 0 <= at < whole:
        if at % 2 == 0:
            pieces.append(octets[start:at])
            start = at + 2
        at = octets.find(end, at + 2 if at % 2 == 0 else at + 1)
    pieces.append(octets[start:])
    return pieces


def _decoded(octets: bytes, encoding: str) -> str:
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError:
        return octets.decode("latin-1") if encoding == "utf-8" else octets.decode(encoding, "replace")


def unbroken(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines, those apart that HTML has in one."""
    for line in lines:
        if "<" in line and BREAK.search(line):
            yield from BREAK.split(line)
        else:
            yield line


def cleaned(line: str) -> str:
    """Return a line as it was printed, as far as that can be told."""
    line = line.rstrip("\r")
    if "&" not in line and "<" not in line and "\\" not in line and PLAIN.fullmatch(line):
        return line.rstrip()
    line = ESCAPES.sub("", line)
    if "&" in line:
        import html  # two milliseconds, and most captures are no text

        line = html.unescape(line)
        line = html.unescape(line) if "&" in line else line  # some trackers do it twice
    if not line.isascii():
        line = unicodedata.normalize("NFKC", line).replace("\u2013>", ">").replace("\u2014>", ">").strip(CURLY)
    if "\\" in line:
        line = BACKSLASHES.sub(r"\1", line.replace("\\u003e", ">").replace("\\t", " "))
    line = INVISIBLE.sub("", SPACES.sub(" ", line))
    if "<" in line:
        line = TAGS.sub("", line)
    if quoted := QUOTED.match(line):
        line = line[quoted.end() :]
    if bullet := BULLET.match(line):
        line = line[bullet.end() :]
    return line.rstrip(" \t`\\")


def excerpt(line: str) -> str:
    """Return the beginning of a line in quotes, with nothing in it that a terminal obeys."""
    shown = " ".join(line.split())
    text = shown[:EXCERPT] + "..." if len(shown) > EXCERPT else shown
    safe = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return f'"{safe}"'
