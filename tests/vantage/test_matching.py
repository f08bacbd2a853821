"""Packets of two points are matched by their numbers, then by IP ID, timestamp and time."""

import pytest

from analyzer.segment import ACK, FIN, RST
from analyzer.vantage.matching import match

ONCE = [(0, 0, 10, 20), (1, 1, 20, 11), (2, 0, 11, 21)]
"""Packets with numbers of their own, a few ms apart."""


def late(rows, ms, side=None):
    """Return rows of one point as another sees them, some ms later by its clock."""
    return [(at + ms + (0.5 if each == 0 else -0.5), each, seq, ack) for at, each, seq, ack in rows]


def pairs(found):
    """Return which indices were matched."""
    return sorted(zip(found.there.tolist(), found.here.tolist(), strict=True))


def test_what_is_seen_once_is_matched_whatever_the_clocks(sightings):
    """A packet with numbers of its own is the same wherever it is seen; the offset follows."""
    found = match(sightings(*ONCE), sightings(*late(ONCE, 5000)))

    assert [(0, 0), (1, 1), (2, 2)] == pairs(found)
    assert 1 == found.pairings[0].way
    assert abs(found.clock.first.offset_ns - 5_000_000_000) <= 600_000


@pytest.mark.parametrize("bearing", ["ip_id", "tsval", "nothing"])
def test_repeated_packets_are_told_apart(sightings, bearing):
    """Probes that are alike are matched by what each bears, or by time, so that the lost one is the right one."""
    probes = [(1000 * number, 0, 9, 21) for number in range(1, 5)]
    there, here = [*ONCE, *probes], [*ONCE, *probes[:1], *probes[2:]]
    numbers = {} if bearing == "nothing" else {bearing: range(1, 8)}
    others = {} if bearing == "nothing" else {bearing: [1, 2, 3, 4, 6, 7]}

    found = match(sightings(*there, **numbers), sightings(*late(here, -70_000), **others))

    assert [(0, 0), (1, 1), (2, 2), (3, 3), (5, 4), (6, 5)] == pairs(found)


def test_packets_that_bear_other_ids_are_others(sightings):
    """One that is alike but bears another IP ID, where these pass unchanged, is not the same packet."""
    there = sightings(*ONCE, (3000, 0, 9, 21), ip_id=[1, 2, 3, 4])
    here = sightings(*late(ONCE, 0), (3000.5, 0, 9, 21), ip_id=[1, 2, 3, 9])

    assert [(0, 0), (1, 1), (2, 2)] == pairs(match(there, here))


def test_nothing_in_common_is_nothing(sightings):
    """Captures of other traffic share no flow and no clock."""
    found = match(sightings((0, 0, 1, 2)), sightings((0, 0, 3, 4)))

    assert (None, ()) == (found.clock, found.pairings)


def test_the_rhythm_alone_gives_an_offset_that_is_marked(sightings):
    """Where nothing tells repeated packets apart, most of them meet under one offset, which is a guess."""
    probes = [(at, 0, 9, 21) for at in (0, 2000, 5000, 9000)]

    found = match(sightings(*probes), sightings(*[(at + 300, *rest) for at, *rest in probes[1:]]))

    assert found.guessed
    assert [(1, 0), (2, 1), (3, 2)] == pairs(found)


def test_what_took_as_long_as_others_is_matched_first(sightings):
    """That single packets waited for a second makes no packet one that came a second before it, where others fit."""
    waited = [(3000, 0, 50, 21)]
    alike = [(5000, 0, 9, 21), (6000, 0, 9, 21)]
    there = sightings(*ONCE, *waited, *alike)
    here = sightings(*late(ONCE, 0), (4500, *waited[0][1:]), *late(alike[1:], 0))

    assert [(0, 0), (1, 1), (2, 2), (3, 3), (5, 4)] == pairs(match(there, here))


def test_resets_of_captures_that_overlap_for_a_moment_are_others(sightings):
    """Of RSTs that are alike each point has another one: what bears IP IDs around them says how clocks stand."""
    probes = [(at, 0, 9, 21) for at in (1000, 2000)]
    resets = [(at, 0, 21, 0) for at in (2100, 4100)]
    ids = [1, 2, 3, 4, 5]
    there = sightings(*ONCE, *probes, resets[1], flags=[ACK] * 5 + [RST], ip_id=[*ids, 0])
    here = sightings(*late(ONCE, 0), *late(probes, 0), *late(resets[:1], 0), flags=[ACK] * 5 + [RST], ip_id=[*ids, 0])

    found = match(there, here)

    assert [(at, at) for at in range(5)] == pairs(found)
    assert abs(found.clock.first.offset_ns) <= 1_000_000


def test_what_is_matched_by_its_id_shows_that_another_is_none(sightings):
    """A packet that each point has once, but with another IP ID, is another where those matched later keep theirs."""
    alike = [(at, 0, 9, 21) for at in (3000, 4000, 5000)]
    there = sightings((0, 0, 10, 20), *alike, (9000, 0, 12, 21), ip_id=[1, 2, 3, 4, 9])
    here = sightings(
        (0.5, 0, 10, 20), *[(at + 0.5, *rest) for at, *rest in alike], (7000, 0, 12, 21), ip_id=[1, 2, 3, 4, 7]
    )

    assert [(at, at) for at in range(4)] == pairs(match(there, here))


def test_a_repetition_behind_the_end_of_a_capture_is_another_packet(sightings):
    """What one point lacks because it had ended is not taken for what it had before, much sooner."""
    there = sightings(*ONCE, (2500, 0, 12, 21))
    here = sightings(*late(ONCE, 0), (4000.5, 0, 12, 21))

    assert [(0, 0), (1, 1), (2, 2)] == pairs(match(there, here))


@pytest.mark.parametrize(("ms", "expected"), [(0, [(3, 3)]), (2000, [])], ids=["at once", "seconds later"])
def test_what_is_left_over_of_a_connection_may_be_in_another_flow(sightings, ms, expected):
    """Where one point has the end of a connection in a flow of its own, it is the same packet, if times fit."""
    rest = (3000, 1, 500, 600)
    there = sightings(*ONCE, rest, flow=[0, 0, 0, 1])
    here = sightings(*late(ONCE, 0), *late([rest], ms))

    assert [(0, 0), (1, 1), (2, 2), *expected] == pairs(match(there, here))


def test_a_pair_far_from_all_others_sets_no_clock(sightings):
    """A FIN that each point has once, but which was repeated, tells nothing of clocks if all others say otherwise."""
    rows = [(ms, ms % 2, 100 + ms, 300 + ms) for ms in range(2000, 2010)]
    there = sightings((1000, 0, 9, 21), *rows, flags=[ACK | FIN] + [ACK] * len(rows), payload_len=[0] + [5] * len(rows))
    here = sightings(
        (10, 0, 9, 21), *late(rows, 0), flags=[ACK | FIN] + [ACK] * len(rows), payload_len=[0] + [5] * len(rows)
    )

    found = match(there, here)

    assert [(at, at) for at in range(1, 11)] == pairs(found)
    assert 1 == len(found.clock.pieces)
