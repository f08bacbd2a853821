"""The text of joined captures: points first, then connections that have something to tell."""

from analyzer.joining import join
from analyzer.report.joint_text import text
from analyzer.report.screen import Screen
from tests.judging import CAPTURES
from tests.vantages import ACK, RST, World, keepalive


def lines(joined, **options):
    """Return the text."""
    return "\n".join(text(joined, Screen(), **options))


def test_points_stories_and_rest(tmp_path):
    """Points are named with their clocks; what is at one point only is named at the end."""
    made = World(offset_s=3.0)
    keepalive(made, lost=(1,))
    made.client = ("192.0.2.77", 50000)
    made.send(30, "a", RST, 7777, 0, fate="lost")
    found = lines(join(*made.write(tmp_path)))

    assert found.startswith("A:")
    assert "Connection 0: 192.0.2.1:40000 to 198.51.100.1:443, by way of points A and B" in found
    assert found.endswith("was seen only there.")
    assert all(len(line) <= 80 for line in found.split("\n") if str(tmp_path) not in line)


def test_limits(tmp_path):
    """This many connections are told as are asked for; one may be picked."""
    made = World()
    keepalive(made, lost=(1,))
    made.client = ("192.0.2.77", 50000)
    made.send(30, "a", ACK, 77, 99)
    made.send(30.1, "b", RST, 99, 0)
    made.send(31, "a", ACK, 77, 99, fate="lost")
    found = join(*made.write(tmp_path))

    assert 2 == lines(found).count("Connection ")
    assert "1 more connection: --limit 0 tells all" in lines(found, limit=1)
    assert "Connection 0" not in lines(found, flows=(1,))


def test_legs_of_one_capture_are_named():
    """Points in one capture are told apart as its legs."""
    found = lines(join(CAPTURES / "lab" / "any_router_sll.pcap"))

    assert "leg 1: 39 frames; its clock is the reference" in found.replace("\n  ", " ")
    assert "leg 2: 39 frames; the same clock" in found.replace("\n  ", " ")
