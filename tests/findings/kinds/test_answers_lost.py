"""Probers that gave up although the capture shows answers."""

from analyzer import explain
from tests.judging import captured, opened, scenario, texts, told


def test_answers_behind_the_capture_are_inferred():
    """Answers that the capture shows and the prober did not get are told as inference."""
    (judged,), start_ns = captured("lab/pcapng_two_interfaces.pcapng")
    story = explain.story(judged, start_ns)

    assert "although the capture shows answers" in story.headline
    assert "Inferred from that rhythm and the RST" in texts(story, "Why")


def test_answers_lost_in_the_probers_own_host_are_told():
    """A prober whose packets have passed no router lost the answers on this link, or in its own host."""
    story = told(scenario("answers_lost_behind_the_capture")[0])

    assert "packets have TTL 64 here, which no router has lowered" in texts(story, "Why")
    assert "look at its packet filter first" in texts(story, "Why")


def test_timestamps_prove_that_answers_were_lost():
    """The prober's probes echo the answers that came, and none of those that were lost."""
    lines, echo = [], 1
    for at, (wait, came) in enumerate([(10, True), (10, True), (10, False), (2, False), (2, False)], 2):
        stamp = 10_000 * at
        lines.append(
            f"+{wait} a > b . 5:5(0) ack 1 <ts {stamp} {echo}>\n+.001 b > a . 1:1(0) ack 6 <ts {stamp} {stamp}>"
        )
        echo = stamp if came else echo
    story = told(opened("\n".join(lines) + "\n+2 a > b R. 6:6(0) ack 1\n"))

    assert "Its timestamps prove it: from +32" in texts(story, "Why")
    assert "client CLOSED" not in texts(story, "Timeline"), "both are: the RST was seen on the server's link"
