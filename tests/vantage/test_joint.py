"""A joint flow knows which part is nearest to an end, and what an end is called there."""

from dataclasses import replace

from analyzer.joining import join
from tests.judging import CAPTURES
from tests.vantages import World, keepalive


def test_parts_are_found_by_point_and_by_end(tmp_path):
    """The way leads from ``a`` to ``b``; without one the first part stands for both ends."""
    made = World()
    keepalive(made)
    (flow,) = join(*made.write(tmp_path, swap=True)).flows

    assert (1, 0) == flow.way
    assert [1, 0] == [flow.nearest(side).point for side in ("a", "b")]
    assert [0, 0] == [replace(flow, way=()).nearest(side).point for side in ("a", "b")]
    assert flow.part_at(5) is None


def test_an_end_has_another_name_where_the_capture_began_with_the_other():
    """In a part that is flipped ``a`` is called ``b``."""
    (flow,) = join(CAPTURES / "lab" / "loss_acks.pcap", CAPTURES / "lab" / "loss_acks.peer.pcap").flows

    part = replace(flow.parts[1], flipped=True)

    assert ["b", "a"] == [part.side(side) for side in ("a", "b")]
    assert [False, False] == [part.flipped for part in flow.parts]
    assert flow.probes[0].crossing.frame_at(7) is None
