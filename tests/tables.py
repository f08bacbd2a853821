"""What the scenarios, and traffic drawn at random, show of a decision table: which rows match, which one wins.

Both tables are looked at alike: a sequence of rows, each with conditions over columns, the first match wins.
"""

import itertools
from functools import cache

import numpy as np

from analyzer.segment import SegmentBatch
from tests.notation import SCENARIOS, follow, load
from tests.traffic import at_random

DRAWN = 1200
"""How many captures are drawn; enough to find every pair of rows that ten times as many find."""


def scenario_names():
    """Return the names of all scenarios: what tests are collected by, for which none has to be read."""
    return sorted(path.stem for path in SCENARIOS.glob("*.pkt"))


@cache
def scenario_flows():
    """Return scenario name to its finished flows."""
    return {path.stem: follow([load(path).batch()]) for path in sorted(SCENARIOS.glob("*.pkt"))}


def drawn_flows(count=None):
    """Return the finished flows of drawn captures, or the first batches of them; no more is drawn than is wanted."""
    return list(itertools.islice((flows for seed in range(DRAWN) for flows in drawn(seed)), count))


@cache
def drawn(seed):
    """Return the finished flows of one drawn capture."""
    rows = at_random(seed, 60)
    end_ns = int(rows["ts_ns"].max()) + seed % 3 * 3_000_000_000
    return follow([SegmentBatch(rows, len(rows), last_ts_ns=end_ns)])


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
