"""``Later``: a record whose fields are made when somebody asks for one, of all flows that are looked at together.

Words ask for a few fields of forty, and of most tables nothing.

It must not know how a field is made, or what it means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from analyzer.judge.record import FlowRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.untyped import PassedOn


class Fields(dict[str, "Sequence[Any]"]):
    """The fields of some flows by name, an entry a flow; each is made once somebody asks."""

    def __init__(self, make: Callable[[str], Sequence[Any]]) -> None:
        """Take what makes a field of all of them."""
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Sequence[Any]:
        """Make one."""
        self[name] = made = self._make(name)
        return made


class Field:
    """A field of a record that is taken when somebody first asks, and then lies in the record itself."""

    def __init__(self, name: str) -> None:
        """Take its name."""
        self.name = name

    def __get__(self, record: Later, owner: type[Later]) -> PassedOn:
        """Return its value."""
        own = vars(record)
        value = own[self.name] = own["known"][self.name][own["at"]]
        return value


class Later(FlowRecord):
    """A record of one of some flows. It cannot be compared, and nothing of it replaced."""

    # as a tuple it is empty but for an entry, so that it counts as true: each name stands for a Field
    def __new__(cls, known: Fields, at: int) -> Self:
        """Take the fields of the flows, and the place of this one."""
        record = tuple.__new__(cls, (None,))
        vars(record).update(known=known, at=at)
        return record


for _name in FlowRecord._fields:
    setattr(Later, _name, Field(_name))
