"""Why a flow ended as it did: THE FOURTH TABLE, its conditions and its words."""

from analyzer.causes.kind import CauseKind, CauseRow
from analyzer.causes.table import CAUSES, CODES, cause_kind, explained

__all__ = ["CAUSES", "CODES", "CauseKind", "CauseRow", "cause_kind", "explained"]
