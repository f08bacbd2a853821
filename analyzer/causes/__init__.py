"""Why a flow ended as it did: THE FOURTH TABLE, its conditions and its words."""

from analyzer.causes.kind import TRIAL_LEAST_NS, CauseKind, CauseRow
from analyzer.causes.table import CAUSES, CODES, cause_kind, explained, may_have

__all__ = ["CAUSES", "CODES", "TRIAL_LEAST_NS", "CauseKind", "CauseRow", "cause_kind", "explained", "may_have"]
