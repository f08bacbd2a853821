"""Findings of many flows: each is counted in every flow that has it, and the first are named."""

from pathlib import Path

import numpy as np
import pytest

from analyzer import findings
from analyzer.analysis import Analysis
from analyzer.analyzing import analyze, read_flows
from analyzer.judge import verdict
from analyzer.survey import found as module
from analyzer.survey.found import Findings
from tests.bench.generate import Plan, generate

CAPTURES = Path(__file__).parents[2] / "captures"
NAMED = 8
LEAK = "close-wait-held-by-keepalive"


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A capture of some hundred flows, half of them probing, in batches."""
    path = tmp_path_factory.mktemp("busy") / "busy.pcap"
    with path.open("wb") as out:
        generate(Plan(segments=9000, flows=500, probing=0.5, live=300), out)
    return [batch for _, batch in read_flows([str(path)], Analysis()) if batch is not None and len(batch)]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A smaller limit, so that few flows reach it."""
    monkeypatch.setattr(module, "NAMED", NAMED)


def counted(batches):
    """What is found in all flows of some batches."""
    found = Findings()
    for batch in batches:
        hits = findings.search(findings.Columns(batch, verdict.decide(batch)))
        found.add(0, batch.flow["number"], hits)
    return found


def judged(batches):
    """The flows in which each finding is, flow by flow."""
    analysis = Analysis()
    for batch in batches:
        analysis.add(0, batch)
    return {code: [flow.number for flow in flows] for code, flows in analysis.findings.items()}


def test_every_flow_is_counted(busy):
    """A finding is counted in all flows that have it, however many these are."""
    columns, flows = counted(busy).by_code(), judged(busy)

    assert list(flows) == list(columns)
    assert {LEAK, "dead-peer-detected", "peer-forgot-connection", "probes-stopped"} <= set(columns)
    assert {code: len(numbers) for code, numbers in flows.items()} == {c: found.flows for c, found in columns.items()}


def test_flows_are_named_up_to_a_number(busy):
    """The first flows of a finding are remembered by number, in the order in which they ended."""
    columns, flows = counted(busy).by_code(), judged(busy)
    many = columns[LEAK]

    assert NAMED == len(many.first) < many.flows
    assert {number for _, number in many.first} <= set(flows[LEAK])
    ended = np.concatenate([batch.flow["number"] for batch in busy]).tolist()
    assert [(0, number) for number in sorted(flows[LEAK], key=ended.index)[:NAMED]] == many.first


def test_captures_read_by_themselves_come_together(busy):
    """What was found in several captures adds up, and their flows keep their captures."""
    together, other = counted(busy), counted(busy)
    together.merge(other, 1)
    once, twice = other.by_code(), together.by_code()

    assert {code: 2 * found.flows for code, found in once.items()} == {c: found.flows for c, found in twice.items()}
    few = next(code for code, found in once.items() if found.flows < NAMED // 2)
    assert [(0, n) for _, n in once[few].first] + [(1, n) for _, n in once[few].first] == twice[few].first


def test_packed_rows_tell_the_same():
    """Flows whose rows were packed are counted as the others."""
    whole = analyze(str(CAPTURES / "founding_go_fin60.pcap")).count_findings().by_code()
    packed = analyze(str(CAPTURES / "founding_go_fin60.pcap"), keep_all=False).count_findings().by_code()

    assert whole == packed
    assert {LEAK, "fin-wait-2-expired"} <= set(whole)


def test_what_is_known_later_is_counted_anew(busy):
    """A flow of which other things are found than when it finished counts for these."""
    found, batch = Findings(), busy[0]
    hits = findings.search(findings.Columns(batch, verdict.decide(batch)))
    having = int(np.flatnonzero(hits.counts())[0])
    some, none = hits.take(np.array([having])), hits.take(np.flatnonzero(hits.counts() == 0)[:1])
    found.change(0, 7, none, some)

    assert set(found.by_code()) == set(some.by_code())
    assert {((0, 7),)} == {tuple(each.first) for each in found.by_code().values()}
    found.change(0, 7, some, none)
    assert {} == found.by_code()
