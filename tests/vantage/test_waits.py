"""Which data was delivered and acknowledged, and left unanswered by a program, as several points show together."""

import json

import pytest

from analyzer.joining import join
from tests.vantages import ACK, FIN, PSH, RST, SYN, World

A, B = 1000, 9000


def talk(made, *, server_takes_s=0.002, client_thinks_s=0.5, turns=3, handshake=True, isn=(A, B)):
    """Play requests of 10 bytes and answers of 20; return when the last answer passed, and the next numbers."""
    a, b = isn
    if handshake:
        made.send(0.0, "a", SYN, a - 1, 0, mss=1460)
        made.send(0.01, "b", SYN | ACK, b - 1, a, mss=1460)
        made.send(0.02, "a", ACK, a, b)
    at_s = 0.1
    for turn in range(turns):
        made.send(at_s, "a", ACK | PSH, a + 10 * turn, b + 20 * turn, b"ask me now")
        made.send(at_s + server_takes_s, "b", ACK | PSH, b + 20 * turn, a + 10 * turn + 10, b"and here is a reply.")
        at_s += server_takes_s + client_thinks_s
    return at_s, a + 10 * turns, b + 20 * turns


def ask(made, at_s, a, b):
    """Ask once more; only the server's kernel answers."""
    made.send(at_s, "a", ACK | PSH, a, b, b"ask me now")
    made.send(at_s + 0.04, "b", ACK, b, a + 10)


def wait(made, folder):
    """Return what was waited for, of the only connection."""
    (flow,) = join(*made.write(folder)).flows
    return flow.wait


def test_a_program_that_hangs(tmp_path):
    """Its kernel acknowledges what its program leaves unanswered until the client closes."""
    made = World()
    at_s, a, b = talk(made)
    ask(made, at_s, a, b)
    made.send(at_s + 30, "a", ACK | FIN, a + 10, b)
    made.send(at_s + 30.04, "b", ACK, b, a + 11)

    found = wait(made, tmp_path)

    assert ("a", 1, "fin_of_asker", 3) == (found.asker, found.point, found.ended, found.others)
    assert 30.0 == pytest.approx(found.waited_ns / 1e9, abs=0.01)
    assert 0.04 == pytest.approx(found.acked_ns / 1e9, abs=0.01)


def test_nothing_else_need_happen(tmp_path):
    """A connection in which every packet is at both points, and that goes on, is told because its client waits."""
    made = World()
    at_s, a, b = talk(made)
    ask(made, at_s, a, b)
    made.client = ("192.0.2.9", 41000)
    talk(made, turns=60, isn=(700_000, 800_000))
    for frames in made.frames.values():
        frames.sort()

    found = join(*made.write(tmp_path))

    assert [0] == found.eventful
    assert "capture" == found.flows[0].wait.ended


def test_an_answer_that_comes_late(tmp_path):
    """The time between a request and an answer that left late is told, beside how soon others came."""
    made = World()
    at_s, a, b = talk(made)
    ask(made, at_s, a, b)
    made.send(at_s + 7, "b", ACK | PSH, b, a + 10, b"late")
    made.send(at_s + 7.1, "a", ACK | PSH, a + 10, b + 4, b"thank you.")
    made.send(at_s + 7.102, "b", ACK | PSH, b + 4, a + 20, b"welcome")

    found = wait(made, tmp_path)

    assert ("answered", 4) == (found.ended, found.others)
    assert 7.0 == pytest.approx(found.waited_ns / 1e9, abs=0.01)


def test_who_opened_no_connection_is_not_said_to_wait(tmp_path):
    """A client that is silent behind the last answer asks for nothing more: nobody waits."""
    made = World()
    at_s, a, b = talk(made, client_thinks_s=0.01)
    made.send(at_s + 60, "a", ACK | FIN, a, b)

    assert wait(made, tmp_path) is None


def test_slow_answers_are_usual_for_a_slow_program(tmp_path):
    """What takes no longer than other answers took is no wait."""
    made = World()
    at_s, a, b = talk(made, server_takes_s=4.0)
    ask(made, at_s, a, b)
    made.send(at_s + 30, "a", ACK | FIN, a + 10, b)

    assert wait(made, tmp_path) is None


def test_who_pushes_without_answers_does_not_wait(tmp_path):
    """Where the other end answered less than twice, nothing shows that they take turns."""
    made = World()
    at_s, a, b = talk(made, turns=1)
    ask(made, at_s, a, b)
    made.send(at_s + 30, "a", ACK | FIN, a + 10, b)

    assert wait(made, tmp_path) is None


def test_data_that_nobody_acknowledged_was_not_delivered(tmp_path):
    """Without an acknowledgement the host may be gone, not its program."""
    made = World()
    at_s, a, b = talk(made)
    made.send(at_s, "a", ACK | PSH, a, b, b"ask me now")
    made.send(at_s + 30, "a", ACK | RST, a + 10, b)

    assert wait(made, tmp_path) is None


def test_an_answer_that_the_nearest_capture_lacks(tmp_path):
    """Where the client acknowledges data that the server's capture does not have, nothing is said of its program."""
    made = World()
    at_s, a, b = talk(made)
    ask(made, at_s, a, b)
    made.send(at_s + 0.5, "b", ACK | PSH, b, a + 10, b"here you are", missed="AB")
    made.send(at_s + 0.6, "a", ACK, a + 10, b + 12)
    made.send(at_s + 30, "a", ACK | FIN, a + 10, b + 12)

    assert wait(made, tmp_path) is None


@pytest.mark.parametrize(("thinks_s", "is_told"), [(0.5, True), (0.001, False)])
def test_who_asks_without_a_handshake(tmp_path, thinks_s, is_told):
    """Without a SYN who asks is whose data is answered sooner than it goes on itself, if that is so each time."""
    made = World()
    at_s, a, b = talk(made, client_thinks_s=thinks_s, handshake=False)
    ask(made, at_s, a, b)
    made.send(at_s + 30, "a", ACK | FIN, a + 10, b)

    found = wait(made, tmp_path)

    assert is_told == (found is not None and found.asker == "a")


def test_json_has_it(tmp_path):
    """The JSON has who waited, for how long and until what, with the frames."""
    made = World()
    at_s, a, b = talk(made)
    ask(made, at_s, a, b)
    made.send(at_s + 30, "a", ACK | FIN, a + 10, b)

    told = json.loads(json.dumps(join(*made.write(tmp_path)).fields(0)))["wait"]

    assert ("a", "fin_of_asker", 3) == (told["by"], told["ended"], told["other_answers"])
    assert [{"A", "B"}] == [{"AB"[sight["point"]] for sight in told["asked"]["seen"]}]
    assert 30.0 == pytest.approx(told["wait_s"], abs=0.01)
