"""``Window``: the part of a capture that is in memory, a buffer that slides over the stream.

Framing works on ``data[start:end]`` and says where it stopped; the incomplete rest is carried to the front and
more is read behind it. Positions in the file are ``base`` plus the index.

This module must not know any capture format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.capture.frame import CAPACITY, OCTETS, octets_of

if TYPE_CHECKING:
    from analyzer.capture.source import Source
    from analyzer.untyped import Octets

CHUNK: Final = 1 << 21
"""Octets read at a time: they stay in a processor's cache until they are decoded."""


class Window:
    """A sliding buffer over a source."""

    def __init__(self, source: Source, *, chunk: int = CHUNK) -> None:
        """Start empty at the beginning of the source."""
        self.start = 0
        """Index of the first octet that framing has not passed."""
        self.end = 0
        """Index behind the last octet read."""
        self.base = 0
        """Position in the (decompressed) stream of index 0."""
        self.ended = False
        """Whether the source has no more."""
        self._source = source
        self._chunk = chunk
        self._buffer = np.empty(1, dtype=OCTETS)
        self.view = self._buffer.view(np.uint8).data
        self._forms = {jit: octets_of(self._buffer, jit=jit) for jit in (False, True)}

    def octets(self, *, jit: bool) -> Octets:
        """Return the buffer as loops take it."""
        return self._forms[jit]

    def head(self, count: int) -> bytes:
        """Return the next ``count`` octets, reading as needed; fewer only at the end."""
        while self.end - self.start < count and self.more():
            pass
        return bytes(self.view[self.start : min(self.end, self.start + count)])

    @property
    def position(self) -> int:
        """Where framing is in the stream."""
        return self.base + self.start

    @property
    def damage(self) -> str:
        """Why the source ended early; empty while it did not."""
        return self._source.damage

    @property
    def rest(self) -> int:
        """How many octets lie before framing."""
        return self.end - self.start

    def more(self) -> bool:
        """Carry the rest to the front and read behind it; False if nothing was added."""
        if self.ended:
            return False
        if self.start:
            rest = self.end - self.start
            self.view[:rest] = self.view[self.start : self.end]
            self.base += self.start
            self.start, self.end = 0, rest
        got = self._source.readinto(self.view[self.end : min(self.end + self._chunk, CAPACITY)])
        self.end += got
        self.ended = got == 0
        return got > 0
