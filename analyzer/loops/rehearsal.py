"""Which compiled loops a run will call, and with what types: found by running plain ones in their place.

What is rehearsed calls its loops as ever, with arrays and records. Each call is noted, and the plain twin works on
views of them that give Python ints, so that all goes on as if it were machine code, a hundred times slower.

This module must not know what is rehearsed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.loops import machine
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.untyped import Foreign


@dataclass(frozen=True)
class Part:
    """A loop that is called with arguments of these types; can be sent to another process."""

    module: str
    name: str
    types: str
    """As ``machine`` has them."""
    arguments: tuple[tuple[str, Any, bool], ...]
    """Of each argument the kind (array, record, bool or int), the dtype, and whether it can be written to."""

    @property
    def loop(self) -> str:
        """The loop's full name."""
        return f"{self.module}.{self.name}"

    def likenesses(self) -> tuple[Any, ...]:
        """Return arguments of these types."""
        return tuple([_likeness(*argument) for argument in self.arguments])


def rehearsed(run: Callable[[], object]) -> list[Part]:
    """Run something with plain loops in place of compiled ones; return what it called, in order, each once."""
    parts: dict[tuple[str, str], Part] = {}

    def note(native: machine.Native, args: tuple[Any, ...]) -> Foreign:
        types = machine.types_of(args)
        if (native.__name__, types) not in parts:
            module, _, name = native.__name__.rpartition(".")
            parts[native.__name__, types] = Part(module, name, types, tuple(map(_described, args)))
        return native.twin("bare")(*map(_viewed, args))

    with machine.instead(note):
        run()
    return list(parts.values())


def _described(arg: Foreign) -> tuple[str, Any, bool]:
    if isinstance(arg, np.ndarray):
        return "array", arg.dtype, arg.flags.writeable
    if isinstance(arg, np.void):
        return "record", arg.dtype, True
    return "bool" if isinstance(arg, bool | np.bool_) else "int", None, False


def _likeness(kind: str, dtype: Foreign, writeable: bool) -> Foreign:  # noqa: FBT001 - as described
    if dtype is None:
        return False if kind == "bool" else 0
    array = np.zeros(1, dtype=dtype)
    array.flags.writeable = writeable
    return array[0] if kind == "record" else array


# views ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Ints:
    """An array of numbers, as Python's ints."""

    def __init__(self, array: Foreign) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, at: int) -> int:
        return int(self._array[at])

    def __setitem__(self, at: int, value: int) -> None:
        self._array[at] = value


class _Fields:
    """A record, as if it were a dict."""

    def __init__(self, record: Foreign) -> None:
        self.record = record

    def __getitem__(self, name: str) -> Foreign:
        value = self.record[name]
        return _Ints(value) if isinstance(value, np.ndarray) else int(value)

    def __setitem__(self, name: str, value: Foreign) -> None:
        self.record[name] = value


class _Records:
    """An array of records, as if it were a list of dicts."""

    def __init__(self, array: Foreign) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, at: int) -> _Fields:
        return _Fields(self._array[at])

    def __setitem__(self, at: int, value: _Fields) -> None:
        self._array[at] = value.record


def _viewed(arg: Foreign) -> Foreign:
    if isinstance(arg, np.void):
        return _Fields(arg)
    if isinstance(arg, np.ndarray):
        return _Records(arg) if arg.dtype.names else _Ints(arg)
    return arg
