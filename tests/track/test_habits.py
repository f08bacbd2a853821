"""What is known of a host from all its flows."""

import pytest

from analyzer.track.habits import HABIT, HABITS, note_habit, place_of_host, widen
from tests.notation import plain, table

SENDER = {"src_hi": 0, "src_lo": 0xFFFFC0000201, "tag": 0, "interface": 0, "ttl": 60, "src_mac": 5}


@pytest.fixture
def habits():
    """Return room for hosts, of which none is known."""
    return [plain(record) | {"ttl_low": -1} for record in table([{}] * HABITS, HABIT)]


def compared(habits, row, **known):
    """Return what a RST is compared with: TTLs and station."""
    at = {"ttl_low": -1, "ttl_high": -1, "own_mac": -1} | known
    widen(habits, row, at)
    return at["ttl_low"], at["ttl_high"], at["own_mac"]


def test_all_flows_of_a_host_count(habits):
    """The range of TTLs is that of all first segments, the station one of the last two."""
    for ttl, mac in ((60, 5), (58, 6)):
        note_habit(habits, SENDER | {"ttl": ttl, "src_mac": mac})

    assert (58, 60, 6) == compared(habits, SENDER | {"src_mac": 9})
    assert (58, 60, 5) == compared(habits, SENDER | {"src_mac": 5})
    assert (50, 60, 3) == compared(habits, SENDER | {"src_mac": 9}, ttl_low=50, ttl_high=50, own_mac=3)


@pytest.mark.parametrize("field", ["src_hi", "src_lo", "tag", "interface"])
def test_another_host_is_not_meant(habits, field):
    """Another address, VLAN or interface is another host, also where it takes the same place."""
    note_habit(habits, SENDER)

    assert (-1, -1, -1) == compared(habits, SENDER | {field: SENDER[field] + HABITS})


def test_a_host_whose_place_is_taken_is_forgotten(habits):
    """Memory is bounded: of two hosts in one place the later is known."""
    other = next(
        candidate
        for lo in range(1 << 20)
        if place_of_host(candidate := SENDER | {"src_lo": lo}) == place_of_host(SENDER)
    )
    note_habit(habits, SENDER)
    note_habit(habits, other)

    assert (-1, -1, -1) == compared(habits, SENDER)
    assert (60, 60, 5) == compared(habits, other)
