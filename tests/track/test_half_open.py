"""Whose a segment is while a new SYN on old addresses waits for its answer."""

import pytest

from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.tolerances import ANSWER_RST_NS
from analyzer.track.half_open import (
    NEAR_ISN,
    bears_old_numbers,
    begins_older,
    may_be_half_open,
    note_new_syn,
    note_old_ack,
)

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
        ({"reset_count": 1}, {}, {}, SYN, True),
        ({"reset_count": 1, "after_reset": 1}, {}, {}, SYN, False),
        ({}, {}, {"segments": 0}, SYN, False),
        ({}, {"fin_frame": 4}, {}, SYN, True),
        ({}, {"fin_frame": 4}, {"fin_frame": 5}, SYN, False),
    ],
)
def test_which_connection_may_be_half_open(flow, end, peer, flags, expected):
    """One whose other end was heard, and that neither both FINs ended nor a RST behind which something came."""
    ends = [{"fin_frame": 0, "segments": 2} | each for each in (end, peer)]

    assert expected == may_be_half_open({"reset_count": 0, "after_reset": 0} | flow, *ends, {"flags": flags})


@pytest.mark.parametrize(("acked", "expected"), [(0, (9, 1)), (6, (5, 0))])
def test_the_last_new_syn_before_an_answer_is_remembered(acked, expected):
    """A later SYN takes the place of one that drew nothing, not of one that drew an ACK."""
    flow = {"new_syn_frame": 5, "new_syn_side": 0, "new_syn_ns": 50, "new_syn_ack_frame": acked}
    note_new_syn(flow, 1, 9, 90)

    assert expected == (flow["new_syn_frame"], flow["new_syn_side"])
    assert 10 * flow["new_syn_frame"] == flow["new_syn_ns"]


@pytest.mark.parametrize(
    ("flow", "side", "row", "expected"),
    [
        ({}, 1, {}, 7),
        ({}, 0, {}, 0),
        ({}, 1, {"payload_len": 1}, 0),
        ({}, 1, {"flags": ACK | RST}, 0),
        ({}, 1, {"flags": ACK | FIN}, 0),
        ({}, 1, {"flags": 0}, 0),
        ({}, 1, {"ts_ns": 100 + ANSWER_RST_NS}, 7),
        ({}, 1, {"ts_ns": 101 + ANSWER_RST_NS}, 0),
        ({"reset_count": 1}, 1, {}, 7),
        ({"reset_count": 1, "after_reset": 1}, 1, {}, 0),
        ({"new_syn_ack_frame": 6}, 1, {}, 6),
    ],
)
def test_which_segment_the_new_syn_drew(flow, side, row, expected):
    """The first empty ACK of the other end, at once, with nothing behind a RST before."""
    flow = {"new_syn_side": 0, "new_syn_ack_frame": 0, "reset_count": 0, "after_reset": 0} | flow
    note_old_ack(flow, {"last_ns": 100}, side, {"frame": 7, "flags": ACK, "payload_len": 0, "ts_ns": 200} | row)

    assert expected == flow["new_syn_ack_frame"]
