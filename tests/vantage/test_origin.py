"""A packet is its sender's own, or not, by what it bears and by what its sender goes on with."""

import pytest

from analyzer.joining import join
from analyzer.vantage.joint import Fate, Why
from tests.vantages import ACK, PSH, World, keepalive


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
