"""Octets in: a file, a FIFO or standard input, plain, gzip or zstd; told apart by their first octets.

Reading is by chunks into memory that is used again, so that it does not grow with the file. A compressed stream that
ends early or is damaged ends there: ``Source.damage`` says so, and nothing raises. Decompression runs
ahead in its own thread (zlib and zstd release the GIL).

This module must not know any capture format.
"""

from __future__ import annotations

import errno
import os
import queue
import stat
import sys
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from analyzer.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable

GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE: Final = b"\x2a\x4d\x18"  # behind an octet 0x50 to 0x5f (RFC 8878 3.1.2)

STDIN: Final = "-"
AHEAD: Final = 1 << 20
"""Octets of a chunk that is decompressed ahead."""


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


def open_source(path: str) -> Source:
    """Open a path, or standard input for ``-``.

    Raises:
        CaptureError: it cannot be opened or read, or is not a file.
    """
    raw: RawSource = _stdin() if path == STDIN else _file(path)
    try:
        head = raw.peek(4)
    except OSError as error:
        raw.close()
        raise CaptureError(raw.name, _why(error)) from error
    if head.startswith(GZIP_MAGIC):
        return _Ahead(
            _Inflater(raw, "gzip", lambda: zlib.decompressobj(31), lambda h: h.startswith(GZIP_MAGIC), 1 << 18)
        )
    if _is_zstd(head):
        import zstandard

        decompressor = zstandard.ZstdDecompressor()
        # zstandard cannot bound what a call returns, so it is fed little: 2 KiB become 64 MiB at the very worst.
        return _Ahead(_Inflater(raw, "zstd", decompressor.decompressobj, _is_zstd, 1 << 11))
    return raw


def display_name(path: str) -> str:
    """Return a path as errors name it."""
    return "standard input" if path == STDIN else path


class RawSource:
    """A file or stream as it is."""

    compression = ""

    def __init__(self, name: str, stream: Any, size: int | None, *, owned: bool) -> None:  # noqa: ANN401 - has readinto
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


class _Inflater:
    """Decompresses members (gzip) or frames (zstd) that follow each other."""

    def __init__(
        self,
        raw: RawSource,
        compression: str,
        make: Callable[[], Any],
        begins: Callable[[bytes], bool],
        piece: int,
    ) -> None:
        """Decompress ``raw`` with objects from ``make``, ``piece`` octets at a time."""
        self.compression = compression
        self.size = raw.size
        self.damage = ""
        self._raw = raw
        self._make = make
        self._begins = begins
        self._piece = memoryview(bytearray(piece))
        self._object = make()
        self._waiting = b""  # compressed, read but not used
        self._ready = memoryview(b"")  # decompressed, not handed out
        self._given = 0

    @property
    def bytes_read(self) -> int:
        """Octets of the compressed file."""
        return self._raw.bytes_read

    def readinto(self, view: memoryview) -> int:
        """Read as Source."""
        while not self._ready:
            if not self._advance(len(view)):
                return 0
        got = min(len(view), len(self._ready))
        view[:got] = self._ready[:got]
        self._ready = self._ready[got:]
        self._given += got
        return got

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def _advance(self, room: int) -> bool:
        """Decompress a piece; False at the end."""
        if self.damage:
            return False
        if not self._waiting:
            self._waiting = bytes(self._piece[: self._raw.readinto(self._piece)])
        if self._object.eof:
            return self._next_member()
        if not self._waiting:
            self._end(self._raw.damage or f"the {self.compression} stream ends early")
            return False
        try:
            if self.compression == "gzip":
                self._ready = memoryview(self._object.decompress(self._waiting, room))
                self._waiting = self._object.unused_data if self._object.eof else self._object.unconsumed_tail
            else:
                self._ready = memoryview(self._object.decompress(self._waiting))
                self._waiting = self._object.unused_data if self._object.eof else b""
        except Exception as error:  # noqa: BLE001 - zlib.error, or zstandard's, which is not imported for gzip
            self._end(f"the {self.compression} stream is damaged ({str(error).strip()})")
            return False
        return True

    def _next_member(self) -> bool:
        """Begin what follows a finished member; False if nothing does."""
        while 0 < len(self._waiting) < 4:
            got = self._raw.readinto(self._piece)
            if got == 0:
                break
            self._waiting += bytes(self._piece[:got])
        if not self._waiting:
            return False
        if self._begins(self._waiting[:4]):
            self._object = self._make()
            return True
        if self._waiting.strip(b"\0"):  # tapes and block devices pad with zeros
            self._end(f"what follows the {self.compression} stream is not {self.compression}")
            return False
        self._waiting = b""
        return True

    def _end(self, reason: str) -> None:
        """Note why the octets end here."""
        where = self._raw.bytes_read - len(self._waiting)
        self.damage = f"{reason} at byte {where} of the compressed file, after {self._given} bytes of capture"


class _Ahead:
    """Runs another source one or two chunks ahead, in a thread."""

    def __init__(self, inner: _Inflater) -> None:
        """Start reading."""
        self.compression = inner.compression
        self.size = inner.size
        self._inner = inner
        self._free: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[tuple[bytearray, int]] = queue.SimpleQueue()
        for _ in range(3):
            self._free.put(bytearray(AHEAD))
        self._chunk = bytearray()
        self._at = self._end = 0
        self._done = False
        self._thread = threading.Thread(target=self._run, name="keepalive-read-ahead", daemon=True)
        self._thread.start()

    @property
    def bytes_read(self) -> int:
        """Octets of the compressed file."""
        return self._inner.bytes_read

    @property
    def damage(self) -> str:
        """Why the octets ended early."""
        return self._inner.damage

    def _run(self) -> None:
        """Fill chunks until the end, which an empty one marks; this is the thread."""
        while (chunk := self._free.get()) is not None:
            view = memoryview(chunk)
            got = filled = 0
            while filled < AHEAD:
                got = self._inner.readinto(view[filled:])
                filled += got
                if got == 0 or self.size is None:  # a stream's octets are wanted at once
                    break
            if filled:
                self._full.put((chunk, filled))
            if got == 0:
                self._full.put((chunk, 0))
                return

    def readinto(self, view: memoryview) -> int:
        """Read as Source."""
        if self._at == self._end and not self._done:
            if self._chunk:
                self._free.put(self._chunk)
            self._chunk, self._end = self._full.get()
            self._at = 0
            self._done = self._end == 0
        got = min(len(view), self._end - self._at)
        view[:got] = memoryview(self._chunk)[self._at : self._at + got]
        self._at += got
        return got

    def close(self) -> None:
        """Stop the thread and close the file; a thread that waits for a stream is left to wait."""
        self._free.put(None)
        self._thread.join(timeout=None if self.size is not None else 0.05)
        if not self._thread.is_alive():
            self._inner.close()


def _is_zstd(head: bytes) -> bool:
    """Whether a zstd frame begins here, of data or skippable."""
    return head[:4] == ZSTD_MAGIC or (head[1:4] == ZSTD_SKIPPABLE and head[0] & 0xF0 == 0x50)


def _file(path: str) -> RawSource:
    """Open a path for reading."""
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise CaptureError(path, "is a directory; expected a pcap or pcapng file")
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

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - has readinto1
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
