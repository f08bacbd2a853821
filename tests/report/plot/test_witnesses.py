"""Witnesses in a timeline."""

import pytest

from analyzer.analyzing import analyze
from analyzer.report.plot import flow_timeline, symbols
from tests import drawing
from tests.causes.test_truth import CAPTURES


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("beside_arp_silent", {symbols.QUESTION: 2, symbols.LAST_LIFE: 0}),
        ("beside_filter_drops", {symbols.LINK_SAYS: 1, symbols.LIFE: 1}),
        ("beside_prohibited", {symbols.ICMP: 5, symbols.LINK_SAYS: 1, symbols.LAST_LIFE: 1}),
        ("beside_program_hung", {}),
    ],
)
def test_what_passes_beside_a_flow_is_drawn(name, shown):
    """Questions in vain, what ARP says, signs of life and the last one have marks of their own, where there are any."""
    flow = analyze(CAPTURES / f"{name}.pcap").flows[0]
    marks = drawing.marks(flow_timeline(flow.judged, flow.analysis.start_ns(0)))
    beside = (symbols.QUESTION, symbols.LINK_SAYS, symbols.LIFE, symbols.LAST_LIFE)

    assert {meaning: count for meaning, count in shown.items() if count} == {
        meaning: count for meaning, count in marks.items() if meaning in (*beside, *shown)
    }


def test_a_picture_reaches_as_far_as_the_questions():
    """A flow whose host is asked for in vain for long is drawn to the last question."""
    flow = analyze(CAPTURES / "beside_arp_silent.pcap").flows[0]
    axes = flow_timeline(flow.judged, flow.analysis.start_ns(0))
    record = flow.judged.record

    assert axes.get_xlim()[1] >= (record.beside["asked_last_ns"] - flow.analysis.start_ns(0)) / 1e9
