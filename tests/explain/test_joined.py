"""The story of a connection says what the points show together, with frames of each."""

import pytest

from analyzer.explain.joined import joint_story
from analyzer.joining import join
from tests.judging import CAPTURES
from tests.vantages import ACK, FIN, PSH, RST, World, keepalive


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


def test_every_line_about_a_packet_has_its_frames():
    """Probes and RSTs are told with their frames at every point that saw them."""
    story = told(lab("fw_silent_drop"))

    for heading in ("What became of the probes", "Who ended it"):
        assert all("[frame A " in line.text or "[frame B " in line.text for line in story.section(heading).lines)
    assert "reached B [frame A 11, B 11]; the answer came back [frame B 12, A 12]" in (
        story.section("What became of the probes").lines[0].text
    )


def test_nothing_to_tell_is_told_apart(tmp_path):
    """A connection that passed and closed in order needs no story; one with a loss does."""
    made = World()
    a, b = keepalive(made, probes=0)
    made.send(1, "a", FIN | ACK, a + 31, b + 1)
    made.send(1.1, "b", FIN | ACK, b + 1, a + 32)
    made.send(1.2, "a", ACK, a + 32, b + 2)

    assert [] == join(*made.write(tmp_path)).eventful
    assert [0] == lab("loss_acks").eventful


def test_a_reset_that_left_its_sender_is_told_as_from_it(tmp_path):
    """A RST that passed the point nearest to its sender is from it, also where another one ended the connection."""
    made = World()
    a, b = keepalive(made, probes=3)
    made.send(8.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(8.001, "b", RST, b + 1, 0, fate="made")
    made.send(9.0, "b", ACK | PSH, b + 1, a + 31, b"still here")
    made.send(9.001, "a", RST, a + 31, 0, fate="lost")
    made.send(20.0, "b", ACK | PSH, b + 1, a + 31, b"still here")
    found = join(*made.write(tmp_path))

    story = joint_story(found.flows[0], found.points, found.zero)

    (ended,) = (section for section in story.sections if section.heading == "Who ended it")
    texts = [line.text for line in ended.lines]
    assert texts[0].startswith("RST in the name of the server was made between B and A")
    assert texts[1].startswith("RST from the client was lost between A and B")
