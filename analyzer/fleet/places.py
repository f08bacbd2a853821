"""Places where captures lie and tables go: folders, S3, Google Cloud Storage, Azure and HTTP, all through fsspec.

What is written is whole or absent: by ``analyzer.output``, in its folder, or aside and then sent to an object store as
one object, as often as it takes. What only asks is asked again where a store fails; files are read by ``octets``.

This module must not know what is in a file.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analyzer.capture.rotation import SUFFIXES
from analyzer.fleet.extras import LIBRARIES, library, missing
from analyzer.fleet.octets import Octets
from analyzer.fleet.settling import Settling
from analyzer.fleet.storage import (
    BLOCK,
    NO_SUCH,
    StorageError,
    StoredFile,
    named,
    once_more,
    reason,
    said_as,
    version_of,
)
from analyzer.output import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.untyped import Foreign, Json

CONNECT_S: Final = 10.0
SILENT_S: Final = 20.0
"""After so long without a connection, or without a byte of an answer, a request has failed."""


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
        for attempt in itertools.count():
            try:
                return action()
            except (*NO_SUCH, PermissionError):
                raise
            except Exception:
                if not once_more(attempt, since_s):
                    raise
        raise AssertionError

    def open(self, file: StoredFile) -> Octets:
        """Return a file's bytes, as ``capture.source.open_stream`` takes them."""
        return Octets(self, file)

    def stream(self, file: StoredFile, at: int) -> Foreign:
        """Return what the store's library reads a file by, from this byte on; whatever that raises passes."""
        options: dict[str, Any] = {} if self.is_local else {"block_size": BLOCK, "cache_type": "readahead"}
        if self._fs.protocol in {"http", "https"} or "http" in self._fs.protocol:
            options["size"] = file.size
        stream = self._fs.open(file.path, "rb", **options)
        stream.seek(at)
        return stream

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


def _local_name(root: str, path: str) -> str:
    """Return what a local file is called: relative to where it was looked for, as the user named that."""
    inside = Path(path)
    with contextlib.suppress(ValueError):
        return str(Path(root) / inside.relative_to(Path(root).absolute()))
    return str(inside)
