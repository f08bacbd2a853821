"""THE THIRD TABLE: what an engineer should know about a flow, as data.

``case`` says what a finding is made of, ``conditions`` are the facts, ``evidence`` picks frames and numbers, ``table``
joins them. The words are in ``explain``.
"""

from analyzer.judge.findings.case import Case, Finding, JudgedFlow
from analyzer.judge.findings.table import CODES, FINDINGS, FindingRule, Scope, judge

__all__ = ["CODES", "FINDINGS", "Case", "Finding", "FindingRule", "JudgedFlow", "Scope", "judge"]
