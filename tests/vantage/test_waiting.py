"""Sightings that wait lie in a table that is used over and over."""

import numpy as np

from analyzer.vantage.waiting import BEFORE, Waiting


def told(waiting):
    """Return what waits: numbers, keys and flows, after a look at whether the records say the same."""
    assert waiting.rows["key"].tolist() == waiting.keys.tolist()
    assert waiting.rows["flow"].tolist() == waiting.flows.tolist()
    return waiting.rows["seq"].tolist(), waiting.flows.tolist()


def test_sightings_wait_in_order_with_the_flows_that_are_said(sightings):
    """What is added stands behind, what comes back stands before all, and what is kept stays in its order."""
    waiting, some = Waiting(), sightings(*((at, 0, at, 7) for at in range(6)), flow=9, raw=True)
    waiting.add(some[2:4], np.array([1, 2]))
    waiting.add(some[4:], np.array([2, 3]))
    waiting.put_before(some[:2])
    assert told(waiting) == ([0, 1, 2, 3, 4, 5], [9, 9, 1, 2, 2, 3])
    waiting.keep(np.array([1, 4]))
    waiting.add(some[:1], np.array([5]))
    assert told(waiting) == ([1, 4, 0], [9, 2, 5])


def test_however_many_come_back_nothing_is_lost(sightings):
    """More sightings than there is room for find room, before and behind."""
    waiting, some = Waiting(), sightings((0, 0, 1, 7), (1, 0, 2, 7), raw=True)
    for _ in range(3):
        waiting.put_before(np.repeat(some, BEFORE))
        waiting.add(some, np.array([3, 4]))
    numbers, flows = told(waiting)
    assert numbers == [*([1] * BEFORE + [2] * BEFORE) * 3, *[1, 2] * 3]
    assert flows[-6:] == [3, 4] * 3
