"""Settings of many flows at once."""

import numpy as np
import pytest

from analyzer.judge import verdict
from analyzer.judge.timers import inference, many, probers
from analyzer.together import FlowsTogether
from tests.notation import follow, parse
from tests.pairs import Pair
from tests.tables import scenario_flows


def flows_of(batches):
    """Return flows of batches, to be looked at together."""
    return FlowsTogether(0, [(batch, verdict.decide(batch), np.arange(len(batch))) for batch in batches])


@pytest.fixture(scope="module")
def flows():
    """All flows of the scenarios, and some of simulated pairs."""
    batches = [batch for each in scenario_flows().values() for batch in each]
    pairs = [Pair(seed, lossy=seed % 3 == 0, changing=seed % 3 == 1) for seed in range(60)]
    return flows_of([*batches, *(batch for pair in pairs for batch in follow([parse(pair.run()).batch()]))])


def test_many_are_inferred_as_each_is(flows):
    """Of each endpoint the same is told from columns as from its record; None where it sent no probes."""
    told = 0
    for at, flow in enumerate(flows):
        record, ending = flow.judged.record, flow.judged.ending
        both = tuple(inference.infer(record, ending, side) for side in "ab")
        told += sum(settings is not None for settings in both)

        assert both == flows.settings.both(at)

    assert told > 100


def test_compiled_loops_tell_the_same(flows):
    """Plain and compiled loops leave the same numbers behind."""
    known, _ = probers.of_facts(flows.facts, flows.endings)
    compiled = inference.claims(known, jit=True)

    assert flows.settings.told.tolist() == compiled.told.tolist()
    assert [flows.settings.claims.of(at) for at in range(len(known.probers))] == [
        compiled.of(at) for at in range(len(known.probers))
    ]


def test_columns_say_the_same_as_objects(flows):
    """A timer's column has what the object has; the first prober that is alike may be the same software."""
    settings = flows.settings
    idle = settings.timers("idle")
    for place, first in enumerate(settings.software.tolist()):
        claims = settings.claims.of(place)
        told = None if not idle[place]["there"] else int(idle[place]["low_ns"])

        assert told == (claims.idle and claims.idle.low_ns)
        assert claims.families == settings.claims.of(first).families


def test_flows_without_probes_have_none():
    """Where nobody probes there is nothing to tell, and no loop to run."""
    flows = flows_of(list(scenario_flows()["orderly_close"]))

    assert (None, None) == flows.settings.both(0)
    assert 0 == len(flows.settings.slots)


def test_loops_are_compiled_once_it_takes_as_long_without(monkeypatch):
    """Probes are looked at plainly until those of the process are as many as compiling is worth."""
    wanted = []
    monkeypatch.setattr(many, "jit_wanted", lambda *, large: wanted.append(large) or False)
    monkeypatch.setattr(many, "jit_allowed", lambda: True)
    monkeypatch.setattr(inference, "is_at_hand", lambda: False)
    monkeypatch.setattr(many, "_DONE", [0])

    assert not many._is_worth(many.LARGE - 1)
    assert not many._is_worth(many.LARGE)
    many._is_worth(many.HUGE)
    assert [False, False, True] == wanted
