"""Flows of several batches, searched and judged together."""

import numpy as np
import pytest

from analyzer import explain, findings
from analyzer.judge import verdict
from analyzer.judge.verdict import VERDICTS
from analyzer.together import FlowsTogether
from tests.judging import judge_batches
from tests.tables import scenario_flows, scenario_names

NAMES = scenario_names()


def flows_of(names):
    """Return the flows of scenarios, and their batches."""
    batches = [batch for name in names for batch in scenario_flows()[name]]
    return FlowsTogether(0, [(batch, verdict.decide(batch), np.arange(len(batch))) for batch in batches]), batches


@pytest.mark.parametrize("first", range(0, len(NAMES), 40))
def test_flows_are_judged_as_they_are_alone(first):
    """A flow has the settings and findings that it has in a batch of its own."""
    flows, batches = flows_of(NAMES[first : first + 40])

    assert judge_batches(batches) == [flow.judged for flow in flows]


def test_some_of_the_flows():
    """Those that are taken are the same flows, judged the same, in order."""
    flows, _ = flows_of(NAMES[:30])
    every = [flow.judged for flow in flows]
    places = np.arange(0, len(flows), 3)

    assert [every[at] for at in places.tolist()] == [flow.judged for flow in flows.take(places)]
    assert [every[at] for at in places.tolist()] == list(flows.judged(places))
    assert len(places) == len(flows.take(places))


def test_what_tells_something_is_all_that_has_findings_or_settings():
    """The other flows have neither."""
    flows, _ = flows_of(NAMES)
    telling = set(flows.told)
    silent = [flow.judged for at, flow in enumerate(flows) if at not in telling]

    assert silent
    assert not any(judged.findings or judged.settings("a") or judged.settings("b") for judged in silent)


def test_settings_are_those_of_the_flows_judged_whole():
    """Whoever asks for settings alone gets those of each flow, in order, and nothing of what was found."""
    flows, _ = flows_of(NAMES)
    whole = [(flow.judged.settings("a"), flow.judged.settings("b")) for flow in flows]
    alone = list(flows.with_settings())

    assert whole == [(judged.settings("a"), judged.settings("b")) for judged in alone]
    assert not any(judged.findings for judged in alone)


def test_verdicts_are_known_before_anything_is_judged():
    """The words of all verdicts among them."""
    flows, batches = flows_of(["dead_peer_gave_up", "orderly_close"])

    assert {"timed_out", "closed"} == flows.verdicts
    assert {VERDICTS[rule].verdict.value for batch in batches for rule in verdict.decide(batch)} == flows.verdicts


def test_what_is_told_in_brief_is_what_a_record_tells():
    """Of these flows columns have the one finding that there is, with the words that it has; nothing else is told."""
    flows, _ = flows_of(NAMES)
    every = [flow.judged for flow in flows]
    for at, finding in flows.brief:
        judged = every[at]

        assert ((finding,), (), ()) == (judged.findings, judged.causes, judged.witnesses)
        assert explain.detail(finding, judged) == findings.kind_of(finding.code).words(finding)

    assert flows.brief
