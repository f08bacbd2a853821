"""What compiled code was made from: the name of its place in the cache follows from it.

Code made from other sources must never run, so the name changes with every file that has loops, or constants that are
frozen into them. ``tests/loops/test_sources.py`` walks the loops themselves and finds whether a file was forgotten.

This module must not know what any loop computes, or where compiled code is kept.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE: Final = Path(__file__).parents[1]
MARKS: Final = (b"@loop", b"@apart", b"@intrinsic", b"Loop(")
"""What is in every source that makes loops."""
CONSTANTS: Final = ("label/outcome.py", "label/rules.py", "segment.py", "tolerances.py")
"""Files without loops whose constants are frozen into compiled code."""


def sources(package: Path = PACKAGE) -> list[Path]:
    """Return the files that compiled code is made from: loops, what compiles them, and their constants; in order."""
    constants = {package / name for name in CONSTANTS}
    return [
        path
        for path in sorted(package.rglob("*.py"))
        if path.parent == package / "loops" or path in constants or any(mark in path.read_bytes() for mark in MARKS)
    ]


def digest(conditions: Iterable[str], package: Path = PACKAGE, files: Iterable[Path] | None = None) -> str:
    """Return 16 hexadecimal digits that follow from the sources, and from these conditions, such as versions.

    ``files`` are the sources, where it is known already which these are.
    """
    hashed = hashlib.sha256()
    for condition in conditions:
        _add(hashed, condition.encode())
    for path in sources(package) if files is None else files:
        _add(hashed, path.relative_to(package).as_posix().encode())
        _add(hashed, path.read_bytes())
    return hashed.hexdigest()[:16]


def _add(hashed: hashlib._Hash, part: bytes) -> None:
    """Add a part with its length, so that no two lists of parts look alike."""
    hashed.update(b"%d:" % len(part))
    hashed.update(part)
