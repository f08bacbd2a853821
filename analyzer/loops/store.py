"""A folder for machine code, used only where nobody else can have put or changed anything.

What lies there is run, perhaps by root. So the way to it is walked folder by folder from the root, by descriptors, and
each is looked at once it is open: every folder above belongs to root or to the effective user, and others cannot write
to it, or only as to a shared one (sticky), where they cannot rename what is not theirs. The folder chosen and the one
below it, with mode 0700, belong to the effective user, and so do the files, with mode 0600. Links above the chosen
folder are followed where they belong to root or the effective user; from there on none is.

Whoever can write as the user can also change the program; the digest in a file is against damage.

This module must not know what is kept.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, Final, NoReturn

from analyzer.loops.notices import tell

MAGIC: Final = b"keepalive loop 2\n"
MOST_OCTETS: Final = 64 << 20
"""More than any loop takes."""
MOST_LINKS: Final = 40
"""As Linux follows (path_resolution(7))."""
ROOT: Final = 0
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH

_ANY: Final = os.O_CLOEXEC | os.O_NOFOLLOW
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | _ANY
_PASSED: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | _ANY
"""For a folder on the way, which the user may be allowed to pass but not to list, such as a /home of mode 0711."""
_FILE: Final = os.O_RDONLY | os.O_NONBLOCK | _ANY
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _ANY


class UntrustedError(Exception):
    """Somebody else may have put or changed what is there; the text is a clause that says why."""


class Store:
    """A folder that only the effective user can have written to, open."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        """Take over the descriptor of a folder that was checked."""
        self.folder = folder
        self._descriptor = descriptor
        self._complained = False

    def keep(self, name: str, about: dict[str, Any], code: bytes) -> None:
        """Write a file for the next process; a full or read-only disk only costs that one its time."""
        content = written(about, code)
        unfinished = f".{os.urandom(8).hex()}.part"
        with contextlib.suppress(OSError):
            try:
                with os.fdopen(os.open(unfinished, _NEW, 0o600, dir_fd=self._descriptor), "wb") as file:
                    os.fchmod(file.fileno(), 0o600)
                    file.write(content)
                os.rename(unfinished, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(unfinished, dir_fd=self._descriptor)
                raise

    def kept(self, name: str) -> tuple[dict[str, Any], bytes] | None:
        """Return what ``keep`` wrote, whole; None if there is none, or it may not be used, which is told."""
        try:
            content = self._content(name)
        except FileNotFoundError:
            return None
        except (OSError, UntrustedError) as error:
            self._complain(name, _reason(error))
            return None
        found = read(content)
        if found is None:
            self._complain(name, "it is damaged")
        return found

    def _complain(self, name: str, why: str) -> None:
        """Tell of the first file that is not used; what it is for the others, they share."""
        if not self._complained:
            self._complained = True
            tell(f"{self.folder / name} is not used, and compiled anew, as are others like it: {why}")

    def _content(self, name: str) -> bytes:
        with os.fdopen(os.open(name, _FILE, dir_fd=self._descriptor), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UntrustedError("it is no regular file")
            _check_own(found, "it")
            if found.st_nlink != 1:
                raise UntrustedError("it has another name elsewhere")
            if found.st_size > MOST_OCTETS:
                raise UntrustedError("it is too large")
            return file.read(MOST_OCTETS)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)


def written(about: dict[str, Any], code: bytes) -> bytes:
    """Return the content of a file that keeps code, and what there is to know of it."""
    content = json.dumps(about).encode() + b"\n" + code
    return MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def read(content: bytes) -> tuple[dict[str, Any], bytes] | None:
    """Return what ``written`` was given; None if the content is damaged."""
    digest, _, content = content.removeprefix(MAGIC).partition(b"\n")
    head, _, code = content.partition(b"\n")
    if digest.decode("ascii", "replace") == hashlib.sha256(content).hexdigest():
        with contextlib.suppress(ValueError):
            about = json.loads(head)
            if isinstance(about, dict):
                return about, code
    return None


def opened(base: Path, name: str) -> Store:
    """Return the folder of this name below another one; both are made if need be.

    Raises:
        UntrustedError: others can have written there.
        OSError: it cannot be made, or not be written to.
    """
    base = Path(os.path.abspath(base))  # noqa: PTH100 - resolve() follows links
    at = _entered(base)
    try:
        descriptor = _own_folder(at, name)
    finally:
        os.close(at)
    try:
        _make_private(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return Store(base / name, descriptor)


def _make_private(descriptor: int) -> None:
    """Let nobody else look into a folder; raises OSError if it cannot be written to."""
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != stat.S_IRWXU:
        os.fchmod(descriptor, stat.S_IRWXU)
    effective = os.access in os.supports_effective_ids
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=descriptor, effective_ids=effective):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _entered(base: Path) -> int:
    """Return a descriptor of a folder, having looked at every one on the way.

    Raises:
        UntrustedError: others can have written there, or have put something else in its place.
        OSError: it is not there and cannot be made, or cannot be entered.
    """
    todo = list(reversed(base.parts[1:]))
    links = MOST_LINKS
    at = os.open(base.anchor, _PASSED)
    try:
        _check_above(os.fstat(at), base.anchor)
        while todo:
            part = todo.pop()
            if not todo:
                below = _own_folder(at, part)
            elif (target := _link(at, part)) is not None:
                links -= 1
                _check_left(links)
                todo += reversed([each for each in Path(target).parts if each != Path(target).anchor])
                if not Path(target).is_absolute():
                    continue
                below = os.open(Path(target).anchor, _PASSED)
            else:
                below = _folder(at, part, _PASSED)
                try:
                    _check_above(os.fstat(below), part)
                except BaseException:
                    os.close(below)
                    raise
            os.close(at)
            at = below
    except BaseException:
        os.close(at)
        raise
    return at


def _link(at: int, name: str) -> str | None:
    """Return where a link leads; None for what is none, or is not there.

    Raises:
        UntrustedError: it belongs to somebody else.
    """
    try:
        found = os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISLNK(found.st_mode):
        return None
    if found.st_uid not in {ROOT, os.geteuid()}:
        raise UntrustedError(f"the link {name} belongs to another user")
    return os.readlink(name, dir_fd=at)


def _folder(at: int, name: str, flags: int) -> int:
    """Return a descriptor of the folder of that name, which is made if there is none.

    Raises:
        UntrustedError: it is a link, or no folder.
        OSError: it cannot be made or entered.
    """
    with contextlib.suppress(FileExistsError):
        try:
            return os.open(name, flags, dir_fd=at)
        except FileNotFoundError:
            os.mkdir(name, 0o700, dir_fd=at)
        except NotADirectoryError:
            _refuse_what_it_is(at, name)
        except OSError:
            if _is_link(at, name):  # ELOOP here, EMLINK or EFTYPE elsewhere
                _refuse_what_it_is(at, name)
            raise
    return os.open(name, flags, dir_fd=at)


def _is_link(at: int, name: str) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)


def _refuse_what_it_is(at: int, name: str) -> NoReturn:
    raise UntrustedError(f"{name} is a link" if _is_link(at, name) else f"{name} is no folder")


def _own_folder(at: int, name: str) -> int:
    """Return a descriptor of a folder that is the effective user's alone."""
    descriptor = _folder(at, name, _FOLDER)
    try:
        _check_own(os.fstat(descriptor), name)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_left(links: int) -> None:
    """Raise UntrustedError if no more links may be followed."""
    if links < 0:
        raise UntrustedError("there are too many links on the way")


def _check_above(found: os.stat_result, name: str) -> None:
    """Raise UntrustedError unless what lies below a folder can be replaced only by its owner."""
    if found.st_uid not in {ROOT, os.geteuid()}:
        raise UntrustedError(f"{name} belongs to another user")
    if found.st_mode & OTHERS_WRITE and not found.st_mode & stat.S_ISVTX:
        raise UntrustedError(f"others can write to {name}")


def _check_own(found: os.stat_result, name: str) -> None:
    """Raise UntrustedError unless this belongs to the effective user and nobody else can write to it."""
    if found.st_uid != os.geteuid():
        raise UntrustedError(f"{name} belongs to another user")
    if found.st_mode & OTHERS_WRITE:
        raise UntrustedError(f"others can write to {name}")


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
