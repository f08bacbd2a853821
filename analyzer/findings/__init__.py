"""THE THIRD TABLE: what an engineer should know about a flow; each kind of finding is one record in one place.

``kind`` says what a record holds, ``kinds`` has the records by subject, ``table`` their order, and judges by them.
``flows`` is what conditions look at, ``case`` what evidence is made from; ``conditions``, ``evidence`` and ``phrases``
are what several kinds share.
"""

from analyzer.findings.case import Case
from analyzer.findings.flows import Columns, Flows, Piece
from analyzer.findings.kind import Advice, FindingKind, Lead, Row, Scope, Told
from analyzer.findings.table import CODES, FINDINGS, ROWS, Hits, joined, judge, kind_of, search

__all__ = [
    "CODES",
    "FINDINGS",
    "ROWS",
    "Advice",
    "Case",
    "Columns",
    "FindingKind",
    "Flows",
    "Hits",
    "Lead",
    "Piece",
    "Row",
    "Scope",
    "Told",
    "joined",
    "judge",
    "kind_of",
    "search",
]
