"""Which sightings in a stretch of two captures are surely one packet."""

import numpy as np

from analyzer.loops.loop import thaw
from analyzer.segment import ACK, RST, SYN
from analyzer.vantage.meeting import (
    ALONE,
    DROPPED,
    MANY,
    ODD,
    PLAIN,
    SENDER,
    STAYS,
    TELLS,
    WAITING,
    is_same,
    judge_pairs,
    meet,
)


def met(there, here):
    """Return the mates of both."""
    mate, mate_here = [0] * len(there), [0] * len(here)
    meet(there, len(there), here, len(here), [-1] * 16, mate, mate_here)
    return mate, mate_here


def judged(there, here, *, apart_ms=0, until_ms=10_000, late=(), goes=None):
    """Return the state of each sighting there, all packets of one flow."""
    mate, _ = met(there["key"].tolist(), here["key"].tolist())
    state = [PLAIN] * len(there)
    senders = thaw(np.zeros(2, dtype=SENDER), jit=False)
    for sender in senders:
        sender["here"] = -1
    clock = [0], [round(apart_ms * 1e6)]
    until_ns = 1_700_000_000_000_000_000 + round(until_ms * 1e6)
    rows = thaw(there, jit=False), thaw(here, jit=False)
    room = [0] * len(there)
    both = goes or ([0] * len(there), [0] * len(here))
    judge_pairs(
        rows[0], len(there), rows[1], mate, *clock, until_ns, 1, senders, [-1, -1], state, room, late, late, *both
    )
    return (state, senders) if late else state


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


def test_what_will_not_be_told_is_dropped(sightings):
    """Of a late connection all that is surely one packet is dropped, SYN too; second captures and odd ones stay."""
    rows = [(0, 0, 99, 0), (1, 0, 100, 7), (2, 1, 7, 101), (3, 0, 101, 8), (4, 0, 102, 8)]
    flags = [SYN, ACK, ACK, ACK, ACK]
    there, here = sightings(*rows, flags=flags, raw=True), sightings(*rows[:4], flags=flags[:4], raw=True)
    here["ttl"], here["window"][2], here["copy"][3] = 60, 5, 1
    goes = [0] * 5, [0] * 4
    state, senders = judged(there, here, until_ms=100, late=(1,), goes=goes)
    assert state[4] == ODD
    assert goes == ([DROPPED, DROPPED, DROPPED, 0, 0], [DROPPED, DROPPED, DROPPED, 0])
    assert [(end["hops"], end["changed"]) for end in senders] == [(4, 0), (4, 1)]
