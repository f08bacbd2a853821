"""One source, two ways to run it: as plain Python, or compiled by numba.

The few loops that touch every packet are written once, as functions over numpy records that both
CPython and numba accept, and marked with ``@loop``. Small captures, coverage, debuggers and fuzzers run them as
they stand; large captures run their compiled twin. Twins come from
``machine``, which keeps them; numba is imported only where one is compiled for the first time.

A loop may call other loops by their global names. For the compiled twin those names are bound to
the compiled twins, so that the whole call tree is machine code.

Which of both runs is decided by ``choice``.

This module must not know what any loop computes.
"""

from __future__ import annotations

import types
from functools import cached_property
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from analyzer.untyped import Foreign, Numbers, Record, Rows

P = ParamSpec("P")
R = TypeVar("R")

CACHE_LINE: Final = 64
"""Octets that a processor fetches at once."""


class Loop(Generic[P, R]):
    """A function that can also run compiled. Calling it runs plain Python."""

    def __init__(self, function: Callable[P, R], *, apart: bool = False) -> None:
        """Keep the function; nothing is compiled yet. ``apart``: other loops call it."""
        self.plain = function
        self._apart = apart
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__wrapped__ = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the plain Python function."""
        return self.plain(*args, **kwargs)

    @cached_property
    def compiled(self) -> Callable[P, R]:
        """The machine-code twin: same arguments, same results, releases the GIL while it runs."""
        from analyzer.loops.machine import Native

        native: Any = Native(f"{self.plain.__module__}.{self.__name__}", self.twin)
        return native  # type: ignore[no-any-return]

    @cached_property
    def inlined(self) -> Foreign:
        """The twin as the machine code of other loops has it."""
        from analyzer.loops.compiler import inner

        return inner(self.twin("inlined"), apart=self._apart)

    @cached_property
    def linked(self) -> Foreign:
        """The twin as numba's own way of calling has it: what is inlined may lack what numba needs to call it."""
        from analyzer.loops.compiler import inner

        return inner(self.twin("linked"), apart=self._apart)

    @cached_property
    def bare(self) -> Callable[P, R]:
        """The plain twin, which calls those of other loops directly: a quarter faster than by their objects."""
        return self.twin("bare")  # type: ignore[no-any-return]

    def twin(self, form: str) -> Foreign:
        """Return the function over again, with the loops among its global names in this form."""
        source: Any = self.plain
        names = {
            name: getattr(value, form) if isinstance(value, Loop) else value
            for name, value in source.__globals__.items()
            if name in source.__code__.co_names
        }
        names["__name__"] = source.__module__
        names["__builtins__"] = source.__globals__["__builtins__"]
        twin = types.FunctionType(source.__code__, names, source.__name__, source.__defaults__)
        twin.__module__ = source.__module__
        twin.__qualname__ = source.__qualname__
        return twin

    def choose(self, *, jit: bool) -> Callable[P, R]:
        """Return the compiled twin or the plain function."""
        return self.compiled if jit else self.bare


def loop(function: Callable[P, R]) -> Loop[P, R]:
    """Mark a function as one that must run both plain and compiled."""
    return Loop(function)


def apart(function: Callable[P, R]) -> Loop[P, R]:
    """Mark one that other loops call, and do not have in them: it is long, called from many places, and not often.

    Inlined everywhere it would make long code, which takes long to compile.
    """
    return Loop(function, apart=True)


class Intrinsic(Loop[P, R]):
    """A loop whose compiled twin is an instruction or two of the processor, which ``compiler`` makes."""

    def __init__(self, function: Callable[P, R], make: Callable[[], Any]) -> None:
        """Keep the function, and what makes its twin once numba is there."""
        super().__init__(function)
        self._make = make

    @cached_property
    def inlined(self) -> Foreign:
        """The intrinsic."""
        return self._make()

    @cached_property
    def linked(self) -> Foreign:
        """The intrinsic."""
        return self.inlined

    @cached_property
    def compiled(self) -> Callable[P, R]:
        """Nothing: an instruction is always part of a loop."""
        raise TypeError(f"{self.__name__} is an instruction, not a loop of its own")


