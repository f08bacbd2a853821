"""THE THIRD TABLE: what an engineer should know about a flow, as data.

``case`` says what is looked at, ``conditions`` are the facts, ``evidence`` picks frames and numbers, ``table`` joins
them. The words are in ``explain``.
"""

from analyzer.findings.case import Case
from analyzer.findings.table import CODES, FINDINGS, FindingRule, Scope, judge

__all__ = ["CODES", "FINDINGS", "Case", "FindingRule", "Scope", "judge"]
