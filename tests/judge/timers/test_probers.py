"""What is needed of flows to infer settings."""

import numpy as np

from analyzer.judge import verdict
from analyzer.judge.timers import probers
from analyzer.judge.timers.measuring import PROBER, SENT
from analyzer.loops.loop import thaw
from analyzer.together import FlowsTogether
from tests.tables import scenario_flows
from tests.trains import Story


def test_a_prober_next_door_has_passed_no_router():
    """A TTL that is an initial one was not counted down."""
    assert probers.passed_no_router(Story(ttl=64).probes(5).flow()[0], "b")
    assert not probers.passed_no_router(Story(ttl=57).probes(5).flow()[0], "b")


def test_nobody_gives_up_in_anothers_name():
    """A RST counts as the prober's own end only if it came from it, in the form of giving up."""
    flow, ending = Story().silence(5, 3).gives_up(3).flow()

    assert probers.give_up(flow, ending, "b").sender == "b"
    assert probers.give_up(flow, ending, "a") is None


def test_columns_of_many_flows_have_what_a_record_has():
    """Of each endpoint the same numbers come from its flow's columns as from its record, but for where rows begin."""
    batches = [batch for each in scenario_flows().values() for batch in each]
    flows = FlowsTogether(0, [(batch, verdict.decide(batch), np.arange(len(batch))) for batch in batches])
    many, slots = probers.of_facts(flows.facts, flows.endings)
    rows, sent = thaw(many.probers, jit=False), thaw(many.sent, jit=False)
    whole = [flow.judged for flow in flows]
    places = ("first", "stop", "peer_first", "peer_stop", "stir_first", "stir_stop", "doubt_first", "doubt_stop")
    same = [name for name in PROBER.names if name not in {*places, "hole_first", "hole_stop"}]
    for row, slot in zip(rows, slots.tolist(), strict=True):
        judged = whole[slot // 2]
        alone = probers.of_record(judged.record, judged.ending, "ab"[slot % 2])
        (one,) = alone.probers

        assert {name: row[name] for name in same} == {name: one[name] for name in same}
        assert sent[row["first"] : row["stop"]] == alone.sent[: one["stop"]]
        theirs = [{name: each[name] for name in SENT.names[:-2]} for each in sent[row["peer_first"] : row["peer_stop"]]]
        assert theirs == [{name: each[name] for name in SENT.names[:-2]} for each in alone.sent[one["stop"] :]]
        assert many.stirs[row["stir_first"] : row["stir_stop"]].tolist() == alone.stirs
        assert many.doubts[row["doubt_first"] : row["doubt_stop"]].tolist() == alone.doubts

    assert len(rows) > 100
