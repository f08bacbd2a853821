"""Files on their way to the disk, together, while others are written; who relies on them waits for all of them.

A disk takes about as long for six files at once as for one, and a worker writes six for each point.

It must not know what the files are.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from concurrent.futures import Future

AT_ONCE: Final = 8
"""How many files the disk is asked for at a time; the threads only wait."""


class Settling:
    """Files that have their names, and are not known to be on disk yet."""

    def __init__(self) -> None:
        """Wait for none yet."""
        self._files: list[Future[None]] = []

    def take(self, descriptor: int, name: str) -> None:
        """See to it that an open file comes to be on disk; it may be closed meanwhile. ``name`` is for errors."""
        self._files.append(_threads().submit(_settle, os.dup(descriptor), name))

    def wait(self) -> None:
        """Return when all files that were taken are on disk.

        Raises:
            OSError: one of them is not; ``filename`` says which.
        """
        files, self._files = self._files, []
        errors = [error for error in (each.exception() for each in files) if error is not None]
        if errors:
            raise errors[0]


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="keepalive-settle")


def _settle(descriptor: int, name: str) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        error.filename = name
        raise
    finally:
        os.close(descriptor)
