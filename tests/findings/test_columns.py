"""Flows as columns: what a column of many flows holds is what the record of each holds."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows
from analyzer.findings import Columns, search
from analyzer.findings.case import Case
from analyzer.findings.flows import Flows
from analyzer.judge import recording, verdict
from analyzer.track.flow import SIDES
from tests.tables import scenario_flows

ROOT = Path(__file__).parents[2]
OURS = sorted((ROOT / "captures").glob("**/*.pcap*"))


def batches_of(path):
    """The finished flows of a capture, in batches."""
    return [batch for _, batch in read_flows([str(path)], Analysis()) if batch is not None and len(batch)]


def columns_of(flows):
    """What both ends were seen to do, as columns have it."""
    return [
        {
            "last_ns": view.own("last_ns"),
            "active_ns": view.own("active_ns"),
            "active_frame": view.own("active_frame"),
            "trailing": view.count_rows(view.trailing),
            "probes": view.count_rows(view.probing),
            "by": view.by,
            "reset": view.own_reset,
            "has_ack": view.own_reset & view.reset_has_ack,
            "gaps": view.count_rows(view.answered_gaps),
        }
        for view in (Flows(flows, 0), Flows(flows, 1))
    ]


def record_of(batch, winners, index, side):
    """The same from the record."""
    record = recording.build(batch, index)
    case = Case(record, verdict.ending_of(batch, index, int(winners[index])), SIDES[side], (None, None))
    facts, reset = case.facts, case.own_reset
    by = verdict.NOBODY if case.ending.by is None else verdict.BY.index(case.ending.by)
    return {
        "last_ns": -1 if facts.last_ns is None else facts.last_ns,
        "active_ns": -1 if facts.active_ns is None else facts.active_ns,
        "active_frame": facts.active_frame or 0,
        "trailing": len(case.trailing),
        "probes": len(case.probes),
        "by": by,
        "reset": reset is not None,
        "has_ack": reset is not None and reset.has_ack,
        "gaps": len(case.answered_gaps),
    }


def differences(batches):
    """Where a column says anything but the record does."""
    found = []
    for batch in batches:
        flows = Columns(batch, verdict.decide(batch))
        for side, columns in enumerate(columns_of(flows)):
            for index in range(len(batch)):
                said = {name: int(column[index]) for name, column in columns.items()}
                known = {name: int(value) for name, value in record_of(batch, flows.winners, index, side).items()}
                if said != known:
                    found.append((index, SIDES[side], said, known))
    return found


def test_columns_say_what_records_say_of_scenarios():
    """On every scenario."""
    assert {} == {name: wrong for name, batches in scenario_flows().items() if (wrong := differences(batches))}


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_columns_say_what_records_say_of_our_captures(path):
    """On every capture of the project, also after the RST that ended a flow."""
    assert [] == differences(batches_of(path))


def test_a_flow_is_found_the_same_alone_and_among_others():
    """Flows that are picked out of a batch have what they have in the whole batch, in the order asked for."""
    batch = batches_of(ROOT / "captures" / "lab" / "port_reuse.pcap")[0]
    winners = verdict.decide(batch)
    whole = search(Columns(batch, winners))
    picked = np.arange(len(batch))[::-2]
    part, taken = search(Columns(batch, winners, picked)), whole.take(picked)

    assert len(batch) > 1
    for at, index in enumerate(picked.tolist()):
        alone = search(Columns(batch, winners, np.array([index])))
        assert whole.of(index) == part.of(at) == taken.of(at) == alone.of(0)
    assert whole.counts()[picked].tolist() == taken.counts().tolist()


def test_packed_rows_are_found_the_same():
    """Flows whose rows were packed have what they had."""
    for batch in batches_of(ROOT / "captures" / "founding_go_fin60.pcap"):
        winners = verdict.decide(batch)
        whole, packed = (search(Columns(each, winners)) for each in (batch, batch.packed()))

        assert whole.of(0)
        assert [whole.of(index) for index in range(len(batch))] == [packed.of(index) for index in range(len(batch))]
