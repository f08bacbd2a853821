"""What became of a packet is told in words, with what that rests on."""

import pytest

from analyzer.explain.crossings import listed
from analyzer.explain.joined import joint_story
from analyzer.joining import join
from tests.vantages import ACK, PSH, RST, World, keepalive


def test_what_is_assumed_is_said(tmp_path):
    """A loss behind the last frame of a capture is likely, and the story says what is assumed."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(9.0, "a", ACK, a + 30, b + 1, fate="lost")

    joined = join(*made.write(tmp_path))
    story = joint_story(joined.flows[0], joined.points, joined.points[0].first_ns)

    assert (
        "was captured only at A [frame A 8]: the capture of B has nothing later than +2.002, so the packet was lost on "
        "its way to B, or came when that capture had ended"
    ) in story.section("What became of the probes").lines[1].text
    assert story.section("What the captures do not show").lines[0].text.startswith("Whether the capture of B still ran")


def test_what_came_when_a_capture_had_ended_is_not_said_to_have_passed_it(tmp_path):
    """What is seen beyond a point has passed it; of what is not, nobody knows once its capture may have ended."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(9.0, "a", RST, a + 31, 0, fate="lost")
    made.send(10.0, "b", ACK | PSH, b + 1, a + 31, b"still here", missed="B")
    made.send(10.001, "a", RST, a + 31, 0, missed="B")

    joined = join(*made.write(tmp_path))
    story = joint_story(joined.flows[0], joined.points, joined.points[0].first_ns)

    first, second = (line.text for line in story.section("Who ended it").lines)
    may = "the capture of B has nothing later than +4.002, and may have ended"
    assert f"was captured only at A, and whether it passed B is not known: {may}" in first
    assert "was not captured at B: the capture of B had ended" in second
    (data,) = (line.text for line in story.section("Other packets").lines)
    assert "passed B, which did not capture it: the capture of B had ended" in data


AN_ACK = (
    "ACK from the client was captured only at A, and whether it passed B is not known: the capture of B goes on, and "
    "does not have it, but it does not have frame A 8 either, which passed B by all that is known: so this packet may "
    "have passed, too [frame A 10]"
)
DATA = (
    "5 bytes of data from the client was most likely lost between A and B: nothing came in answer, and the capture of "
    "B goes on, and does not have it; but it does not have frame A 8 either, which passed B by all that is known "
    "[frame A 10]"
)


@pytest.mark.parametrize(("again", "words"), [(False, AN_ACK), (True, DATA)], ids=["an ACK", "data"])
def test_a_capture_that_lacks_others_is_named_with_one_of_these(tmp_path, again, words):
    """That nothing is proven is said beside the packet, and once of the capture, with a frame that passed it unseen."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(3.0, "a", ACK | PSH, a + 31, b + 1, b"some data", missed="B")
    made.send(3.1, "b", ACK, b + 1, a + 40)
    made.send(4.0, "a", ACK | PSH * again, a + 40, b + 1, b"again" * again, fate="lost")
    made.send(5.0, "a", ACK | PSH, a + 40, b + 1, b"again")
    made.send(5.1, "b", ACK, b + 1, a + 45)

    joined = join(*made.write(tmp_path))
    story = joint_story(joined.flows[0], joined.points, joined.points[0].first_ns)

    assert words == story.section("Other packets").lines[1].text
    assert (
        story.section("What the captures do not show")
        .lines[0]
        .text.startswith("The capture of B lacks packets that passed B by all that is known, frame A 8 for one,")
    )


def test_a_point_that_may_see_one_direction_is_said_to(tmp_path):
    """Where a capture has one end's packets alone, that is why nothing is known of the other's."""
    made = World()
    keepalive(made, probes=3)
    made.frames["B"] = [each for each in made.frames["B"] if each[1][34:36] == b"\x01\xbb"]
    made.send(9.0, "a", ACK, 1031, 2**32 - 2, missed="B")
    made.send(9.5, "b", ACK | PSH, 2**32 - 2, 1031, b"on")

    joined = join(*made.write(tmp_path))
    story = joint_story(joined.flows[0], joined.points, joined.points[0].first_ns)

    assert "has nothing of its sender, only of the other end, and may see one direction only" in str(story)


def test_names_are_listed_as_in_a_sentence():
    """The last two of several names are joined by a word."""
    assert ["A", "A and B", "A, B and C"] == [listed(list(names)) for names in ("A", "AB", "ABC")]
