"""What nothing but time tells apart is matched in the order in which it passed."""

import pytest

from analyzer.segment import ACK
from analyzer.vantage.matching import match

ONCE = [(0, 0, 10, 20), (1, 1, 20, 11), (2, 0, 11, 21), (9000, 0, 12, 21)]
"""Packets with numbers of their own, the last one long behind the others."""


def behind(rows, ms=0.5):
    """Return rows as a point behind sees them."""
    return [(at + (ms if side == 0 else -ms), side, seq, ack) for at, side, seq, ack in rows]


def pairs(found):
    """Return which indices were matched, but for packets that are there once."""
    skipped, both = len(ONCE), zip(found.there.tolist(), found.here.tolist(), strict=True)
    return sorted((one - skipped, other - skipped) for one, other in both if one >= skipped)


def test_what_a_router_held_until_the_next_is_matched(sightings):
    """A packet that waited for a second passes with the next one: neither was lost."""
    there = sightings(*ONCE, (3000, 0, 9, 21), (4000, 0, 9, 21))
    here = sightings(*behind(ONCE), (4000.5, 0, 9, 21), (4000.6, 0, 9, 21))

    assert [(0, 1), (1, 0)] == pairs(match(there, here))


def test_what_another_overtook_did_not_wait(sightings):
    """Something sent later that came sooner shows that a packet was lost, and that one point lacks another."""
    there = sightings(*ONCE, (2500, 0, 9, 21), (3000, 0, 9, 21), (4000, 0, 50, 21))
    here = sightings(*behind(ONCE), (2500.5, 0, 9, 21), (5000, 0, 9, 21), (4000.5, 0, 50, 21))

    assert [(0, 0), (2, 2)] == pairs(match(there, here))


@pytest.mark.parametrize("second", [1, 0], ids=["as a second capture", "as another packet"])
def test_what_waited_may_look_like_a_second_capture(sightings, second):
    """What one point has twice within moments is two packets if the other has them apart."""
    there = sightings(*ONCE, (3000, 0, 9, 21), (4000, 0, 9, 21))
    here = sightings(*behind(ONCE), (4000.5, 0, 9, 21), (4000.51, 0, 9, 21), copy=[0] * 5 + [second])

    assert [(0, 1), (1, 0)] == pairs(match(there, here))


def test_where_all_of_a_flow_is_captured_twice_nothing_waited(sightings):
    """A point that has other packets twice too has one of two twice, and lacks the other."""
    rows = behind(ONCE)
    there = sightings(*ONCE, (3000, 0, 9, 21), (4000, 0, 9, 21))
    here = sightings(*rows, (4000.5, 0, 9, 21), (4000.51, 0, 9, 21), *rows, copy=[0] * 5 + [1] * 5)

    assert [(1, 0)] == pairs(match(there, here))


def test_a_host_that_sent_twice_at_once_is_matched_twice(sightings):
    """Two ACKs within microseconds, of which either point took one for a second capture, are two packets."""
    acks = [(3000, 0, 9, 21), (3000.01, 0, 9, 21)]
    there = sightings(*ONCE, *acks, copy=[0] * 5 + [1])
    here = sightings(*behind(ONCE), *behind(acks), flags=ACK)

    assert [(0, 0), (1, 1)] == pairs(match(there, here))


def test_of_what_is_sent_again_soon_the_nearest_is_matched(sightings):
    """Of two that are alike and 10 ms apart the first was lost if the other came at its usual time."""
    there = sightings(*ONCE, (3000, 0, 9, 21), (3010, 0, 9, 21))
    here = sightings(*behind(ONCE), (3010.5, 0, 9, 21))

    assert [(1, 0)] == pairs(match(there, here))
