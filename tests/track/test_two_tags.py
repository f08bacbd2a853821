"""One connection under two tags."""

import pytest

from tests.notation import follow, parse

SYN = "+0 a > b S 0:0(0) id 7\n"
OTHER = "+.01 b > a {} vlan 5\n"


def flows(text):
    """Return number of flow, tags, segments of both ends and copies, of each flow."""
    found = [
        (
            int(flow["number"]),
            int(flow["tag"]),
            int(flow["other_tag"]),
            int(a["segments"] + b["segments"]),
            int(flow["copies"]),
        )
        for batch in follow([parse("# Flows.\n" + text).batch()])
        for flow, a, b in zip(batch.flow, batch.a, batch.b, strict=True)
    ]
    return sorted(found)


@pytest.mark.parametrize("answer", ["S. 0:0(0) ack 1", "R. 0:0(0) ack 1"])
def test_the_other_direction_has_another_tag(answer):
    """What answers the very number that the other end sent belongs to its connection, and so does what follows."""
    assert [(0, 0, 5, 3, 0)] == flows(SYN + OTHER.format(answer) + "+1 b > a . 1:1(0) ack 1 vlan 5\n")


def test_an_answer_to_another_syn_begins_a_flow():
    """Where only one number can tell, as in a handshake between the same addresses elsewhere, it is the very one."""
    assert 2 == len(flows(SYN + OTHER.format("S. 0:0(0) ack 2")))


def test_in_mid_connection_both_numbers_fit():
    """Without a handshake what each end sends and acknowledges shows that they speak with each other."""
    begun = "+0 a > b P. 1000:1010(10) ack 500\n"

    assert [(0, 0, 5, 2, 0)] == flows(begun + "+.01 b > a . 500:500(0) ack 1010 vlan 5\n")
    assert 2 == len(flows(begun + "+.01 b > a . 900000000:900000000(0) ack 1010 vlan 5\n"))
    assert 2 == len(flows(begun + "+.01 b > a . 500:500(0) ack 900000000 vlan 5\n"))


def test_a_packet_under_both_tags_is_a_copy():
    """The same packet again, under another tag and not routed, is a copy of the first."""
    assert [(0, 0, 9, 1, 1)] == flows(SYN + "+.00002 a > b S 0:0(0) id 7 vlan 9\n")


@pytest.mark.parametrize(
    "again",
    [
        "+.00002 a > b S 0:0(0) id 7 vlan 9 ttl 63",
        "+.5 a > b S 0:0(0) id 7 vlan 9",
        "+.00002 a > b S 9:9(0) id 7 vlan 9",
    ],
    ids=["routed", "too late", "another number"],
)
def test_what_is_no_copy(again):
    """A packet that a router passed on, that comes later or has other numbers begins a flow."""
    assert 2 == len(flows(SYN + again + "\n"))


def test_a_third_tag_begins_a_flow():
    """A connection has two tags at most."""
    more = "+.00002 a > b S 0:0(0) id 7 vlan 9\n+.00002 a > b S 0:0(0) id 7 vlan 11\n"

    assert [9, -1] == [flow[2] for flow in flows(SYN + more)]


def test_a_new_connection_ends_the_old_one_under_both_tags():
    """Once its addresses and ports are used anew, neither tag leads to the old connection."""
    old = SYN + OTHER.format("S. 0:0(0) ack 1") + "+.01 a > b . 1:1(0) ack 1\n"
    closed = "+1 a > b F. 1:1(0) ack 1\n+.01 b > a F. 1:1(0) ack 2 vlan 5\n+.01 a > b . 2:2(0) ack 2\n"
    new = "+9 a > b S 70000:70000(0) id 8\n+.01 b > a S. 90000:90000(0) ack 70001 vlan 5\n"

    assert [(0, 0, 5, 6, 0), (1, 0, 5, 2, 0)] == flows(old + closed + new)
