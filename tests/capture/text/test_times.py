"""Every form in which tcpdump and tshark print times becomes nanoseconds."""

import pytest

from analyzer.capture.text.times import DAY_NS, TIME, Kind, Times

S = 1_000_000_000
NOON_NS = 1_560_340_800 * S  # 2019-06-12 12:00 UTC


def read(*texts):
    """Kind and times of lines."""
    found = [TIME.match(text) for text in texts]
    times = Times(found)
    return times.kind, [times.take(each) for each in found]


@pytest.mark.parametrize(
    "text",
    [
        "1560340800.000000",
        "2019-06-12 12:00:00.000000",
        "2019-06-12T12:00:00.000000Z",
        "2019-06-12 14:00:00.000000+0200",
        "2019-06-12T07:00:00.0-05:00",
        "06/12/2019 12:00:00.000000",
        "2019/06/12 12:00:00",
        "2019-06-12 12:00:00,000 UTC",
    ],
)
def test_one_instant_in_every_form(text):
    """A date with a clock, in any form, is the same instant."""
    assert (Kind.DATE, [NOON_NS]) == read(text)


def test_a_clock_passes_midnight():
    """A clock that goes back by most of a day went on to the next."""
    kind, times = read("23:59:59.5", "23:59:59.9", "00:00:01.000000001")

    assert Kind.CLOCK == kind
    assert [DAY_NS - S // 2, DAY_NS - S // 10, DAY_NS + S + 1] == times


def test_times_since_the_first_packet():
    """Clocks that begin at zero and never go back count from the first packet."""
    assert (Kind.SINCE_FIRST, [0, 5 * S, 5 * S + 1000]) == read(
        " 00:00:00.000000", " 00:00:05.000000", " 00:00:05.000001"
    )


def test_times_since_the_packet_before():
    """Clocks that begin at zero and go back count from the packet before."""
    assert (Kind.SINCE_PREVIOUS, [0, 5 * S, 5 * S + 1000, 80 * S]) == read(
        " 00:00:00.000000", " 00:00:05.000000", " 00:00:00.000001", " 00:01:14.999999"
    )


def test_a_piece_of_times_since_the_packet_before():
    """Clocks that go back by seconds again and again are none, wherever they begin."""
    kind, times = read("00:00:05.1", "00:00:00.1", "00:00:05.1", "00:00:00.1")

    assert (Kind.SINCE_PREVIOUS, 10 * S + 4 * S // 10) == (kind, times[-1])


def test_two_interfaces_out_of_order():
    """A clock that goes back by a little now and then is one."""
    clocks = [f"00:00:{second:02d}.000100" for second in range(1, 30)]
    clocks.insert(8, "00:00:08.000050")

    assert Kind.SINCE_FIRST == read("00:00:00.000000", *clocks)[0]


def test_seconds_of_tshark():
    """Plain seconds are since the first packet, or since 1970 if they are many."""
    assert (Kind.SINCE_FIRST, [0, 1_500_000_000]) == read("0.000000", "1.500000")
    assert Kind.DATE == read("1560340800.5")[0]


def test_without_times():
    """A packet without a time has that of the one before."""
    times = Times(())

    assert (Kind.NONE, 0) == (times.kind, times.take(None))


@pytest.mark.parametrize("text", ["2019-13-45 12:00:00.0", "9999-99-99 99:99:99.9"])
def test_a_date_that_is_none(text):
    """A date that no calendar has is 1970's first day, and nothing is raised."""
    assert 0 <= read(text)[1][0] < 5 * DAY_NS


@pytest.mark.parametrize("text", ["9998-12-31 20:00:00.0", "99999999999.5"])
def test_a_time_beyond_all_captures(text):
    """A time past the year 2116, which no capture can have, is counted, and the one before it stands."""
    stamps = [TIME.match(each) for each in ("2019-06-12 20:00:00.0", text)]
    times = Times(stamps)
    taken = [times.take(stamp) for stamp in stamps]

    assert taken[0] == taken[1]
    assert 1 == times.odd
