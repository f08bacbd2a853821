"""Names of a package that are imported when they are asked for (PEP 562): a capture is read while others still come."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def names_of(package: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], object]:
    """Return the ``__getattr__`` of a package whose modules, the keys of ``homes``, have these names."""
    home_of = {name: module for module, names in homes.items() for name in names}

    def imported(name: str) -> object:
        """Import what has this name, and keep it.

        Raises:
            AttributeError: no module has it.
        """
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found: object = getattr(import_module(f"{package}.{home_of[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return imported
