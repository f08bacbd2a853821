"""Records of values: what ``dataclasses`` makes of a class, in less than half the time.

A command makes some hundred of them before it has read a packet, and ``dataclasses`` compiles up to six functions for
each, which was a sixth of what a small capture takes. Here a class has one compiled function, ``__init__``; comparing,
hashing and refusing are closures over its fields. ``fields``, ``replace`` and ``asdict`` of ``dataclasses`` work as
ever, and a type checker sees the decorator of ``dataclasses``.

This module must not know what any record means.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - exported under its name

    from analyzer.untyped import Foreign
else:

    def dataclass(*, slots: bool = False, frozen: bool = False, **options: bool) -> Callable[[type], type]:
        """Return a decorator as ``dataclasses.dataclass`` does; what is seldom is made by that: an order, a base."""

        def made(cls: type) -> type:
            if not slots or options.keys() - {"kw_only"} or any(map(dataclasses.is_dataclass, cls.__mro__)):
                return dataclasses.dataclass(slots=slots, frozen=frozen, **options)(cls)
            bare = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, **options)(cls)
            return _with_methods(bare, frozen=frozen)

        return made


_MISSING: Final = dataclasses.MISSING


def _with_methods(cls: type, *, frozen: bool) -> type:
    """Add what ``dataclasses`` would have compiled to a class with fields, but for what it has of its own."""
    bare: Foreign = cls
    fields = dataclasses.fields(bare)
    # Python itself puts None for the hash of a class that has __eq__
    own = {name for name, value in vars(cls).items() if (name, value) != ("__hash__", None)}
    methods: dict[str, Any] = {
        "__init__": _init(cls, fields),
        "__eq__": _equals(cls, fields),
        "__repr__": _shown(fields),
    }
    if frozen:
        bare.__dataclass_params__.frozen = True  # what inherits from it has to be so, too
        methods |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
        methods |= {"__getstate__": _state, "__setstate__": _restore, "__hash__": _hashed(fields)}
    elif "__eq__" not in own:
        methods["__hash__"] = None
    for name, method in methods.items():
        if name not in own:
            setattr(cls, name, method)
    return cls


def _init(cls: type, fields: tuple[dataclasses.Field[Any], ...]) -> Foreign:
    """Compile ``__init__``: it sets fields by their slots, as nothing else may where they are frozen."""
    names: dict[str, Any] = {"_MISSING": _MISSING}
    by_place: list[str] = []
    by_name: list[str] = []
    body: list[str] = []
    for field in fields:
        name, value, default = field.name, field.name, ""
        names[f"_set_{name}"] = getattr(cls, name).__set__
        if field.default_factory is not _MISSING:
            names[f"_make_{name}"] = field.default_factory
            value, default = f"_make_{name}() if {name} is _MISSING else {name}", " = _MISSING"
        elif field.default is not _MISSING:
            names[f"_default_{name}"] = field.default
            default = f" = _default_{name}"
        (by_name if field.kw_only else by_place).append(name + default)
        body.append(f" _set_{name}(self, {value})")
    arguments = ", ".join(["self", *by_place, *(["*", *by_name] if by_name else [])])
    exec("\n".join([f"def __init__({arguments}):", *body, " return"]), names)  # noqa: S102 - of names of fields, as theirs
    init = names["__init__"]
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    init.__annotations__ = {field.name: field.type for field in fields} | {"return": None}
    return init


def _values(fields: tuple[dataclasses.Field[Any], ...]) -> Callable[[object], object]:
    """Return what takes those of an object's fields out of it that are compared."""
    names = [field.name for field in fields if field.compare]
    return attrgetter(*names) if names else lambda _: ()


def _equals(cls: type, fields: tuple[dataclasses.Field[Any], ...]) -> Foreign:
    values = _values(fields)

    def equals(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    equals.__qualname__ = f"{cls.__qualname__}.__eq__"
    return equals


def _hashed(fields: tuple[dataclasses.Field[Any], ...]) -> Foreign:
    values = _values(fields)

    def hashed(self: object) -> int:
        return hash(values(self))

    return hashed


def _shown(fields: tuple[dataclasses.Field[Any], ...]) -> Foreign:
    names = [field.name for field in fields if field.repr]

    @recursive_repr()
    def shown(self: object) -> str:
        inside = ", ".join([f"{name}={getattr(self, name)!r}" for name in names])
        return f"{self.__class__.__qualname__}({inside})"

    return shown


def _refuse_to_set(_: object, name: str, value: object) -> None:  # noqa: ARG001 - Python's form
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Foreign) -> list[Any]:
    """Return what a copy is made of: Python would set it field by field, which is refused."""
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Foreign, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
