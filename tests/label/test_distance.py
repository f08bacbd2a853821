"""How far a packet has come."""

import pytest

from analyzer.label.distance import FULL_TTLS, INITIAL_TTLS, hops


@pytest.mark.parametrize(("ttl", "expected"), [(64, 0), (51, 13), (128, 0), (127, 1), (255, 0), (243, 12)])
def test_over_how_many_routers_a_packet_came(ttl, expected):
    """The distance is that from the next initial TTL in use."""
    assert expected == hops(ttl)


def test_a_full_ttl_has_passed_no_router():
    """Of those that packets begin with only the one of old systems may have come from afar."""
    assert all(hops(ttl) == 0 for ttl in FULL_TTLS)
    assert {32} == set(INITIAL_TTLS) - FULL_TTLS
