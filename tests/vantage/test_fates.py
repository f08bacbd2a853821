"""A fate says no more than the captures show: what cannot be proven is called so."""

import pytest

from analyzer.joining import join
from analyzer.vantage.joint import Fate, Why
from tests.vantages import ACK, PSH, World, keepalive, odd, pcap


def test_points_without_an_order_call_nothing_lost(tmp_path):
    """If neither hops nor times tell which point is nearer, what one of them lacks is of unproven fate."""
    made = World(hops=0)
    made.send(0.0, "a", ACK | PSH, 100, 200, b"one")
    made.send(0.5, "a", ACK | PSH, 103, 200, b"two", fate="lost")
    made.send(1.0, "a", ACK | PSH, 106, 200, b"three")

    flow = join(*made.write(tmp_path)).flows[0]

    assert () == flow.way
    assert [Why.ORDER] == [crossing.why for crossing in flow.notable]


def test_a_capture_that_lacks_a_probe_lacks_its_answer(tmp_path):
    """Where a capture lacks several packets in a row, nothing proves that the answer among them was lost."""
    made = World(timestamps=False)
    a, b = keepalive(made, probes=2)
    made.send(6.0, "a", ACK, a + 30, b + 1, missed="A")
    made.send(6.002, "b", ACK, b + 1, a + 31, missed="A")
    made.send(8.0, "a", ACK, a + 30, b + 1)
    made.send(8.002, "b", ACK, b + 1, a + 31)

    assert [
        (Fate.NOT_CAPTURED, False, Why.FITS_SENDER),
        (Fate.UNPROVEN, False, Why.MISSES),
    ] == odd(join(*made.write(tmp_path)))


def third_point(made, folder, *, lost, until):
    """Write the captures of a world and of a third point, a router behind B.

    Of its packets those numbered ``lost`` were lost before it; the capture of B has the first ``until`` frames alone.
    """
    farther = []
    for at, (ts_ns, octets) in enumerate(made.frames["B"]):
        forth = octets[34:36] == made.client[1].to_bytes(2, "big")
        if at not in lost:
            ttl = bytes([octets[22] - 1 if forth else octets[22] + 1])
            farther.append((ts_ns + (400_000 if forth else -400_000), octets[:22] + ttl + octets[23:]))
    (folder / "C.pcap").write_bytes(pcap(farther))
    return [*made.write(folder, parts=(None, slice(0, until))), str(folder / "C.pcap")]


@pytest.mark.parametrize("ran", [True, False], ids=["B ran", "B had ended"])
def test_a_loss_is_behind_the_last_point_that_a_packet_surely_passed(tmp_path, ran):
    """What a capture that had ended lacks may have been lost before that point: the loss is between those that ran."""
    made = World()
    a, b = keepalive(made, probes=4)
    at = len(made.frames["B"])
    made.send(10.0, "a", ACK, a + 30, b + 1)
    made.send(12.0, "a", ACK, a + 30, b + 1)
    made.send(12.001, "b", ACK, b + 1, a + 31)

    flow = join(*third_point(made, tmp_path, lost={at}, until=None if ran else at - 4)).flows[0]

    (lost,) = (crossing for crossing in flow.notable if crossing.fate is Fate.LOST)
    assert ((1, 2) if ran else (0, 2), True) == (lost.between, lost.proven)


def test_a_tie_of_two_points_leaves_what_they_do_not_differ_in(tmp_path):
    """What neither of two neighbours in unknown order has was lost before both; what one has proves nothing."""
    made = World()
    keepalive(made, probes=4, lost=(1,))
    (tmp_path / "C.pcap").write_bytes(pcap(made.frames["B"][:-2] + made.frames["B"][-1:]))

    flow = join(*made.write(tmp_path), tmp_path / "C.pcap").flows[0]

    assert ((0, 1, 2), ((1, 2),)) == (flow.way, flow.tied)
    assert [(Fate.LOST, (0, 1), Why.RUNNING), (Fate.UNPROVEN, None, Why.ORDER)] == [
        (each.fate, each.between, each.why) for each in flow.notable if each.fate is not Fate.BOTH
    ]


def test_what_passed_behind_the_end_of_a_capture_is_none_that_it_misses(tmp_path):
    """That one point's capture goes on longer makes no loss before that unclear."""
    made, other = World(), World(client=("192.0.2.1", 40001))
    a, b = keepalive(made, probes=4, lost=(3,))
    keepalive(other, probes=5, isn=(5000, 9000))
    until = len(made.frames["B"])
    made.send(12.0, "a", ACK | PSH, a + 31, b + 1, b"more")
    made.send(12.002, "b", ACK, b + 1, a + 35)
    made.frames = {
        "A": sorted(made.frames["A"] + other.frames["A"]),
        "B": sorted(made.frames["B"][:until] + other.frames["B"]),
    }

    assert (Fate.LOST, True, Why.RUNNING) == odd(join(*made.write(tmp_path)))[0]
