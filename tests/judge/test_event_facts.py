"""RSTs and what else happened in all flows of a batch as columns."""

import numpy as np

from analyzer.judge.event_facts import EventFacts, moves_window
from tests.tables import scenario_flows


def facts(name):
    """What happened in a scenario."""
    (batch,) = scenario_flows()[name]
    return EventFacts((batch, np.arange(len(batch))))


def test_one_reset_ends_a_flow():
    """Of a RST that is repeated one is taken."""
    resets = facts("reset_repeated").resets.columns

    assert len(resets["frame"]) > 1 == resets["accepted_end"].sum()


def test_windows_are_the_rows_that_move_one():
    """A flow has as many changes of windows as rows that close or open one."""
    found = [
        (
            facts(name).windows.columns["frame"].tolist(),
            batches[0].seen["frame"][moves_window(batches[0].seen)].tolist(),
        )
        for name, batches in scenario_flows().items()
        if name.startswith("zero_window") and len(batches) == 1
    ]

    assert all(shown == moved for shown, moved in found)
    assert any(moved for _, moved in found)
