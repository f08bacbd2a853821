"""What captures have that is not joined: with whom each flow belongs, and what clocks that shows."""

from analyzer.joining import join
from tests.vantage.test_relatives import proxied
from tests.vantages import ACK, World, keepalive


def test_a_clock_that_packets_show_stays(tmp_path):
    """Where packets are at both points they tell the offset, whatever a proxy carries beside them."""
    made = World(offset_s=12.5)
    keepalive(made, probes=2)
    client, made.client = made.client, ("192.0.2.1", 40001)
    made.client = client[0], 40001
    proxied(made)

    found = join(*made.write(tmp_path))

    assert [False, False] == [point.by_data for point in found.points]
    assert 1 == len(found.halves)
    assert 1 == len(found.flows)


def test_flows_without_another_half_are_alone(tmp_path):
    """A flow of which no other carries the same has none named beside it."""
    made = World()
    keepalive(made, probes=1)
    made.client = ("192.0.2.77", 50000)
    made.send(30, "a", ACK, 7777, 1, b"nobody else has this", fate="lost")

    (lone,) = join(*made.write(tmp_path)).lone

    assert ("absent", None) == (lone.why, lone.other)
