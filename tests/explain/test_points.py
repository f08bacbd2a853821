"""What points are called, how their clocks stand, and what one alone has, in words."""

from analyzer.explain.points import clock_words, letter, lone_words
from analyzer.joining import join
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
