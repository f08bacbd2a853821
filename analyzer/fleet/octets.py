"""The bytes of a stored file in order.

What a store refuses, breaks off or forgets is asked for again from where reading stood, unless the file's version
changed meanwhile.

This module must not know what is in a file.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from typing import TYPE_CHECKING, Any

from analyzer.errors import AnalyzerError
from analyzer.fleet.storage import (
    BLOCK,
    NO_SUCH,
    ReplacedError,
    StorageError,
    StoredFile,
    once_more,
    reason,
)

if TYPE_CHECKING:
    from analyzer.fleet.places import Place


class Octets:
    """The bytes of a stored file in order; asked for again where a store fails, refused if the file changed."""

    def __init__(self, place: Place, file: StoredFile) -> None:
        """Begin at the front."""
        self._place = place
        self._file = file
        self._stream: Any = None
        self._at = 0
        self._failed: AnalyzerError | None = None

    def readinto(self, view: memoryview) -> int:
        """Read up to ``len(view)`` bytes; 0 at the end, and where the store fails: ``verify`` tells these apart.

        What decompresses reads in a thread of its own, where an error would be lost.
        """
        if self._failed is not None:
            return 0
        try:
            return self._read(view)
        except AnalyzerError as error:
            self._failed = error
            return 0

    def _read(self, view: memoryview) -> int:
        """Read up to ``len(view)`` bytes; 0 at the end.

        Raises:
            StorageError: the store fails again and again, or has fewer bytes than it said.
            ReplacedError: the file is another one now.
        """
        wanted = min(len(view), self._file.size - self._at, BLOCK)
        if wanted <= 0:
            return 0
        since_s = time.monotonic()
        for attempt in itertools.count():
            try:
                octets = self._more(wanted)
            except ReplacedError:
                raise
            except NO_SUCH:
                raise StorageError(f"{self._file.name}: was removed while it was read") from None
            except Exception as error:  # noqa: BLE001 - fsspec's libraries raise what they like
                why = reason(error)
            else:
                if octets:
                    view[: len(octets)] = octets
                    self._at += len(octets)
                    return len(octets)
                why = "the store has no more"
            self.close()
            if self._place.now(self._file).version != self._file.version:
                raise ReplacedError(self._file.name)
            if not once_more(attempt, since_s):
                break
        raise StorageError(f"{self._file.name}: cannot be read from byte {self._at} of {self._file.size} ({why})")

    def _more(self, wanted: int) -> bytes:
        if self._stream is None:
            self._stream = self._place.stream(self._file, self._at)
        octets: bytes = self._stream.read(wanted)
        return octets

    def check(self) -> None:
        """Make sure that reading has not failed so far.

        Raises:
            ReplacedError: the file was found to be another one.
            StorageError: it could not be read.
        """
        if self._failed is not None:
            raise self._failed

    def verify(self) -> None:
        """Make sure that all that was read is what the file has, and that it is still the one that was listed.

        Raises:
            ReplacedError: it is not.
            StorageError: it could not be read, or cannot be asked.
        """
        self.check()
        if self._place.now(self._file).version != self._file.version:
            raise ReplacedError(self._file.name)

    def close(self) -> None:
        """Let go of the file."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(Exception):
                stream.close()
