"""What is known of a host from all its flows."""

import pytest

from analyzer.label.unlike_sender import KNOWN, NEAR, NEXT_ID, ON_LINK, RANDOM, STATION
from analyzer.track.habits import (
    FIRST,
    HABIT,
    HABITS,
    brings_news,
    came_as_far,
    compare_again,
    note_habit,
    note_ttl,
    place_of_host,
    widen,
)
from tests.notation import plain, table

SENDER = {"src_hi": 0, "src_lo": 0xFFFFC0000201, "tag": 0, "interface": 0, "ttl": 60, "src_mac": 5, "ip_id": 0}
NEW = {"segments": 0, "ttl_low": -1, "ttl_high": -1, "mac": -1, "ip_id": -1}
"""An end of a flow that sent nothing yet."""


@pytest.fixture
def habits():
    """Return room for hosts, of which none is known."""
    return [plain(record) | {"ttl_low": -1} for record in table([{}] * HABITS, HABIT)]


def place(row):
    """Return where the sender of a segment is remembered."""
    return place_of_host(row["src_hi"], row["src_lo"], row["tag"], row["interface"])


def seen(habits, row, end=NEW, **known):
    """Return the SEEN row of a RST, compared with what is known of its host."""
    at = {"ttl_low": -1, "ttl_high": -1, "own_mac": -1, "host": 0} | known
    at |= {name: row[name] for name in ("ttl", "src_mac", "ip_id", "interface")}
    widen(habits, end, row, at)
    return at


def compared(habits, row, **known):
    """Return what a RST is compared with: TTLs and station."""
    at = seen(habits, row, **known)
    return at["ttl_low"], at["ttl_high"], at["own_mac"]


def test_all_flows_of_a_host_count(habits):
    """The range of TTLs is that of all its packets, the station one of the last four."""
    for ttl, mac in ((60, 5), (58, 6)):
        note_habit(habits, NEW, SENDER | {"ttl": ttl, "src_mac": mac})

    assert (58, 60, 6) == compared(habits, SENDER | {"src_mac": 9})
    assert (58, 60, 5) == compared(habits, SENDER | {"src_mac": 5})
    assert (50, 60, 3) == compared(habits, SENDER | {"src_mac": 9}, ttl_low=50, ttl_high=50, own_mac=3)


@pytest.mark.parametrize(("mac", "known"), [(1, False), (2, True), (5, True), (6, False), (-1, False)])
def test_the_last_four_stations_are_known(habits, mac, known):
    """Of five routers the oldest is forgotten; one that comes again takes no other's place."""
    for station in (1, 2, 3, 4, 5, 5, 3, -1):
        note_habit(habits, NEW, SENDER | {"src_mac": station})

    assert known == bool(seen(habits, SENDER | {"src_mac": mac})["host"] & STATION)


@pytest.mark.parametrize(
    ("ttl", "near"),
    [
        (64, True),
        (62, True),
        (61, False),
        (57, False),
        (51, False),
        (50, True),
        (48, True),
        (47, False),
        (128, True),
        (127, False),
        (128 - 14, True),
        (255 - 14, True),
        (255, True),
        (1, False),
    ],
)
def test_a_ttl_is_compared_with_each_that_its_host_has(ttl, near):
    """Between two ways of a host lies no way of it; a packet made apart has another initial TTL, and the same way."""
    habit = plain(table([{}], HABIT)[0]) | {"ttl_low": 64, "ttl_high": 64}
    for own in (64, 50):
        note_ttl(habit, own)

    assert near == came_as_far(habit, ttl)


def test_every_ttl_comes_as_far_as_itself():
    """Whatever the TTL, a host that has it sent it."""
    for ttl in range(256):
        habit = plain(table([{}], HABIT)[0]) | {"ttl_low": 64, "ttl_high": 64}
        note_ttl(habit, ttl)

        assert came_as_far(habit, ttl), ttl


