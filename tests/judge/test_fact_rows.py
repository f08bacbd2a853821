"""Flows of several batches as one."""

import numpy as np

from analyzer.judge.fact_rows import FactRows, joined, not_below_zero, not_zero
from analyzer.segment import NONE
from tests.tables import scenario_flows


def test_flows_of_several_batches_stand_one_behind_the_other():
    """Rows of flows of two batches are theirs, in order, whether they are packed or not."""
    names = ("dead_peer_gave_up", "half_close_held_by_keepalive")
    batches = [batch for name in names for batch in scenario_flows()[name]]
    rows = FactRows(*((each, np.arange(len(each))) for each in batches))
    packed = FactRows(*((each.packed(), np.arange(len(each))) for each in batches))

    assert len(rows) == sum(map(len, batches))
    assert rows.seen["frame"].tolist() == [frame for each in batches for frame in each.seen["frame"].tolist()]
    assert rows.seen.tobytes() == packed.seen.tobytes()
    assert rows.owner.tolist() == np.repeat(np.arange(len(rows)), np.diff(rows.start)).tolist()


def test_what_is_not_there_is_none():
    """Numbers that stand for nothing become NONE, and the others stay."""
    assert [NONE, 0, 5] == not_below_zero(np.array([-1, 0, 5])).tolist()
    assert [-1, NONE, 5] == not_zero(np.array([-1, 0, 5])).tolist()


def test_records_are_joined_octet_for_octet():
    """Records one behind the other are the same octets, of the same kind."""
    parts = [
        np.array([(1, 2.5)], dtype=[("a", "<i4"), ("b", "<f8")]),
        np.array([(3, 4.5)], dtype=[("a", "<i4"), ("b", "<f8")]),
    ]

    assert [(1, 2.5), (3, 4.5)] == joined(parts).tolist()
    assert parts[0].dtype == joined(parts).dtype
    assert joined(parts[:1]) is parts[0]
