"""For mypy: a column of a structured array is an array of int64.

numpy's own answer is an array of anything, found by asking each form of index in turn. An operator between two columns
asks all that again for each type that it takes, and one within another multiplies: that was half of mypy's time. Nearly
all columns hold int64, the others something narrower; numpy computes with what they really hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy.nodes import NameExpr, StrExpr, TypeAlias
from mypy.plugin import Plugin
from mypy.types import Instance, get_proper_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy.nodes import Expression
    from mypy.plugin import CheckerPluginInterface, MethodSigContext
    from mypy.types import FunctionLike, Type


class Columns(Plugin):
    """Knows the columns of structured arrays."""

    def get_method_signature_hook(self, fullname: str) -> Callable[[MethodSigContext], FunctionLike] | None:
        """Answer for indices of arrays, and for no other method."""
        return indexed if fullname == "numpy.ndarray.__getitem__" else None


def indexed(context: MethodSigContext) -> FunctionLike:
    """Return how an array is indexed: one of records, with a name, gives a column."""
    signature, array = context.default_signature, get_proper_type(context.type)
    if not (isinstance(array, Instance) and _holds_records(array) and _is_name(context.args[0][0], context.api)):
        return signature
    shape, dtype = array.args
    dtype = get_proper_type(dtype)
    int64 = context.api.modules["numpy"].names["int64"].node  # type: ignore[attr-defined]
    if not (isinstance(dtype, Instance) and isinstance(int64, TypeAlias)):
        return signature
    column = array.copy_modified(args=[shape, dtype.copy_modified(args=[int64.target])])
    name = context.api.named_generic_type("builtins.str", [])
    return signature.copy_modified(arg_types=[name], ret_type=column, variables=[])


def _holds_records(array: Instance) -> bool:
    dtype = get_proper_type(array.args[-1]) if array.type.fullname == "numpy.ndarray" else None
    return isinstance(dtype, Instance) and bool(dtype.args) and _is_a("numpy.void", dtype.args[0])


def _is_name(index: Expression, api: CheckerPluginInterface) -> bool:
    """Return whether this is a text; of what is not plain to see mypy itself finds out."""
    return isinstance(index, StrExpr) or (
        isinstance(index, NameExpr) and _is_a("builtins.str", api.get_expression_type(index))
    )


def _is_a(name: str, found: Type) -> bool:
    proper = get_proper_type(found)
    return isinstance(proper, Instance) and proper.type.fullname == name


def plugin(_version: str) -> type[Plugin]:
    """Return what mypy asks for."""
    return Columns
