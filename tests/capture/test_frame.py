import numpy as np
import pytest

from analyzer.capture.frame import (
    CAPACITY,
    FRAME,
    LEAP_NS,
    NOTES,
    OCTETS,
    empty_frames,
    file16,
    file32,
    little16,
    little32,
    note_frame,
    note_odd_time,
    octet,
    octets_of,
    signed64,
    touch,
    word16,
    word32,
)
from analyzer.loops.loop import loop, records

OCTETS_0_TO_F = bytes(range(0xF0, 0x100))


@loop
def words_at(data, at):
    """Read every word that there is, and one in each order of the file."""
    touch(data, at)
    return (
        octet(data, at),
        word16(data, at),
        word32(data, at),
        signed64(data, at),
        little16(data, at),
        little32(data, at),
        file16(data, at, True),
        file32(data, at, True),
        file16(data, at, False),
        file32(data, at, False),
    )


@pytest.mark.parametrize("jit", [False, True], ids=["plain", "compiled"])
@pytest.mark.parametrize("at", [0, 1, 3, 8])
def test_words_at_any_address(jit, at):
    """Octets join to numbers in network order or the file's, unsigned but for address halves."""
    buffer = np.zeros(1, dtype=OCTETS)
    buffer.view(np.uint8)[:16] = np.frombuffer(OCTETS_0_TO_F, np.uint8)
    octets = OCTETS_0_TO_F[at:]
    big, little = ([int.from_bytes(octets[:size], order) for size in (2, 4)] for order in ("big", "little"))
    signed = int.from_bytes(octets[:8], "big", signed=True)

    assert (octets[0], *big, signed, *little, *big, *little) == words_at.choose(jit=jit)(octets_of(buffer, jit=jit), at)


@pytest.mark.parametrize("at", [-1, -(1 << 40), CAPACITY])
@pytest.mark.parametrize("word", [octet, word16, word32, signed64, little16, little32])
def test_plain_loops_do_not_read_outside_the_buffer(word, at):
    """An address before or behind the buffer is an error in the plain twin, which fuzzing runs."""
    buffer = np.zeros(1, dtype=OCTETS)

    with pytest.raises(IndexError):
        word(octets_of(buffer, jit=False), at)


def test_the_buffer_has_room_for_the_largest_block():
    """A block of 16 MiB fits behind the rest of another read."""
    assert CAPACITY >= (16 << 20) + (4 << 20)
    assert CAPACITY == OCTETS.itemsize


def test_an_index_has_the_columns_of_frames():
    """Both forms of an index take a FRAME by field name."""
    for jit in (False, True):
        frames = empty_frames(3, jit=jit)
        for name in FRAME.names:
            frames[2][name] = 1

        assert 3 == len(frames)
        assert [1] * len(FRAME.names) == [int(frames[2][name]) for name in FRAME.names]


def noted(*times_ns, lengths=(), snaplen=0):
    """The notes about frames of these times."""
    notes = records(NOTES, 1, jit=False)[0]
    for at, ts_ns in enumerate(times_ns):
        note_frame(notes, ts_ns, lengths[at] if lengths else 60, snaplen)
    return notes


def test_order_of_time_is_noted():
    """Steps back are counted, with the first frame and the largest step."""
    notes = noted(1000, 2000, 1500, 1500, 3000, 100)

    assert (2, 3, 2900) == (notes["back"], notes["back_frame"], notes["back_ns"])
    assert (6, 6, 1000, 100) == (notes["frames"], notes["timed"], notes["start_ns"], notes["last_ts_ns"])


def test_leaps_of_time_are_noted():
    """A step of more than a year is counted, one of a year is not."""
    notes = noted(0, LEAP_NS, 2 * LEAP_NS + 1, 2 * LEAP_NS + 2)

    assert (1, 3, LEAP_NS + 1) == (notes["leap"], notes["leap_frame"], notes["leap_ns"])


def test_the_first_frame_is_no_leap():
    """The time of the first frame is compared with nothing."""
    notes = noted(1_600_000_000_000_000_000)

    assert (0, 0) == (notes["leap"], notes["back"])


def test_long_frames_are_noted():
    """Frames longer than the snap length are counted, unless there is none."""
    notes = noted(1, 2, 3, lengths=(96, 97, 5), snaplen=96)

    assert (1, 2) == (notes["long"], notes["long_frame"])
    assert 0 == noted(1, lengths=(70_000,), snaplen=0)["long"]


def test_odd_times_are_noted():
    """A time that is none is counted for the frame noted last."""
    notes = noted(1, 2)
    note_odd_time(notes)
    note_odd_time(notes)

    assert (2, 2) == (notes["odd"], notes["odd_frame"])
