"""What is kept of hosts: signs of life, the longest silence."""

import pytest

from analyzer.loops.loop import records
from analyzer.segment import ACK, NOTE_ICMP_ERROR, RST, SYN
from analyzer.track.hosts import (
    GAP_LEAST_NS,
    HOST,
    ICMP,
    NOTE,
    REFUSED,
    TCP,
    clock_of,
    heard,
    new_host,
    note_row,
    whom,
)
from tests.notation import parse, plain

S = 1_000_000_000


def host():
    """A host that was heard first at 1 s, in frame 1."""
    (record,) = records(HOST, 1, jit=False)
    new_host(record, S, 1, 7)
    return record


def test_the_longest_silence_is_kept():
    """Of all silences the longest stays, with the frames at its ends."""
    record = host()
    for at_s, frame in ((2, 2), (20, 3), (31, 4), (32, 5)):
        heard(record, at_s * S, frame, TCP)

    names = ("gap_from_ns", "gap_to_ns", "gap_from_frame", "gap_to_frame", "last_ns", "last_frame")
    assert [2 * S, 20 * S, 2, 3, 32 * S, 5] == [record[name] for name in names]


@pytest.mark.parametrize("heard_s", [(20, 31), (12, 31)], ids=["longest first", "longest last"])
def test_the_longest_silence_but_one_is_known(heard_s):
    """How long it was is kept, whichever came first, and without a second one it is no longer than a short one."""
    record = host()
    heard(record, heard_s[0] * S, 2, TCP)
    assert record["second_ns"] == GAP_LEAST_NS

    heard(record, heard_s[1] * S, 3, TCP)
    assert sorted([heard_s[0] - 1, heard_s[1] - heard_s[0]]) == [
        record[name] // S for name in ("second_ns", "longest_ns")
    ]


def test_a_short_silence_is_none():
    """A host that is heard all the time may seem silent for seconds, as not every segment is noted."""
    record = host()
    heard(record, S + GAP_LEAST_NS, 2, TCP)

    assert record["gap_to_ns"] == 0


def test_a_clock_that_goes_back_moves_nothing():
    """A frame that seems older than the last sign of life changes nothing."""
    record = host()
    heard(record, S // 2, 2, TCP)

    assert (S, 1) == (record["last_ns"], record["last_frame"])


@pytest.mark.parametrize(
    ("line", "noted", "what", "port"),
    [
        ("b > a S. 0:0(0) ack 1 <ts 5 0>", True, TCP, 80),
        ("a > b S 0:0(0)", True, TCP, 0),
        ("b > a R. !0:!0(0) ack 1", True, REFUSED, 80),
        ("b > a R. !0:!0(0) ack 2", False, REFUSED, 80),
        ("b > a R 1:1(0)", False, REFUSED, 80),
        ("b > a R. 1:1(0) ack 1", False, REFUSED, 80),
        ("a > b icmp 3/1 0:0(0)", True, ICMP, 0),
    ],
    ids=["accepts", "asks", "refuses", "refuses no SYN", "resets", "resets with ACK", "ICMP"],
)
def test_what_a_segment_shows(line, noted, what, port):
    """A segment shows its sender; a SYN,ACK and what refuses a SYN the service; any other RST nothing."""
    row = plain(parse(f"# A line.\n+1 {line}\nverdict: open\n").rows[0])
    (note,) = records(NOTE, 1, jit=False)

    assert noted == note_row(note, row, not line.endswith("ack 2"))
    assert (what, port) == (note["what"], note["port"])
    assert row["note"] != NOTE_ICMP_ERROR or (row["sack_left"], row["sack_right"]) == (note["hi"], note["lo"])
    assert (5 if "S." in line else -1) == note["tsval"]
    assert row["flags"] & (SYN | RST | ACK) or row["note"] == NOTE_ICMP_ERROR


def test_an_address_as_one_word():
    """Addresses that differ in one half differ as words, which fit a machine's, and lead to a place of a clock."""
    words = {whom(hi, lo) for hi in (0, 1, -1, 1 << 62) for lo in (0, 1, -(1 << 63), 5)}

    assert len(words) == 16
    assert all(0 <= word < 1 << 63 and 0 <= clock_of(word, 3) < 1024 for word in words)
