"""Flows that are forgotten give their places to others."""

import numpy as np
import pytest

from analyzer.vantage.places import GONE, NOWHERE, Places


@pytest.mark.parametrize("jit", [False, True])
def test_places_are_used_again(jit):
    """A flow keeps its place until it is forgotten; the next that begins gets that."""
    places = Places()
    taken = places.take(np.array([3, 7, 3, 90_000]), jit=jit)
    assert [each.tolist() for each in taken] == [[0, 1, 0, 2], [0, 1, 3]]
    places.release(np.array([1]))
    taken = places.take(np.array([3, 100_000, 100_001]), jit=jit)
    assert [each.tolist() for each in taken] == [[0, 1, 3], [1, 2]]
    assert places.used == 4
    assert places.find(np.array([7, 3, 100_000, 5, 10**7])).tolist() == [GONE, 0, 1, NOWHERE, NOWHERE]
    assert places.numbers(np.array([0, 1, 2, 3])).tolist() == [3, 100_000, 90_000, 100_001]


def test_many_flows_that_follow_each_other_need_few_places():
    """Tables grow with the flows that are there at once, not with all that there were."""
    places = Places()
    for first in range(0, 50_000, 100):
        places.release(places.take(np.arange(first, first + 100), jit=True)[0])
    assert places.used == 100
