"""The fields of a flow: where each comes from."""

import dataclasses

import pytest

from analyzer.judge import events, probe
from analyzer.judge.connection import StateChange
from analyzer.judge.table import WORDS
from analyzer.judge.verdict import Ending
from analyzer.report import flow_fields
from analyzer.report.flow_fields import FLOW, Form, Group, Made, Of, Rows

CLASSES = {
    "probes": probe.Probe,
    "zero_window_probes": probe.ZeroWindowProbe,
    "heartbeats": probe.Heartbeats,
    "not_probes": probe.NotProbe,
    "fins": events.Fin,
    "resets": events.Reset,
    "challenges": events.Challenge,
    "late": events.Late,
    "icmp_errors": events.IcmpError,
    "changes": StateChange,
}


@pytest.mark.parametrize("item", [item for item in FLOW if isinstance(item, Rows)], ids=lambda item: item.name)
def test_rows_are_made_of_fields_of_their_class(item):
    """Every leaf of an array names a field of the record's class, and numbers that stand for words have these."""
    kind = CLASSES[item.table]
    names = set(getattr(kind, "_fields", None) or [field.name for field in dataclasses.fields(kind)])

    assert {leaf.field for leaf in item.items} <= names
    assert item.table in WORDS


def test_parts_are_known():
    """Whatever is not made flow by flow comes from the flow, one of its ends, or its ending."""

    def parts(items):
        for item in items:
            if isinstance(item, Group):
                yield from parts(item.items)
            elif isinstance(item, Of):
                yield item.part

    assert {"flow", "a", "b", "ending"} == set(parts(FLOW))
    assert {leaf.field for leaf in flow_fields.ENDING} == {field.name for field in dataclasses.fields(Ending)}


def test_names_are_those_of_the_schema_and_each_is_there_once():
    """No object has two fields of one name."""
    names = [
        name for item in FLOW for name in ([leaf.name for leaf in item.items] if item.name is None else [item.name])
    ]

    assert len(names) == len(set(names))
    assert any(isinstance(item, Made) for item in FLOW)
    assert Form.PAIR in {leaf.form for leaf in flow_fields.ENDPOINT}
