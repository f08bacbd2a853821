"""Flows as columns, some of them, with and without their rows."""

import numpy as np
import pytest

from analyzer.judge import recording
from tests.notation import follow, parse

THREE = """# One probe, nothing, two probes.
+0      a > b  .   0:0(0) ack 1
+.01    b > a  .   1:1(0) ack 1
+0      c > d  S   0:0(0)
+1      a > b  .   0:0(0) ack 1 vlan 5
+.01    b > a  .   1:1(0) ack 1 vlan 5
+5      a > b  .   0:0(0) ack 1
+.01    b > a  .   1:1(0) ack 1
+5      a > b  .   0:0(0) ack 1 vlan 5
+.01    b > a  .   1:1(0) ack 1 vlan 5
+5      a > b  .   0:0(0) ack 1 vlan 5
+.01    b > a  .   1:1(0) ack 1 vlan 5
"""


@pytest.fixture
def batch():
    """Three flows in one batch."""
    (flows,) = follow([parse(THREE).batch()])
    return flows


def test_some_flows_are_taken_with_their_rows(batch):
    """What is known of a flow does not depend on its neighbours."""
    some = batch.take(np.array([2, 0]))

    assert 2 == len(some)
    assert [recording.build(batch, at) for at in (2, 0)] == [recording.build(some, at) for at in (0, 1)]


def test_flows_without_rows_keep_their_sums(batch):
    """Who needs no rows gets flows, ends and sums all the same."""
    some = batch.take(np.array([2, 1]), rows=False)

    assert (0, [0, 0, 0]) == (len(some.seen), some.start.tolist())
    assert batch.run_a["probes"][[2, 1]].tolist() == some.run_a["probes"].tolist()
    assert batch.flow["number"][[2, 1]].tolist() == some.flow["number"].tolist()


def test_packed_flows_are_built_as_before(batch):
    """Records of flows whose rows are packed are equal."""
    assert [recording.build(batch, at) for at in range(3)] == [recording.build(batch.packed(), at) for at in range(3)]


def test_a_flow_ends_where_another_takes_its_addresses():
    """Flows could be heard until the end, or until their addresses were used anew."""
    reused = parse("# Reused.\n+0 a > b S 0:0(0)\n+1 a > b S 7:7(0)\nend: +50\n")
    first, second = follow([reused.batch()])

    assert first.ends_ns[0] < second.ends_ns[0]
    assert second.end_ns == second.ends_ns[0]
