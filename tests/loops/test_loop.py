"""One source, two ways to run it."""

import numpy as np
import pytest

from analyzer.loops import machine
from analyzer.loops.loop import CACHE_LINE, fetch, freeze, lines_of, loop, pick, prefetch, records, scattered, thaw
from analyzer.loops.store import opened

DTYPE = np.dtype([("count", np.int64), ("side", np.int8)])


@loop
def doubled(value):
    """Return twice the value."""
    return value + value


@loop
def doubled_sum(one, two):
    """Return twice the sum, with the help of another loop."""
    return doubled(one) + doubled(two)


def test_a_loop_runs_as_plain_python():
    """Calling a loop runs its function as it stands, and it keeps name and docstring."""
    assert "aa" == doubled("a")
    assert ("doubled", "Return twice the value.") == (doubled.__name__, doubled.__doc__)
    assert doubled.bare is doubled.choose(jit=False)


def test_the_compiled_twin_gives_the_same():
    """The compiled twin, with the loops it calls, gives the same results, and is made once."""
    pytest.importorskip("numba")
    twin = doubled_sum.choose(jit=True)

    assert doubled_sum(3, 4) == twin(3, 4)
    assert twin is doubled_sum.compiled


def test_loops_of_one_name_keep_their_code_apart(tmp_path, monkeypatch):
    """Two modules may have loops of one name; neither is given the other's machine code."""
    pytest.importorskip("numba")
    tmp_path.chmod(0o700)
    store = opened(tmp_path, "loops")
    monkeypatch.setattr(machine, "store", lambda: store)
    found = []
    for module, twin in (("one", lambda value: value + 1), ("two", lambda value: value + 2)):
        twin.__module__, twin.__name__ = module, "more"
        found.append(loop(twin).compiled(40))

    assert [41, 42] == found
    assert 2 == len(list(store.folder.glob("*.o")))
    store.close()


@loop
def sum_of(table, count):
    """Return the sum of a table, whose next record is fetched ahead."""
    total = 0
    for at in range(count):
        prefetch(table, min(at + 1, count - 1), 0)
        fetch(table, at, 3)
        total += table[at]["count"]
    return total


def test_fetching_ahead_changes_nothing():
    """What is fetched into the cache ahead of its use is what would have been read anyway; plain code does not ask."""
    pytest.importorskip("numba")
    table = np.array([(5, -1), (7, 1), (9, 0)], dtype=DTYPE)

    assert 21 == sum_of.choose(jit=True)(table, 3)
    assert 21 == sum_of.choose(jit=False)(thaw(table, jit=False), 3)


def test_an_instruction_is_no_loop_of_its_own():
    """What is one instruction is always part of a loop, and says so."""
    with pytest.raises(TypeError, match="prefetch is an instruction"):
        prefetch.choose(jit=True)


@pytest.mark.parametrize(("octets", "lines"), [(1, 1), (CACHE_LINE, 1), (CACHE_LINE + 1, 2), (352, 6)])
def test_a_record_takes_whole_cache_lines(octets, lines):
    """Records are counted in lines, rounded up."""
    assert lines == lines_of(np.dtype((np.void, octets)))


def test_records_for_either_mode():
    """Plain loops work on dicts of ints, compiled ones on a structured array; both begin with zeros."""
    assert [{"count": 0, "side": 0}] * 2 == records(DTYPE, 2, jit=False)
    assert [(0, 0)] * 2 == records(DTYPE, 2, jit=True).tolist()


@pytest.mark.parametrize("jit", [False, True])
def test_records_of_which_few_are_looked_at(jit):
    """Scattered records hold what they were said to hold at first, keep what is written, and freeze to all of them."""
    table = scattered(DTYPE, 3, jit=jit, side=-1)
    table[2]["count"] += 5

    assert (0, -1, 5) == (table[0]["count"], table[1]["side"], table[2]["count"])
    assert [(0, -1), (0, -1), (5, -1)] == freeze(table, DTYPE).tolist()


def test_plain_records_are_made_when_they_are_looked_at():
    """Nobody waits for plain records that no loop asks for."""
    table = scattered(DTYPE, 1 << 40, jit=False)
    table[1 << 39]["count"] = 1

    assert 1 == len(table)


def test_thaw_and_freeze_are_inverse():
    """What is thawed for plain loops freezes to what it was; compiled ones work on the array itself."""
    array = np.array([(5, -1), (7, 1)], dtype=DTYPE)

    assert [{"count": 5, "side": -1}, {"count": 7, "side": 1}] == thaw(array, jit=False)
    assert array.tolist() == freeze(thaw(array, jit=False), DTYPE).tolist()
    assert array is thaw(array, jit=True)
    assert array is freeze(array, DTYPE)


def test_nothing_freezes_to_nothing():
    """No records freeze to an array without rows, of the right type."""
    assert (0, DTYPE) == (len(freeze([], DTYPE)), freeze([], DTYPE).dtype)


def test_picked_records_equal_indexed_ones():
    """Whole records come out as numpy's own indexing gives them, in any order and more than once."""
    table = np.zeros(5, dtype=[("a", np.int8), ("b", np.int64)])
    table["a"], table["b"] = range(5), range(10, 15)
    wanted = np.array([4, 0, 0, 2])

    assert table[wanted].tolist() == pick(table, wanted).tolist()
    assert table.dtype == pick(table, wanted).dtype
