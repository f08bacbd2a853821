"""The tolerances: where each is from, and what must hold between them."""

import ast
from itertools import pairwise
from pathlib import Path

from analyzer import tolerances
from analyzer.tolerances import (
    ANSWER_RST_NS,
    COPY_NS,
    COPY_SAME_ID_NS,
    EARLY_NS,
    GAP_LEAST_NS,
    IDLE_LEAST_NS,
    OPTION_LEAST_NS,
    OTHER_PACE,
    RATE_LIMIT_NS,
    SAME_PACE,
    WHEEL,
    WHEEL_PERCENT,
)

NAMES = [name for name in vars(tolerances) if name.isupper() and name not in {"MS", "S"}]


def explained():
    """Return the names that a string follows."""
    body = ast.parse(Path(tolerances.__file__).read_text(encoding="utf-8")).body
    return {
        each.target.id
        for each, then in pairwise(body)
        if isinstance(each, ast.AnnAssign) and isinstance(then, ast.Expr)
    }


def test_each_says_what_it_is_for():
    """Behind each tolerance stands what it is for; one that ends in _NS may go with the ratio before it."""
    assert [] == [name for name in NAMES if not {name, name.removesuffix("_NS")} & explained()]


def test_each_is_a_number_of_its_unit():
    """What ends in _NS is whole nanoseconds, at least a millisecond of them."""
    values = {name: getattr(tolerances, name) for name in NAMES if name.endswith("_NS")}

    assert [] == [name for name, value in values.items() if not isinstance(value, int) or value < tolerances.MS]


def test_the_shortest_timer_is_told_from_no_timer():
    """The shortest timer there is, one second, counts as one even if its first gap looks too short."""
    assert max(IDLE_LEAST_NS, GAP_LEAST_NS) <= OPTION_LEAST_NS - EARLY_NS


def test_an_eighth_late_is_even():
    """A timer that is late by an eighth, as on Linux, counts as even, in both forms of the number."""
    assert 1 / 8 < WHEEL == (WHEEL_PERCENT - 100) / 100


def test_the_same_pace_is_no_other_pace():
    """Gaps cannot be of the same pace and of another."""
    assert 1 / SAME_PACE < 1 / OTHER_PACE


def test_copies_come_sooner_than_answers_are_withheld():
    """A copy of a packet comes sooner than a probe sent again could be left unanswered for its haste."""
    assert COPY_NS < COPY_SAME_ID_NS < RATE_LIMIT_NS < ANSWER_RST_NS
