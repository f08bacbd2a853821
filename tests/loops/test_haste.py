"""What numba leaves out while a loop is compiled."""

import gc

import numpy as np
import pytest

pytest.importorskip("numba")

from numba.core import ir
from numba.core.codegen import JITCodeLibrary
from numba.core.cpu import CPUContext
from numba.core.typing.context import BaseContext

from analyzer.loops import compiler, machine
from analyzer.loops.haste import in_haste
from analyzer.loops.loop import loop

NUMBAS = (
    (JITCodeLibrary, "_finalize_final_module"),
    (CPUContext, "get_executable"),
    (BaseContext, "resolve_function_type"),
    (ir.Inst, "_rec_list_vars"),
)


@loop
def half(number):
    """Return half of a number."""
    return number // 2


@loop
def sum_of_halves(numbers):
    """Add up halves, of which the last counts twice."""
    total = 0
    for at in range(len(numbers)):
        part = half(numbers[at])
        total += part
        if at + 1 == len(numbers):
            total += part
    return total


def test_numba_is_as_it_was_afterwards():
    """What is left out is left out only meanwhile, also after an error."""
    before = [getattr(where, name) for where, name in NUMBAS]
    with in_haste():
        assert not gc.isenabled()
        assert all(getattr(*each) is not was for each, was in zip(NUMBAS, before, strict=True))
    with pytest.raises(KeyError), in_haste():
        raise KeyError

    assert gc.isenabled()
    assert before == [getattr(where, name) for where, name in NUMBAS]


def test_what_is_compiled_in_haste_gives_the_same():
    """A loop with another one inlined: as plain, and as numba calls it, whose own code nobody left out."""
    numbers = np.array([7, 8, 9])
    made = compiler.compiled(sum_of_halves.twin("inlined"), (numbers,), machine.OF_THE_C_LIBRARY)

    assert made is not None
    assert 15 == sum_of_halves(numbers) == machine._loaded(*made, (numbers,))(numbers)
    assert 15 == compiler.with_numba(sum_of_halves.twin("linked"))(numbers)


def test_variables_are_found_as_numba_finds_them():
    """In every statement of a function, whatever it is made of."""
    from numba.core.compiler import run_frontend

    found = run_frontend(sum_of_halves.plain)
    statements = [each for block in found.blocks.values() for each in block.body]
    slow = [[var.name for var in each.list_vars()] for each in statements]
    with in_haste():
        fast = [[var.name for var in each.list_vars()] for each in statements]

    assert any(slow)
    assert slow == fast
