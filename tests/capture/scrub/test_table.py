"""What was given a name is found under it, plain and compiled, however many there are."""

import importlib.util

import numpy as np
import pytest

from analyzer.capture.scrub.table import FEWEST, Names, find_name

MODES = [False, pytest.param(True, marks=pytest.mark.skipif(not importlib.util.find_spec("numba"), reason="no numba"))]


def found(names, kind, hi, lo):
    """The name of a thing, None if it has none."""
    slot = find_name.choose(jit=names.jit)(names.rows, names.state, kind, hi, lo)
    return None if slot < 0 else (int(names.rows[slot]["to_hi"]), int(names.rows[slot]["to_lo"]))


@pytest.mark.parametrize("jit", MODES)
def test_names_are_found_again(jit):
    """A thing without a name is told, gets one, and has it while the table grows; kinds are told apart."""
    names = Names(2, jit=jit)
    things = [(1 + at % 3, -at if at % 5 else at << 40, at * 7919 << (at % 30)) for at in range(2 * FEWEST)]
    for at, thing in enumerate(things):
        assert found(names, *thing) is None
        assert thing == names.missed
        names.give(-at, at << 33)

    assert [(-at, at << 33) for at in range(len(things))] == [found(names, *thing) for thing in things]
    assert found(names, 9, 0, 0) is None


@pytest.mark.parametrize("jit", MODES)
def test_a_full_table_begins_anew(jit):
    """There are never more slots than may be: then what was known is forgotten, and named again."""
    names = Names(0, jit=jit, most=FEWEST)
    for at in range(2 * FEWEST):
        if found(names, 1, 0, at) is None:
            names.give(0, at)
        assert (0, at) == found(names, 1, 0, at)

    assert FEWEST == len(names.rows)


@pytest.mark.parametrize("jit", MODES)
def test_many_names_are_given_at_once(jit):
    """They are found as if they had been given one by one; a table that is as large as may be takes what has room."""
    names = Names(2, jit=jit, most=2 * FEWEST)
    los = np.arange(FEWEST + 100) * 3
    room = names.room_for(len(los))
    names.give_all(5, los[:room], los[:room] + 1)

    assert (FEWEST, 0) == (room, names.room_for(10))
    assert [(0, at * 3 + 1) for at in range(room)] == [found(names, 5, 0, at * 3) for at in range(room)]
    assert found(names, 5, 0, room * 3) is None
