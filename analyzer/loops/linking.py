"""The shared library of all loops, made when a wheel is built, where the system has a linker.

It was tried on Linux on x86-64, and is made there only. The library needs nothing but ``memset`` and its like, of
whichever C library is in the process, and nothing in it has to be changed where it is loaded, so processes share it.

This module must not know what any loop computes, or how a library is loaded (``library``).
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from analyzer.loops.library import DIGEST, NAME

if TYPE_CHECKING:
    from pathlib import Path

PARTS_VARIABLE: Final = "KEEPALIVE_LIBRARY_PARTS"
"""Names a folder into which the compiler puts each loop once more, as a library takes it (``compiler``)."""
LINKER: Final = "ld"
OPTIONS: Final = ("-shared", "-Bsymbolic", "--hash-style=gnu", "-z", "noexecstack", "-z", "text")
"""``-z text``: refuse what would have to be changed where it is loaded."""


def linker() -> str | None:
    """Return what links a library here; None where none was tried, or none is installed."""
    is_tried = sys.platform == "linux" and platform.machine() == "x86_64" and sys.maxsize > 1 << 32
    return shutil.which(LINKER) if is_tried else None


def link(parts: list[Path], folder: Path) -> str:
    """Make a library of object files, in a folder; return why there is none, nothing if there is one."""
    with_what = linker()
    if with_what is None:
        return "no linker that was tried is here"
    made = folder / NAME
    done = subprocess.run(  # noqa: S603 - the linker that is on the path of whoever builds
        [with_what, *OPTIONS, "-o", str(made), *map(str, sorted(parts))], capture_output=True, text=True, check=False
    )
    if done.returncode:
        made.unlink(missing_ok=True)
        return (done.stderr.strip() or f"{LINKER} ended with {done.returncode}").splitlines()[-1]
    (folder / DIGEST).write_text(hashlib.sha256(made.read_bytes()).hexdigest() + "\n")
    return ""
