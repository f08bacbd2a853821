"""The connections of a joining are concluded when somebody looks at them."""

from analyzer.joining import join
from tests.vantages import World, keepalive


def joined(folder):
    """Return two connections that were joined."""
    made, other = World(), World(client=("192.0.2.1", 40001))
    keepalive(made, probes=3, lost=(1,))
    keepalive(other, probes=2, isn=(5000, 9000))
    made.frames = {point: sorted(made.frames[point] + other.frames[point]) for point in "AB"}
    return join(*made.write(folder)).flows


def test_what_was_concluded_stays_until_more_is_known(tmp_path):
    """A connection is concluded once, and anew where somebody found a hole of a capture."""
    flows = joined(tmp_path)
    first = flows[0]

    assert flows[0] is first
    flows.look_again()
    assert flows[0] is not first


def test_connections_are_in_order_of_time_and_count_from_either_end(tmp_path):
    """They are a sequence: by number, by slice, one by one."""
    flows = joined(tmp_path)

    assert [0, 1] == [flow.number for flow in flows] == [flow.number for flow in flows[:]]
    assert flows[-1] is flows[1]
