"""Loops that only show whether compiled code is called rightly: each way to pass something, and to return something.

They are compiled, kept and called as all others are. If one differs from its plain twin, none of the others is run.

This module must not know what is done then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.untyped import Numbers, Octets, Record, Rows

RECORD: Final = np.dtype([("wide", np.int64), ("narrow", np.int16), ("octet", np.uint8)], align=True)
FAR: Final = -(1 << 62)


@loop
def returns_several(table: Rows, note: Record, numbers: Numbers, place: int, double: bool) -> tuple[int, ...]:  # noqa: FBT001
    """Take an array of records, a record, an array of ints, an int and a bool; return a tuple."""
    wide = table[place]["wide"]
    note["narrow"] -= table[place]["octet"]
    numbers[place] += wide
    return wide * 2 if double else wide, len(table) * 1000 + len(numbers), numbers[place] - note["narrow"]


@loop
def returns_one(note: Record, numbers: Numbers) -> int:
    """Take a record and an array; return an int."""
    total = note["wide"]
    for number in numbers:
        total += number
    return total  # type: ignore[no-any-return]


@loop
def returns_nothing(table: Rows, octets: Octets) -> None:
    """Take an array of records and octets; return nothing."""
    for at in range(len(table)):
        table[at]["octet"] = octets[at]


def sings() -> bool:
    """Say whether compiled loops do what plain ones do, and nothing else.

    Raises:
        Exception: whatever numba raises when it cannot compile.
    """
    return _outcome(lambda each: each.compiled) == _outcome(lambda each: each.plain)


def begin_anew() -> None:
    """Forget the compiled twins, so that they are made again."""
    for each in (returns_several, returns_one, returns_nothing):
        vars(each).pop("compiled", None)


def _outcome(form: Callable[[Any], Callable[..., Any]]) -> tuple[Any, ...]:
    """Run the loops in one form on records and numbers of their own; return all that came of it."""
    table = np.array([(1, -2, 3), (FAR, 5, 250), (7, 8, 9)], dtype=RECORD)
    note = np.array([(-1, 6, 0)], dtype=RECORD)
    numbers = np.arange(20, dtype=np.int64)
    part = numbers[4:8]
    several = [form(returns_several)(table, note[0], part, 1, double) for double in (False, True)]
    one = form(returns_one)(note[0], part)
    nothing = form(returns_nothing)(table[:2], np.array([255, 128, 64], np.uint8))
    values = [tuple(map(int, each)) for each in several]
    return values, int(one), nothing, table.tolist(), note.tolist(), numbers.tolist()
