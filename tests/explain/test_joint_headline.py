"""The headline says who ended a connection and what became of its probes, and no more than the lines below it."""

import pytest

from analyzer.explain.joined import joint_story
from analyzer.explain.points import clock_words
from analyzer.joining import join
from analyzer.vantage.joint import Fate, Why
from tests.judging import CAPTURES
from tests.vantages import ACK, PSH, RST, World, keepalive

LAB = CAPTURES / "lab"


def told(*paths):
    """Return the headline of the first connection of captures."""
    joined = join(*paths)
    return joint_story(joined.flows[0], joined.points, joined.points[0].first_ns).headline


HEADLINES = {
    "fw_reject_rst": (
        "Something between B and A reset the connection in the name of the server; the server did not send that RST. "
        "4 probes: 3 answered, 1 most likely lost between A and B, but answered with a RST."
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
def test_it_says_who_ended_it_and_where_probes_were_lost(name, headline):
    """What a reader wants to know first stands first."""
    assert headline == told(LAB / f"{name}.pcap", LAB / f"{name}.peer.pcap")


def test_probes_behind_the_end_of_a_capture_have_not_arrived(tmp_path):
    """What was sent when the far capture had ended is counted as not captured there."""
    made = World()
    keepalive(made, probes=8, lost=(5, 6, 7))

    paths = made.write(tmp_path, parts=(None, slice(0, 9)))

    assert "8 probes: 5 answered, 3 not captured at B, whose capture had ended." in told(*paths)


def test_probes_that_passed_the_last_point_have_not_arrived_at_the_end(tmp_path):
    """A point on the way shows what passed it, not what reached the host beyond."""
    made = World()
    a, b = keepalive(made, probes=1)
    for at_s in (4.0, 5.0):
        made.send(at_s, "a", ACK, a + 30, b + 1)

    assert "3 probes: 1 answered, 2 reached B and got no answer that was captured." in told(*made.write(tmp_path))


def test_nothing_is_called_lost_behind_the_end_of_a_capture(tmp_path):
    """Of a capture that has nothing later it is not known whether it ran: no probe and no other packet is lost."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(9.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(9.5, "a", ACK | PSH, a + 31, b + 1, b"there?", fate="lost")
    made.send(9.8, "a", ACK | PSH, a + 31, b + 1, b"there?", fate="lost")

    found = told(*made.write(tmp_path))

    assert found.endswith("2 probes: 1 answered, 1 of unproven fate.")


def test_likely_losses_are_likely_here_too(tmp_path):
    """Data that something between the points refused was most likely lost there, whatever the other capture has."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(9.0, "a", ACK | PSH, a + 31, b + 1, b"there?", fate="lost")
    made.send(9.001, "b", RST, b + 1, 0, fate="made")

    assert told(*made.write(tmp_path)).endswith("1 other packet was most likely lost.")


def test_a_reset_that_answers_a_lost_probe_is_not_laid_on_its_sender(tmp_path):
    """A server that most likely never got the probe is not said to have reset the connection when it came."""
    made = World()
    a, b = keepalive(made, probes=3)
    made.send(8.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.ip_id["b"] += 20000
    made.send(8.001, "b", RST, b + 1, 0, fate="made")

    found = told(*made.write(tmp_path))

    assert "The server reset" not in found
    assert "1 most likely lost between A and B, but answered with a RST" in found


def test_a_reset_unlike_its_sender_at_the_last_point_came_from_beyond_it(tmp_path):
    """Something beyond the last point is only likely, and then not denied of the end either."""
    made = World(ttl=63)
    a, b = keepalive(made, probes=3)
    made.send(8.0, "a", ACK, a + 30, b + 1)
    made.ip_id["b"] = -1
    made.send(8.001, "b", RST, b + 1, 0, ttl=64)

    found = told(*made.write(tmp_path))

    assert found.startswith("Most likely something beyond B reset the connection in the name of the server. 4 probes:")


def test_a_lost_reset_that_answers_a_probe_is_counted_once(tmp_path):
    """The RST that ended a connection is an answer too; it is no other packet that was lost."""
    made = World()
    a, b = keepalive(made, probes=3)
    made.send(8.0, "a", ACK, a + 30, b + 1)
    made.send(8.001, "b", RST, b + 1, 0, fate="lost")
    made.send(10.0, "a", ACK, a + 30, b + 1)
    made.send(10.001, "b", RST, b + 1, 0)

    found = told(*made.write(tmp_path))

    assert "The RST is the server's own, and was lost between B and A." in found
    assert "other packet" not in found


@pytest.mark.parametrize(
    ("ran_on", "said"),
    [
        (True, "Something between B and A reset the connection in the name of both ends; neither end sent its RST."),
        (False, "Most likely something between B and A reset the connection in the name of both ends."),
    ],
    ids=["captures go on", "captures end"],
)
def test_who_reset_both_ends_did_it_in_the_name_of_both(tmp_path, ran_on, said):
    """Where RSTs in the names of both ends were made between the points, the headline names both."""
    made = World(timestamps=False, ids=False)
    a, b = keepalive(made, probes=1)
    for at_s, sender, seq in ((4.0, "b", b + 1), (4.000_1, "a", a + 31)):
        made.send(at_s, sender, RST, seq, 0, fate="made", ttl=made.ttl - made.hops)
    if ran_on:
        made.send(8.0, "b", ACK | PSH, b + 1, a + 31, b"there?", fate="lost")
        made.send(9.0, "a", ACK, a + 30, b + 1, fate="lost")

    assert told(*made.write(tmp_path)).startswith(said)


def test_who_sent_a_reset_that_no_capture_has_near_its_sender_is_not_said(tmp_path):
    """Where the server's capture ends before it, a RST in its name may be the server's or that of a box."""
    made = World(ids=False, timestamps=False)
    _, b = keepalive(made, probes=2)
    made.send(9.0, "b", RST, b + 1, 0, missed="B")

    assert told(*made.write(tmp_path)).startswith(
        "A RST in the name of the server ended the connection: whether the server sent it, or something on the way "
        "made it, is not known; it was captured only at A, and whether it passed B is not known."
    )


def test_where_rhythm_alone_tells_which_packets_are_one_nothing_is_lost(tmp_path):
    """A clock that may be off by a whole interval proves neither what arrived nor what did not."""
    made = World(ids=False, timestamps=False)
    keepalive(made, probes=10)
    frames = {point: sorted(own) for point, own in made.frames.items()}
    made.frames = {"A": frames["A"][13:], "B": frames["B"][:19]}

    joined = join(*made.write(tmp_path))

    assert joined.notes
    assert {(False, Why.RHYTHM)} == {(each.proven, each.why) for each in joined.flows[0].notable}
    assert {Fate.BOTH, Fate.UNPROVEN} >= {each.fate for each in joined.flows[0].notable}
    assert "or whole intervals of the probes more or less (only their rhythm tells)" in clock_words(joined.points[1])