@pytest.mark.parametrize(
    ("ids", "random"), [((1, 2, 3), False), ((1, 40000, 9000), True), ((0, 0, 0), False), ((1, 2, 40000), False)]
)
def test_how_ip_ids_go_on(habits, ids, random):
    """Steps of the first segments of each end tell counters from random numbers; zero says nothing."""
    end = dict(NEW)
    for ip_id in ids:
        note_habit(habits, end, SENDER | {"ip_id": ip_id})
        end |= {"segments": end["segments"] + 1, "ip_id": ip_id}

    assert random == bool(seen(habits, SENDER)["host"] & RANDOM)


@pytest.mark.parametrize(("ip_id", "follows"), [(301, True), (364, True), (365, False), (300, False), (299, False)])
def test_an_ip_id_may_follow_one_of_another_flow(habits, ip_id, follows):
    """A host that has one counter for all its flows sends a RST with the next number, whatever this flow had last."""
    note_habit(habits, NEW, SENDER | {"ip_id": 300})

    assert follows == bool(seen(habits, SENDER | {"ip_id": ip_id})["host"] & NEXT_ID)


def test_its_own_flow_counts_too(habits):
    """What the flow of the RST showed of the end counts, though the host was forgotten since."""
    note_habit(habits, NEW, SENDER | {"ttl": 40, "src_mac": 8})
    end = NEW | {"segments": 9, "ttl_low": 60, "ttl_high": 64, "mac": 7}
    host = seen(habits, SENDER | {"ttl": 64, "src_mac": 7}, end)["host"]

    assert KNOWN | NEAR | STATION == host


@pytest.mark.parametrize(("ttls", "on_link"), [((64,), True), ((64, 255), True), ((64, 63), False), ((63,), False)])
def test_a_host_is_on_its_link_if_no_packet_of_it_passed_a_router(habits, ttls, on_link):
    """Initial TTLs show that; one packet that passed a router shows that others may have, too."""
    for ttl in ttls:
        note_habit(habits, NEW, SENDER | {"ttl": ttl})

    assert on_link == bool(seen(habits, SENDER)["host"] & ON_LINK)


def test_only_what_may_be_new_is_noted():
    """The first segments of an end, another station, and a TTL that is neither its lowest nor its highest."""
    end = {"segments": FIRST, "ttl_low": 50, "ttl_high": 60, "mac": 5}

    assert not brings_news(end, SENDER)
    assert not brings_news(end, SENDER | {"ttl": 50})
    assert brings_news(end, SENDER | {"ttl": 55})
    assert brings_news(end, SENDER | {"src_mac": 6})
    assert brings_news(end | {"segments": FIRST - 1}, SENDER)


def test_later_packets_of_a_host_tell_as_much_as_earlier_ones(habits):
    """When its flow is judged a RST is compared again, if anything was known of its host when it came."""
    note_habit(habits, NEW, SENDER)
    strange = seen(habits, SENDER | {"ttl": 40, "src_mac": 9}, side=0)
    unknown = strange | {"host": 0}
    note_habit(habits, NEW, SENDER | {"ttl": 40, "src_mac": 9})
    flow = {"a_hi": SENDER["src_hi"], "a_lo": SENDER["src_lo"], "b_hi": 0, "b_lo": 1, "tag": 0}
    assert KNOWN == strange["host"]
    compare_again(habits, [strange, unknown], 0, 2, flow)

    assert [KNOWN | NEAR | STATION, 0] == [strange["host"], unknown["host"]]


@pytest.mark.parametrize("field", ["src_hi", "src_lo", "tag", "interface"])
def test_another_host_is_not_meant(habits, field):
    """Another address, VLAN or interface is another host, also where it takes the same place."""
    note_habit(habits, NEW, SENDER)

    assert (-1, -1, -1) == compared(habits, SENDER | {field: SENDER[field] + HABITS})


def test_a_host_whose_place_is_taken_is_forgotten(habits):
    """Memory is bounded: of two hosts in one place the later is known."""
    other = next(candidate for lo in range(1 << 20) if place(candidate := SENDER | {"src_lo": lo}) == place(SENDER))
    note_habit(habits, NEW, SENDER)
    note_habit(habits, NEW, other)

    assert (-1, -1, -1) == compared(habits, SENDER)
    assert (60, 60, 5) == compared(habits, other)
