"""Findings of many flows: counted in all, none missed that only few have, and no more judged than needed."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.analysis import Analysis, analyze, read_flows
from analyzer.findings import CODES
from analyzer.findings.columns import EXACT
from analyzer.judge import verdict
from analyzer.survey import found as module
from analyzer.survey.found import Findings
from tests.bench.generate import Plan, generate

CAPTURES = Path(__file__).parents[2] / "captures"
ENOUGH, NAMED = 10, 8
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
    """Smaller limits, so that few flows reach them."""
    monkeypatch.setattr(module, "ENOUGH", ENOUGH)
    monkeypatch.setattr(module, "NAMED", NAMED)


def counted(batches):
    """What is found in all flows of some batches."""
    findings = Findings()
    for batch in batches:
        findings.add(0, batch, verdict.decide(batch), np.arange(len(batch)))
    return findings


def judged(batches):
    """The same by a record of each flow."""
    analysis = Analysis()
    for batch in batches:
        analysis.add(0, batch)
    flows = (((flow.capture, flow.number), [f.code for f in flow.judged.findings]) for flow in analysis)
    return Findings.of_each(flows).by_code()


def test_what_is_found_in_few_flows_or_known_by_columns_is_counted_whole(busy):
    """Each count is that of the records; only what many flows have, and takes a record to know, is a lower bound."""
    columns, records = counted(busy).by_code(), judged(busy)

    assert list(records) == list(columns)
    assert {LEAK, "dead-peer-detected", "peer-forgot-connection", "probes-stopped"} <= set(columns)
    whole = {code for code, found in columns.items() if found.is_whole}
    assert {code: records[code].flows for code in whole} == {code: columns[code].flows for code in whole}
    assert {code for code, found in records.items() if found.flows < ENOUGH or code in EXACT} <= whole
    for code in set(columns) - whole:
        assert ENOUGH <= columns[code].flows <= records[code].flows <= columns[code].may_have


def test_the_cost_is_bounded(busy, monkeypatch):
    """Records are made of no more flows than there are kinds to be sure of, however many flows there are."""
    built = []
    build = module.recording.build
    monkeypatch.setattr(module.recording, "build", lambda *args: built.append(args) or build(*args))
    counted(busy)

    assert 0 < len(built) < 2 * ENOUGH * (len(CODES) - len(EXACT))


def test_flows_are_named_up_to_a_number(busy):
    """The first flows of a finding are remembered by number, in the order in which they ended."""
    columns, records = counted(busy).by_code(), judged(busy)
    many = columns[LEAK]

    assert NAMED == len(many.first) < many.flows
    assert set(many.first) <= {(0, int(number)) for batch in busy for number in batch.flow["number"]}
    assert sorted(records["idle-without-probes"].first) == sorted(columns["idle-without-probes"].first)


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
