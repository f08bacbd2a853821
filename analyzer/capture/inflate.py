"""gzip and zstd: a file's octets decompressed, as another ``Source``, ahead in a thread.

A stream that ends early or is damaged ends there, and ``damage`` says where; nothing raises. zlib and zstd release the
GIL, so decompression costs no time on a second processor.

This module must not know any capture format.
"""

from __future__ import annotations

import queue
import threading
import zlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.capture.source import RawSource

GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE: Final = b"\x2a\x4d\x18"  # behind an octet 0x50 to 0x5f (RFC 8878 3.1.2)

AHEAD: Final = 1 << 20
"""Octets of a chunk that is decompressed ahead."""
MUCH: Final = 1 << 20
FEW: Final = 1 << 8
"""Where a piece made MUCH, so few octets are decompressed at a time: 64 MiB at once are fetched from the system, and
given back, for each piece, which takes longer than to decompress them."""


def inflater(raw: RawSource, head: bytes) -> Ahead | None:
    """Return a source that decompresses ``raw``, if its first octets ``head`` say that it is compressed."""
    if is_gzip(head):
        return Ahead(Inflater(raw, "gzip", lambda: zlib.decompressobj(31), is_gzip, 1 << 18))
    if is_zstd(head):
        import zstandard

        # zstandard cannot bound what a call returns, so it is fed little: 2 KiB become 64 MiB at the very worst.
        return Ahead(Inflater(raw, "zstd", zstandard.ZstdDecompressor().decompressobj, is_zstd, 1 << 11))
    return None


def is_gzip(head: bytes) -> bool:
    """Whether a gzip member begins here."""
    return head[:2] == GZIP_MAGIC


def is_zstd(head: bytes) -> bool:
    """Whether a zstd frame begins here, of data or skippable."""
    return head[:4] == ZSTD_MAGIC or (head[1:4] == ZSTD_SKIPPABLE and head[0] & 0xF0 == 0x50)


class Inflater:
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
        self._fed = piece
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
            self._waiting = bytes(self._piece[: self._raw.readinto(self._piece[: self._fed])])
        if self._object.eof:
            return self._next_member()
        if not self._waiting:
            if self._raw.damage:
                self.damage = f"{self._raw.damage}, of the compressed file, after {self._given} bytes of capture"
            else:
                self._end(f"the {self.compression} stream ends early")
            return False
        try:
            if self.compression == "gzip":
                self._ready = memoryview(self._object.decompress(self._waiting, room))
                self._waiting = self._object.unused_data if self._object.eof else self._object.unconsumed_tail
            else:
                self._ready = memoryview(self._object.decompress(self._waiting))
                self._waiting = self._object.unused_data if self._object.eof else b""
                self._fed = FEW if len(self._ready) > MUCH else len(self._piece)
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


class Ahead:
    """Runs another source one or two chunks ahead, in a thread."""

    def __init__(self, inner: Inflater) -> None:
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
        """Fill chunks until the end, which an empty one marks whatever happens; this is the thread."""
        try:
            while (chunk := self._free.get()) is not None:
                got = filled = 0
                while filled < AHEAD:
                    got = self._inner.readinto(memoryview(chunk)[filled:])
                    filled += got
                    if got == 0 or self.size is None:  # a stream's octets are wanted at once
                        break
                if filled:
                    self._full.put((chunk, filled))
                if got == 0:
                    return
        finally:
            self._full.put((bytearray(), 0))

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
