"""An end whose peer gave up or closed, and that no RST or FIN reached, is told to be left with the connection."""

from tests.explain.test_joint_meaning import beside, told
from tests.vantages import ACK, FIN, PSH, RST, World, keepalive


def gave_up(tmp_path, *, probing):
    """Return what it means that a client gave up whose RST was lost; the server probed before, or did not."""
    made = World()
    a, b = keepalive(made, probes=2)
    if probing:
        made.send(5.0, "b", ACK, b, a + 31)
        made.send(5.001, "a", ACK, a + 31, b + 1)
    for at_s in (8.0, 10.0, 12.0):
        made.send(at_s, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(14.0, "a", RST | ACK, a + 31, b + 1, fate="lost")
    beside(made, 60)
    return told(tmp_path, made)[1]


def test_who_still_has_the_connection_is_told(tmp_path):
    """An end that no RST reached and that does not probe keeps the connection: that is told, and what helps."""
    means = gave_up(tmp_path, probing=False)

    assert "By what passed B, the server still has the connection that the client ended: that RST did not" in means
    assert "It sent no probe there" in means
    assert "turn keepalive on there" in means


def test_an_end_that_probes_finds_out(tmp_path):
    """Of an end that probes it is not said that it may keep the connection for ever."""
    means = gave_up(tmp_path, probing=True)

    assert "Its next probe can find out" in means
    assert "for ever" not in means


def test_an_end_whose_data_is_lost_too_gives_up_by_itself(tmp_path):
    """Where it sent data since, which is lost, neither keepalive nor more data is what it takes."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(8.0, "b", RST | ACK, b + 1, a + 31, fate="lost")
    for at_s in (20.0, 20.3, 20.9):
        made.send(at_s, "a", ACK | PSH, a + 31, b + 1, b"query", fate="lost")
    beside(made, 60)

    means = told(tmp_path, made)[1]

    assert "What it sent since was lost, too: its kernel gives up" in means
    assert "turn keepalive on" not in means


def test_a_fin_that_never_arrived_leads(tmp_path):
    """That an end closed and the other was never told is the headline, with where the FIN was lost, and how often."""
    made = World()
    a, b = keepalive(made, probes=0)
    for at_s in (8.0, 8.2, 8.6):
        made.send(at_s, "a", FIN | ACK, a + 31, b + 1, fate="lost")
    beside(made, 60)

    headline, means = told(tmp_path, made)

    assert headline.startswith(
        "The client closed, but its FIN was lost between A and B, 3 times: the server does not know."
    )
    assert "By what passed B, the server still has the connection that the client closed: its FIN did not" in means


def test_a_fin_of_which_one_arrived_leaves_nobody(tmp_path):
    """A FIN that was lost and then arrived tells the other end."""
    made = World()
    a, b = keepalive(made, probes=0)
    made.send(8.0, "a", FIN | ACK, a + 31, b + 1, fate="lost")
    made.send(8.2, "a", FIN | ACK, a + 31, b + 1)
    made.send(8.24, "b", ACK, b + 1, a + 32)
    beside(made, 60)

    headline, means = told(tmp_path, made)

    assert "does not know" not in headline
    assert "still has the connection" not in means


def test_who_knows_nothing_of_a_reset_in_its_name_is_told(tmp_path):
    """The end in whose name something between made a RST still has the connection, unless it was reset as well."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(8.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(8.001, "b", RST, b + 1, 0, fate="made")
    beside(made, 60)

    means = told(tmp_path, made)[1]

    assert "By what passed B, the server still has the connection, and knows nothing of that RST" in means
    assert "turn keepalive on there" in means
