"""What is asked of flows that are held."""

from pathlib import Path

from analyzer.analyzing import analyze

CAPTURES = Path(__file__).parents[1] / "captures"
FOUNDING = CAPTURES / "founding_go_fin60.pcap"
REUSE = CAPTURES / "lab" / "port_reuse.pcap"


def test_flows_come_in_order_of_their_first_segment():
    """Flows are listed capture by capture, in order, however they finished."""
    analysis = analyze(REUSE, FOUNDING)

    assert [(0, 0), (0, 1), (0, 2), (1, 0)] == [(flow.capture, flow.number) for flow in analysis.flows]
    assert [flow.number for flow in analysis] == [flow.number for flow in analysis.flows]
    assert 4 == len(analysis) == analysis.totals.flows
