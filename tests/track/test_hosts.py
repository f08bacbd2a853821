"""What is kept of hosts: signs of life, the longest silence, tables that forget."""

import numpy as np
import pytest

from analyzer.loops.loop import records
from analyzer.segment import ACK, NOTE_ICMP_ERROR, RST, SYN
from analyzer.track.flow import keys_of
from analyzer.track.hosts import (
    ASK,
    GAP_LEAST_NS,
    HOST,
    ICMP,
    NOTE,
    REFUSED,
    TCP,
    Subjects,
    clock_of,
    digest_of,
    entered,
    heard,
    new_host,
    note_row,
    sought,
    whom,
)
from tests.notation import parse, plain

KEYS = list(keys_of(5))
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


@pytest.mark.parametrize("jit", [False, True])
def test_a_full_table_forgets_what_was_heard_longest_ago(jit):
    """Half of the records go, the oldest; the others are found as before."""
    table = Subjects(ASK, 7, jit=jit)
    table.make_room(0, 8)
    keys = KEYS
    used = [0]
    for at in range(8):
        index = -1 - entered.plain(table.slots, table.records, used, 0, digest_of(0, at, 0, keys), 0, at, 0)
        table.records[index]["last_ns"] = (at * 5) % 8

    assert table.is_full(used[0])
    assert not table.is_full(used[0] - 1)
    assert table.forget(used[0]) == 4
    left = [at for at in range(8) if sought.plain(table.slots, table.records, digest_of(0, at, 0, keys), 0, at, 0) >= 0]
    assert sorted(at for at in range(8) if (at * 5) % 8 >= 4) == left


def test_a_table_grows_with_its_records():
    """However many records come, each is found, and there is room for half as many as slots."""
    table = Subjects(ASK, 1 << 20, jit=False)
    used = [0]
    for at in range(300):
        table.make_room(used[0], 1)
        entered(table.slots, table.records, used, 0, digest_of(at, 0, -1, KEYS), at, 0, -1)

    assert all(sought(table.slots, table.records, digest_of(at, 0, -1, KEYS), at, 0, -1) == at for at in range(300))
    assert 2 * used[0] <= len(table.slots)
    assert 0 <= table.room(used[0])


def test_a_plain_table_goes_on_compiled():
    """Nothing is lost when loops are compiled from now on."""
    table = Subjects(ASK, 64, jit=False)
    table.make_room(0, 4)
    used = [0]
    for at in range(4):
        entered(table.slots, table.records, used, 0, digest_of(at, 1, 2, KEYS), at, 1, 2)
        table.records[at]["count"] = at

    table.compile(4)

    assert [0, 1, 2, 3] == table.records["count"][:4].tolist()
    assert sought.plain(table.slots, table.records, digest_of(3, 1, 2, KEYS), 3, 1, 2) == 3


def test_an_address_as_one_word():
    """Addresses that differ in one half differ as words, which fit a machine's, and lead to a place of a clock."""
    words = {whom(hi, lo) for hi in (0, 1, -1, 1 << 62) for lo in (0, 1, -(1 << 63), 5)}

    assert len(words) == 16
    assert all(0 <= word < 1 << 63 and 0 <= clock_of(word, 3) < 1024 for word in words)


@pytest.mark.parametrize("jit", [False, True])
def test_what_connections_are_of_is_forgotten_last(jit):
    """Whatever was heard since, the favoured records stay: a flood of forged hosts drives none of them out."""
    table = Subjects(ASK, 8, jit=jit)
    table.make_room(0, 8)
    used = np.zeros(1, dtype=np.int64) if jit else [0]
    for lo in range(8):
        record = table.records[-1 - entered(table.slots, table.records, used, 0, digest_of(0, lo, 0, KEYS), 0, lo, 0)]
        record["last_ns"] = lo

    kept = table.forget(8, np.arange(8) < 2)

    assert 4 == kept
    assert [0, 1, 6, 7] == table.column("lo", kept).tolist()
