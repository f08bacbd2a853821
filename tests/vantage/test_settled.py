"""Connections that are over at two points are settled, with what begins and ends them."""

import numpy as np
import pytest

from analyzer.segment import ACK, FIN, SYN
from analyzer.vantage.meeting import SENDER
from analyzer.vantage.settled import Ends, Settling

NONE = np.zeros(0, dtype=np.int64)


@pytest.fixture
def connection(sightings):
    """Return what stays of a connection at both points: its handshake, two packets, and its end."""
    flags = [SYN, SYN | ACK, ACK, ACK, FIN | ACK, FIN | ACK]
    rows = [(0, 0, 9, 0), (1, 1, 49, 10), (2, 0, 10, 50), (3, 1, 50, 10), (4, 0, 10, 50), (5, 1, 50, 11)]
    there, here = sightings(*rows, flags=flags, raw=True), sightings(*rows, flags=flags, raw=True)
    there["ttl"] = np.where(there["side"] == 0, 64, 63)
    here["ttl"] = np.where(here["side"] == 0, 63, 64)
    here["flow"] = 1
    here["ts_ns"] += 7_000_000
    return there, here


def settled(connection, *, over=(True, True), tells=0, held=False, forgetting=None, telling=NONE):
    """Settle flow 0, which is flow 1 at the other point; return it, who sent it, and what stays."""
    settling, senders = Settling(2, forgetting), np.zeros(4, dtype=SENDER)
    senders["here"] = 2, 3, -1, -1
    for point, (seen, flow) in enumerate(zip(connection, (0, 1), strict=True)):
        settling.keep(point, seen)
        if over[point]:
            settling.finish(point, np.array([flow]), telling if point == 0 else NONE)
    waits = np.array([1]) if held else NONE
    ends = np.zeros(4, dtype=np.int8), np.array([0, 0, 0, tells], dtype=np.int8)
    parked = [seen[:0] for seen in connection]
    settling.sift(
        Ends(ends), senders, (NONE, waits), parked, lambda times: np.full(len(times), 7_000_000), 7_000_000, jit=False
    )
    return settling.settled(senders), senders, [sum(map(len, settling.take_left(point))) for point in (0, 1)]


def test_what_begins_and_ends_a_connection_is_left(connection):
    """Of a connection that is over SYN and FIN stay in pairs, and the other packets are counted."""
    found, senders, left = settled(connection)
    assert (found.there.tolist(), found.here.tolist(), found.flipped.tolist(), left) == ([0], [1], [0], [0, 0])
    assert found.seen[0]["flags"].tolist() == [SYN, SYN | ACK, FIN | ACK, FIN | ACK]
    assert found.seen[0]["key"].tolist() == found.seen[1]["key"].tolist()
    assert (senders["gone"].tolist(), senders["gone_ttl"].tolist()) == ([1, 1, 0, 0], [1, 1, 0, 0])


def test_hops_tell_which_point_is_nearer(connection):
    """What ``a`` sent has more hops left at the first point, so that this one is nearer to ``a``."""
    found, *_ = settled(connection)
    assert (found.way.tolist(), found.by_hops.tolist()) == ([1], [True])
    assert np.unique(found.sent[1] - found.sent[0]).tolist() == [7_000_000]
    assert found.sent[2].tolist() == [1, -1, 1, -1]


@pytest.mark.parametrize(
    "case", [{"over": (True, False)}, {"tells": 1}, {"held": True}], ids=["goes on", "has to tell", "waits"]
)
def test_what_may_have_to_tell_stays(connection, case):
    """A connection that goes on at one point, has something to tell or has packets waiting stays as it is."""
    found, _, left = settled(connection, **case)
    assert (len(found), left) == (0, [6, 6])


def test_a_connection_whose_packets_are_no_pairs_stays(connection):
    """A connection of which the points kept unlike packets is settled by nobody."""
    found, _, left = settled((connection[0][1:], connection[1]))
    assert (len(found), left) == (0, [5, 6])
