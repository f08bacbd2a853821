"""What differs between the points is told by direction, with the first packets that show it."""

import numpy as np

from analyzer.segment import SYN
from analyzer.vantage.changes import changes_of
from analyzer.vantage.weaving import WovenFlow

FLOW = WovenFlow(((0, 0, False), (1, 0, False)), (0, 1), "ttl")


def changed(one, other):
    """Return what changed, and which packets did."""
    table = np.stack([np.arange(len(one))] * 2, axis=1)
    return changes_of(FLOW, table, one["side"].astype(np.int64), [one, other])


def test_hops_are_no_change_of_a_packet(sightings):
    """Routers that passed a packet on are told, and leave it unchanged."""
    (change,), which = changed(sightings((0, 0, 1, 2), ttl=64), sightings((1, 0, 1, 2), ttl=61))

    assert ("ttl", "a", (0, 1), 64, 61) == (change.what, change.sender, change.points, change.before, change.behind)
    assert not which.any()


def test_before_and_behind_follow_the_packets_way(sightings):
    """What ``b`` sent passes the points the other way round."""
    (change,), which = changed(sightings((0, 1, 1, 2), window=9), sightings((0, 1, 1, 2), window=7))

    assert ((1, 0), 7, 9) == (change.points, change.before, change.behind)
    assert which.all()


def test_an_option_that_is_gone_is_named_by_its_kind(sightings):
    """Timestamps that a box took out are the option of kind 8; what text or a snap length hides is not compared."""
    one = sightings((0, 0, 1, 2), (1, 0, 2, 2), options=1 << 8, header_len=32, tsval=5, flags=SYN)
    other = sightings((0, 0, 1, 2), (1, 0, 2, 2), header_len=[20, 32], flags=SYN)

    (change,), which = changed(one, other)

    assert ("option_stripped", 8, 1) == (change.what, change.option, change.count)
    assert [True, False] == which.tolist()


def test_data_is_compared_as_far_as_both_have_it(sightings):
    """Of data that one point cut the beginnings are compared."""
    one = sightings((0, 0, 1, 2), (1, 0, 5, 2), digest=[7, 7], head=[3, 3], captured=[100, 100], payload_len=100)
    other = sightings((0, 0, 1, 2), (1, 0, 5, 2), digest=[8, 9], head=[3, 4], captured=[50, 50], payload_len=100)

    (change,), which = changed(one, other)

    assert ("payload", 1) == (change.what, change.count)
    assert [False, True] == which.tolist()
