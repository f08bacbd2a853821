"""What has to be said about how loops run: a cache that is not used, a compiler that is not there.

The core prints nothing. It tells a sentence here, once; the edge that has a place to say it hears it.

This module must not know who says it, or where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TOLD: dict[str, None] = {}
_HEARING: list[Callable[[str], None]] = []


def tell(sentence: str) -> None:
    """Pass a sentence on, unless it was told before."""
    if sentence in _TOLD:
        return
    _TOLD[sentence] = None
    for hear in _HEARING:
        hear(sentence)


def told() -> list[str]:
    """Return what was told in this process, in order."""
    return list(_TOLD)


def hear_with(listener: Callable[[str], None]) -> None:
    """Let this function have every sentence from now on; it takes the place of the one before."""
    _HEARING[:] = [listener]
