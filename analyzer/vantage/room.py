"""Numbers and records in the form that loops take, plain or compiled: made, made longer, and made as new.

It must not know what they are of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.loops.loop import freeze, thaw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Numbers, Rows

    Ints = NDArray[np.int64]


def blank(table: Rows, dtype: np.dtype[np.void], at: Ints, *, jit: bool, **first: int) -> Rows:
    """Return a table in which these records are as new: 0, or what ``first`` says."""
    made: NDArray[np.void] = freeze(table, dtype)
    at = at[at < len(made)]
    new = np.zeros(1, dtype=dtype)
    for name, value in first.items():
        new[name] = value
    whole = np.dtype((np.void, dtype.itemsize))
    made.view(whole)[at] = new.view(whole)[0]
    return thaw(made, jit=jit)


def blank_numbers(numbers: Numbers, at: Ints, *, jit: bool) -> Numbers:
    """Return a table of numbers in which these are -1."""
    made = np.array(numbers, dtype=np.int64) if not jit else numbers
    made[at[at < len(made)]] = -1
    return plain(made, jit=jit)


def plain(numbers: Ints, *, jit: bool) -> Numbers:
    """Return numbers in the form that loops work on."""
    return numbers if jit else numbers.tolist()


def zeros(count: int, *, jit: bool, of: type[np.signedinteger[Any]] = np.int64) -> Numbers:
    """Return so many zeros in the form that loops work on."""
    return np.zeros(count, dtype=of) if jit else [0] * count


def numbers_for(numbers: Numbers, count: int, *, jit: bool) -> Numbers:
    """Return a table of numbers with room for so many; new ones are -1."""
    having = 0 if numbers is None else len(numbers)
    if numbers is not None and count <= having and jit == isinstance(numbers, np.ndarray):
        return numbers
    made = np.full(max(count, 2 * having), -1, dtype=np.int64)
    if having:
        made[:having] = numbers
    return plain(made, jit=jit)


def records_for(table: Rows, dtype: np.dtype[np.void], count: int, *, jit: bool, **first: int) -> Rows:
    """Return a table with room for so many records; new ones are 0, or what ``first`` says."""
    having = 0 if table is None else len(table)
    if table is not None and count <= having and jit == isinstance(table, np.ndarray):
        return table
    made = np.zeros(max(count, 2 * having), dtype=dtype)
    for name, value in first.items():
        made[name][having:] = value
    if having:
        kept: NDArray[np.void] = freeze(table, dtype)
        made[:having].view(np.uint8)[:] = kept.view(np.uint8)  # whole: numpy goes field by field
    return thaw(made, jit=jit)
