"""Records of values: like those that ``dataclasses`` makes."""

import copy
import dataclasses
import inspect
import pickle
from dataclasses import field

import pytest

from analyzer import values


def classes_by(dataclass):
    """Return classes of each kind that is in use, made by a decorator."""

    @dataclass(frozen=True, slots=True)
    class Point:
        """A place."""

        x: int
        y: int = 2
        names: list[str] = field(default_factory=list)
        known: dict[str, int] | None = field(default=None, compare=False, repr=False)

        @property
        def both(self) -> int:
            return self.x + self.y

    @dataclass(frozen=True, slots=True)
    class Place(Point):
        """One with a height."""

        z: int = 3

    @dataclass(slots=True)
    class Count:
        """What changes."""

        many: int = 0

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        """What has to be named."""

        first: int
        last: tuple[int, ...] = ()

    @dataclass(frozen=True, slots=True)
    class Own:
        """One with methods of its own."""

        value: float

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and round(self.value) == round(other.value)

        def __hash__(self) -> int:
            return round(self.value)

    @dataclass(frozen=True, slots=True)
    class HashedById:
        """One that is told by where it lies."""

        value: int
        __hash__ = object.__hash__

    @dataclass(frozen=True, slots=True)
    class Compared:  # noqa: PLW1641 - that is what it is for
        """One that compares in its own way, and says nothing of its hash."""

        value: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self))

    @dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        """One with an order."""

        value: int

    return Point, Place, Count, Named, Own, HashedById, Compared, Ordered


OURS, THEIRS = classes_by(values.dataclass), classes_by(dataclasses.dataclass)


def behaviour(point, place, count, named, own, by_id, compared, ordered):
    """Return what can be seen of objects of such classes."""
    one, other = point(1), point(1, known={"a": 1})
    counted = count()
    counted.many += 1
    kinds = (point, place, count, named, own, by_id, compared, ordered)
    return {
        "shown": [*map(repr, (one, place(1, 2, ["a"], z=5), counted, named(first=1), own(1.4), by_id(3)))],
        "equal": [one == other, one == point(2), one == place(1), one == 1, counted == count(1), own(1.2) == own(0.9)],
        "different": [one != other, one != point(2), compared(1) == compared(2)],
        "hashed": [
            hash(named(first=1)) == hash(named(first=1)),
            hash(own(1.2)),
            hash(compared(1)) == hash(compared(1)),
        ],
        "by_id": [hash(each) == object.__hash__(each) for each in [by_id(3)]],
        "unhashable": count.__hash__ is None,
        "shared": one.names is other.names,
        "property": one.both,
        "replaced": repr(dataclasses.replace(one, x=7)),
        "dict": dataclasses.asdict(one),
        "fields": [[each.name for each in dataclasses.fields(kind)] for kind in kinds],
        "match": [kind.__match_args__ for kind in kinds],
        "slots": [kind.__slots__ for kind in kinds],
        "doc": [kind.__doc__ for kind in kinds],
        "signatures": [list(inspect.signature(kind).parameters) for kind in kinds],
        "copied": [repr(copy.copy(one)), repr(copy.deepcopy(place(1, names=["a"]))), copy.copy(counted) == counted],
        "ordered": sorted([ordered(2), ordered(1)]) == [ordered(1), ordered(2)],
    }


def test_records_are_as_those_of_dataclasses():
    """In all that can be seen of them, for each kind that is in use."""
    assert behaviour(*THEIRS) == behaviour(*OURS)


@pytest.mark.parametrize("kinds", [OURS, THEIRS], ids=["ours", "theirs"])
def test_what_is_frozen_refuses_to_change(kinds):
    """A field is neither set nor deleted, and that is said in the words of ``dataclasses``."""
    one = kinds[0](1)

    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        one.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del one.x
    assert 1 == one.x


@pytest.mark.parametrize("kinds", [OURS, THEIRS], ids=["ours", "theirs"])
def test_arguments_are_those_of_the_fields(kinds):
    """One too few, one too many, one of no field, or one by place that has to be named is an error."""
    point, _, _, named, *_ = kinds

    for wrong in (point, lambda: point(1, 2, [], None, 5), lambda: point(1, z=2), lambda: named(1)):
        with pytest.raises(TypeError):
            wrong()


def test_what_inherits_from_a_frozen_record_is_frozen():
    """A class of somebody else's that ``dataclasses`` makes may inherit from one of ours, frozen, and not otherwise."""

    class Child(OURS[0]):
        """A place with a height."""

        z: int = 3

    assert 3 == dataclasses.dataclass(frozen=True)(Child)(1).z
    with pytest.raises(TypeError, match="cannot inherit non-frozen dataclass from a frozen one"):
        dataclasses.dataclass(Child)


@values.dataclass(frozen=True, slots=True)
class Sent:
    """What goes to another process."""

    value: int
    more: tuple[str, ...] = ()


def test_a_record_goes_through_a_pickle():
    """As between processes: it arrives equal, though nothing may set its fields."""
    assert Sent(1, ("a",)) == pickle.loads(pickle.dumps(Sent(1, ("a",))))


def test_a_record_may_hold_itself():
    """What shows it does not go round in circles."""
    point = OURS[0](1)
    point.names.append(point)

    assert "names=[...]" in repr(point)


def test_the_package_takes_its_records_from_here():
    """A class that ``dataclasses`` makes would cost each start a millisecond."""
    from pathlib import Path

    ours = Path(values.__file__)
    found = [
        str(path.relative_to(ours.parent))
        for path in ours.parent.rglob("*.py")
        if path != ours
        and "@dataclass" in (text := path.read_text())
        and "from analyzer.values import dataclass" not in text
    ]

    assert [] == found
