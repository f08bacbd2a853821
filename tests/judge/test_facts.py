"""Facts of flows as columns: alone, together, or of several batches they are the same."""

import numpy as np
import pytest

from analyzer.judge import recording
from analyzer.judge.facts import Facts
from tests.tables import drawn_flows, scenario_flows, scenario_names

SCENARIOS = scenario_names()
TOGETHER = 40
"""This many drawn captures are looked at together."""


def alone(batches):
    """Return the records of flows, each made by itself."""
    return [recording.build(batch, index) for batch in batches for index in range(len(batch))]


def together(batches):
    """Return the records of the same flows, made of all batches at once."""
    return list(recording.records(Facts(*((batch, np.arange(len(batch))) for batch in batches))))


@pytest.mark.parametrize("first", range(0, len(SCENARIOS), TOGETHER))
def test_flows_of_several_batches_have_the_facts_they_have_alone(first):
    """What is said of a flow does not depend on the flows that are looked at with it."""
    batches = [batch for name in SCENARIOS[first : first + TOGETHER] for batch in scenario_flows()[name]]

    assert alone(batches) == together(batches)


@pytest.mark.parametrize("first", range(0, 400, TOGETHER))
def test_drawn_flows_have_the_facts_they_have_alone(first):
    """The same holds of traffic drawn at random."""
    batches = drawn_flows(first + TOGETHER)[first:]

    assert alone(batches) == together(batches)


@pytest.mark.parametrize("first", range(0, len(SCENARIOS), TOGETHER))
def test_packed_rows_give_the_same_facts(first):
    """Whether rows are packed or not, the same is said of flows, in the order asked for."""
    batches = [batch for name in SCENARIOS[first : first + TOGETHER] for batch in scenario_flows()[name]]
    picked = [np.arange(len(batch))[::-1] for batch in batches]
    whole = list(recording.records(Facts(*zip(batches, picked, strict=True))))
    packed = list(recording.records(Facts(*zip((batch.packed() for batch in batches), picked, strict=True))))
    numbers = [batch.flow["number"][at].tolist() for batch, at in zip(batches, picked, strict=True)]

    assert whole == packed
    assert [number for each in numbers for number in each] == [record.number for record in packed]


def test_no_flow_at_all_has_no_facts():
    """Of no flow every table is empty."""
    (batch,) = scenario_flows()["dead_peer_gave_up"]
    facts = Facts((batch, np.arange(0)))

    assert [] == list(recording.records(facts))
    assert (0, 0, 0) == (len(facts.probes), len(facts.changes), len(facts.icmp_errors))
