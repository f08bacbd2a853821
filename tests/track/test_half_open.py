"""Whose a segment is while a new SYN on old addresses waits for its answer."""

import pytest

from analyzer.segment import ACK, RST, SYN
from analyzer.track.half_open import NEAR_ISN, bears_old_numbers, begins_older, may_be_half_open

ISS = (1 << 32) - 5


@pytest.mark.parametrize(
    ("side", "fields", "old"),
    [
        (0, {"flags": SYN, "seq": 5}, False),
        (0, {"flags": RST, "seq": 900_000_000}, True),
        (0, {"flags": ACK, "seq": ISS + 1}, False),
        (0, {"flags": ACK, "seq": (ISS + NEAR_ISN) % (1 << 32)}, False),
        (0, {"flags": ACK, "seq": (ISS + NEAR_ISN + 1) % (1 << 32)}, True),
        (1, {"flags": SYN | ACK, "ack": 900_000_000}, False),
        (1, {"flags": ACK, "ack": ISS + 1}, False),
        (1, {"flags": ACK, "ack": 900_000_000}, True),
        (1, {"flags": ACK | RST, "ack": ISS + 1}, False),
        (1, {"flags": RST, "ack": 0}, True),
        (1, {"flags": 0, "ack": 0}, False),
    ],
)
def test_old_numbers(side, fields, old):
    """What is far from the new SYN's number, and no SYN, is of the old connection."""
    assert old == bears_old_numbers({"iss": ISS}, side, {"seq": 0, "ack": 0} | fields)


@pytest.mark.parametrize(
    ("a", "b", "flags", "expected"),
    [
        ({}, {}, ACK, True),
        ({}, {}, ACK | RST, False),
        ({"syn_had_ack": 1}, {}, ACK, False),
        ({"ack_frame": 3}, {}, ACK, False),
        ({}, {"segments": 1}, ACK, False),
    ],
)
def test_an_older_connection_begins_with_its_ack(a, b, flags, expected):
    """Only an ACK behind nothing but SYNs shows a connection from before the capture."""
    a = {"iss": ISS, "syn_frame": 1, "syn_had_ack": 0, "ack_frame": 0} | a

    assert expected == begins_older(a, {"segments": 0} | b, {"flags": flags, "ack": 900_000_000, "seq": 0})


@pytest.mark.parametrize(
    ("flow", "end", "peer", "flags", "expected"),
    [
        ({}, {}, {}, SYN, True),
        ({}, {}, {}, SYN | ACK, False),
        ({"reset_count": 1}, {}, {}, SYN, False),
        ({}, {}, {"segments": 0}, SYN, False),
        ({}, {"fin_frame": 4}, {}, SYN, True),
        ({}, {"fin_frame": 4}, {"fin_frame": 5}, SYN, False),
    ],
)
def test_which_connection_may_be_half_open(flow, end, peer, flags, expected):
    """One whose other end was heard, and that neither a RST nor both FINs ended."""
    ends = [{"fin_frame": 0, "segments": 2} | each for each in (end, peer)]

    assert expected == may_be_half_open({"reset_count": 0} | flow, *ends, {"flags": flags})
