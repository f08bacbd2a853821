"""The page of joined captures: stories with their ladders, nothing from outside unescaped."""

from analyzer.joining import join
from analyzer.report.joint_html import page
from tests.judging import CAPTURES
from tests.vantages import ACK, FIN, World, keepalive

LAB = CAPTURES / "lab"


def test_stories_and_ladders_are_in_it():
    """A connection is told with headline, picture and frames, and the page loads nothing."""
    made = page(join(LAB / "fw_silent_drop.pcap", LAB / "fw_silent_drop.peer.pcap"))

    assert "The client gave up: the RST is its own" in made
    assert 1 == made.count("<svg")
    assert "[frame A 11, B 11]" in made
    assert "default-src &#39;none&#39;" in made or "default-src 'none'" in made
    assert "<script" not in made


def test_file_names_are_escaped(tmp_path):
    """A file name with markup reaches the page as text."""
    made = World()
    keepalive(made, probes=0)
    made.send(1, "a", FIN | ACK, 1031, 2**32 - 2)
    found = join(*made.write(tmp_path))
    found.points[0].path = "<img src=x>.pcap"

    shown = page(found)

    assert "<img" not in shown
    assert "&lt;img src=x&gt;.pcap" in shown


def test_legs_of_one_capture_are_named_as_in_the_text():
    """The page names points as the text does, above and in the ladder; its title names a capture once."""
    made = page(join(LAB / "any_router_sll.pcap"))

    for number in (1, 2):
        assert f"any_router_sll.pcap, leg {number}: 39 frames;" in made
    assert 1 == made.split("</title>")[0].count("any_router_sll.pcap")
