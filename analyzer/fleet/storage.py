"""What a stored file is, what stores and files are called, and how a store's failures are said and waited out.

Credentials never get into a name, a manifest or an error: of a URL only scheme, host and path are ever said, and of
what a library raises only the kind. A file has a version: what the store says of its content (an ETag, or size and
time).

This module must not know how a store is asked.
"""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from analyzer.errors import AnalyzerError
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.untyped import Json

SCHEMES: Final = ("file", "s3", "gs", "abfs", "http", "https")
BLOCK: Final = 4 << 20
"""Bytes that are asked for at once."""
ATTEMPTS: Final = 5
PAUSE_S: Final = 0.2
"""Before the second attempt; twice as long before each further one."""
GIVE_UP_S: Final = 300.0
"""After so long nothing is asked for again."""
NO_SUCH: Final = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class StorageError(AnalyzerError):
    """A place cannot be listed, read or written, however often it was tried."""


class ReplacedError(AnalyzerError):
    """A file is no longer what it was when reading began."""

    def __init__(self, name: str) -> None:
        """Keep what it is called."""
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        """Say it."""
        return f"{self.name}: was replaced while it was read"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as a listing has it."""

    path: str
    """As its file system takes it."""
    name: str
    """As it is called: without credentials, query or fragment."""
    size: int
    version: str


@contextlib.contextmanager
def said_as(name: str, what: str, *, body: bool = False) -> Iterator[None]:
    """Let whatever a store's library raises be one sentence about ``name``, to fit after "cannot be".

    With a ``body`` that is not only the library's, Python's own errors other than the system's are faults, and stay.
    """
    try:
        yield
    except (AnalyzerError, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except Exception as error:  # fsspec's libraries raise what they like
        if body and type(error).__module__ == "builtins" and not isinstance(error, OSError):
            raise
        raise StorageError(f"{name}: cannot be {what} ({reason(error)})") from None


def reason(error: BaseException) -> str:
    """Return why a store refused, without anything that may hold a secret."""
    if isinstance(error, FileNotFoundError):
        return "it is not there"
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return "no answer in time"
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return f"status {status}"
    if isinstance(error, OSError) and error.errno is not None and error.strerror:
        return re.sub(r"[^ -~]", "?", str(error.strerror))[:80]
    return type(error).__name__


def once_more(attempt: int, since_s: float) -> bool:
    """Pause behind an attempt that failed, of those that began then; say whether there is to be another one."""
    if attempt == ATTEMPTS - 1 or time.monotonic() - since_s >= GIVE_UP_S:
        return False
    time.sleep(PAUSE_S * 2**attempt)
    return True


def named(url: str) -> tuple[str, str]:
    """Return the scheme of a place, and what it is called: without user, password, query or fragment.

    Raises:
        StorageError: it is of no kind that is known.
    """
    if "://" not in url:
        return "file", url
    parts = urlsplit(url)
    scheme = {"s3a": "s3", "gcs": "gs", "az": "abfs", "abfss": "abfs"}.get(parts.scheme, parts.scheme)
    name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if scheme not in SCHEMES or "::" in url:
        known = ", ".join(f"{each}://" for each in SCHEMES[1:])
        raise StorageError(f"{name}: no such kind of place; expected a folder, or {known}")
    return scheme, parts.path if scheme == "file" else name


def version_of(info: Json) -> str:
    """Return what tells a file's content from another's: the store's tag, or size and time."""
    tag = info.get("ETag") or info.get("etag") or info.get("contentHash") or info.get("md5Hash")
    when = info.get("mtime") or info.get("LastModified") or info.get("updated") or info.get("last_modified")
    known = str(tag).strip('"') if tag else f"{when}-{info.get('ino', '')}"
    return f"{int(info.get('size') or 0)}-{known}"
