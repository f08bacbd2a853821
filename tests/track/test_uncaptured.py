"""Numbers of an end that no captured segment shows."""

import pytest

from analyzer.segment import ACK, FIN
from analyzer.track.uncaptured import CLAIM, HOLE, fill_hole, fills_hole, note_oddity, settle_claim


def hole(low, high, side=0):
    """A FLOW record, as a dict, of which these numbers of an end were skipped."""
    flow = {}
    note_oddity(flow, HOLE, side, low, high, 0)
    return flow


@pytest.mark.parametrize(
    ("side", "seq", "length", "fills"),
    [(0, 100, 10, True), (0, 140, 10, True), (0, 145, 10, False), (0, 95, 10, False), (1, 100, 10, False)],
)
def test_what_was_skipped_is_filled_by_its_own_part_only(side, seq, length, fills):
    """A segment is part of what was skipped if all of it lies there, and the same end sends it."""
    assert fills == fills_hole(hole(100, 150), side, seq, length)


def test_a_hole_is_gone_once_all_of_it_came():
    """The octets of each part count, and what was missed once is missed no more when all parts are there."""
    flow, end = hole(100, 130), {"payload": 7, "missed": 1}

    fill_hole(flow, end, 0, 100, 10)
    assert (1, HOLE) == (end["missed"], flow["odd_kind"])
    fill_hole(flow, end, 0, 110, 20)

    assert (37, 0, 0) == (end["payload"], end["missed"], flow["odd_kind"])


def claimed(**fields):
    """An end whose peer acknowledged 100 to 150, which was never seen, in frame 8."""
    end = {"last_ns": 3, "missed_ns": 5, "snd_nxt": 150, "snd_una": 150, "missed": 1, "data_ns": 2, "data_frame": 4}
    flow = {}
    note_oddity(flow, CLAIM, 0, 100, 90, 8)
    return flow, end | fields


@pytest.mark.parametrize("seq", [99, 100])
def test_a_claim_of_what_was_never_sent_is_taken_back(seq):
    """An empty segment, or a probe, at the number before the claim shows that nothing was sent beyond."""
    flow, end = claimed()

    assert 8 == settle_claim(flow, end, 0, {"payload_len": 0, "flags": ACK}, seq)
    assert (100, 90, 0, -1) == (end["snd_nxt"], end["snd_una"], end["missed"], end["missed_ns"])
    assert (2, 4) == (end["unacked_ns"], end["unacked_frame"])


@pytest.mark.parametrize(
    ("fields", "row", "seq", "side"),
    [
        ({}, {"payload_len": 0, "flags": ACK}, 150, 0),
        ({}, {"payload_len": 5, "flags": ACK}, 100, 0),
        ({}, {"payload_len": 0, "flags": ACK | FIN}, 100, 0),
        ({"last_ns": 6}, {"payload_len": 0, "flags": ACK}, 100, 0),
        ({"snd_nxt": 160}, {"payload_len": 0, "flags": ACK}, 100, 0),
        ({}, {"payload_len": 0, "flags": ACK}, 100, 1),
    ],
    ids=["behind it", "data", "FIN", "it sent since", "it sent more", "the other end"],
)
def test_what_the_capture_missed_stays_missed(fields, row, seq, side):
    """Whatever else comes leaves the numbers as the peer acknowledged them."""
    flow, end = claimed(**fields)

    assert 0 == settle_claim(flow, end, side, row, seq)
    assert 1 == end["missed"]