def intrinsic(maker: str, **options: Foreign) -> Callable[[Callable[P, R]], Intrinsic[P, R]]:
    """Mark a function whose compiled twin is made by this function of ``compiler`` with these options."""

    def make() -> Foreign:
        from analyzer.loops import compiler

        return getattr(compiler, maker)(**options)

    return lambda function: Intrinsic(function, make)


@intrinsic("make_prefetch")
def prefetch(table: Rows, index: int, octets: int) -> None:
    """Ask the processor for the cache line so many octets into a record, which will be wanted soon."""


@loop
def fetch(table: Rows, index: int, lines: int) -> None:
    """Ask for the first cache lines of a record."""
    for line in range(lines):
        prefetch(table, index, line * CACHE_LINE)


def lines_of(dtype: Foreign) -> int:
    """Return how many cache lines a record takes."""
    return -(-int(dtype.itemsize) // CACHE_LINE)


def records(dtype: Foreign, count: int, *, jit: bool) -> Rows:
    """Return ``count`` zeroed records that loops can read and write by field name.

    Compiled loops want a structured array. Plain ones run several times faster on dicts of Python ints than on numpy
    scalars, and cannot overflow there.
    """
    if jit:
        import numpy as np

        return np.zeros(count, dtype=dtype)
    return list(map(dict.copy, repeat(dict.fromkeys(dtype.names, 0), count)))


class Sparse(dict[int, Any]):
    """A table for plain loops, whose records are made once one is asked for: most never are."""

    def __init__(self, dtype: Foreign, room: int, first: dict[str, int]) -> None:
        """Keep what a record holds at first; a field that ``first`` does not name holds 0."""
        super().__init__()
        self.room = room
        """How many records there are, made or not."""
        self._blank = dict.fromkeys(dtype.names, 0) | first

    def __missing__(self, index: int) -> Record:
        """Make the record there."""
        record = self[index] = self._blank.copy()
        return record

    def front(self, count: int) -> list[Record]:
        """Return the first ``count`` records."""
        return [self[index] for index in range(count)]

    def made(self) -> list[Record]:
        """Return the records up to the last one that was made."""
        return self.front(max(self, default=-1) + 1)


def scattered(dtype: Foreign, count: int, *, jit: bool, **first: int) -> Rows:
    """Return ``count`` records of which few will be looked at, by index only; fields hold 0, or what ``first`` says."""
    if not jit:
        return Sparse(dtype, count, first)
    found = records(dtype, count, jit=True)
    for name, value in first.items():
        found[name] = value
    return found


def thaw(array: Rows, *, jit: bool) -> Rows:
    """Return a structured array in the form that loops of the chosen mode work on."""
    if jit:
        return array
    names = array.dtype.names
    return [dict(zip(names, row, strict=True)) for row in array.tolist()]


def freeze(table: Rows, dtype: Foreign) -> Rows:
    """Return loop records as a structured array again."""
    if isinstance(table, Sparse):
        table = table.front(table.room)
    if not isinstance(table, list):
        return table
    import numpy as np

    if len(dtype.names) == 1:
        return np.array([(record[dtype.names[0]],) for record in table], dtype=dtype)
    return np.array(list(map(itemgetter(*dtype.names), table)), dtype=dtype)


def pick(table: Rows, indices: Numbers) -> Rows:
    """Return ``table[indices]`` of a contiguous structured array, copied record by record instead of field by field."""
    import numpy as np

    whole = table.view(np.dtype((np.void, table.dtype.itemsize)))
    return whole[indices].view(table.dtype)


def stacked(tables: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
    """Return copies of contiguous structured arrays of one type one behind the other, made as ``pick`` makes them.

    Of one table it is a copy.
    """
    import numpy as np

    dtype = tables[0].dtype
    whole: NDArray[np.void] = np.concatenate([table.view(np.dtype((np.void, dtype.itemsize))) for table in tables])
    return whole.view(dtype)
