"""Why a flow ended as it did: THE FOURTH TABLE, its conditions and its words.

They come with the first of these names that is asked for (PEP 562), as those of ``findings`` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import lazily

if TYPE_CHECKING:
    from analyzer.causes.kind import TRIAL_LEAST_NS, CauseKind, CauseRow
    from analyzer.causes.table import CAUSES, CODES, cause_kind, explained, may_have
else:
    HOMES: Final = {
        "kind": ("TRIAL_LEAST_NS", "CauseKind", "CauseRow"),
        "table": ("CAUSES", "CODES", "cause_kind", "explained", "may_have"),
    }
    __getattr__ = lazily.names_of(__name__, HOMES)


__all__ = ["CAUSES", "CODES", "TRIAL_LEAST_NS", "CauseKind", "CauseRow", "cause_kind", "explained", "may_have"]
