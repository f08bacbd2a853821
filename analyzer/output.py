"""Files that are written are whole, or not there: the one place that opens a file of the user's for writing.

What is written goes to a file beside the wanted one, which takes its name once it is complete and on disk. Until then
an older file of that name stays as it was. Whatever goes wrong, or interrupts, takes the unfinished file away; only a
process that is killed outright leaves it, under a name of its own: ``.keepalive-....part``.

This module must not know what is written. Two files are not written here: a live capture's, which is to be read while
it grows (``capture.pcap_writer``), and compiled code (``loops.store``).
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.untyped import Octets

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_NO_LINKS: Final = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
"""What file systems say that have no second names for files."""


class NamedFile(io.FileIO):
    """An open file whose errors say what could not be written: a name that may be another than the file's now."""

    def __init__(self, descriptor: int, known_as: str, *, owned: bool = True, part: Path | None = None) -> None:
        """Take an open file; ``owned`` if it is to be closed with this."""
        super().__init__(descriptor, "wb", closefd=owned)
        self.known_as = known_as
        self.part = part
        """Where it can be read before it has its name; None where it cannot."""

    def write(self, octets: Octets) -> int:
        """Write as FileIO.

        Raises:
            OSError: with the name.
        """
        try:
            return super().write(octets)
        except OSError as error:
            error.filename = self.known_as
            raise


@contextlib.contextmanager
def whole(path: str | Path, *, replace: bool, settle: Callable[[int, str], object] | None = None) -> Iterator[BinaryIO]:
    """Give a file to write to, which has this path once the block is left without an error; else all is as it was.

    A file that is there is left alone unless it may be ``replace``d, even if it came meanwhile; then the new one has
    its permissions. To what is no regular file, such as a pipe or a device, is written at once.

    ``settle`` is given the descriptor of the complete file and its path, to see to it that it is on disk, in its own
    time: the file may have its name before, and who relies on it must wait for that.

    Raises:
        FileExistsError: there is a file, and it may not be replaced.
        OSError: it cannot be written; ``filename`` is the path.
    """
    with _named(path):
        before = _status(path)
    if before is not None and not stat.S_ISREG(before.st_mode):
        with _named(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        with io.BufferedWriter(NamedFile(descriptor, str(path))) as file:
            yield file
        return
    if before is not None and not replace:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    target = Path(os.path.realpath(path))  # a link stays one
    part = target.with_name(f".keepalive-{os.urandom(8).hex()}.part")
    try:
        with _named(path):
            descriptor = os.open(part, _NEW, 0o666)
        with io.BufferedWriter(NamedFile(descriptor, str(path), part=part)) as file:
            if before is not None:
                _like(descriptor, before)
            yield file
            file.flush()
            with _named(path):
                os.fsync(descriptor) if settle is None else settle(descriptor, str(path))
        with _named(path):
            _give_name(part, target, replace=replace)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def _named(path: str | Path) -> Iterator[None]:
    """Let errors of the system have the name that the caller knows."""
    try:
        yield
    except ValueError as error:  # a name with a byte 0
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path)) from error
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _status(path: str | Path) -> os.stat_result | None:
    try:
        return Path(path).stat()
    except FileNotFoundError:
        return None


def _like(descriptor: int, before: os.stat_result) -> None:
    """Give a file the owner and permissions of another one, as far as this user may."""
    with contextlib.suppress(OSError):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


def _give_name(part: Path, target: Path, *, replace: bool) -> None:
    """Let a complete file take its name; the unfinished one may stay beside it.

    Raises:
        FileExistsError: the name is taken, and may not be.
    """
    if replace:
        part.replace(target)
        return
    try:
        target.hardlink_to(part)  # which, unlike a renaming, fails where there is a file
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        part.replace(target)
