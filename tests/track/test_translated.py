"""Flows that are one connection, captured before and after address translation."""

import pytest

from analyzer.track.translated import ROUTERS, end_that_differs
from tests.notation import follow, parse

SYN = "+0 a > b S 0:0(0) id 7\n"
AGAIN = "+{} e > f S 0:0(0) id 7 ttl {}\n"


def twins(text):
    """Return of each flow: the number of its twin or -1, the end that is renamed, and whether it is the copy."""
    flows = [row for batch in follow([parse("# Flows.\n" + text).batch()]) for row in batch.flow]
    return [
        (int(row["twin"]) - 1, int(row["twin_side"]), int(row["twin_is_first"]))
        for row in sorted(flows, key=lambda row: row["number"])
    ]


def test_both_flows_know_each_other():
    """The same packet under two addresses, moments apart and with another TTL, begins one connection."""
    assert [(1, 0, 0), (0, 0, 1)] == twins(SYN + AGAIN.format(".00001", 63))


@pytest.mark.parametrize(
    ("after_s", "ttl"),
    [(".00001", 64), (".00001", 63 - ROUTERS), (".2", 63)],
    ids=["no router between", "too many routers", "too late"],
)
def test_what_is_no_translation(after_s, ttl):
    """Equal beginnings without a router between, or at another time, are two connections."""
    assert [(-1, 0, 0), (-1, 0, 0)] == twins(SYN + AGAIN.format(after_s, ttl))


def test_another_packet_is_another_connection():
    """Where the numbers differ, so do the connections."""
    assert [(-1, 0, 0), (-1, 0, 0)] == twins(SYN + "+.00001 e > f S 5:5(0) id 7 ttl 63\n")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"a_lo": 9}, 0),
        ({"a_lo": 9, "a_port": 9}, 0),
        ({"b_hi": 9}, 1),
        ({"a_lo": 9, "b_lo": 9}, -1),
        ({"a_lo": 9, "b_port": 9}, -1),
        ({}, -1),
        ({"tag": 9}, 0),
        ({"tag": 9, "a_port": 9}, -1),
    ],
)
def test_which_end_is_renamed(fields, expected):
    """Translation changes the address of one end, and its port at will; a router between VLANs nothing but the tag."""
    flow = {"a_hi": 1, "a_lo": 2, "a_port": 3, "b_hi": 4, "b_lo": 5, "b_port": 6, "tag": 7}

    assert expected == end_that_differs(flow, flow | fields)
