"""A fate says no more than the captures show: what cannot be proven is called so."""

import pytest

from analyzer.joining import join
from analyzer.vantage.joint import Fate, Why
from tests.vantages import ACK, FIN, PSH, RST, World, keepalive


def last_of(world, folder, **files):
    """Return the last packet of the first connection, with its fate."""
    flow = join(*world.write(folder, **files)).flows[0]
    return max((*flow.notable, *flow.others), key=lambda crossing: crossing.first.ts_ns)


def test_what_a_capture_with_nothing_later_lacks_is_only_likely_lost(tmp_path):
    """That a capture still ran when its last frame was long past is an assumption, and is said to be one."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(9.0, "a", ACK, a + 30, b + 1, fate="lost")

    crossing = last_of(made, tmp_path)

    assert (Fate.LOST, False, Why.NOTHING_LATER) == (crossing.fate, crossing.proven, crossing.why)


def test_a_capture_that_had_ended_is_told_from_a_loss(tmp_path):
    """If the receiver goes on to be heard elsewhere, the capture near it had ended: nothing is called lost."""
    made = World()
    keepalive(made, probes=6)

    flow = join(*made.write(tmp_path, parts=(None, slice(0, 9)))).flows[0]

    assert 0 == flow.counts["lost"] + flow.counts["made"]
    assert {Why.ENDED, Why.ANSWERED} >= {c.why for c in flow.notable if c.fate is Fate.NOT_CAPTURED and c.sender == "a"}


@pytest.mark.parametrize(
    ("ttl", "fate", "why"),
    [(64, Fate.NOT_CAPTURED, Why.FITS_SENDER), (200, Fate.MADE, Why.UNLIKE_SENDER)],
    ids=["its sender's", "another's"],
)
def test_an_empty_segment_at_one_point_is_its_senders_or_not(tmp_path, ttl, fate, why):
    """A packet that its sender's own capture lacks fits the sender's others, or was made by something else."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(7.0, "a", ACK, a + 30, b + 1, ttl=ttl, missed="A")
    made.send(9.0, "b", ACK | PSH, b + 1, a + 31, b"later")

    flow = join(*made.write(tmp_path)).flows[0]

    (odd,) = (crossing for crossing in flow.notable if crossing.fate is not Fate.BOTH)
    assert (fate, why) == (odd.fate, odd.why)


def test_data_that_was_sent_again_was_lost_the_first_time(tmp_path):
    """The receiver acknowledged less after it should have arrived, so the first copy was lost for certain."""
    made = World(offset_s=3.0)
    a, b = keepalive(made, probes=1)
    made.send(5.0, "a", ACK | PSH, a + 31, b + 1, b"abc", fate="lost")
    made.send(5.1, "b", ACK | PSH, b + 1, a + 31, b"unasked")
    made.send(5.3, "a", ACK | PSH, a + 31, b + 8, b"abc")
    made.send(5.31, "b", ACK, b + 8, a + 34)

    flow = join(*made.write(tmp_path)).flows[0]

    assert [(Fate.LOST, True, Why.NOT_ACKNOWLEDGED)] == [
        (c.fate, c.proven, c.why) for c in flow.notable if c.fate is not Fate.BOTH
    ]


def test_a_reset_outside_the_other_capture_proves_nothing(tmp_path):
    """A RST with its sender's TTL, behind the end of the sender's capture, may be its own or not."""
    made = World(hops=0)
    _, b = keepalive(made, probes=2)
    made.send(9.0, "b", RST, b + 1, 0, missed="B")

    crossing = last_of(made, tmp_path)

    assert Fate.UNPROVEN is crossing.fate or not crossing.proven


def test_points_without_an_order_call_nothing_lost(tmp_path):
    """If neither hops nor times tell which point is nearer, what one of them lacks is of unproven fate."""
    made = World(hops=0)
    made.send(0.0, "a", ACK | PSH, 100, 200, b"one")
    made.send(0.5, "a", ACK | PSH, 103, 200, b"two", fate="lost")
    made.send(1.0, "a", ACK | PSH, 106, 200, b"three")

    flow = join(*made.write(tmp_path)).flows[0]

    assert () == flow.way
    assert [Why.ORDER] == [crossing.why for crossing in flow.notable]


def test_a_fin_is_no_answer_to_a_probe(tmp_path):
    """A FIN that its sender sends by itself, moments after a probe was lost, does not show that the probe came."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(8.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(8.008, "b", ACK | FIN, b + 1, a + 31)
    made.send(8.02, "a", ACK, a + 31, b + 2)

    flow = join(*made.write(tmp_path)).flows[0]

    assert [Fate.LOST] == [crossing.fate for crossing in flow.notable if crossing.fate is not Fate.BOTH]
