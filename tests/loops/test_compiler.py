"""What numba makes of a loop."""

import numpy as np
import pytest

pytest.importorskip("numba")
from analyzer.loops import compiler


def one_more(value):
    """Return the next number."""
    return value + 1


def in_half(value):
    """Return a number that is no int."""
    return value / 2


def test_an_object_file_and_how_to_call_it():
    """The symbol is in the file, and the number of results is that of the function."""
    about, code = compiler.compiled(one_more, (1,), frozenset())

    assert 0 == about["results"]
    assert about["symbol"].encode() in code


def test_what_needs_more_from_outside_is_no_object_file():
    """An array that the function would own asks for numba's memory management, so None comes back."""

    def made(count):
        return np.zeros(count, np.int64)[0]

    assert compiler.compiled(made, (1,), frozenset()) is None


def test_a_loop_returns_ints():
    """A function that returns anything else is refused when it is compiled, not when it is wrong."""
    with pytest.raises(AssertionError, match="in_half returns float64"):
        compiler.compiled(in_half, (1,), frozenset())
