"""What is sure of connections that are over, by their sightings at two points."""

import numpy as np
import pytest

from analyzer.vantage.past import Ended, paired

AHEAD_NS = 7_000_000


@pytest.mark.parametrize("jit", [False, True])
def test_equal_numbers_are_paired_in_order(jit):
    """The first of equal numbers goes with the first of them there, and what has no partner gets none."""
    there, here = np.array([5, 7, 5, 9, 5]), np.array([7, 5, 8, 5])
    assert paired(there, here, jit=jit).tolist() == [1, 0, 3, -1, -1]


@pytest.fixture
def ended(sightings):
    """Return a function that pairs sightings of one connection: rows there and here, and fields of those here."""

    def make(there, here, **fields):
        whole = sightings(*there, raw=True), sightings(*here, raw=True)
        whole[1]["ts_ns"] += AHEAD_NS
        for name, value in fields.items():
            whole[1][name] = value
        homes = tuple(np.zeros(len(each), dtype=np.int64) for each in whole)
        ends = tuple(each["side"].astype(np.int64) for each in whole)
        return Ended.of(whole, homes, ends, tuple(each["key"] for each in whole), jit=False)

    return make


def expected_ns(times):
    """Say how far apart sightings should be."""
    return np.full(len(times), AHEAD_NS)


ALL = np.ones(1, dtype=np.bool_)
ROWS = [(0, 0, 10, 50), (1, 1, 50, 20), (2, 0, 20, 60)]


def test_connection_that_is_the_same_at_both_points(ended):
    """Of a connection with all packets at both points nothing is missing, changed or in doubt."""
    found = ended(ROWS, ROWS)
    asked = np.ones(1, dtype=np.bool_)
    assert not any(
        each[0]
        for each in (found.unpaired(1), found.missing(1), found.changed(1, asked), *found.doubtful(1, ALL, expected_ns))
    )
    assert [each.tolist() for each in found.began_ns(1, AHEAD_NS)] == [
        [found.whole[0]["ts_ns"][0]],
        [found.whole[1]["ts_ns"][0]],
    ]


def test_empty_packet_without_a_partner_is_missing(ended):
    """A packet without data that one point lacks is missing there; data in other pieces at both may not be."""
    assert ended(ROWS, ROWS[:2]).missing(1)[0]
    one, other = ended(ROWS, ROWS[:2]), ended(ROWS[:2], [*ROWS[:1], (1, 1, 55, 20)])
    for each in (*one.whole, *other.whole):
        each["payload_len"] = 5
    assert one.missing(1)[0]
    assert (other.unpaired(1)[0], other.missing(1)[0]) == (True, False)


def test_change_behind_is_found_in_pairs(ended):
    """A window that is another behind is a change; another TTL is none."""
    asked = np.ones(1, dtype=np.bool_)
    assert ended(ROWS, ROWS, window=3).changed(1, asked)[0]
    assert not ended(ROWS, ROWS, ttl=3).changed(1, asked)[0]
    assert not ended(ROWS, ROWS, window=3).changed(1, ~asked)[0]


def test_what_is_not_sure_is_in_doubt(ended):
    """Second captures of packets, and strange times, leave a connection in doubt."""
    assert ended(ROWS, ROWS, copy=1).doubtful(1, ALL, expected_ns)[0][0]
    assert ended(ROWS, [(0, 0, 10, 50), (1, 1, 50, 20), (60, 0, 20, 60)]).doubtful(1, ALL, expected_ns)[0][0]


def test_packet_that_is_there_more_often_is_missing(ended):
    """Of a packet that was sent twice, and is once at one point, one is missing there; which, pairs do not tell."""
    found = ended([*ROWS, (300, 0, 20, 60)], [*ROWS[:2], (300, 0, 20, 60)])
    doubtful, unsure = found.doubtful(1, ALL, expected_ns)
    assert (found.missing(1)[0], unsure[0], doubtful[0]) == (True, True, False)
    assert not ended(ROWS, ROWS).doubtful(1, ALL, expected_ns)[1][0]


def test_data_in_other_pieces_is_not_lacking(ended):
    """Data that is cut otherwise at the other point is there; what goes beyond that is lacking."""
    one = ended([(0, 0, 10, 50), (1, 0, 20, 50)], [(0, 0, 10, 51)])
    for whole, sizes in zip(one.whole, ([10, 10], [20]), strict=True):
        whole["payload_len"] = sizes
    assert not one.lacking(1, ALL, expected_ns)[0]
    one.whole[1]["payload_len"] = 15
    assert one.lacking(1, ALL, expected_ns)[0]
    assert not one.lacking(1, ~ALL, expected_ns)[0]


def test_points_that_are_equally_far_apart_may_be_copies(ended):
    """All packets equally far apart, with the same TTL and IP ID, may be two copies of one capture."""
    assert ended(ROWS, ROWS).may_be_copies(None) == (True, AHEAD_NS)
    assert not ended(ROWS, ROWS, ttl=3).may_be_copies(None)[0]
    assert not ended(ROWS, ROWS).may_be_copies(AHEAD_NS - 1)[0]
