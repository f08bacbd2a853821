"""What points are called, how their clocks stand, and what one alone has, in words."""

from dataclasses import replace

from analyzer.explain.points import clock_notes, clock_words, letter, lone_words
from analyzer.joining import join
from analyzer.vantage.clock import Clock, Piece
from analyzer.vantage.joint import Point
from tests.vantages import RST, World, keepalive


def test_clocks_are_told_with_their_bounds(tmp_path):
    """Offset, drift and steps are said as far as they are known."""
    made = World(offset_s=37.25, ppm=150.0)
    keepalive(made)
    reference, clock = (clock_words(point) for point in join(*made.write(tmp_path)).points)

    assert "its clock is the reference" == reference
    assert clock.startswith("its clock is 37.25")
    assert "and runs 1" in clock
    assert " ppm fast (" in clock


def test_a_flow_of_one_point_is_told_as_such(tmp_path):
    """What one capture alone has is said with its point and number."""
    made = World()
    keepalive(made)
    made.client = ("192.0.2.77", 50000)
    made.send(30, "a", RST, 7777, 0, fate="lost")

    found = join(*made.write(tmp_path))

    assert ["192.0.2.77:50000 and 198.51.100.1:443 (flow 1 of point A) was seen only there"] == [
        lone_words(lone) for lone in found.lone
    ]
    assert ["A", "Z", "P26"] == [letter(number) for number in (0, 25, 26)]


def clocked(path, *steps_s):
    """Return a point whose clock was a second farther ahead from each of these seconds on."""
    second = 1_000_000_000
    pieces = [
        Piece(round(at_s * second), 0, round(at_s * second), step * second, 0, 0, 0.0, 0, 0, 9)
        for step, at_s in enumerate((0, *steps_s))
    ]
    return Point(path, 0, 0, 0, 0, 9, 0, (), Clock(tuple(pieces)))


def test_whose_clock_was_set_two_alone_do_not_tell():
    """Of two clocks either was set; of three it is the one that moved against both others."""
    at = (10.0, 15.5)  # by clocks of their own, of which one is 5 s ahead
    ahead = clocked("C", at[1])
    ahead.clock = Clock(tuple(replace(each, offset_ns=each.offset_ns + 5_000_000_000) for each in ahead.clock.pieces))

    assert ["the clocks of A and B moved against each other once: one of them was set"] == clock_notes(
        [clocked("A"), clocked("B", at[0])]
    )
    assert ["the clock of B was set once"] == clock_notes([clocked("A"), clocked("B", at[0]), clocked("C")])
    assert ["the clock of A was set once: all others moved against it"] == clock_notes(
        [clocked("A"), clocked("B", at[0]), ahead]
    )
    assert [] == clock_notes([clocked("A"), clocked("B")])


def test_a_clock_that_moved_again_and_again_was_not_set_so_often():
    """Times that contradict each other all the time are told as such, not as so many settings of a clock."""
    (said,) = clock_notes([clocked("A"), clocked("B", *range(10, 20))])

    assert said == (
        "the clocks of A and B moved against each other 10 times: a capture does not tell times as packets passed"
    )
    assert "moved against the reference 10 times" in clock_words(clocked("B", *range(10, 20)))
