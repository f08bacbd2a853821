"""Loops that only show whether compiled code is called rightly."""

import numpy as np
import pytest

from analyzer.loops import canary, machine


@pytest.fixture
def fresh(monkeypatch):
    """Compile in memory, and leave nothing behind."""
    monkeypatch.setattr(machine, "store", lambda: None)
    canary.begin_anew()
    yield
    canary.begin_anew()


def test_it_sings(fresh):
    """Compiled and plain, every way to pass and to return something gives the same."""
    pytest.importorskip("numba")

    assert canary.sings()


@pytest.mark.parametrize("name", ["returns_several", "returns_one", "returns_nothing"])
def test_it_falls_silent_when_a_result_differs(monkeypatch, name):
    """Each of the loops is compared: one more, or one fewer, in any result or record is seen."""
    for each in ("returns_several", "returns_one", "returns_nothing"):
        loop = getattr(canary, each)
        monkeypatch.setitem(vars(loop), "compiled", loop.plain)
    assert canary.sings()
    plain = getattr(canary, name).plain

    def wrong(table, *others):
        result = plain(table, *others)
        if result is None:
            table[0]["octet"] ^= 1
            return None
        return (result[0] + 1, *result[1:]) if isinstance(result, tuple) else result + 1

    monkeypatch.setitem(vars(getattr(canary, name)), "compiled", wrong)

    assert not canary.sings()


def test_it_covers_what_loops_take_and_return():
    """A tuple, an int and nothing come back; arrays of records, a record, ints, octets, an int and a bool go in."""
    several, one, nothing, *_ = canary._outcome(lambda each: each.plain)

    assert 3 == len(several[0])
    assert isinstance(one, int)
    assert nothing is None
    assert np.dtype(np.int64) == canary.RECORD["wide"]
