"""Machine code that came with the program: a wheel for a platform has it, so that nobody waits for a compiler.

It is made for any processor of its kind (a baseline), from exactly the sources beside it: the folder is named by them,
as the cache's is. An installation from a checkout that stays a checkout (``pip install -e``) puts it there, and it
counts until a source is changed. It is as trustworthy as the program, beside whose sources it lies: whoever can change
the one can change the other.

This module must not know what any loop computes, or how machine code is made or linked.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from analyzer.loops.library import Library
from analyzer.loops.sources import PACKAGE, digest, sources
from analyzer.loops.store import read

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = PACKAGE / "loops" / "shipped"
"""Below it lies one folder for each platform; git ignores it."""
LIST: Final = "sources"
"""What the file is called, beside the code, that lists what it was made of."""
BASELINE: Final = {"x86_64": "x86-64", "AMD64": "x86-64"}
"""By kind of processor what LLVM calls the least of it; ``generic`` where there is none here."""


def baseline() -> str:
    """Return what processor shipped code is made for on this platform, as LLVM calls it."""
    return BASELINE.get(os.uname().machine, "generic")


def place(folder: Path, files: list[Path] | None = None) -> Path:
    """Return where code lies that was made of these sources for this platform, whether or not there is any."""
    return folder / digest([f"{sys.platform} {os.uname().machine}", baseline()], files=files)


def list_sources(folder: Path) -> None:
    """Write beside code which sources it was made of, so that nobody has to look into all others to find that out."""
    names = [path.relative_to(PACKAGE).as_posix() for path in sources()]
    (folder / LIST).write_text("\n".join(names) + "\n")


def _listed(folder: Path) -> Path | None:
    """Return a folder below this one whose code was made of the sources it lists, as they are now; None without one.

    A loop that came to be in another file since is either called by one of these, which then differs, or not there.
    """
    for each in folder.iterdir():
        try:
            files = [PACKAGE / name for name in (each / LIST).read_text().split()]
            if place(folder, files) == each:
                return each
        except (OSError, ValueError):  # no list, a damaged one, or a source that is gone
            continue
    return None


@cache
def _here() -> Path | None:
    """Return where shipped code is that may be used; None if there is none, or numba was told what to do."""
    if any(name.startswith("NUMBA_") for name in os.environ) or not FOLDER.is_dir():
        return None
    if (found := _listed(FOLDER)) is not None:
        return found
    found = place(FOLDER)
    return found if found.is_dir() else None


def is_there() -> bool:
    """Say whether all loops that reading takes came with the program."""
    return _here() is not None


@cache
def _library(folder: Path) -> Library:
    return Library(folder)


def found(name: str) -> tuple[dict[str, Any], bytes | int] | None:
    """Return what came along of a loop under this name, whole; None if nothing did, or it is damaged.

    That is what there is to know of it, and its object file, or where in this process it lies already.
    """
    folder = _here()
    if folder is None:
        return None
    try:
        content = (folder / name).read_bytes()
    except OSError:
        return None
    whole = read(content)
    if whole is None:
        return None
    about, code = whole
    return about, _library(folder).address(str(about.get("symbol"))) or code
