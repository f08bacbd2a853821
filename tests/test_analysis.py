"""What a notebook holds: flows, and what was concluded of them."""

from pathlib import Path

from analyzer.analysis import Analysis
from analyzer.analyzing import analyze, read_flows
from analyzer.survey.selection import Selection

CAPTURES = Path(__file__).parents[1] / "captures"
FOUNDING = CAPTURES / "founding_go_fin60.pcap"
REUSE = CAPTURES / "lab" / "port_reuse.pcap"


def test_flows_come_in_order_of_their_first_segment():
    """Flows are listed capture by capture, in order, however they finished."""
    analysis = analyze(REUSE, FOUNDING)

    assert [(0, 0), (0, 1), (0, 2), (1, 0)] == [(flow.capture, flow.number) for flow in analysis.flows]
    assert [flow.number for flow in analysis] == [flow.number for flow in analysis.flows]
    assert 4 == len(analysis) == analysis.totals.flows


def test_a_summary_says_what_was_read():
    """Frames, segments, link types and the first frame's time are known of each capture."""
    analysis = analyze(FOUNDING)
    summary = analysis.captures[0]

    assert ([str(FOUNDING)], "pcap", ["EN10MB"], 39, 39, []) == (
        summary.paths,
        summary.format,
        summary.link_types,
        summary.frames,
        summary.tcp_segments,
        summary.warnings,
    )
    assert analysis.start_ns() == summary.start_ns == analysis.flows[0].judged.record.first_ns
    assert {"not_tcp": 0, "fragment": 0, "cut_before_tcp_header": 0, "duplicate_copy": 0} == summary.skipped


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
