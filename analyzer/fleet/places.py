"""Places where captures lie and tables go: folders, S3, Google Cloud Storage, Azure and HTTP, all through fsspec.

A file has a version: what the store says of its content (an ETag, or size and time). It is read in ranges; what a store
refuses, breaks off or forgets is asked for again from where reading stood, unless the version changed meanwhile. What
is written is whole or absent: by ``analyzer.output``, in its folder, or aside and then sent to an object store as one
object, as often as it takes.

Credentials never get into a name, a manifest or an error: of a URL only scheme, host and path are ever said, and of
what a library raises only the kind.

This module must not know what is in a file.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from analyzer.capture.rotation import SUFFIXES
from analyzer.errors import AnalyzerError
from analyzer.fleet.extras import LIBRARIES, library, missing
from analyzer.fleet.settling import Settling
from analyzer.output import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.untyped import Foreign, Json

SCHEMES: Final = ("file", "s3", "gs", "abfs", "http", "https")
BLOCK: Final = 4 << 20
"""Bytes that are asked for at once."""
ATTEMPTS: Final = 5
PAUSE_S: Final = 0.2
"""Before the second attempt; twice as long before each further one."""
CONNECT_S: Final = 10.0
SILENT_S: Final = 20.0
"""After so long without a connection, or without a byte of an answer, a request has failed."""
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


class Place:
    """A folder, a bucket with a prefix, or a single file."""

    def __init__(self, url: str) -> None:
        """Find its file system; asks it nothing yet.

        Raises:
            StorageError: no such kind of place.
            MissingFleetError: the library for it is not installed.
        """
        fsspec = library("fsspec")
        scheme, name = named(url)
        self.name = name
        self.is_local = scheme == "file"
        self._settling = Settling()
        if self.is_local:
            self.root = str(Path(url.removeprefix("file://")))
            self._fs: Any = library("fsspec.implementations.local").LocalFileSystem(skip_instance_cache=True)
            return
        try:
            library(LIBRARIES[scheme])
            self._fs, self.root = fsspec.core.url_to_fs(url, **_patience(scheme))
        except ImportError:
            raise missing(LIBRARIES[scheme]) from None
        except Exception as error:  # noqa: BLE001 - whatever the store's library makes of it
            raise StorageError(f"{name}: cannot be reached ({reason(error)})") from None
        self.root = self.root.rstrip("/")

    def below(self, *parts: str) -> str:
        """Return the path of something in this place."""
        return "/".join((self.root.rstrip("/"), *parts))

    def called(self, path: str) -> str:
        """Return what a path of this place is called."""
        return path if self.is_local else named(self._fs.unstrip_protocol(path))[1]

    def captures(self) -> list[StoredFile]:
        """Return the captures here, with all folders below, by name; a file that was named, whatever it is called.

        Raises:
            StorageError: it cannot be listed, or there is none.
        """
        with said_as(self.name, "listed"):
            found = self._again(self._listed)
        if not found:
            raise StorageError(f"{self.name}: no captures there; expected .pcap, .pcapng or .cap, also .gz and .zst")
        return sorted((self._stored(path, info) for path, info in found.items()), key=lambda file: file.name)

    def _listed(self) -> dict[str, Json]:
        self._fs.invalidate_cache()
        if set(self.root) & set("*?["):
            found = self._fs.glob(self.root, detail=True)
            return {path: info for path, info in found.items() if info["type"] == "file"}
        with contextlib.suppress(*NO_SUCH):
            info = self._told(self.root)
            if info["type"] == "file" and (SUFFIXES.search(self.root) or self.is_local or info.get("size")):
                return {self.root: info}
        found = self._fs.find(self.root, detail=True)
        return {path: info for path, info in found.items() if SUFFIXES.search(path) and info["type"] == "file"}

    def _stored(self, path: str, info: Json) -> StoredFile:
        name = _local_name(self.root, path) if self.is_local else self.called(path)
        return StoredFile(path, name, int(info.get("size") or 0), version_of(info))

    def now(self, file: StoredFile) -> StoredFile:
        """Return a file as it is now.

        Raises:
            StorageError: it cannot be asked.
        """
        with said_as(file.name, "read"):
            info = self._again(lambda: self._info(file.path))
        return StoredFile(file.path, file.name, int(info.get("size") or 0), version_of(info))

    def _info(self, path: str) -> Json:
        self._fs.invalidate_cache(path) if self.is_local else self._fs.invalidate_cache(self._fs._parent(path))
        return self._told(path)

    def _told(self, path: str) -> Json:
        """Return what the store says of a file.

        fsspec says of HTTP that what did not answer is not there; here that is what it is.
        """
        try:
            return self._fs.info(path)
        except NO_SUCH as error:
            why = error.__cause__
            if why is None or not (isinstance(why, TimeoutError) or type(why).__module__.startswith("aiohttp")):
                raise
        raise why

    def _again(self, action: Callable[[], Json]) -> Json:
        """Do something that only asks, again if it fails for a reason that may pass."""
        since_s = time.monotonic()
        for attempt in range(ATTEMPTS):
            try:
                return action()
            except (*NO_SUCH, PermissionError):
                raise
            except Exception:
                if not _once_more(attempt, since_s):
                    raise
        raise AssertionError

    def open(self, file: StoredFile) -> Octets:
        """Return a file's bytes, as ``capture.source.open_stream`` takes them."""
        return Octets(self, file)

    # what is kept ────────────────────────────────────────────────────────────────────────────────────────────────────

    def get(self, path: str) -> bytes | None:
        """Return a small file's bytes; None if it is not there.

        Raises:
            StorageError: it cannot be read.
        """
        with said_as(self.called(path), "read"):
            try:
                return bytes(self._again(lambda: self._whole_of(path)))
            except NO_SUCH:
                return None

    def _whole_of(self, path: str) -> bytes:
        self._fs.invalidate_cache()
        found: bytes = self._fs.cat_file(path)
        return found

    def put(self, path: str, octets: bytes) -> None:
        """Write a small file, in place of what is there.

        Raises:
            StorageError: it cannot be written; what was there is still there.
        """
        with self.write(path) as file:
            file.write(octets)

    @contextlib.contextmanager
    def write(self, path: str, *, settle: bool = True) -> Iterator[Foreign]:
        """Give a file to write to, which is at this path once the block is left without an error.

        It is on disk then, too; without ``settle`` only once ``settled`` returns.

        Raises:
            StorageError: it cannot be written; what was there is still there.
        """
        name = self.called(path)
        with said_as(name, "written", body=True):
            if self.is_local:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                with whole(path, replace=True, settle=None if settle else self._settling.take) as file:
                    yield file
                return
            with tempfile.TemporaryDirectory(prefix="keepalive-") as folder:
                part = f"{folder}/part"
                with whole(part, replace=False, settle=_as_it_is) as file:
                    yield file
                self._again(lambda: self._fs.put_file(part, path))

    def settled(self) -> None:
        """Return when all that was written here is on disk.

        Raises:
            StorageError: some of it is not.
        """
        try:
            self._settling.wait()
        except OSError as error:
            raise StorageError(f"{error.filename}: cannot be written ({reason(error)})") from None

    @contextlib.contextmanager
    def read(self, path: str) -> Iterator[Foreign]:
        """Give a file to read.

        Raises:
            StorageError: it cannot be read.
        """
        with said_as(self.called(path), "read"), self._fs.open(path, "rb", block_size=BLOCK) as file:
            yield file

    def names(self, folder: str) -> list[str]:
        """Return the paths of the files directly in a folder; none if it is not there.

        Raises:
            StorageError: it cannot be listed.
        """
        found = self._entries(folder)
        return sorted(info["name"] for info in found if info["type"] == "file" and info["name"] != folder)

    def older(self, folder: str, than_s: int) -> list[str]:
        """Return the paths of the files directly in a folder that were written so long ago; none if nobody says."""
        before = time.time() - than_s
        found = []
        with contextlib.suppress(Exception):
            for info in self._fs.ls(folder, detail=True):
                when = info.get("mtime") or info.get("LastModified") or info.get("last_modified")
                at = when.timestamp() if hasattr(when, "timestamp") else when
                if info["type"] == "file" and isinstance(at, int | float) and at < before:
                    found.append(str(info["name"]))
        return found

    def folders(self, folder: str) -> list[str]:
        """Return the paths of the folders directly in a folder; none if it is not there.

        Raises:
            StorageError: it cannot be listed.
        """
        return sorted(info["name"].rstrip("/") for info in self._entries(folder) if info["type"] == "directory")

    def _entries(self, folder: str) -> list[Json]:
        """Return what the store says of each entry of a folder, as it is now; none if it is not there."""
        with said_as(self.called(folder), "listed"):
            try:
                self._fs.invalidate_cache()
                found: list[Json] = self._again(lambda: self._fs.ls(folder, detail=True))
            except NO_SUCH:
                return []
            return found

    def remove(self, paths: list[str]) -> None:
        """Remove files; one that is not there, or cannot be removed, is no harm."""
        for path in paths:
            with contextlib.suppress(Exception):
                self._fs.rm_file(path)

    @property
    def arrow(self) -> Foreign:
        """The file system as pyarrow takes it."""
        return None if self.is_local else self._fs


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
        for attempt in range(ATTEMPTS):
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
            if not _once_more(attempt, since_s):
                break
        raise StorageError(f"{self._file.name}: cannot be read from byte {self._at} of {self._file.size} ({why})")

    def _more(self, wanted: int) -> bytes:
        if self._stream is None:
            fs, path = self._place._fs, self._file.path
            options: dict[str, Any] = {} if self._place.is_local else {"block_size": BLOCK, "cache_type": "readahead"}
            if fs.protocol in {"http", "https"} or "http" in fs.protocol:
                options["size"] = self._file.size
            self._stream = fs.open(path, "rb", **options)
            self._stream.seek(self._at)
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


