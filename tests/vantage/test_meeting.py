"""Which sightings in a stretch of two captures are surely one packet."""

import numpy as np

from analyzer.loops.loop import thaw
from analyzer.segment import ACK, RST
from analyzer.vantage.meeting import ALONE, MANY, ODD, PLAIN, SENDER, STAYS, TELLS, WAITING, is_same, judge_pairs, meet


def met(there, here):
    """Return the mates of both."""
    mate, mate_here = [0] * len(there), [0] * len(here)
    meet(there, len(there), here, len(here), [-1] * 16, mate, mate_here)
    return mate, mate_here


def judged(there, here, *, apart_ms=0, until_ms=10_000):
    """Return the state of each sighting there, all packets of one flow."""
    mate, _ = met(there["key"].tolist(), here["key"].tolist())
    state = [PLAIN] * len(there)
    senders = thaw(np.zeros(2, dtype=SENDER), jit=False)
    for sender in senders:
        sender["here"] = -1
    expected = [round(apart_ms * 1e6)] * len(there)
    until_ns = 1_700_000_000_000_000_000 + round(until_ms * 1e6)
    rows = thaw(there, jit=False), thaw(here, jit=False)
    judge_pairs(rows[0], len(there), rows[1], mate, expected, until_ns, 1, senders, [-1, -1], state)
    return state


def test_meet_finds_what_is_once_at_both_points():
    """A key seen once at both points leads to the other; one seen several times leads nowhere."""
    assert met([5, 7, 9, 9, 21], [21, 5, 9, 8, 37]) == ([1, ALONE, MANY, MANY, 0], [4, 0, MANY, ALONE, ALONE])


def test_meet_survives_keys_of_one_slot():
    """Keys that fall into one slot of the table are told apart."""
    assert met([0, 16, 32], [32, 0]) == ([1, ALONE, 0], [2, 0])


def test_first_packets_stay_and_later_ones_are_plain(sightings):
    """The first two packets of an end stay, for what clocks show; those behind them need not."""
    rows = [(at, 0, 100 + at, 7) for at in range(4)]
    assert judged(sightings(*rows, raw=True), sightings(*rows, raw=True)) == [STAYS, STAYS, PLAIN, PLAIN]


def test_what_ends_a_flow_stays(sightings):
    """A RST stays, wherever it was seen."""
    rows = [(at, 0, 100 + at, 7) for at in range(4)]
    both = sightings(*rows, flags=[ACK, ACK, ACK, ACK | RST], raw=True)
    assert judged(both, both)[-1] == TELLS


def test_missing_packet_is_waited_for(sightings):
    """A packet that is not at the other point is odd, once nobody waits for it any more."""
    there, here = sightings((0, 0, 100, 7), (50, 0, 101, 7), raw=True), sightings((0, 0, 100, 7), raw=True)
    assert judged(there, here)[1] == ODD
    assert judged(there, here, until_ms=20)[1] == WAITING


def test_packet_at_another_time_is_not_sure(sightings):
    """What nothing but its numbers tells, and came much later than others, is odd."""
    there, here = (
        sightings((0, 0, 100, 7), (1, 0, 101, 7), raw=True),
        sightings((0, 0, 100, 7), (90, 0, 101, 7), raw=True),
    )
    assert judged(there, here)[1] == ODD


def test_same_packet_by_what_boxes_leave_alone(sightings):
    """A packet with another TTL, address or IP ID is the same; with another window, or other data, it is not."""
    one = thaw(sightings((0, 0, 100, 7), ttl=64, captured=4, digest=9, raw=True), jit=False)[0]
    assert is_same(one, one | {"ttl": 63, "ip_id": 5})
    assert not is_same(one, one | {"window": 8})
    assert not is_same(one, one | {"digest": 8})
