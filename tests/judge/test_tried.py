"""What silences that were survived say of an idle limit."""

import pytest

from analyzer.judge.tried import Tried, tried_before
from tests.judging import opened

S = 1_000_000_000
ANSWERED = "+{} a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"
REFUSED = "+{} a > b . 5:5(0) ack 1\n+.01 b > a R 1:1(0) win 0\n"


def tried(*waits):
    """The silence before the last probe, which drew a RST; those before were answered."""
    record = opened("".join(map(ANSWERED.format, waits[:-1])) + REFUSED.format(waits[-1])).record
    return tried_before(record, record.probes[-1].frame)


def test_a_silence_longer_than_all_that_were_survived():
    """Then a box may have forgotten the connection."""
    found = tried(4, 7)

    assert (7 * S, 4 * S) == (found.silence_ns // S * S, found.survived_ns // S * S)
    assert not found.excludes_limit


def test_a_silence_that_was_survived_before():
    """Then no idle limit ran out; timers that are a little late make no difference."""
    assert tried(7, 7.1).excludes_limit
    assert tried(7, 5).excludes_limit


def test_only_a_silence_that_is_no_shorter_proves_it():
    """A silence that was survived and is shorter by little makes a limit unlikely, and does not rule one out."""
    assert not tried(7, 7.1).proves_it
    assert tried(7, 5).proves_it


@pytest.mark.parametrize(
    ("survived_s", "silence_s", "excluded"),
    [(349.2, 351.0, False), (359.997, 360.399, True), (351.0, 352.0, True), (1000.0, 1001.0, False), (351, 349, True)],
    ids=["350 s between", "no known limit between", "behind 350 s", "900 s of a timer in steps", "longer survived"],
)
def test_a_known_limit_between_two_silences_is_not_ruled_out(survived_s, silence_s, excluded):
    """A known limit, with its lateness, between a silence that was survived and one that was not may have run out."""
    assert Tried(int(silence_s * S), int(survived_s * S)).excludes_limit == excluded


def test_no_box_forgets_so_soon():
    """A silence of two seconds runs out no limit, whatever was survived."""
    assert tried(2, 2).excludes_limit


def test_without_another_silence_only_known_limits_count():
    """Where none that was survived can be compared, a silence shorter than the shortest known limit runs out none."""
    assert Tried(59 * S, 0).excludes_limit
    assert Tried(60 * S, 0).fits_known_limit
    assert not Tried(9 * S, 4 * S).fits_known_limit
    assert not Tried(9 * S, 4 * S).excludes_limit


def test_a_known_limit_between_two_silences_may_have_run_out():
    """A silence of 349 s that was survived excludes no limit of 350 s behind one of 351 s."""
    assert not Tried(351 * S, 349 * S).excludes_limit
    assert Tried(351 * S, 351 * S).excludes_limit
    assert Tried(341 * S, 339 * S).excludes_limit


def test_half_closed_connections_have_other_limits():
    """Behind a FIN nothing is said, nor of what is no probe."""
    record = opened("+1 b > a F. 1:1(0) ack 6\n+.01 a > b . 6:6(0) ack 2\n" + REFUSED.format(5)).record

    assert tried_before(record, record.last_frame - 1) is None
    assert tried_before(record, None) is None
    assert not Tried(60 * S, 0).excludes_limit
