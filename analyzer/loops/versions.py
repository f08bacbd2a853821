"""Whether the compiler is there, in a version that was tested.

Loops are called as numba calls its own functions inside, which it promises to nobody; so versions that were not tried
are not used. pyproject.toml has the same bounds; a test compares them.

This module must not import numba, which takes half a second.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

TESTED: Final = {"numba": ((0, 68), (0, 69)), "llvmlite": ((0, 50), (0, 51))}
"""For each package the first version that was tested, and the first that was not."""


@cache
def installed(package: str) -> str | None:
    """Return the version of a package; None if it is not installed.

    The folder beside it that an installer leaves is named by it. Where there is none, ``importlib.metadata`` may know;
    it imports forty modules.
    """
    found = find_spec(package)
    if found is None:
        return None
    for place in found.submodule_search_locations or ():
        named = sorted(Path(place).parent.glob(f"{package}-*.dist-info"))
        if len(named) == 1:
            return named[0].name[len(package) + 1 : -len(".dist-info")]
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
