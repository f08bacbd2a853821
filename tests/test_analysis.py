"""What a notebook holds: flows, and what was concluded of them."""

from pathlib import Path

from analyzer.analyzing import analyze

CAPTURES = Path(__file__).parents[1] / "captures"
FOUNDING = CAPTURES / "founding_go_fin60.pcap"
REUSE = CAPTURES / "lab" / "port_reuse.pcap"


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
