"""Which files are one capture point: those of a folder whose names differ only in digits, or what a pattern says.

A point has a name, made of those of its files, and a label that is safe as the name of a folder. Points are independent
of each other.

This module must not open a file.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import TYPE_CHECKING, Final

from analyzer.errors import AnalyzerError
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.fleet.storage import StoredFile

HOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}|(\*\*/?)|(\*)|(\?)")
READABLE: Final = 40
"""Characters of a point's name that its label shows."""


class PatternError(AnalyzerError):
    """A pattern that names no point."""


@dataclass(frozen=True, slots=True)
class Point:
    """A capture point: its name, and its files, in no order yet."""

    name: str
    files: tuple[StoredFile, ...]

    @property
    def label(self) -> str:
        """What its folder is called: of letters, digits, points and dashes alone, and no other point's."""
        return label_of(self.name)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def label_of(name: str) -> str:
    """Return a name of letters, digits, points and dashes that no other point has."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[-READABLE:].lstrip("-.")
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"{readable}-{digest}" if readable else digest


class Pattern:
    """What says which files are of one point: a path with ``{word}`` where its name stands, ``*``, ``?`` and ``**``.

    ``{host}/*/{interface}-*.pcap`` makes points called ``web-7/eth0``. It is compared with the end of a path, the
    longest that fits.
    """

    def __init__(self, text: str) -> None:
        """Read it.

        Raises:
            PatternError: it has no ``{word}``.
        """
        parts, at, names = [], 0, []
        for found in HOLDER.finditer(text):
            parts.append(re.escape(text[at : found.start()]))
            at = found.end()
            word, deep, star, _ = found.groups()
            if word:
                parts.append(f"(?P={word})" if word in names else f"(?P<{word}>[^/]+)")
                names.append(word)
            else:
                parts.append(
                    "(?:.*/)?" if deep and deep.endswith("/") else ".*" if deep else "[^/]*" if star else "[^/]"
                )
        parts.append(re.escape(text[at:]))
        if not names:
            raise PatternError(f"--points {text}: names no point; write {{host}} where the name of a point stands")
        self._expression = re.compile(f"(?:.*?/)??{''.join(parts)}")

    def name_of(self, path: str) -> str | None:
        """Return the name of the point that a file is of; None if it is of none."""
        found = self._expression.fullmatch(path)
        return "/".join(found.groupdict().values()) if found else None


def points_of(files: Iterable[StoredFile], pattern: Pattern | None = None) -> tuple[list[Point], int]:
    """Return the points that these files are of, by name, and how many files are of none."""
    named: dict[str, dict[str, StoredFile]] = {}
    left = 0
    for file in files:
        name = series_name(file.name) if pattern is None else pattern.name_of(file.name)
        if name is None:
            left += 1
        else:
            named.setdefault(name, {})[file.name] = file
    return [Point(name, tuple(each.values())) for name, each in sorted(named.items())], left


def series_name(path: str) -> str:
    """Return the folder of a file, and its name with ``#`` for digits (as ``capture.rotation`` tells series apart)."""
    folder, name = posixpath.split(path)
    return posixpath.join(folder, re.sub(r"\d+", "#", name))
