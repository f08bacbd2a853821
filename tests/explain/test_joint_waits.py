"""What is said of an end that waited for an answer although its data had arrived."""

from analyzer.explain.joined import joint_story
from analyzer.joining import join
from tests.vantage.test_waits import ask, talk
from tests.vantages import ACK, FIN, PSH, World


def told(made, folder):
    """Return what the captures mean together."""
    joined = join(*made.write(folder))
    section = joint_story(joined.flows[0], joined.points, joined.points[0].first_ns).section("What it means")
    return " ".join(line.text for line in section.lines)


def test_the_wait_is_placed_and_no_more_than_likely_a_program(tmp_path):
    """Beyond which point, for how long, with frames of both points; that a program hung is inferred."""
    made = World()
    at_s, a, b = talk(made)
    ask(made, at_s, a, b)
    made.send(at_s + 30, "a", ACK | FIN, a + 10, b)

    text = told(made, tmp_path)

    assert "Data of the client (10 bytes) passed B at +1.6" in text
    assert "the kernel of the server acknowledged it 40 ms later" in text
    assert "but the server sent no data in the 30.000 s until the client sent FIN" in text
    assert "Otherwise it answered 3 times, within" in text
    assert "[frames A 10, B 10, B 11, A 11, A 12, B 12]." in text
    assert "beyond B, if that data asks for an answer: most likely in the program of the server" in text


def test_a_late_answer_needs_no_condition(tmp_path):
    """Where data came at last, it is told how long behind, and that the time was spent beyond the point."""
    made = World()
    at_s, a, b = talk(made)
    ask(made, at_s, a, b)
    made.send(at_s + 7, "b", ACK | PSH, b, a + 10, b"late")

    text = told(made, tmp_path)

    assert "and the next data of the server passed B 7.000 s later" in text
    assert "So that time was not spent between the points, but beyond B: most likely" in text
