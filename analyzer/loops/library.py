"""All loops that came along as one shared library, which the system's own loader brings into the process.

Linking object files takes llvmlite: 50 MiB of memory and some 70 ms of each run. So whoever builds a wheel has the
linker make a library of them (``linking``); it lies beside the object files, which serve wherever it does not load.

This module must not know what any loop computes, or which folder may be trusted (``shipped``).
"""

from __future__ import annotations

import ctypes
import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "loops.so"
DIGEST: Final = "loops.sha256"
"""What the file is called that has the library's SHA-256: a library that is damaged is not run."""


class Library:
    """The library in a folder, loaded; one without functions where there is none, or it is damaged."""

    def __init__(self, folder: Path) -> None:
        """Load it."""
        self._loaded: ctypes.CDLL | None = None
        try:
            content, digest = (folder / NAME).read_bytes(), (folder / DIGEST).read_text().strip()
            if hashlib.sha256(content).hexdigest() == digest:
                self._loaded = ctypes.CDLL(str(folder / NAME))
        except (OSError, ValueError):  # not there, or a system that runs no code from that place
            return

    def address(self, symbol: str) -> int | None:
        """Return where a function is; None if the library has none of that name."""
        if self._loaded is None:
            return None
        try:
            return ctypes.cast(self._loaded[symbol], ctypes.c_void_p).value
        except AttributeError:
            return None
