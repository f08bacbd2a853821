"""What changed on the way is told in words."""

from analyzer.explain.joined import joint_story
from analyzer.joining import join
from tests.judging import CAPTURES


def test_a_translated_address_is_told():
    """What an end is called at each point stands in the story, with the first frame of the connection at both."""
    lab = CAPTURES / "lab"
    found = join(lab / "nat_idle_expired.pcap", lab / "nat_idle_expired.peer.pcap")
    section = joint_story(found.flows[0], found.points, found.points[0].first_ns).section("What changed on the way")

    assert (
        "The address of the client was translated: 10.62.1.2:40817 at point A is 10.62.2.1:40817 at point B. "
        "[frame A 5, B 3]" == section.lines[0].text
    )
