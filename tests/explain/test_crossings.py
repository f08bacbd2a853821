"""What became of a packet is told in words, with what that rests on."""

from analyzer.explain.crossings import listed
from analyzer.explain.joined import joint_story
from analyzer.joining import join
from tests.vantages import ACK, World, keepalive


def test_what_is_assumed_is_said(tmp_path):
    """A loss behind the last frame of a capture is likely, and the story says what is assumed."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(9.0, "a", ACK, a + 30, b + 1, fate="lost")

    joined = join(*made.write(tmp_path))
    story = joint_story(joined.flows[0], joined.points, joined.points[0].first_ns)

    assert "most likely lost between A and B" in story.section("What became of the probes").lines[1].text
    assert story.section("What the captures do not show").lines[0].text.startswith("Whether the capture of B still ran")


def test_names_are_listed_as_in_a_sentence():
    """The last two of several names are joined by a word."""
    assert ["A", "A and B", "A, B and C"] == [listed(list(names)) for names in ("A", "AB", "ABC")]
