"""The JSON of settings from columns."""

import numpy as np

from analyzer.judge import verdict
from analyzer.report import export, objects, settings_json
from analyzer.segment import NONE
from analyzer.together import FlowsTogether
from tests.notation import follow, parse
from tests.pairs import Pair
from tests.tables import scenario_flows


def test_it_is_what_is_written_of_objects():
    """Of each end of each flow, with what was set anew; null where no probes were sent."""
    batches = [batch for each in scenario_flows().values() for batch in each]
    pairs = [Pair(seed, lossy=False, changing=True) for seed in range(40)]
    batches += [batch for pair in pairs for batch in follow([parse(pair.run()).batch()])]
    flows = FlowsTogether(0, [(batch, verdict.decide(batch), np.arange(len(batch))) for batch in batches])
    initiator = flows.facts.flows.columns["initiator"].tolist()
    changed = counted = 0
    for side in range(2):
        text, starts = settings_json.texts(flows.settings, side, jit=False)
        for at in range(len(flows)):
            settings = flows.settings.of(at, side)
            changed += bool(settings and settings.changes)
            counted += bool(settings and settings.count)

            opens = None if initiator[at] == NONE else initiator[at] == side
            made = objects.settings_object(settings, opens=opens)
            assert export.dumps(made) == text[starts[at] : starts[at + 1]].decode()

    assert changed
    assert counted
