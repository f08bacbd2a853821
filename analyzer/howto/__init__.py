"""How to capture what this program reads: ``recipe(case, wanted)`` and the table of ``CASES``.

``wanted`` decides what is captured (a filter, a snap length, an interface), ``shell`` how a word stands in a command
line, ``cases`` has the commands, each with its reasons. Nothing here runs anything.
"""

from __future__ import annotations

from analyzer.howto.cases import CASES, Case, Reason, Recipe, Step
from analyzer.howto.wanted import Wanted, checked_host, checked_interface, checked_name

__all__ = [
    "CASES",
    "Case",
    "Reason",
    "Recipe",
    "Step",
    "Wanted",
    "checked_host",
    "checked_interface",
    "checked_name",
]
