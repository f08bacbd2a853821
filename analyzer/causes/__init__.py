"""Why a flow ended as it did: THE FOURTH TABLE, its conditions and its words.

They come with the first of these names that is asked for (PEP 562), as those of ``findings`` do.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from analyzer.causes.kind import TRIAL_LEAST_NS, CauseKind, CauseRow
    from analyzer.causes.table import CAUSES, CODES, cause_kind, explained, may_have
else:
    HOMES: Final = {
        "kind": ("TRIAL_LEAST_NS", "CauseKind", "CauseRow"),
        "table": ("CAUSES", "CODES", "cause_kind", "explained", "may_have"),
    }
    HOME_OF: Final = {name: module for module, names in HOMES.items() for name in names}

    def __getattr__(name: str) -> object:
        """Import what has this name, and keep it."""
        if name not in HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{HOME_OF[name]}"), name)
        globals()[name] = found
        return found


__all__ = ["CAUSES", "CODES", "TRIAL_LEAST_NS", "CauseKind", "CauseRow", "cause_kind", "explained", "may_have"]
