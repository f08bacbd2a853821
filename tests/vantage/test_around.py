"""What stays around a packet that is missing somewhere."""

import numpy as np

from analyzer.loops.loop import freeze, records, thaw
from analyzer.vantage.around import (
    AROUND,
    BEHIND,
    GOES,
    PARKED,
    PENDING,
    STAYS_HERE,
    agree,
    cover,
    first_waiting,
    look_around,
    park,
    sort_out,
    states_here,
)
from analyzer.vantage.forgotten import COVER
from analyzer.vantage.meeting import DROPPED, ODD, PLAIN, WAITING


def looked(seen, state):
    """Return what is said of sightings of one flow."""
    goes = [9] * len(seen)
    look_around(thaw(seen, jit=False), len(seen), state, 1, thaw(np.zeros(2, dtype=AROUND), jit=False), goes)
    return goes


def test_last_of_each_end_is_pending(sightings):
    """What nothing followed yet waits: if its successor is missing, it stands before that."""
    seen = sightings((0, 0, 100, 7), (1, 0, 101, 7), (2, 1, 7, 101), (3, 0, 102, 7), ttl=0, raw=True)
    assert looked(seen, [PLAIN] * 4) == [GOES, GOES, PENDING, PENDING]


def test_neighbours_of_a_missing_packet_stay(sightings):
    """The last packet of each end before a missing one stays, and a few of either behind it."""
    rows = [(at, at % 2, 100, 7) for at in range(20)]
    state = [PLAIN] * 20
    state[8] = ODD
    goes = looked(sightings(*rows, ttl=0, raw=True), state)
    stays = [at for at, said in enumerate(goes) if said == STAYS_HERE]
    assert stays == [6, 7, 8, *range(9, 9 + 2 * BEHIND)]


def test_acknowledgement_of_missing_data_stays(sightings):
    """However late: the first that covers what is missing stays, those behind it go."""
    rows = [
        (0, 0, 100, 7),
        *((at, 1, 7, 100) for at in range(1, 10)),
        (10, 1, 7, 110),
        (11, 1, 7, 120),
        (12, 1, 7, 130),
    ]
    seen = sightings(*rows, ttl=0, payload_len=[10] + [0] * 12, raw=True)
    assert looked(seen, [ODD] + [PLAIN] * 12)[-3:] == [STAYS_HERE, GOES, PENDING]


def test_repetition_of_missing_data_stays(sightings):
    """However late: a segment with octets among the missing ones stays."""
    rows = [
        (0, 0, 100, 7),
        *((at, 0, 110 + 10 * at, 7) for at in range(9)),
        (10, 0, 105, 7),
        (11, 0, 300, 7),
        (12, 0, 310, 7),
    ]
    seen = sightings(*rows, ttl=0, payload_len=10, raw=True)
    assert looked(seen, [ODD] + [PLAIN] * 12)[-3:] == [STAYS_HERE, GOES, PENDING]


def test_another_ttl_stays(sightings):
    """The first packets of each TTL stay: by them one is known that something else made."""
    seen = sightings(*((at, 0, 100 + at, 7) for at in range(5)), ttl=[64, 64, 60, 64, 60], raw=True)
    assert looked(seen, [PLAIN] * 5) == [STAYS_HERE, GOES, STAYS_HERE, GOES, PENDING]


def test_forgotten_data_leaves_its_range(sightings):
    """Data in a row becomes one range, which ends where something stays; numbers go on behind 2**32."""
    seen = sightings((0, 0, 2**32 - 10, 7), (1, 0, 0, 7), (2, 0, 10, 7), (3, 0, 20, 7), payload_len=10, raw=True)
    made, around = records(COVER, 4, jit=False), thaw(np.zeros(2, dtype=AROUND), jit=False)
    assert cover(thaw(seen, jit=False), 4, [GOES, GOES, STAYS_HERE, GOES], around, made) == 1
    assert freeze(made[:1], COVER)[["from_seq", "to_seq"]].tolist() == [(2**32 - 10, 10)]
    assert (around[0]["cover_from"], around[0]["cover_to"]) == (20, 30)


def test_another_point_says_what_the_first_does():
    """A packet of both points is what it is at the first; one of another alone is odd, or waits if it came late."""
    here, own = [{"ts_ns": at} for at in (1, 2, 3, 9)], [0] * 4
    assert states_here(here, 4, [1, -1, 0, -1], [WAITING, PLAIN], 5, own) == 2
    assert own == [PLAIN, ODD, WAITING, WAITING]
    assert (first_waiting(own, 4), first_waiting([PLAIN], 1)) == (2, 1)


def test_points_agree_on_what_stays():
    """What one point wants to keep stays at both, and what is pending at one is pending at both."""
    first, theirs = [GOES, GOES, PENDING, STAYS_HERE], [GOES, PENDING, STAYS_HERE]
    agree(first, 4, theirs, [0, 2, 1, -1])
    assert (first, theirs) == ([GOES, STAYS_HERE, PENDING, STAYS_HERE], [GOES, PENDING, STAYS_HERE])


def test_what_is_silent_is_put_aside():
    """Of packets at both points the pending ones of before are parked; the others stay or wait on."""
    there, goes, parked = [{"ts_ns": at} for at in range(5)], [PENDING, PENDING, STAYS_HERE, GOES, PENDING], [0] * 5
    assert (park(there, 5, goes, [0, -1, 2, 3, 4], 3, parked), parked[0], goes[0]) == (1, 0, PARKED)
    stays, waits = [0] * 5, [0] * 5
    assert sort_out(goes, 5, stays, waits) == (1, 2)
    assert (stays[:1], waits[:2]) == ([2], [1, 4])


def test_what_was_dropped_is_not_looked_at(sightings):
    """A packet that was dropped is no neighbour of one that is missing, and stays dropped at both points."""
    seen = sightings(*((at, 0, 100 + at, 7) for at in range(4)), ttl=0, raw=True)
    goes = [9, DROPPED, 9, DROPPED]
    around = thaw(np.zeros(2, dtype=AROUND), jit=False)
    look_around(thaw(seen, jit=False), 3, [PLAIN, PLAIN, ODD, PLAIN], 1, around, goes)
    assert goes == [STAYS_HERE, DROPPED, STAYS_HERE, DROPPED]
    first, theirs = [DROPPED], [DROPPED]
    agree(first, 1, theirs, [0])
    assert (first, theirs) == ([DROPPED], [DROPPED])
