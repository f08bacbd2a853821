"""Flows as they are taken in."""

from pathlib import Path

from analyzer.analysis import Analysis
from analyzer.analyzing import analyze, read_flows
from analyzer.survey.selection import Selection

CAPTURES = Path(__file__).parents[1] / "captures"
FOUNDING = CAPTURES / "founding_go_fin60.pcap"
REUSE = CAPTURES / "lab" / "port_reuse.pcap"


def test_what_is_not_selected_is_not_counted():
    """Flows that are left out leave no sum but their own number."""
    analysis = Analysis(select=Selection(numbers=(1,)))
    for capture, batch in read_flows([str(REUSE)], analysis):
        analysis.add(capture, batch)

    assert [1] == [flow.number for flow in analysis.flows]
    assert (1, 2) == (analysis.totals.flows, analysis.left_out)


def test_flows_may_pass_through_without_being_kept():
    """Streaming counts each flow and keeps none."""
    analysis, kept = Analysis(), analyze(REUSE)
    passed = [some for item in read_flows([str(REUSE)], analysis) for some in analysis.pass_through(*item)]
    passed += analysis.passed()

    assert [0, 1, 2] == sorted(flow.judged.record.number for some in passed for flow in some)
    assert 0 == len(analysis)
    assert kept.totals == analysis.totals


def test_flows_that_are_held_can_be_looked_at_and_are_in_no_sum():
    """Who only looks at flows, as a join does, has the same flows as who sums them up, and no sums."""
    analysis, kept = Analysis(), analyze(REUSE)
    for capture, batch in read_flows([str(REUSE)], analysis):
        if batch is not None:
            analysis.hold(capture, batch)

    assert [flow.judged for flow in kept] == [flow.judged for flow in analysis]
    assert 0 == analysis.totals.flows
