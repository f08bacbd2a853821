"""A NAT that used the port of a connection again: packets of another connection are told as such."""

import pytest

from analyzer.joining import join
from tests.vantages import ACK, PSH, RST, SYN, World, keepalive


def reused(*, told_anew=True):
    """Return a connection whose port a NAT gave to another client, which met what the server still held.

    Frames at A: 1 to 5 of the first client; then the other's SYN, the ACK that it drew, its RST, its new handshake.
    """
    made = World(nat="203.0.113.5", nat_port=50000)
    a, b = keepalive(made, probes=1)
    made.client = ("192.0.2.77", 41111)
    c, d = 5_000_000, 9_000_000
    made.send(400.0, "a", SYN, c, 0, mss=1460)
    made.send(400.001, "b", ACK, b + 1, a + 31)
    made.send(400.002, "a", RST, a + 31, 0, window=0)
    if told_anew:
        made.send(401.0, "a", SYN, c, 0, mss=1460)
        made.send(401.001, "b", SYN | ACK, d, c + 1, mss=1460)
        made.send(401.002, "a", ACK, c + 1, d + 1)
        made.send(401.003, "a", ACK | PSH, c + 1, d + 1, b"hello")
        made.send(401.004, "b", ACK, d + 1, c + 6)
    made.client = ("192.0.2.1", 40000)
    return made, a, b


def renamed():
    """Return a connection whose client a NAT gave another port after a silence, which the server then did not know."""
    made = World(nat="203.0.113.5", nat_port=50000)
    a, b = keepalive(made, probes=2)
    made.nat_port = 5626
    made.send(400.0, "a", ACK, a + 30, b + 1)
    made.send(400.001, "b", RST, b + 1, 0, window=0)
    made.nat_port = 50000
    made.send(600.0, "b", ACK | PSH, b + 1, a + 31, b"news", fate="lost")
    return made


@pytest.mark.parametrize("swap", [False, True])
def test_an_end_that_is_translated_anew_is_the_same_end(tmp_path, swap):
    """Packets that have another port behind a NAT from some time on are its own, and so is the RST that answers."""
    joined = join(*renamed().write(tmp_path, swap=swap))

    flow = joined.flows[0]
    server = 0 if swap else 1
    assert {(server, True)} == {(stray.point, stray.anew) for stray in flow.strays}
    assert {"a"} == {stray.side for stray in flow.strays}
    assert flow.ending.stray is None
    assert (flow.strays[-1].crossing.sender, True) == (flow.ending.by, flow.ending.proven)
    assert [True, True] == [each["anew"] for each in joined.fields(0)["strays"]]


@pytest.mark.parametrize("swap", [False, True])
def test_a_reset_of_another_connection_is_not_its_ends_own(tmp_path, swap):
    """The RST that ended a connection at the server was another client's, to whom a NAT had given its port."""
    made, _, _ = reused()

    joined = join(*made.write(tmp_path, swap=swap))

    flow = joined.flows[0]
    ending = flow.ending
    assert ("between", True) == (ending.by, ending.proven)
    assert "192.0.2.77:41111" == str(ending.stray.sender)
    client = 1 if swap else 0
    assert client == ending.stray.point
    assert {client} == {stray.point for stray in flow.strays}
    assert joined.fields(0)["strays"][-1]["sender"] == "192.0.2.77:41111"


def test_no_flow_is_seen_only_there_whose_packets_others_have(tmp_path):
    """What the other client's old packets make of a flow at its point is said to be in another one at the server."""
    made, _, _ = reused()

    joined = join(*made.write(tmp_path))

    assert {"elsewhere"} == {lone.why for lone in joined.lone}
    assert not any(lone.why == "absent" for lone in joined.lone)


def test_a_port_that_its_own_end_uses_again_makes_no_stray(tmp_path):
    """Two connections of the same ends, one behind the other, have nothing of each other."""
    made = World(nat="203.0.113.5", nat_port=50000)
    a, b = keepalive(made, probes=1)
    made.send(30.0, "a", RST | ACK, a + 31, b + 1)
    made.send(40.0, "a", SYN, 7_000_000, 0, mss=1460)
    made.send(40.001, "b", SYN | ACK, 8_000_000, 7_000_001, mss=1460)
    made.send(40.002, "a", ACK, 7_000_001, 8_000_001)

    assert not any(flow.strays for flow in join(*made.write(tmp_path)).flows)


def test_a_flow_that_was_let_go_is_no_reason_to_fail(tmp_path, monkeypatch):
    """Of a long capture the other connection may be forgotten: then nothing is said of whose the packets are."""
    made, _, _ = reused()
    joined = join(*made.write(tmp_path))
    judged = joined.flows._judged

    def some(point, flow):
        if (point, flow) == (0, 2):
            raise KeyError(flow)
        return judged(point, flow)

    assert joined.flows[0].strays
    monkeypatch.setattr(joined.flows, "_judged", some)
    joined.flows.look_again()

    assert () == joined.flows[0].strays
