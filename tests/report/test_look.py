"""Which flows look the same in a picture."""

import pytest

from analyzer.analyzing import analyze
from analyzer.report.look import look_of
from tests.hostile.floods import flood


def looks(path, octets):
    """The looks of all flows of a capture."""
    path.write_bytes(octets)
    return [look_of(flow.judged) for flow in analyze(path, jit=False)]


@pytest.mark.parametrize("kind", ["lone SYNs", "a RST of each flow"])
def test_flows_of_a_flood_look_the_same(kind, tmp_path):
    """Flows that differ in address, port and when they began have one look."""
    assert 1 == len(set(looks(tmp_path / "flood.pcap", flood(kind, 20))))


def test_other_segments_look_otherwise(tmp_path):
    """Flows of other kinds have other looks."""
    kinds = ("lone SYNs", "a RST of each flow")
    one, other = (looks(tmp_path / "flood.pcap", flood(kind, 1)) for kind in kinds)

    assert one != other


def test_a_flow_with_a_long_list_is_like_no_other(flow):
    """Where the list of segments is cut, or something was seen beside the flow, nothing is said."""
    assert look_of(flow("synthetic_macos1014_lo0.pcap")[0]) is None
