"""Numbers that count from an earlier packet are made whole, whatever a text shows of it."""

import pytest

from analyzer.capture.text import tcpdump
from analyzer.capture.text.names import Names
from analyzer.capture.text.numbers import Numbers
from analyzer.segment import ABSENT, NOTE_TCP, NOTE_UNNUMBERED


def made(*lines):
    """Rows of lines such as ``a > b S. seq 5 ack 6``, completed in order."""
    names, numbers, rows = Names(), Numbers(), []
    for line in lines:
        ends, flags, rest = line.split(" ", 2)
        src, dst = ends.split(">")
        words = dict(zip(rest.split()[::2], rest.split()[1::2], strict=True))
        text = f"IP 10.0.0.{src} > 10.0.0.{dst}: Flags [{flags}]"
        text += "".join(f", {name} {words[name]}" for name in ("seq", "ack") if name in words) + ", win 64"
        low, _, high = words.get("seq", "0:0").partition(":")
        text += f", options [{words['sack'].replace('_', ' ')}]" if "sack" in words else ""
        printed = tcpdump.segment(text + f", length {(int(high or low) - int(low)) % 2**32}", names)
        numbers.tcpdump(printed.row, printed.sack)
        rows.append(printed.row)
    return [(row["seq"], row["ack"]) for row in rows], rows


SYN = "1.9>2.8 S seq 1000000"
SYN_ACK = "2.8>1.9 S. seq 9000000 ack 1000001"


def test_relative_to_the_handshake():
    """Behind a SYN,ACK small numbers count from the SYNs; what has no ACK is as it is."""
    numbers, _ = made(
        SYN, SYN_ACK, "1.9>2.8 . ack 1", "1.9>2.8 P. seq 1:6 ack 1", "2.8>1.9 . ack 6", "1.9>2.8 R seq 1000006"
    )

    assert [
        (1000000, 0), (9000000, 1000001), (ABSENT, 9000001), (1000001, 9000001), (ABSENT, 1000006), (1000006, 0),
    ] == numbers  # fmt: skip


def test_absolute_behind_the_handshake():
    """With -S all numbers are as they are."""
    numbers, _ = made(SYN, SYN_ACK, "1.9>2.8 . ack 9000001", "1.9>2.8 P. seq 1000001:1000006 ack 9000001")

    assert [(ABSENT, 9000001), (1000001, 9000001)] == numbers[2:]


def test_relative_from_mid_connection():
    """The first packet with an ACK is printed as it is, and the others count from it."""
    numbers, _ = made("1.9>2.8 P. seq 5000:5010 ack 7000", "2.8>1.9 P. seq 1:3 ack 10", "1.9>2.8 P. seq 10:20 ack 3")

    assert [(5000, 7000), (7000, 5010), (5010, 7002)] == numbers


def test_relative_numbers_tell_that_of_an_empty_first_packet():
    """The number that tcpdump did not print is what the peer's acknowledgement counts from: one below it here."""
    numbers, rows = made("1.9>2.8 . ack 77000", "2.8>1.9 . ack 1", "1.9>2.8 . ack 1")

    assert [(0, 77000), (ABSENT, 1), (ABSENT, 77000)] == numbers
    assert [NOTE_TCP, NOTE_UNNUMBERED, NOTE_UNNUMBERED] == [row["note"] for row in rows]


def test_absolute_numbers_do_not_tell_that_of_an_empty_first_packet():
    """With -S the number of an empty first packet stays unknown."""
    _, rows = made("1.9>2.8 . ack 77000", "2.8>1.9 . ack 5001", "1.9>2.8 . ack 77000")

    assert [NOTE_UNNUMBERED] * 3 == [row["note"] for row in rows]


def test_a_text_that_begins_behind_what_its_numbers_count_from():
    """Relative numbers whose beginning the text has not are taken as they are; a RST that is not one has no number."""
    numbers, rows = made(
        "1.9>2.8 P. seq 6:9 ack 4", "2.8>1.9 P. seq 4:5 ack 9", "1.9>2.8 . ack 5", "2.8>1.9 R seq 3900000005"
    )

    assert [(6, 4), (4, 9), (ABSENT, 5), (ABSENT, 0)] == numbers
    assert NOTE_UNNUMBERED == rows[3]["note"]


def test_numbers_below_the_first():
    """A probe of one octet counts one below what its numbers count from, modulo 2**32."""
    numbers, _ = made("1.9>2.8 P. seq 5000:5010 ack 7000", "2.8>1.9 . ack 10", "1.9>2.8 . seq 4294967295:0 ack 1")

    assert (4999, 7000) == numbers[2]


def test_a_new_connection_between_the_same_ends():
    """A SYN forgets what numbers counted from."""
    numbers, _ = made(
        SYN, SYN_ACK, "1.9>2.8 . ack 1", "1.9>2.8 S seq 50", "2.8>1.9 S. seq 70 ack 51", "1.9>2.8 P. seq 1:2 ack 1"
    )

    assert [(50, 0), (70, 51), (51, 71)] == numbers[3:]


def test_blocks_of_sack_count_from_the_peers_beginning():
    """A SACK block is in the peer's numbers, relative or not."""
    _, rows = made(SYN, SYN_ACK, "1.9>2.8 . ack 1", "2.8>1.9 . ack 1 sack sack_1_{101:201}")

    assert (1000101, 1000201) == (rows[3]["sack_left"], rows[3]["sack_right"])


@pytest.mark.parametrize("number", [0, 1, 2**31, 2**32 - 1])
def test_any_beginning(number):
    """Where counting begins makes no difference."""
    numbers, _ = made(
        f"1.9>2.8 S seq {number}", f"2.8>1.9 S. seq 5 ack {(number + 1) % 2**32}", "1.9>2.8 P. seq 1:2 ack 1"
    )

    assert ((number + 1) % 2**32, 6) == numbers[2]
