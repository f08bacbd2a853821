"""What most likely reset a connection between the points is told, with what the silence before says of its limits."""

from analyzer.explain.joined import joint_story
from analyzer.joining import join
from tests.vantages import ACK, PSH, RST, World, keepalive


def meaning(made, folder):
    """Return what a story says it means, and what to change."""
    joined = join(*made.write(folder))
    story = joint_story(joined.flows[0], joined.points, joined.zero)
    return [
        [line.text for line in section.lines] if (section := story.section(heading)) else []
        for heading in ("What it means", "What to change")
    ]


def forgotten(*, meanwhile=False, ttl=None):
    """Return a connection on which a box answers a probe after seven minutes; ``meanwhile`` the server sent in vain."""
    made = World(nat="203.0.113.5")
    a, b = keepalive(made, probes=1)
    if meanwhile:
        for at_s in (300.0, 300.3, 300.9):
            made.send(at_s, "b", ACK | PSH, b + 1, a + 31, b"news", fate="lost")
    made.send(420.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(420.001, "b", RST, b + 1, 0, fate="made", window=0, ttl=ttl)
    for at_s in (500.0, 501.0):
        made.send(at_s, "b", ACK | PSH, b + 1, a + 31, b"still?", fate="lost")
    return made


def test_a_box_that_may_have_forgotten_is_told_with_the_silence(tmp_path):
    """The story says what kind of box, that nothing had passed before, and whom to ask, each with frames of a point."""
    means, change = meaning(forgotten(), tmp_path)

    assert means[0].startswith("Inferred: a firewall, NAT or load balancer on the path has dropped the flow")
    assert means[0].endswith("in the server's name. [frames A 8-9]")
    assert any(text.startswith("Nothing had passed for 6 min 58 s before the probe") for text in means)
    assert any("an idle timeout, a restart, a new rule" in text for text in change)


def test_no_silence_is_told_in_which_another_point_saw_packets(tmp_path):
    """What the other end sent in vain meanwhile may have reached the box: the silence of one capture is none."""
    means, change = meaning(forgotten(meanwhile=True), tmp_path)

    assert any("NAT or load balancer" in text for text in means)
    assert not any("Nothing had passed for" in text for text in means)
    assert change


def test_an_end_that_reset_it_itself_is_no_box(tmp_path):
    """Of a RST that is its sender's own nothing is said of boxes."""
    made = World()
    a, b = keepalive(made, probes=1)
    made.send(420.0, "a", ACK, a + 30, b + 1)
    made.send(420.001, "b", RST, b + 1, 0, window=0)

    means, _ = meaning(made, tmp_path)

    assert not any("NAT or load balancer" in text for text in means)
