"""A fate says no more than the captures show: what cannot be proven is called so."""

from analyzer.joining import join
from analyzer.vantage.joint import Fate, Why
from tests.vantages import ACK, PSH, World, keepalive, odd


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
