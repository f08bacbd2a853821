"""What a notebook holds: flows, and what was concluded of them."""

from pathlib import Path

import numpy as np
import pytest

from analyzer import analysis as analysis_module
from analyzer import together
from analyzer.analysis import Analysis, Kept
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


def test_a_flow_is_judged_once_when_looked_at():
    """The record, verdict and findings of a flow are made on first use and kept."""
    flow = analyze(FOUNDING).flows[0]

    assert "judged" not in vars(flow)
    assert flow.judged is flow.judged
    assert flow.verdict == flow.judged.ending.verdict.value


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


def test_a_large_flow_is_judged_once_whoever_asks(monkeypatch):
    """Who goes through all, who asks for settings and who asks for one flow get the same judged flow."""
    monkeypatch.setattr(analysis_module, "LARGE", 1)
    judged = []
    judge = Kept.judge
    monkeypatch.setattr(Kept, "judge", lambda kept, rows: judged.extend(rows) or judge(kept, rows))
    analysis = analyze(FOUNDING)

    assert [analysis.flow(line).judged for line in analysis.lines()] == [flow.judged for flow in analysis]
    assert 1 == analysis.settings_in_use().asked == len(judged)


def test_flows_are_judged_some_at_a_time_around_a_large_one(monkeypatch):
    """A large flow among others is not judged with them, and they are judged once."""
    analysis = analyze(REUSE)
    sizes = sorted(int(size) for size in analysis._batches[0].sizes(range(3)))
    monkeypatch.setattr(analysis_module, "LARGE", sizes[-1])
    judged = []
    judge = Kept.judge
    monkeypatch.setattr(Kept, "judge", lambda kept, rows: judged.append(list(rows)) or judge(kept, rows))

    assert [0, 1, 2] == [flow.judged.record.number for flow in analysis]
    assert [0, 1, 2] == sorted(row for rows in judged for row in rows)


def test_a_large_flow_that_was_written_is_not_judged_for_its_settings(monkeypatch):
    """What was judged to be written is kept for who asks for settings next."""
    monkeypatch.setattr(analysis_module, "LARGE", 1)
    monkeypatch.setattr(together, "LARGE", 1)
    analysis = analyze(FOUNDING)
    written = [judged for flows, _ in analysis.together() for judged in flows.judged(np.arange(len(flows)))]
    monkeypatch.setattr(Kept, "judge", lambda kept, rows: pytest.fail(f"{kept}, {rows}"))

    assert 1 == analysis.settings_in_use().asked
    assert [analysis.flow(line).judged for line in analysis.lines()] == written
