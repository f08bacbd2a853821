"""A flow of one point is told with the names of the joint story, and by its zero."""

from analyzer.explain.crossings import JointTeller
from analyzer.explain.part_teller import PartTeller
from analyzer.joining import join
from tests.vantages import World, keepalive


def test_names_and_instants_are_those_of_the_joint_story(tmp_path):
    """An end is called what it is elsewhere, and a clock that is ahead is put right."""
    made = World(offset_s=3600.0)
    keepalive(made, probes=1)
    joined = join(*made.write(tmp_path))
    t = JointTeller(joined.flows[0], joined.points, joined.zero)

    here, there = (PartTeller(t, part) for part in t.flow.parts)

    assert ["the client", "the server"] == [there.the(side) for side in ("a", "b")]
    first, second = (float(each.at(each.judged.record.first_ns)) for each in (here, there))
    assert abs(second - first) < 0.01
    assert ["the capture of A ended", "the capture of B ended"] == [here.its_end, there.its_end]
