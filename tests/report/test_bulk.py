"""JSON from columns: octet by octet what is written of objects."""

import os
from dataclasses import replace

import numpy as np
import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows
from analyzer.capture.rotation import Part
from analyzer.judge import verdict
from analyzer.report import bulk, export
from analyzer.report.bulk import LARGE, JsonWriter, lay_out
from analyzer.report.octets import MOST_NS
from analyzer.survey.overview import CaptureSummary
from analyzer.together import FlowsTogether
from tests.beside import distinct, lab
from tests.judging import CAPTURES
from tests.notation import START_NS
from tests.tables import drawn_flows, scenario_flows, scenario_names

SCENARIOS = scenario_names()
TOGETHER = 40
"""So many scenarios are written together: some hundreds of texts are still compared quickly."""
JIT = [False, *([True] if os.environ.get("KEEPALIVE_JIT") != "0" else [])]
BUNDLED = sorted((*CAPTURES.glob("*.pcap"), *CAPTURES.glob("lab/*.pcap*")))
FILES = distinct([*BUNDLED, *lab()])
ONE = [CaptureSummary(["one.pcap"], start_ns=START_NS)]
PARTS = [Part("one.pcap", 1), Part("two.pcap", 5)]
ROTATED = [CaptureSummary(["one.pcap", "two.pcap"], start_ns=START_NS, parts=PARTS)]


def flows_of(batches):
    """Return the flows of some batches."""
    return FlowsTogether(0, [(batch, verdict.decide(batch), np.arange(len(batch))) for batch in batches])


def assert_the_same(flows, captures, *, several=False):
    """Compare the text of flows with that of their objects, plain and compiled."""
    expected = [export.dumps(export.numbered(flow, captures, several=several)) for flow in flows]
    times = flows.facts.flows.columns
    if np.abs(np.concatenate([times["last_ns"] - (captures[0].start_ns or 0), times["silence_ns"]])).max() > MOST_NS:
        return  # test_times_before_the_start_and_without_one
    for jit in JIT:
        text, ends = lay_out(flows, captures, several=several, jit=jit).render(jit=jit)
        stops = ends.tolist()

        assert expected == [text[first:stop] for first, stop in zip([0, *stops], stops, strict=False)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_flows_of_captures(path):
    """Every flow of the captures here, and of the lab's, is written the same from columns and from objects."""
    analysis = Analysis()
    for capture, batch in read_flows([str(path)], analysis):
        for flows in analysis.pass_through(capture, batch, wait=False):
            assert_the_same(flows, analysis.captures)


@pytest.mark.parametrize("first", range(0, len(SCENARIOS), TOGETHER))
def test_flows_of_scenarios(first):
    """So is every flow of the scenarios, by itself, in a stream of files, and among several captures."""
    names = SCENARIOS[first : first + TOGETHER]
    flows = flows_of([batch for name in names for batch in scenario_flows()[name]])

    assert_the_same(flows, ONE)
    assert_the_same(flows, ROTATED, several=True)


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_drawn_flows(first):
    """So is traffic drawn at random."""
    flows = flows_of(drawn_flows(first + 50)[first:])

    assert_the_same(flows, ONE)


@pytest.mark.parametrize("start_ns", [None, 0, START_NS + 5_000_000_000])
def test_times_before_the_start_and_without_one(start_ns):
    """Where time goes back behind the first frame it is below zero; what is too long for a float is for objects."""
    flows = flows_of(scenario_flows()["dead_peer_gave_up"])
    captures = [replace(ONE[0], start_ns=start_ns)]
    if not start_ns:
        with pytest.raises(OverflowError):
            lay_out(flows, captures, several=False, jit=False)
    else:
        assert_the_same(flows, captures)
    expected = [export.dumps(export.numbered(flow, captures, several=False)) for flow in flows]

    assert expected == JsonWriter(captures, several=False).lines(flows)().splitlines()


@pytest.mark.skipif(len(JIT) == 1, reason="compiled loops are switched off")
def test_many_flows_are_written_by_the_compiled_loop(monkeypatch):
    """From some hundreds of flows on objects are no longer made, and what was found is counted all the same."""
    monkeypatch.delenv("KEEPALIVE_JIT", raising=False)
    flows = flows_of([*scenario_flows()["dead_peer_gave_up"]] * (LARGE // 2))
    writer = JsonWriter(ONE, several=False)
    by_objects = writer.lines(flows)()
    monkeypatch.setattr(export, "numbered", None)

    assert by_objects == writer.lines(flows)()
    assert {"dead-peer-detected": LARGE} == {
        code: count for code, count in writer.found.items() if code == "dead-peer-detected"
    }


def test_a_program_is_made_once():
    """What is written of a flow does not change while it is written."""
    assert bulk._program(several=True, joined=False, before="", after="") is bulk._program(
        several=True, joined=False, before="", after=""
    )


@pytest.mark.parametrize("jit", JIT)
def test_a_page_is_the_flows_in_their_order(jit, monkeypatch):
    """Flows of a page stand behind each other in the order that is asked for, whichever way they are written."""
    monkeypatch.setenv("KEEPALIVE_JIT", "1" if jit else "0")
    flows = flows_of([*scenario_flows()["dead_peer_gave_up"]] * 2)
    each = JsonWriter(ONE, several=False).lines(flows)().splitlines()
    there, back = np.arange(len(flows)), np.arange(len(flows))[::-1]

    assert export.BETWEEN.join(each) == JsonWriter(ONE, several=False).page(flows, there)()
    assert export.BETWEEN.join(reversed(each)) == JsonWriter(ONE, several=False).page(flows, back)()
