"""Probes under a closed window."""

import pytest

from analyzer.label.rules import Kind
from tests.labelling import batch_of

SHUT = "+.1 a > b P. 1:101(100) ack 1\n+.01 b > a . 1:1(0) ack 101 win 0\n"


def at_closed_window(*gaps):
    """Return the kinds of probes that come with these gaps at a closed window."""
    seen = batch_of(SHUT + "".join(f"+{gap} a > b . 100:100(0) ack 1\n" for gap in gaps)).seen
    return {Kind(kind).name for kind in seen["kind"][seen["seq"] == seen["snd_una"] - 1]}


@pytest.mark.parametrize(
    ("gaps", "kind"),
    [
        ((0.5,), "ZERO_WINDOW_PROBE"),
        ((0.2, 0.4, 0.8), "ZERO_WINDOW_PROBE"),
        ((1.5,), "AT_ZERO_WINDOW"),
        ((1.5, 3), "AT_ZERO_WINDOW"),
        ((1.5, 3, 6), "ZERO_WINDOW_PROBE"),
        ((5, 5), "KEEPALIVE_PROBE"),
        ((5, 2), "KEEPALIVE_PROBE"),
        ((5, 2, 2), "KEEPALIVE_PROBE"),
        ((2, 5, 5), "KEEPALIVE_PROBE"),
        ((5, 5, 2), "AT_ZERO_WINDOW"),
        ((5, 5, 7), "AT_ZERO_WINDOW"),
        ((5, 5, 10), "ZERO_WINDOW_PROBE"),
        ((120.1, 120.1, 120.1), "AT_ZERO_WINDOW"),
        ((136, 136, 136), "KEEPALIVE_PROBE"),
        ((30, 60, 120.1, 120.1), "ZERO_WINDOW_PROBE"),
    ],
)
def test_spacing_tells_at_a_closed_window(gaps, kind):
    """Doubling or quick probes are of the window, even ones of the peer; where neither holds they stay undecided."""
    assert {kind} == at_closed_window(*gaps)


def test_new_data_parts_trains_at_a_closed_window():
    """Data between two probes at a closed window begins another train, although the window never opened."""
    even = "+5 a > b . 100:100(0) ack 1\n" * 2
    more = "+1 a > b P. 101:103(2) ack 1\n+.01 b > a . 1:1(0) ack 103 win 0\n"
    seen = batch_of(SHUT + even + more + "+.2 a > b . 102:102(0) ack 1\n").seen
    kinds = [Kind(row["kind"]).name for row in seen if row["payload_len"] == 0 and row["side"] == 0]

    assert ["KEEPALIVE_PROBE", "KEEPALIVE_PROBE", "ZERO_WINDOW_PROBE"] == kinds
