"""What compiled loops a run will call is found by plain ones."""

import pickle

import numpy as np
import pytest

from analyzer.loops import canary, machine
from analyzer.loops.rehearsal import rehearsed


def sing():
    """Run the canary's loops compiled, which compiles nothing in a rehearsal; return what came of them."""
    canary.begin_anew()
    try:
        return canary._outcome(lambda each: each.compiled)
    finally:
        canary.begin_anew()


def test_plain_loops_do_in_place_what_compiled_ones_do(monkeypatch):
    """Records, arrays and results are as if machine code had run, and nothing is compiled."""
    monkeypatch.setattr(machine, "_compiler", lambda: pytest.fail("something was compiled"))
    outcomes = []
    parts = rehearsed(lambda: outcomes.append(sing()))

    assert [canary._outcome(lambda each: each.plain)] == outcomes
    assert ["returns_several", "returns_one", "returns_nothing"] == [part.name for part in parts]
    assert not machine.rehearsing()


def test_each_call_has_arguments_of_its_types_again():
    """A part that went to another process makes arguments of which machine code of the same types would be asked."""
    for part in rehearsed(sing):
        there = pickle.loads(pickle.dumps(part))

        assert part == there
        assert part.types == machine.types_of(there.likenesses())


def test_an_array_that_cannot_be_written_to_is_a_type_of_its_own():
    """Whether an array is constant is part of its type."""
    constant = np.arange(3)
    constant.flags.writeable = False
    parts = rehearsed(
        lambda: [canary.returns_nothing.compiled(np.zeros(1, canary.RECORD), each) for each in (constant, np.arange(3))]
    )

    assert 2 == len(parts)
    assert [False, True] == [part.likenesses()[1].flags.writeable for part in parts]


def test_an_error_ends_the_rehearsal():
    """What fails in a rehearsal fails for its caller, and compiled loops are called as ever again."""
    with pytest.raises(ZeroDivisionError):
        rehearsed(lambda: 1 // 0)

    assert not machine.rehearsing()
