"""The one place that joins the parts."""

from pathlib import Path

import pytest

from analyzer.analysis import Analysis, analyze, read_flows, read_into
from analyzer.capture.reader import CaptureReader
from analyzer.errors import CaptureError, UnsupportedLinkTypeError
from analyzer.survey.selection import Selection
from tests.capture.craft import pcapng

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
    passed = [flow for item in read_flows([str(REUSE)], analysis) for flow in analysis.pass_through(*item)]

    assert [0, 1, 2] == sorted(flow.number for flow in passed)
    assert 0 == len(analysis)
    assert kept.totals == analysis.totals


def test_progress_is_told():
    """Whoever asks learns how far reading has come."""
    told = []
    analyze(FOUNDING, progress=lambda source, frames: told.append((source.bytes_read <= source.size, frames)))

    assert (True, 39) == told[-1]


def test_a_capture_of_which_nothing_can_be_read_raises():
    """The error says which file, and leaves no trace in the analysis."""
    analysis = Analysis()

    with pytest.raises(CaptureError, match=r"absent\.pcap"):
        list(read_flows([str(CAPTURES / "absent.pcap")], analysis))
    assert [] == analysis.captures


def test_what_cannot_be_read_leaves_the_rest_of_its_series(tmp_path):
    """Files behind one that is absent, or of which nothing can be decoded, are read; what is wrong is told."""
    foreign = tmp_path / "foreign.pcapng"
    foreign.write_bytes(pcapng([bytes(60)] * 3, 147))
    told, result = [], Analysis()

    read_into(result, [str(tmp_path / "absent.pcap"), str(foreign), str(FOUNDING)], refused=told.append)

    assert ["CaptureError", "UnsupportedLinkTypeError"] == [type(error).__name__ for error in told]
    assert [[str(FOUNDING)]] == [capture.paths for capture in result.captures]


def test_what_was_read_before_an_error_is_in_the_summary(tmp_path, monkeypatch):
    """A capture in which nothing could be decoded is refused at its end, and all its frames are set aside."""
    path = tmp_path / "foreign.pcapng"
    path.write_bytes(pcapng([bytes(60)] * 50, 147))
    monkeypatch.setattr(CaptureReader, "__iter__", lambda reader: reader.batches(10))
    result = Analysis()

    with pytest.raises(UnsupportedLinkTypeError):
        read_into(result, [str(path)])
    assert (50, 50) == (result.captures[0].frames, result.captures[0].skipped["not_tcp"])
