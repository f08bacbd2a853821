"""What a worker is asked to do, and what comes of it: plain values, whatever carries them.

Apart from the work itself, so that who hands it out need not import what does it.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from analyzer.fleet.points import label_of
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.fleet.storage import StoredFile

CHECKPOINT: Final = 1 << 30
"""Bytes of files after which a point's stream is saved."""


@dataclass(frozen=True, slots=True)
class Task:
    """One point, or a shard of it, to be brought up to date."""

    point: str
    files: tuple[tuple[str, StoredFile], ...]
    """Each with the place that it is in."""
    out: str
    shard: int = 0
    shards: int = 1
    anew: str = ""
    """A word for this run, if it is to forget what other runs made; what it has made itself it goes on from."""
    checkpoint: int = CHECKPOINT
    rules: str = ""
    """What ``manifest.rules`` must return where it is done; empty for whatever it does."""
    beside: int = 0
    """Bytes of all files of the run: what a worker that does some of it has before it, however small a file is."""

    @property
    def folder(self) -> str:
        """Name of the folder of its tables."""
        label = label_of(self.point)
        return label if self.shards == 1 else f"{label}.{self.shard}-of-{self.shards}"

    @property
    def octets(self) -> int:
        """Size of its files, as they are stored."""
        return sum(file.size for _, file in self.files)


@dataclass(slots=True)
class Outcome:
    """What came of a task."""

    point: str
    folder: str
    read: int = 0
    """Files that were read."""
    octets: int = 0
    """Of these."""
    flows: int = 0
    """In its tables now."""
    notes: list[str] = field(default_factory=list)
    """Sentences about files that could not be read, or not yet."""
    error: str = ""
    """Why it was not done; empty if it was."""
