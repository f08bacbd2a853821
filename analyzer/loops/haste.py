"""What numba does for everybody and loops have no use for, left out while one is compiled: a third of the time.

The machine code does the same and is as fast. Left out are, in order of what they cost: finding out again what ``+`` of
two ints is, for each place where it stands; machine code of every loop that is inlined in another, to be called by
itself; walking down every object of numba's to look for variables in it; and looking for garbage among millions of
objects that are all in use.

All of it is numba's inside, which it promises to nobody: hence ``versions``.

This module must not know what any loop computes.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core import ir, types
from numba.core.codegen import JITCodeLibrary
from numba.core.cpu import CPUContext
from numba.core.typing.context import BaseContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.untyped import Foreign

NUMBERS: Final = (types.Integer, types.IntegerLiteral, types.Boolean)
NOWHERE: Final = ctypes.cast(ctypes.CDLL(None).abort, ctypes.c_void_p).value
"""Where a loop is that has no machine code of its own: nobody calls it."""

VARIABLE, INSTRUCTION, SEQUENCE, TABLE, OTHER = range(5)


@contextmanager
def in_haste() -> Iterator[None]:
    """Let numba leave out meanwhile what loops do not need.

    What is compiled meanwhile can be emitted as an object file, or be inlined; it cannot be called.
    """
    collecting = gc.isenabled()
    with ExitStack() as stack:
        for where, name, instead in (
            (JITCodeLibrary, "_finalize_final_module", _finish_without_code),
            (CPUContext, "get_executable", _never_called),
            (BaseContext, "resolve_function_type", _remembering(BaseContext.resolve_function_type)),
            (ir.Inst, "_rec_list_vars", _variables_in),
        ):
            stack.callback(setattr, where, name, getattr(where, name))
            setattr(where, name, instead)
        gc.disable()
        try:
            yield
        finally:
            if collecting:
                gc.enable()


def _finish_without_code(library: Foreign) -> None:
    """Do what ``CPUCodeLibrary._finalize_final_module`` does, but hand nothing to the linker."""
    library._finalize_dynamic_globals()  # noqa: SLF001
    library._verify_declare_only_symbols()  # noqa: SLF001
    library._finalized = True  # noqa: SLF001


def _never_called(_: Foreign, library: Foreign, description: Foreign, environment: Foreign) -> Foreign:
    """Optimise, as ``CPUContext.get_executable`` does, and return a function that leads nowhere."""
    library._ensure_finalized()  # noqa: SLF001
    name = description.qualname.rpartition(".")[2]
    return _dynfunc.make_function(description.lookup_module(), name, "", NOWHERE, environment, (library,))


def _remembering(resolve: Foreign) -> Foreign:
    """Return what resolves a call as ``resolve`` does, once for each function of numbers."""
    known: dict[Any, Any] = {}

    def resolved(context: Foreign, function: Foreign, given: Foreign, named: Foreign) -> Foreign:
        if named or not isinstance(function, types.Function) or not all(isinstance(each, NUMBERS) for each in given):
            return resolve(context, function, given, named)
        key = function, given
        if key not in known:
            known[key] = resolve(context, function, given, named)
        return known[key]

    return resolved


_WHAT: Final[dict[type, int]] = {}


def _variables_in(instruction: Foreign, value: Foreign) -> list[Any]:
    """Return all variables in a value, as ``ir.Inst._rec_list_vars`` does, which asks five times what a value is."""
    what = _WHAT.get(type(value))
    if what is None:
        what = _WHAT[type(value)] = _what_is(type(value))
    if what == VARIABLE:
        return [value]
    if what == INSTRUCTION:
        return value.list_vars()  # type: ignore[no-any-return]
    if what == OTHER:
        return []
    found: list[Any] = []
    for each in value if what == SEQUENCE else value.values():
        found += _variables_in(instruction, each)
    return found


def _what_is(kind: type) -> int:
    """Return what to do with values of a type."""
    for what, kinds in ((VARIABLE, ir.Var), (INSTRUCTION, ir.Inst), (SEQUENCE, (list, tuple)), (TABLE, dict)):
        if issubclass(kind, kinds):
            return what
    return OTHER
