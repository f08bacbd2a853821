"""Whether the compiler is there, in a version that was tested.

Loops are called as numba calls its own functions inside, which it promises to nobody; so versions that were not tried
are not used. pyproject.toml has the same bounds; a test compares them.

This module must not import numba, which takes half a second.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

TESTED: Final = {"numba": ((0, 68), (0, 69)), "llvmlite": ((0, 50), (0, 51))}
"""For each package the first version that was tested, and the first that was not."""


@cache
def installed(package: str) -> str | None:
    """Return the version of a package; None if it is not installed."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def unfit() -> str:
    """Return what is wrong with the compiler as a clause; nothing if it may be used."""
    for package, (first, after) in TESTED.items():
        version = installed(package)
        if version is None:
            return f"{package} is not installed"
        if not first <= _numbers(version) < after:
            return f"{package} {version} is not one of the versions that were tested ({_dotted(first)})"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
