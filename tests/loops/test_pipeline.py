"""numba's compiler with the passes that loops need."""

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

from analyzer.loops.pipeline import LoopCompiler

RECORD = np.dtype([("count", np.int64), ("side", np.int8)])


def fold(table, numbers, double):
    """Use what loops use: fields by name, branches, loops in loops, tuples, breaks, and names that change."""
    total, last = 0, -1
    for at in range(len(table)):
        if table[at]["side"] == 2:
            continue
        for number in numbers:
            if number > 50:
                break
            total += number // 3 if double else table[at]["count"] % 7
        last = at
    while total > 1000:
        total -= 999
    return total, max(last, 0)


@pytest.mark.parametrize("double", [False, True])
def test_what_loops_are_made_of_gives_the_same_as_with_all_passes(double):
    """Plain, by numba's own compiler, and by ours."""
    table = np.array([(5, 0), (60, 2), (7, 1)], dtype=RECORD)
    numbers = np.arange(0, 60, 4)
    ours = numba.njit(fold, pipeline_class=LoopCompiler)
    theirs = numba.njit(fold)

    assert fold(table, numbers, double) == ours(table, numbers, double) == theirs(table, numbers, double)


def test_what_loops_do_not_have_is_refused():
    """A closure is nothing that these passes know; it is refused, not compiled to something else."""

    def with_a_closure(number):
        def more(each):
            return each + number

        return more(number)

    with pytest.raises(numba.core.errors.NumbaError):
        numba.njit(with_a_closure, pipeline_class=LoopCompiler)(1)
