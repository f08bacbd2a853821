"""A point's manifest: which files were read in which version, by which program, and which partitions hold the tables.

The manifest is the one thing that is ever replaced, whole; so a point's tables are what they were, or what they became.
What is ``shown`` is complete: all files of a run, with the flows that still live. What is ``underway`` is how far a run
has come that was not finished; it is nothing to who asks the tables, and where the next run goes on.

This module must not know what is in a partition.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import analyzer
from analyzer.errors import AnalyzerError
from analyzer.track import saving
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.untyped import Json

FORMAT: Final = 1
NAME: Final = "manifest.json"
DECIDING: Final = ("label", "judge", "causes", "findings", "track", "survey", "words", "capture")
"""Packages whose modules decide what tables say."""


class ManifestError(AnalyzerError):
    """A manifest that this program cannot go on from."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read: what it is called, its version, and when it begins."""

    name: str
    version: str
    size: int
    start_ns: int | None


@dataclass(frozen=True, slots=True)
class Tables:
    """One consistent set of partitions, and what it was made from."""

    files: tuple[ReadFile, ...] = ()
    """In the order in which they were read."""
    parts: tuple[tuple[str, str], ...] = ()
    """Of flows that finished: table and file name."""
    live: tuple[tuple[str, str], ...] = ()
    """Of flows that still lived, and of the captures: what the next run replaces."""
    state: tuple[str, str] | None = None
    """File name of the saved stream, and its digest."""
    sums: dict[str, int] = field(default_factory=dict)
    """Numbers for who reports on a run: frames, flows, captures."""

    @property
    def names(self) -> set[str]:
        """Names of all its files."""
        own = {name for _, name in (*self.parts, *self.live)}
        return own | ({self.state[0]} if self.state else set())


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a point."""

    point: str
    shard: int = 0
    shards: int = 1
    program: str = ""
    rules: str = ""
    shown: Tables | None = None
    underway: Tables | None = None
    refused: tuple[tuple[str, str], ...] = ()
    """Files of which nothing could be read, and why."""
    run: str = ""
    """The run that made all anew; empty if none did."""
    generation: int = 0
    """Counts commits: who finds another number than it began with has been overtaken."""

    @property
    def furthest(self) -> Tables:
        """How far the point has come."""
        return self.underway or self.shown or Tables()

    @property
    def names(self) -> set[str]:
        """Names of all files that it needs."""
        return set().union(*(each.names for each in (self.shown, self.underway) if each))

    def octets(self) -> bytes:
        """Return it as a file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=True, indent=1).encode()


def read(octets: bytes, called: str) -> Manifest:
    """Return the manifest in a file.

    Raises:
        ManifestError: it is damaged, or of a program that is not this one.
    """
    try:
        found = json.loads(octets)
        if found.pop("format") != FORMAT:
            raise ManifestError(f"{called}: is a manifest of another format than {FORMAT}")
        refused = tuple((str(name), str(why)) for name, why in found.pop("refused"))
        shown, underway = (_tables(found.pop(name)) for name in ("shown", "underway"))
        fields: dict[str, Any] = {name: str(found.pop(name)) for name in ("point", "program", "rules", "run")}
        fields |= {name: int(found.pop(name)) for name in ("shard", "shards", "generation")}
        return Manifest(**fields, shown=shown, underway=underway, refused=refused)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ManifestError(f"{called}: is damaged") from error


def _tables(found: Json) -> Tables | None:
    if found is None:
        return None
    parts, live = (tuple((str(table), _plain_name(name)) for table, name in found[key]) for key in ("parts", "live"))
    state = found["state"]
    return Tables(
        tuple(
            ReadFile(str(each["name"]), str(each["version"]), int(each["size"]), _number(each["start_ns"]))
            for each in found["files"]
        ),
        parts,
        live,
        None if state is None else (_plain_name(state[0]), str(state[1])),
        {str(name): int(value) for name, value in found["sums"].items()},
    )


def _number(value: Json) -> int | None:
    return None if value is None else int(value)


def _plain_name(name: Json) -> str:
    """Return the name of a file directly beside the manifest.

    Raises:
        ValueError: it leads elsewhere.
    """
    text = str(name)
    if not text or "/" in text or "\\" in text or text.startswith(".") or not text.isprintable():
        raise ValueError(text)
    return text


@cache
def rules() -> str:
    """Return a digest of all that decides what tables say, and how a stream is saved."""
    digest = hashlib.sha256(f"{analyzer.__version__} {saving.layout()}".encode())
    package = Path(analyzer.__file__).parent
    for path in sorted(path for name in DECIDING for path in (package / name).rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]
