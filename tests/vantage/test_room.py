"""Tables in the form that loops take."""

import numpy as np
import pytest

from analyzer.loops.loop import freeze, thaw
from analyzer.vantage import room

PAIR = np.dtype([("here", np.int64), ("there", np.int64)], align=True)


@pytest.mark.parametrize("jit", [False, True])
def test_records_stay_when_more_are_wanted(jit):
    """What a table holds stays, new records are 0 or as was said, and a table with room enough is not made again."""
    table = room.records_for(None, PAIR, 2, jit=jit, here=-1)
    table[1]["here"], table[1]["there"] = 5, 6
    grown = room.records_for(table, PAIR, 3, jit=jit, here=-1)

    assert [(-1, 0), (5, 6), (-1, 0), (-1, 0)] == freeze(grown, PAIR).tolist()
    assert room.records_for(grown, PAIR, 3, jit=jit, here=-1) is grown


@pytest.mark.parametrize("jit", [False, True])
def test_a_table_changes_its_form(jit):
    """A table of the other form is made anew, with the same in it."""
    table = thaw(np.array([(1, 2), (3, 4)], dtype=PAIR), jit=not jit)

    found = room.records_for(table, PAIR, 2, jit=jit)

    assert isinstance(found, np.ndarray) == jit
    assert [(1, 2), (3, 4)] == freeze(found, PAIR).tolist()[:2]


@pytest.mark.parametrize("jit", [False, True])
def test_records_are_made_as_new(jit):
    """Records that are named are as new; what lies beyond the table is passed over."""
    table = thaw(np.array([(1, 2), (3, 4)], dtype=PAIR), jit=jit)

    found = room.blank(table, PAIR, np.array([1, 7]), jit=jit, here=-1)

    assert [(1, 2), (-1, 0)] == freeze(found, PAIR).tolist()


@pytest.mark.parametrize("jit", [False, True])
def test_numbers_grow_and_are_made_as_new(jit):
    """A number that was never set is -1, and so is one that was made as new."""
    numbers = room.numbers_for(None, 2, jit=jit)
    numbers[0], numbers[1] = 7, 8
    numbers = room.numbers_for(numbers, 3, jit=jit)

    assert [7, 8, -1, -1] == list(numbers)
    assert [7, -1, -1, -1] == list(room.blank_numbers(numbers, np.array([1, 9]), jit=jit))
    assert [0, 0] == list(room.zeros(2, jit=jit))
