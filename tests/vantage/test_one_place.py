"""Two points are most likely one if hops and order to any third are the same."""

import numpy as np
import pytest

from analyzer.vantage.clock import THE_REFERENCE
from analyzer.vantage.joint import Crossings
from analyzer.vantage.one_place import at_one_place
from analyzer.vantage.weaving import Woven, WovenFlow

NOTHING = Crossings(
    np.zeros((0, 3), dtype=np.int64),
    np.zeros(0, dtype=np.int64),
    np.zeros(0, dtype=np.int8),
    np.zeros(0, dtype=np.int64),
    np.zeros(0, dtype=np.bool_),
)


def woven(parts=(0, 1, 2), ways=(), turned=()):
    """Return one connection at these points, whose order to each other is told by ``ways``."""
    flow = WovenFlow(tuple((point, 0, point in turned) for point in parts), (), "", (), tuple(ways))
    return Woven((THE_REFERENCE,) * 3, (flow,), NOTHING, None, guessed=False)


def passed(sightings, *ttls, sides=(0, 1)):
    """Return what a point has: a packet from either end, with these TTLs."""
    return sightings((0, sides[0], 1, 1), (1, sides[1], 1, 1), ttl=list(ttls))


@pytest.mark.parametrize(
    ("ways", "same"),
    [
        ((), True),
        (((0, 2, 1), (1, 2, 1)), True),
        (((0, 2, 1), (1, 2, 0)), True),
        (((0, 2, 1), (1, 2, -1)), False),
    ],
    ids=["unknown", "both before", "one unknown", "one before and one behind"],
)
def test_a_point_between_makes_them_two(sightings, ways, same):
    """Where a connection passes a third point between both, they are two points."""
    seen = [passed(sightings, 64, 60)] * 3

    assert same == at_one_place(woven(ways=ways), seen, 0, 1)


@pytest.mark.parametrize(("ttls", "same"), [((64, 60), True), ((63, 60), False), ((64, 61), False)])
def test_hops_between_make_them_two(sightings, ttls, same):
    """Where either end's packets have other TTLs at one point than at the other, a router is between."""
    seen = [passed(sightings, 64, 60), passed(sightings, *ttls), passed(sightings, 62, 62)]

    assert same == at_one_place(woven(), seen, 0, 1)


def test_ends_may_have_other_names_at_each_point(sightings):
    """What one point calls the first end may be the second at the other."""
    seen = [passed(sightings, 64, 60), passed(sightings, 64, 60, sides=(1, 0)), passed(sightings, 62, 62)]

    assert at_one_place(woven(turned=(1,)), seen, 0, 1)


def test_without_a_connection_nothing_is_known(sightings):
    """Two points that have no connection in common are not said to be one."""
    assert not at_one_place(woven(parts=(0, 2)), [passed(sightings, 64, 60)] * 3, 0, 1)
