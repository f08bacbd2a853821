"""The facts of one flow, as they are asked for."""

import dataclasses

import pytest

from analyzer.judge.connection import State
from analyzer.judge.record import EndpointFacts, Fin, FlowRecord, Probe, Reset, other
from tests.judge.test_recording import record_of, scenario


def test_endpoints_by_side():
    """Endpoints can be asked for by side."""
    flow = record_of("")

    assert (flow.a, flow.b) == (flow.endpoint("a"), flow.endpoint("b"))
    assert ("b", "a") == (other("a"), other("b"))


def test_states_at_any_frame():
    """The state of an endpoint just before a frame can be asked for."""
    flow = scenario("half_close_held_by_keepalive")

    assert (State.UNKNOWN, State.ESTABLISHED) == (flow.state_at("a", 1), flow.state_at("a", 8))
    assert (State.FIN_WAIT_2, State.CLOSE_WAIT) == (flow.state_at("a", 10), flow.state_at("b", 10))
    assert (State.CLOSED, State.CLOSED) == flow.states


@pytest.mark.parametrize("kind", [FlowRecord, EndpointFacts, Probe, Fin, Reset])
def test_times_say_their_unit(kind):
    """Every field that holds an instant or a duration ends in _ns."""
    for field in dataclasses.fields(kind):
        assert not field.name.endswith(("_s", "_ms", "time", "timeout"))


def test_records_are_frozen():
    """A record cannot be changed."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        record_of("").copies = 5
