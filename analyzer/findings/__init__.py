"""THE THIRD TABLE: what an engineer should know about a flow; each kind of finding is one record in one place.

``kind`` says what a record holds, ``kinds`` has the records by subject, ``table`` their order, and judges by them.
``flows`` is what conditions look at, made of ``columns``; ``case`` is what evidence is made from; ``conditions``,
``evidence`` and ``phrases`` are what several kinds share.

The records, and what they import, come with the first of their names that is asked for (PEP 562): a report reads while
they are imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import lazily

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.columns import Columns, Piece
    from analyzer.findings.flows import Flows
    from analyzer.findings.kind import Advice, FindingKind, Lead, Remedy, Row, Scope, Told
    from analyzer.findings.table import CODES, FINDINGS, ROWS, Hits, joined, judge, kind_of, search
else:
    HOMES: Final = {
        "case": ("Case",),
        "columns": ("Columns", "Piece"),
        "flows": ("Flows",),
        "kind": ("Advice", "FindingKind", "Lead", "Remedy", "Row", "Scope", "Told"),
        "table": ("CODES", "FINDINGS", "ROWS", "Hits", "joined", "judge", "kind_of", "search"),
    }
    __getattr__ = lazily.names_of(__name__, HOMES)


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
    "Remedy",
    "Row",
    "Scope",
    "Told",
    "joined",
    "judge",
    "kind_of",
    "search",
]
