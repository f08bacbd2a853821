"""The packets of a connection stand in one table, whatever each of its points calls them."""

import numpy as np
import pytest

from analyzer.segment import ACK, RST, SYN
from analyzer.vantage.clock import THE_REFERENCE
from analyzer.vantage.joint import Crossings, Point
from analyzer.vantage.packets import Packets
from analyzer.vantage.weaving import WovenFlow


@pytest.fixture
def packets(sightings):
    """Three packets of ``a`` at two points, of which the second lacks one; the last is a RST of another TTL."""
    here = sightings((0, 0, 100, 7), (1, 0, 100, 8), (2, 0, 101, 0), ttl=[64, 64, 255], flags=[16, 16, RST])
    there = sightings((0.2, 0, 100, 7), (2.2, 0, 101, 0), ttl=[63, 254], flags=[16, RST])
    seen = np.array([[0, 0], [1, -1], [2, 1]])
    ts_ns = here["ts_ns"]
    flows, sides = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int8)
    points = [Point(name, 0, 0, 0, 0, 0, 0, (), THE_REFERENCE) for name in "AB"]
    woven = WovenFlow(((0, 0, False), (1, 0, False)), (1, 0), "ttl")
    crossings = Crossings(seen, flows, sides, ts_ns, np.zeros(3, dtype=np.bool_))
    return Packets(woven, crossings, np.arange(3), [here, there], points)


def test_an_ends_usual_ttls_are_those_of_what_passed_several_points(packets):
    """What one point alone has may be anybody's, and a RST too: neither says what an end's packets look like."""
    assert {(0, 0): {64}, (0, 1): {63}} == {key: ttls for key, ttls in packets.usual_ttl.items() if key[0] == 0}


def test_a_packet_is_seen_first_at_the_first_point_of_its_way_that_has_it(packets):
    """Of what the point nearest to the sender lacks, the next one on the way saw it first."""
    assert [1, 0, 1] == [packets.seen_first(row) for row in range(3)]
    assert [True, False, True] == packets.everywhere.tolist()


def test_numbers_are_of_the_attempt_to_connect_that_they_are_next_to(sightings):
    """An end that answers a SYN again with another number begins anew: what is acknowledged then is of that attempt."""
    rows = [(0, 1, 500, 8), (1, 1, 100, 8), (2, 0, 8, 101), (3, 1, 101, 9), (4, 0, 8, 501), (5, 0, 8, 90)]
    here = sightings(*rows, flags=[SYN | ACK, SYN | ACK, ACK, ACK, ACK, ACK])
    flow = np.zeros(len(rows), dtype=np.int64)
    crossings = Crossings(
        np.arange(len(rows))[:, None], flow, here["side"], here["ts_ns"], np.zeros(len(rows), dtype=np.bool_)
    )
    points = [Point("A", 0, 0, 0, 0, 0, 0, (), THE_REFERENCE)]

    made = Packets(WovenFlow(((0, 0, False),), (0,), "ttl"), crossings, np.arange(len(rows)), [here], points)

    assert [0, 1, 1] == made.sent_in[[0, 1, 3]].tolist()
    assert [1, 0, 0] == made.acknowledges_in[[2, 4, 5]].tolist()
