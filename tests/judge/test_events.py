"""FINs, RSTs and what else a record tells of, as facts."""

import dataclasses

import pytest

from analyzer.judge.events import EndpointFacts, Fin, Reset
from tests.judge.test_recording import scenario


@pytest.mark.parametrize("kind", [EndpointFacts, Fin, Reset])
def test_times_say_their_unit(kind):
    """Every field that holds an instant or a duration ends in _ns."""
    for name in getattr(kind, "_fields", None) or [field.name for field in dataclasses.fields(kind)]:
        assert not name.endswith(("_s", "_ms", "time", "timeout"))


def test_events_are_frozen():
    """What happened cannot be changed."""
    flow = scenario("half_close_held_by_keepalive")

    with pytest.raises(dataclasses.FrozenInstanceError):
        flow.fins[0].frame = 5
