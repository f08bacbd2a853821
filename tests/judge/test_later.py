"""Records whose fields are made when somebody asks."""

import numpy as np

from analyzer.judge.facts import Facts
from analyzer.judge.later import Fields, Later
from analyzer.judge.record import FlowRecord
from analyzer.judge.recording import records
from tests.tables import scenario_flows


def test_every_field_is_that_of_the_record():
    """Whoever asks such a record gets what the whole one holds, of each flow of a batch its own."""
    for batches in scenario_flows().values():
        for batch in batches:
            facts = Facts((batch, np.arange(len(batch))))
            for whole, later in zip(records(facts), records(facts, Later), strict=True):
                assert list(whole) == [getattr(later, name) for name in FlowRecord._fields]
                assert whole.fins_in_time == later.fins_in_time


def test_a_field_is_made_once_for_all_flows_and_no_other_is():
    """One question makes one field, of all flows that are looked at together."""
    made = []

    def make(name):
        made.append(name)
        return ["one", "two"]

    known = Fields(make)
    first, second = (Later(known, at) for at in range(2))

    assert ("one", "one", "two") == (first.number, first.number, second.number)
    assert ["number"] == made
    assert bool(first)
