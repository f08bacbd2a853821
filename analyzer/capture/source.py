"""Octets in: a file, a FIFO or standard input, plain, gzip or zstd; told apart by their first octets.

Reading is by chunks into memory that is used again, so that it does not grow with the file. What ends early ends there:
``Source.damage`` says so, and nothing raises after the start. (``inflate`` decompresses.)

This module must not know any capture format.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from analyzer.capture.inflate import inflater
from analyzer.errors import CaptureError

if TYPE_CHECKING:
    from analyzer.untyped import Foreign

STDIN: Final = "-"


class Source(Protocol):
    """Octets of a capture in order."""

    @property
    def size(self) -> int | None:
        """Octets of the file as it lies on disk; None for a stream."""
        ...

    @property
    def bytes_read(self) -> int:
        """How many of these were read."""
        ...

    @property
    def compression(self) -> str:
        """``gzip``, ``zstd`` or empty."""
        ...

    @property
    def damage(self) -> str:
        """Why the octets ended early, as a sentence; empty while they did not."""
        ...

    def readinto(self, view: memoryview) -> int:
        """Read up to ``len(view)`` octets, waiting for at least one; 0 at the end."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def is_stream(path: str) -> bool:
    """Say whether a path can be read only once: standard input, a named pipe, or one that a shell made of a program."""
    if path == STDIN:
        return True
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def open_source(path: str) -> Source:
    """Open a path, or standard input for ``-``.

    Raises:
        CaptureError: it cannot be opened or read, or is not a file.
    """
    return _plain(_stdin() if path == STDIN else _file(path))


def open_stream(name: str, stream: Foreign, size: int) -> Source:
    """Take a stream that somebody else opened, of so many octets: what has ``readinto`` and ``close``.

    Raises:
        CaptureError: it cannot be read.
    """
    return _plain(RawSource(name, stream, size, owned=True))


def _plain(raw: RawSource) -> Source:
    """Return a source of what is in a file, decompressed if it is compressed."""
    try:
        head = raw.peek(4)
    except OSError as error:
        raw.close()
        raise CaptureError(raw.name, _why(error)) from error
    except BaseException:
        raw.close()
        raise
    return inflater(raw, head) or raw


def display_name(path: str) -> str:
    """Return a path as errors name it."""
    return "standard input" if path == STDIN else path


class RawSource:
    """A file or stream as it is."""

    compression = ""

    def __init__(self, name: str, stream: Foreign, size: int | None, *, owned: bool) -> None:
        """Take an open stream; ``owned`` if it is ours to close."""
        self.name = name
        self.size = size
        self.bytes_read = 0
        self.damage = ""
        self._stream = stream
        self._owned = owned
        self._head = b""

    def peek(self, count: int) -> bytes:
        """Return the first octets, fewer than ``count`` only if there are no more."""
        while len(self._head) < count:
            block = bytearray(count - len(self._head))
            got = self._stream.readinto(block) or 0
            if got == 0:
                break
            self._head += block[:got]
        return self._head

    def readinto(self, view: memoryview) -> int:
        """Read as Source; an error of the device ends the octets and is noted."""
        if self._head:
            got = min(len(view), len(self._head))
            view[:got] = self._head[:got]
            self._head = self._head[got:]
        else:
            try:
                got = self._stream.readinto(view) or 0
            except OSError as error:
                self.damage = f"reading stopped at byte {self.bytes_read}: {_why(error)}"
                return 0
        self.bytes_read += got
        return got

    def close(self) -> None:
        """Close the file."""
        if self._owned:
            self._stream.close()


def _file(path: str) -> RawSource:
    """Open a path for reading."""
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise CaptureError(
                path, "is a directory without captures; expected a pcap or pcapng file, or a directory of them"
            )
        stream = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed by RawSource
        size = os.fstat(stream.fileno()).st_size if stat.S_ISREG(mode) else None
    except (OSError, ValueError) as error:
        raise CaptureError(path, _why(error)) from error
    return RawSource(path, stream, size, owned=True)


def _stdin() -> RawSource:
    """Take standard input, unless nobody is behind it."""
    name = display_name(STDIN)
    if sys.stdin is None or sys.stdin.closed:
        raise CaptureError(name, "is closed; expected a pcap or pcapng stream")
    if sys.stdin.isatty():
        raise CaptureError(name, "is a terminal; expected a pcap or pcapng stream, as from: tcpdump -w - | ...")
    return RawSource(name, _FirstAvailable(sys.stdin.buffer), None, owned=False)


class _FirstAvailable:
    """Reads from a buffered stream without waiting until a whole chunk is there."""

    def __init__(self, stream: Foreign) -> None:
        self.readinto = stream.readinto1


def _why(error: OSError | ValueError) -> str:
    """Return the reason of a system error as the end of a sentence."""
    if not isinstance(error, OSError):
        return f"cannot be opened ({error})"
    if error.errno == errno.ENOENT:
        return "no such file"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "no permission to read it"
    return f"cannot be read ({error.strerror})"
