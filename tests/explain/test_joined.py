"""The story of a connection says what the points show together, with frames of each."""

import pytest

from analyzer.explain.joined import clock_words, joint_story, letter, lone_words
from analyzer.joining import join
from tests.judging import CAPTURES
from tests.vantages import ACK, FIN, RST, World, keepalive


def told(joined, number=0):
    """Return the story of a connection."""
    return joint_story(joined.flows[number], joined.points, joined.points[0].first_ns)


def lab(name):
    """Join a pair of the lab."""
    return join(CAPTURES / "lab" / f"{name}.pcap", CAPTURES / "lab" / f"{name}.peer.pcap")


HEADLINES = {
    "fw_reject_rst": (
        "Something between B and A reset the connection in the name of the server; the server did not send that RST. "
        "4 probes: 3 answered, 1 answered with a RST."
    ),
    "fw_silent_drop": (
        "The client gave up: the RST is its own, and was lost between A and B. "
        "7 probes: 2 answered, 5 lost between A and B."
    ),
    "loss_acks": (
        "Open when the captures ended. 16 probes: 8 answered, 8 arrived, but the answer was lost between B and A."
    ),
}


@pytest.mark.parametrize(("name", "headline"), HEADLINES.items())
def test_the_headline_says_who_ended_it_and_where_probes_were_lost(name, headline):
    """What a reader wants to know first stands first."""
    assert headline == told(lab(name)).headline


def test_a_translated_address_is_told():
    """What an end is called at each point stands in the story."""
    section = told(lab("nat_idle_expired")).section("What changed on the way")

    assert (
        "The client is 10.62.1.2:40817 at A and 10.62.2.1:40817 at B: its address was translated."
        == section.lines[0].text
    )


def test_every_line_about_a_packet_has_its_frames():
    """Probes and RSTs are told with their frames at every point that saw them."""
    story = told(lab("fw_silent_drop"))

    for heading in ("What became of the probes", "Who ended it"):
        assert all("[frame A " in line.text or "[frame B " in line.text for line in story.section(heading).lines)
    assert "reached B [frame A 11, B 11]; the answer came back [frame B 12, A 12]" in (
        story.section("What became of the probes").lines[0].text
    )


def test_what_is_assumed_is_said(tmp_path):
    """A loss behind the last frame of a capture is likely, and the story says what is assumed."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(9.0, "a", ACK, a + 30, b + 1, fate="lost")

    story = told(join(*made.write(tmp_path)))

    assert "most likely lost between A and B" in story.section("What became of the probes").lines[1].text
    assert story.section("What the captures do not show").lines[0].text.startswith("Whether the capture of B still ran")


def test_clocks_are_told_with_their_bounds(tmp_path):
    """Offset, drift and steps are said as far as they are known."""
    made = World(offset_s=37.25, ppm=150.0)
    keepalive(made)
    reference, clock = (clock_words(point) for point in join(*made.write(tmp_path)).points)

    assert "its clock is the reference" == reference
    assert clock.startswith("its clock is 37.25")
    assert "and runs 1" in clock
    assert " ppm fast (" in clock


def test_nothing_to_tell_is_told_apart(tmp_path):
    """A connection that passed and closed in order needs no story; one with a loss does."""
    made = World()
    a, b = keepalive(made, probes=0)
    made.send(1, "a", FIN | ACK, a + 31, b + 1)
    made.send(1.1, "b", FIN | ACK, b + 1, a + 32)
    made.send(1.2, "a", ACK, a + 32, b + 2)

    assert [] == join(*made.write(tmp_path)).eventful
    assert [0] == lab("loss_acks").eventful


def test_a_flow_of_one_point_is_told_as_such(tmp_path):
    """What one capture alone has is said with its point and number."""
    made = World()
    keepalive(made)
    made.client = ("192.0.2.77", 50000)
    made.send(30, "a", RST, 7777, 0, fate="lost")

    found = join(*made.write(tmp_path))

    assert ["192.0.2.77:50000 and 198.51.100.1:443 (flow 1 of A) was seen only at A"] == [
        lone_words(lone) for lone in found.lone
    ]
    assert ["A", "Z", "P26"] == [letter(number) for number in (0, 25, 26)]
