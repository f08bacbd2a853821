"""The story of a connection says what the points show together, with frames of each."""

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


def test_a_reset_that_looks_strange_at_the_last_point_is_told_in_a_name_only(tmp_path):
    """What a box beyond the last point sent is not from the end, whose state then is not known."""
    made = World(ttl=63)
    a, b = keepalive(made, probes=3)
    made.send(8.0, "a", ACK, a + 30, b + 1)
    made.ip_id["b"] = -1
    made.send(8.001, "b", RST, b + 1, 0, ttl=64)
    story = told(join(*made.write(tmp_path)))

    assert "RST in the name of the server passed all points" in story.section("Who ended it").lines[0].text
    client, server = (line.text for line in story.section("What each end believes").lines)
    assert client.startswith("The client is in CLOSED if the RST that passed A reached it; alone,")
    assert server.startswith("What the server was last in is not known: the RST in its name at B need not be its own;")


def test_what_a_reset_did_beyond_the_last_point_is_not_claimed(tmp_path):
    """A RST of the client's own leaves it CLOSED, and the server only if it reached that."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(8.0, "a", RST | ACK, a + 31, b + 1)
    client, server = (line.text for line in told(join(*made.write(tmp_path))).section("What each end believes").lines)

    assert client.startswith("By what passed A, the client was last in CLOSED; alone,")
    assert server.startswith("The server is in CLOSED if the RST that passed B reached it; alone,")


def test_who_closed_last_is_closed_if_the_ack_of_its_fin_reached_it(tmp_path):
    """An end that waits for the ACK of its FIN got it only if it came as far as that end."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(8, "a", FIN | ACK, a + 31, b + 1)
    made.send(8.1, "b", FIN | ACK, b + 1, a + 32)
    made.send(8.2, "a", ACK, a + 32, b + 2)
    client, server = (line.text for line in told(join(*made.write(tmp_path))).section("What each end believes").lines)

    assert client.startswith("By what passed A, the client was last in TIME-WAIT; alone,")
    assert server.startswith("The server is in CLOSED if the ACK of its FIN that passed B reached it; alone,")


def test_what_is_sent_again_with_the_same_fate_stands_on_one_line(tmp_path):
    """How often it was lost, when last, by what that is known and in which frames; another segment has its own line."""
    made = World()
    keepalive(made, probes=2)
    for at_s in (10.0, 10.2, 10.6, 11.4):
        made.send(at_s, "a", ACK | PSH, 1031, 2**32 - 2, b"hello again", fate="lost")
    made.send(12.0, "a", ACK | PSH, 1042, 2**32 - 2, b"and more", fate="lost")
    made.send(60.0, "b", ACK | PSH, 2**32 - 2, 1031, b"still here?")

    joined = join(*made.write(tmp_path))
    section = joint_story(joined.flows[0], joined.points, joined.points[0].first_ns).section("Other packets")

    assert [
        "11 bytes of data from the client was lost between A and B, 4 times, the last at +11.400",
        "8 bytes of data from the client was lost between A and B",
    ] == [line.text.partition(":")[0].partition(" [")[0] for line in section.lines]
    assert section.lines[0].text.endswith("[frames A 10-13]")
    assert section.lines[1].text.endswith("[frame A 14]")