def _once_more(attempt: int, since_s: float) -> bool:
    """Pause behind an attempt that failed, of those that began then; say whether there is to be another one."""
    if attempt == ATTEMPTS - 1 or time.monotonic() - since_s >= GIVE_UP_S:
        return False
    time.sleep(PAUSE_S * 2**attempt)
    return True


def _patience(scheme: str) -> dict[str, Any]:
    """Return what has a store's library fail when the store is silent, beside what the user has set for fsspec.

    Those of Google and Azure have limits of their own.
    """
    own = library("fsspec").config.conf.get(scheme, {})
    if scheme == "s3":
        limits = {"connect_timeout": CONNECT_S, "read_timeout": SILENT_S}
        return {"config_kwargs": {**limits, **own.get("config_kwargs", {})}}
    if scheme in {"http", "https"}:
        limit = library("aiohttp").ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENT_S)
        return {"client_kwargs": {"timeout": limit, **own.get("client_kwargs", {})}}
    return {}


def _as_it_is(descriptor: int, path: str) -> None:
    """Leave a file that is only there to be sent where it is."""


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


def _local_name(root: str, path: str) -> str:
    """Return what a local file is called: relative to where it was looked for, as the user named that."""
    inside = Path(path)
    with contextlib.suppress(ValueError):
        return str(Path(root) / inside.relative_to(Path(root).absolute()))
    return str(inside)
