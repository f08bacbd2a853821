"""What the scenarios, and traffic drawn at random, show of a decision table: which rows match, which one wins.

Both tables are looked at alike: a sequence of rows, each with conditions over columns, the first match wins.
"""

from functools import cache

import numpy as np

from analyzer.segment import SegmentBatch
from tests.notation import SCENARIOS, follow, load
from tests.traffic import at_random

DRAWN = 1200
"""How many captures are drawn; enough to find every pair of rows that ten times as many find."""


@cache
def scenario_flows():
    """Return scenario name to its finished flows."""
    return {path.stem: follow([load(path).batch()]) for path in sorted(SCENARIOS.glob("*.pkt"))}


@cache
def drawn_flows():
    """Return the finished flows of drawn captures."""
    captures = [at_random(seed, 60) for seed in range(DRAWN)]
    ends_ns = [int(rows["ts_ns"].max()) + seed % 3 * 3_000_000_000 for seed, rows in enumerate(captures)]
    return [
        flows
        for rows, end_ns in zip(captures, ends_ns, strict=True)
        for flows in follow([SegmentBatch(rows, len(rows), last_ts_ns=end_ns)])
    ]


def matching(table, columns, count):
    """Return which rows of a table match which of ``count`` cases: a matrix of rows and cases."""
    found = np.ones((len(table), count), dtype=bool)
    for index, rule in enumerate(table):
        for condition in rule.conditions:
            found[index] &= np.asarray(condition(columns), dtype=bool)
    return found


def beaten(table, columns, count):
    """Return the pairs of names (winner, another row that matches too)."""
    found = matching(table, columns, count)
    names = [rule.name for rule in table]
    pairs = set()
    for winner in range(len(table)):
        won = found[winner] & ~found[:winner].any(axis=0)
        pairs |= {
            (names[winner], names[other]) for other in np.flatnonzero(found[:, won].any(axis=1)) if other != winner
        }
    return pairs


def winners(table, columns, count):
    """Return the names of the rows that win at least one case."""
    found = matching(table, columns, count)
    return {table[index].name for index in found.argmax(axis=0)} if count else set()


def first_paragraph(condition):
    """Return the sentence that stands for a condition."""
    return condition.__doc__.strip().split("\n\n")[0].replace("\n    ", " ")
